import assert from "node:assert/strict";
import { it } from "node:test";
import { toReadDifference } from "./read-difference.ts";

const digest = "0123456789abcdef".repeat(2);

it("tells what is in a folder by number, in words", () => {
  const glob = toReadDifference({ kind: "glob", name: ". *.csv" }, `1 names ${digest}`, `12 names ${digest}`);
  assert.deepEqual([glob.from, glob.to], ["1 name", "12 names"]);
  const tree = toReadDifference({ kind: "tree", name: "data" }, `1 entries ${digest}`, undefined);
  assert.deepEqual([tree.from, tree.to], ["1 entry", undefined]);
});

it("never shows what a variable holds", () => {
  const { from, to } = toReadDifference({ kind: "env", name: "TOKEN" }, `sha256:${digest}${digest}`, "unset");
  assert.deepEqual([from, to], ["set", undefined]);
});
