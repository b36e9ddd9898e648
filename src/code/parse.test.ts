import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFile } from "./parse.ts";
import type { FileRecord, UnitRecord } from "./record.ts";

function parse(source: string, path = "/project/a.ts"): FileRecord {
  return parseFile(path, Buffer.from(source), "module");
}

function unit(source: string, key: string, path?: string): UnitRecord {
  const found = parse(source, path).units.find((each) => each.key === key);
  assert.ok(found, `no unit ${key}`);
  return found;
}

const digest = (source: string, key = "f", path?: string): string => unit(source, key, path).digest;

test("types, comments, layout, quotes and semicolons leave no trace in a digest", () => {
  assert.equal(
    digest("function f(x: number, y?: string): string {\n  // why\n  return (x as any)! + 'a' + y;\n}"),
    digest('function f(x,y){return x+"a"+y}', "f", "/project/a.js"),
  );
});

test("a local name may be renamed, a property, a class and a label may not", () => {
  assert.equal(digest("function f(a) { const b = a; return b; }"), digest("function f(x) { const y = x; return y; }"));
  assert.notEqual(digest("function f(a) { return { a }; }"), digest("function f(b) { return { b }; }"));
  assert.notEqual(digest("function f() { class A {} return A; }"), digest("function f() { class B {} return B; }"));
});

test("a parameter and a variable of its name are one, of another name are two", () => {
  assert.notEqual(digest("function f(a) { var a; return a; }"), digest("function f(a) { var b; return b; }"));
});

test("nothing is renamed where eval can see names", () => {
  assert.notEqual(digest('function f(a) { eval("a"); }'), digest('function f(b) { eval("a"); }'));
});

test("a name of the file is a reference, whatever it is called", () => {
  const one = unit("const a = 1; function f() { return a; }", "f");
  const two = unit("const b = 1; function f() { return b; }", "f");
  assert.equal(one.digest, two.digest);
  assert.deepEqual(
    [one.refs, two.refs],
    [
      ["f", "a"],
      ["f", "b"],
    ],
  );
});

test("members of imported names are part of the reference", () => {
  const { refs } = unit('import * as ns from "./ns.ts"; function f() { return ns.a.b() + ns["c"]; }', "f");
  assert.deepEqual(refs, ["f", "ns.a.b", "ns.c"]);
});

test("declarators of one statement are units of their own", () => {
  assert.deepEqual(
    parse("export const a = 1, { b, c: [d] } = x;").units.map(({ key, names }) => [key, names]),
    [
      ["a", ["a"]],
      ["b", ["b", "d"]],
    ],
  );
});

test("evaluating literals, functions and calls of the language is pure, changing what others see is not", () => {
  const impure = (source: string): boolean => unit(source, "x").eval.impure;
  assert.equal(impure("const x = [1, 2].map((n) => n * 2).join();"), false);
  assert.equal(impure("const x = new Map(Object.entries({ a: 1 }));"), false);
  assert.equal(impure("const list = []; const x = (list[0] = 1);"), true);
  assert.equal(impure("const x = unknownThing();"), true);
  assert.equal(impure("const x = { get a() { return other(); } }.a;"), true);
});

test("a file that cannot be parsed is known by its bytes", () => {
  assert.equal(parse("const = ;").format, "broken");
  assert.notEqual(parse("const = ;").digest, parse("const  = ;").digest);
});

test("JSON is known by its values, and each key by its own", () => {
  const json = (text: string): FileRecord => parse(text, "/project/a.json");
  assert.equal(json('{"a": 1, "b": [1]}').digest, json('{ "a":1,"b":[1] }').digest);
  assert.notEqual(json('{"a": 0}').keys?.a, json('{"a": -0}').keys?.a);
  assert.equal(json('{"a": 1, "b": 1}').keys?.a, json('{"a": 1, "b": 2}').keys?.a);
});

test("in CommonJS assignments to exports declare", () => {
  const record = parse("exports.a = 1;\nmodule.exports.b = () => 2;\nother.c = 3;", "/project/a.cjs");
  assert.deepEqual(
    record.units.map(({ key, kind }) => [key, kind]),
    [
      ["exports.a", "export"],
      ["exports.b", "export"],
      ["effect 1", "statement"],
    ],
  );
});

test("what cannot be followed is noted with its place", () => {
  const { notes } = unit("function f(n) {\n  return import(n);\n}", "f");
  assert.deepEqual(notes, [
    { kind: "dynamic-import", message: "import() of a computed path cannot be followed", line: 2, column: 10 },
  ]);
});
