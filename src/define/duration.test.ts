import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DefinitionError } from "../error.ts";
import { parseDuration } from "./duration.ts";

test("a duration is a number with a unit", () => {
  const cases = {
    "0ms": 0,
    "250ms": 250,
    "90s": 90_000,
    "15m": 900_000,
    "12h": 43_200_000,
    "7d": 604_800_000,
    "2w": 1_209_600_000,
  };
  for (const [text, milliseconds] of Object.entries(cases)) assert.equal(parseDuration(text), milliseconds);
  assert.equal(parseDuration("1.5h"), 5_400_000);
  assert.equal(parseDuration("1.1m"), 66_000);
});

test("a bare number is milliseconds, and Infinity has no end", () => {
  assert.equal(parseDuration(1500), 1500);
  assert.equal(parseDuration(Infinity), Infinity);
});

test("what is no duration is refused with how to write one", (t) => {
  for (const wrong of ["7", "7 d", "-7d", "d", "", "1e3s", "7days", "7D", ".5h", Number.NaN, -1]) {
    assert.throws(() => parseDuration(wrong as string), { name: "DefinitionError", code: "RPS1012" });
  }
  assert.throws(
    () => parseDuration("7days"),
    (error: DefinitionError) => {
      t.assert.snapshot(`${error.message}\n${error.hint}`, { serializers: [String] });
      return true;
    },
  );
});

test("a unit counts as often as its number says", () => {
  const units = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };
  fc.assert(
    fc.property(fc.nat(100_000), fc.constantFrom(...Object.entries(units)), (count, [unit, milliseconds]) => {
      assert.equal(parseDuration(`${count}${unit}`), count * milliseconds);
    }),
  );
});
