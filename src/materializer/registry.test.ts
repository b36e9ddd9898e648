import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Materializer } from "../define/materializer.ts";
import { ValueError } from "../error.ts";
import { file, html, markdown, png, table, tensor } from "./index.ts";
import { createRegistry, isMaterializer } from "./registry.ts";

const nothing: Materializer<string> = {
  name: "nothing",
  version: 1,
  mediaType: "text/plain",
  extension: "txt",
  accepts: (value) => value === "nothing",
  write: async (_, blobs) => ({ root: await blobs.put("") }),
  read: async () => "nothing",
};

describe("a registry", () => {
  const cases: readonly (readonly [what: string, value: unknown, name: string])[] = [
    ["a string", "text", "text"],
    ["a string with half a surrogate pair", "\ud800", "json"],
    ["a number", 1, "json"],
    ["not a number", Number.NaN, "value"],
    ["nested data", { a: [1] }, "json"],
    ["a record with a date", { at: new Date(0) }, "value"],
    ["bytes", new Uint8Array(1), "bytes"],
    ["a Buffer", Buffer.from("x"), "buffer"],
    ["an ArrayBuffer", new ArrayBuffer(1), "array-buffer"],
    ["a Float32Array", new Float32Array(1), "typed-array"],
    ["a Uint8ClampedArray", new Uint8ClampedArray(1), "value"],
    ["a table", table([{ a: 1 }]), "table"],
    ["a tensor", tensor({ data: new Float32Array(1), shape: [1] }), "tensor"],
    ["a file", file(import.meta.filename), "file"],
    ["Markdown", markdown("# x"), "markdown"],
    ["HTML", html("<p>"), "html"],
  ];
  for (const [what, value, name] of cases) {
    it(`stores ${what} as ${name}`, () => assert.equal(createRegistry().findFor(value).name, name));
  }

  it("asks a user's materializers first", () => {
    assert.equal(createRegistry([nothing as Materializer]).findFor("nothing"), nothing);
    assert.equal(createRegistry([nothing as Materializer]).findFor("other").name, "text");
    const registry = createRegistry().with([nothing as Materializer]);
    assert.equal(registry.findByType("nothing", 1), nothing);
    assert.equal(registry.with([nothing as Materializer]).materializers.length, registry.materializers.length);
  });

  it("refuses values that nothing takes, and says what they are", () => {
    class Model {
      weights = [1];
    }
    assert.throws(
      () => createRegistry().findFor(new Model()),
      (error: unknown) => {
        assert.ok(error instanceof ValueError);
        assert.equal(error.code, "RPS2101");
        assert.equal(error.message, "value is an instance of Model, which no materializer takes.");
        assert.equal(
          error.hint,
          "Return its plain fields instead (toJSON is never called). Or write a materializer for it and declare the output with it.",
        );
        return true;
      },
    );
    assert.throws(() => createRegistry().findFor(() => 1), /value is a function/u);
  });

  it("takes deep mistakes to the materializer that names their place", () => {
    assert.equal(createRegistry().findFor({ deep: [() => 1] }).name, "value");
  });

  it("refuses unknown types, and versions that are newer than itself", () => {
    assert.throws(() => createRegistry().findByType("torch", 1), /Nothing reads artifacts of type "torch"\./u);
    assert.throws(
      () => createRegistry().findByType("json", 99),
      /written by version 99 of "json", and version 1 is the newest known/u,
    );
  });

  it("has one materializer for each type", () => {
    const names = createRegistry().materializers.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
  });

  it("tells a materializer from other things", () => {
    for (const one of [table(), file(), png(), markdown(), nothing]) assert.ok(isMaterializer(one));
    for (const other of [null, {}, "json", table([]), { name: "x", read: 1, write: 2 }])
      assert.ok(!isMaterializer(other));
  });
});
