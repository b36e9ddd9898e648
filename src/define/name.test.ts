import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkName } from "./name.ts";

test("a name holds letters, digits, underscores and hyphens of any script", () => {
  for (const name of ["train", "first_pipeline", "a-b", "2d", "_private", "größe", "訓練", "देवनागरी", "Ω1"]) {
    assert.equal(checkName("A name", name), undefined, name);
  }
});

test("separators, spaces, dots and control characters are no part of a name", () => {
  for (const name of ["", "a/b", "a b", "a.b", "-a", "a\n", "\u0000", "..", "a@1", "🎉", "x".repeat(101), "e\u0301"]) {
    assert.equal(checkName("A name", name)?.code, "RPS1008", JSON.stringify(name));
  }
  assert.equal(checkName("A name", undefined)?.code, "RPS1008");
});

test("the hint spells a usable name wherever there is one", () => {
  assert.equal(checkName("A step's name", "train model/v2")?.hint, 'Call it "train_model_v2"');
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 30 }), (name) => {
      const hint = checkName("A name", name)?.hint;
      const [, usable] = /^Call it "(.*)"$/su.exec(hint ?? "") ?? [];
      if (usable !== undefined) assert.notEqual(checkName("A name", usable)?.hint?.startsWith("Call it"), true);
    }),
  );
});
