import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { suggestName } from "./suggest-name.ts";

test("the nearest candidate is suggested, a far one is not", () => {
  const options = ["cache", "expires", "retry", "timeout"];
  assert.equal(suggestName("cahce", options), "cache");
  assert.equal(suggestName("Timeout", options), "timeout");
  assert.equal(suggestName("expire", options), "expires");
  assert.equal(suggestName("colour", options), undefined);
  assert.equal(suggestName("x", []), undefined);
});

test("a candidate itself is always suggested", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, selector: (each) => each.toLowerCase() }),
      (names) => {
        for (const name of names) assert.equal(suggestName(name, names), name);
      },
    ),
  );
});
