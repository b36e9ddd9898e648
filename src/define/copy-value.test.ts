import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestValue } from "../hash/canonical.ts";
import { copyValue } from "./copy-value.ts";

const data = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true });

test("a copy of any data is the same data, and shares no object with it", () => {
  fc.assert(
    fc.property(data, (value) => {
      const copy = copyValue(value);
      assert.equal(digestValue(copy), digestValue(value));
      assert.deepEqual(copy, value);
      const objects = objectsIn(value);
      for (const each of objectsIn(copy)) assert.ok(!objects.has(each));
    }),
  );
});

test("what is shared, circular, sparse, frozen or oddly named is so in the copy, which can be changed", () => {
  const shared = { n: 1 };
  const circle: { list: unknown[]; self?: unknown } = { list: [shared, shared] };
  circle.self = circle;
  const copied = copyValue(circle) as typeof circle;
  assert.equal(copied.self, copied);
  assert.equal(copied.list[0], copied.list[1]);
  assert.notEqual(copied.list[0], shared);

  // oxlint-disable-next-line no-sparse-arrays -- holes are what is tested
  assert.deepEqual(copyValue([, 1, ,]), [, 1, ,]);
  const odd = JSON.parse('{ "__proto__": { "a": 1 } }') as object;
  assert.deepEqual(Object.keys(copyValue(odd) as object), ["__proto__"]);
  const thawed = copyValue(Object.freeze([Object.freeze({ n: 1 })])) as { n: number }[];
  thawed[0]!.n = 2;
  thawed.push({ n: 3 });
  assert.deepEqual(thawed, [{ n: 2 }, { n: 3 }]);
});

test("special objects keep their kind", () => {
  for (const value of [
    new Float32Array([1]),
    new URL("https://example.com/?a=1"),
    new URLSearchParams("a=1"),
    /x/giu,
  ]) {
    const copy = copyValue(value) as object;
    assert.notEqual(copy, value);
    assert.equal(Object.getPrototypeOf(copy), Object.getPrototypeOf(value));
    assert.equal(String(copy), String(value));
  }
  // Both have one digest, so a step must not be able to tell them apart.
  assert.deepEqual(copyValue(Buffer.from("a")), new Uint8Array([97]));
});

test("what is no data stays as it is, so that whoever takes the value can refuse it", () => {
  class Model {
    weight = 1;
  }
  const model = new Model();
  const getter = {
    get now(): number {
      return assert.fail("it was run");
    },
  };
  assert.equal((copyValue({ deep: [model] }) as { deep: unknown[] }).deep[0], model);
  assert.equal(typeof Object.getOwnPropertyDescriptor(copyValue(getter), "now")?.get, "function");
});

function objectsIn(value: unknown, found = new Set<object>()): Set<object> {
  if (typeof value !== "object" || value === null || found.has(value)) return found;
  found.add(value);
  if (value instanceof Map) for (const entry of value) for (const each of entry) objectsIn(each, found);
  else if (value instanceof Set) for (const each of value) objectsIn(each, found);
  else if (!ArrayBuffer.isView(value)) for (const each of Object.values(value)) objectsIn(each, found);
  return found;
}
