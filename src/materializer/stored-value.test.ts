import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Materializer } from "../define/materializer.ts";
import { StoreError, ValueError } from "../error.ts";
import { memoryBlobs } from "../testing/materializer-contract.ts";
import { json, markdown, table, text } from "./index.ts";
import { createRegistry } from "./registry.ts";
import { loadValue, storeValue } from "./stored-value.ts";

const registry = createRegistry();

describe("a stored value", () => {
  it("keeps what is needed to read and to show it", async () => {
    await using blobs = memoryBlobs();
    const stored = await storeValue({ gamma: 0.02 }, { registry, blobs });
    assert.deepEqual(stored, {
      digest: stored.digest,
      type: "json",
      typeVersion: 1,
      root: { digest: stored.root.digest, size: 14 },
      parts: [],
      size: 14,
      mediaType: "application/json",
      extension: "json",
      preview: { kind: "json", value: { gamma: 0.02 }, truncated: false },
      metadata: { kind: "record", keys: 1 },
    });
    assert.deepEqual(await loadValue(stored, { registry, blobs }), { gamma: 0.02 });
  });

  // A change here makes every stored artifact a new one.
  it("has a digest of its type, the version of its format and its bytes", async () => {
    await using blobs = memoryBlobs();
    const digest = async (value: unknown, declaration?: Materializer): Promise<string> =>
      (await storeValue(value, { registry, blobs, ...(declaration === undefined ? {} : { declaration }) })).digest;
    assert.equal(await digest("1"), "sha256:0a762451f1907737fab5ab9d5d4f81d8b2b6e8b5998dfbce58e2bf1a9c114b07");
    assert.notEqual(await digest("1"), await digest(1), "equal bytes of another type");
    assert.notEqual(await digest("1"), await digest("1", { ...text(), version: 2 } as Materializer));
    assert.equal(await digest({ a: 1 }), await digest({ a: 1 }, json()));
  });

  it("is stored as it was declared", async () => {
    await using blobs = memoryBlobs();
    const rows = [{ a: 1 }];
    const asTable = await storeValue(rows, { registry, blobs, declaration: table() });
    assert.equal(asTable.type, "records");
    assert.deepEqual(await loadValue(asTable, { registry, blobs }), rows);
    const report = await storeValue("# x", { registry, blobs, declaration: markdown() });
    assert.equal(report.mediaType, "text/markdown; charset=utf-8");
    assert.equal(await loadValue(report, { registry, blobs }), "# x");
  });

  it("is written by the materializer that accepts it, also by one that was made of json()", async () => {
    await using blobs = memoryBlobs();
    const times: Materializer = {
      ...json(),
      name: "time",
      accepts: (value) => value instanceof Date,
      write: async (value, into) => ({ root: await into.put(String((value as Date).getTime())) }),
    };
    const stored = await storeValue(new Date(5), { registry: createRegistry([times]), blobs });
    assert.equal(stored.type, "time");
    assert.equal(await blobs.text(stored.root.digest), "5");
  });

  it("is refused with the place of what cannot be stored", async () => {
    await assert.rejects(
      async () => await storeValue({ model: { fit: () => 1 } }, { registry, blobs: memoryBlobs() }),
      (error: unknown) => {
        assert.ok(error instanceof ValueError);
        assert.equal(error.code, "RPS2104");
        assert.equal(error.message, "value.model.fit is a function, which cannot be stored.");
        assert.equal(error.data["path"], "value.model.fit");
        return true;
      },
    );
  });

  it("is stored even when it cannot be previewed", async () => {
    const broken: Materializer = {
      ...json(),
      describe: () => {
        throw new Error("no preview");
      },
    };
    const stored = await storeValue([1], { registry, blobs: memoryBlobs(), declaration: broken });
    assert.deepEqual([stored.preview, stored.metadata], [undefined, { previewError: "no preview" }]);
  });

  it("that cannot be understood is a ValueError, and one that is gone a StoreError", async () => {
    await using blobs = memoryBlobs();
    const stored = await storeValue({ a: 1 }, { registry, blobs });
    const garbled = { ...stored, root: await blobs.put("{ not JSON") };
    await assert.rejects(
      async () => await loadValue(garbled, { registry, blobs }),
      (error: unknown) => error instanceof ValueError && error.code === "RPS2103" && error.cause instanceof SyntaxError,
    );
    await assert.rejects(async () => await loadValue(stored, { registry, blobs: memoryBlobs() }), StoreError);
  });

  it("runs nothing while it is read", async () => {
    await using blobs = memoryBlobs();
    for (const content of ['[["Function",1],"throw 1"]', '[["__proto__",1],{}]', '[{"__proto__":1},{}]']) {
      const root = await blobs.put(content);
      const hostile = { ...(await storeValue(undefined, { registry, blobs })), root };
      await assert.rejects(async () => await loadValue(hostile, { registry, blobs }), ValueError);
    }
  });
});
