import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { diffLines, toHunks } from "./diff-text.ts";

const lines = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 30 }).map((words) => words.join("\n"));

test("the lines that are kept and removed give the old text, the kept and added ones the new", () => {
  fc.assert(
    fc.property(lines, lines, (from, to) => {
      const changes = diffLines(from, to);
      const pick = (other: string): string =>
        changes
          .filter((change) => change.kind !== other)
          .map((change) => change.text)
          .join("\n");
      assert.equal(pick("added"), from);
      assert.equal(pick("removed"), to);
    }),
  );
});

test("no shorter list of changes exists", () => {
  fc.assert(
    fc.property(lines, lines, (from, to) => {
      const changed = diffLines(from, to).filter((change) => change.kind !== "same").length;
      assert.equal(changed, shortest(from.split("\n"), to.split("\n")));
    }),
  );
});

test("only changed lines and their surroundings are shown", () => {
  const hunks = toHunks(diffLines("1\n2\n3\n4\n5\n6\n7", "1\n2\n3\n4\n5\nsix\n7"), 1);
  assert.deepEqual(
    hunks.map((change) => (change === undefined ? "…" : `${change.kind} ${change.text}`)),
    ["same 5", "removed 6", "added six", "same 7"],
  );
});

/** Insertions and deletions between two lists, by the table that everybody knows. */
function shortest(a: readonly string[], b: readonly string[]): number {
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [i, left] of a.entries()) {
    const row = [i + 1];
    for (const [j, right] of b.entries()) {
      row.push(left === right ? (last[j] ?? 0) : Math.min(last[j + 1] ?? 0, row[j] ?? 0) + 1);
    }
    last = row;
  }
  return last[b.length] ?? 0;
}
