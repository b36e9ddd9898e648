/** Every situation that a cache of steps must get right has a test here, or stands in the list of those that wait. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { waiting } from "./waiting.ts";

/** A code · B values · C world · D graph · E storage · F together · G effects. Numbers that are left out were never given. */
const ids = {
  A: [1, 2, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 16, 18, 20, 21, 23, 24, 25, 27, 29, 30, 31, 32, 33, 36, 37, 38],
  B: [1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 13, 17, 18, 19, 21, 23, 24, 25, 26, 27, 28, 29, 30, 32, 33],
  C: [2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 17, 18],
  D: [1, 2, 5, 7, 8, 10, 11, 12, 13, 15, 16, 17, 18, 19, 20],
  E: [1, 2, 3, 5, 7, 8, 9, 11, 12, 13],
  F: [1, 2, 3, 6, 7, 8, 10, 11, 12],
  G: [1, 3, 4, 6, 7, 9, 12],
};

test("each case has one test, or one reason to wait", () => {
  const found = Object.keys(waiting).map((name) => /^[A-G]\d+(?=: )/u.exec(name)?.[0]);
  for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith(".test.ts"))) {
    const text = readFileSync(join(import.meta.dirname, file), "utf8");
    // Names of tests, and of the cases in a table: texts that begin with an id.
    for (const [, id] of text.matchAll(/^\s*(?:test\()?"([A-G]\d+): /gmu)) found.push(id as string);
  }
  const expected = Object.entries(ids).flatMap(([letter, numbers]) => numbers.map((number) => `${letter}${number}`));
  assert.equal(expected.length, 109);
  assert.deepEqual(found.toSorted(), expected.toSorted());
});
