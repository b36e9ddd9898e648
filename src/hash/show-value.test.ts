import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { showValue } from "./show-value.ts";

describe("showing a value", () => {
  const circular: Record<string, unknown> = { a: 1 };
  circular["self"] = circular;
  const shown: readonly (readonly [value: unknown, text: string])[] = [
    [0.001, "0.001"],
    [-0, "-0"],
    [1n, "1n"],
    ["svc", '"svc"'],
    ["two\nlines \u001b[31m \u009b", String.raw`"two\nlines \u001b[31m \u009b"`],
    [undefined, "undefined"],
    [null, "null"],
    [{}, "{}"],
    [{ gamma: 0.1, "a key": [1, "x", null] }, '{ gamma: 0.1, "a key": [1, "x", null] }'],
    [new Map([["a", new Set([1])]]), 'Map { "a" → Set { 1 } }'],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [new Date(Number.NaN), "Date(invalid)"],
    [new Float32Array([1, 2.5]), "Float32Array(2) [1, 2.5]"],
    [new Uint8Array(100), "Uint8Array(100) [0, 0, 0, 0, 0, 0, 0, 0, …]"],
    [/a/gu, "/a/gu"],
    [new URL("http://a/b"), '"http://a/b"'],
    [Object(1), "Object(1)"],
    [circular, "{ a: 1, self: <circular> }"],
    [{ run: () => 1, at: Promise.resolve() }, "{ run: <a function>, at: <a promise> }"],
    [
      {
        get x(): never {
          throw new Error("the getter was run");
        },
      },
      "{ x: <a getter> }",
    ],
  ];
  for (const [value, text] of shown) it(`gives ${text}`, () => assert.equal(showValue(value), text));

  it("cuts what is too long", () => {
    assert.equal(showValue("x".repeat(100), 10), '"xxxxxxx…"');
    assert.equal(showValue({ a: "y".repeat(100), b: 1 }, 20), '{ a: "yyyyyyyyyy…",…');
    assert.match(
      showValue(
        Array.from({ length: 1_000_000 }, (_, index) => index),
        30,
      ),
      /^\[0, 1, 2, .*…\]?$/u,
    );
  });

  it("never gives more than asked for", () => {
    fc.assert(
      fc.property(
        fc.anything({ withMap: true, withSet: true, withTypedArray: true, withSparseArray: true }),
        fc.integer({ min: 1, max: 100 }),
        (value, maxLength) => assert.ok(showValue(value, maxLength).length <= maxLength),
      ),
    );
  });
});
