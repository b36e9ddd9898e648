import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { compare, formatComparison, summarize } from "./harness.ts";
import { replaceFigures, rows } from "./run.ts";

test("the middle of an odd number of values is one of them", () => {
  assert.deepEqual(summarize([5, 1, 3]), { median: 3, min: 1, max: 5, rounds: 3 });
});

test("the middle of an even number of values lies between two", () => {
  assert.deepEqual(summarize([4, 1, 2, 10]), { median: 3, min: 1, max: 10, rounds: 4 });
});

test("nothing has no middle", () => {
  assert.throws(() => summarize([]), RangeError);
});

test("contenders take turns, warm-ups are not counted, and ratios are to the limit", async () => {
  const order: string[] = [];
  const make = (name: string, values: readonly number[]): { name: string; before: () => void; run: () => number } => {
    let round = 0;
    return {
      name,
      before: () => order.push(`before ${name}`),
      run() {
        order.push(name);
        return values[(round += 1) - 1] as number;
      },
    };
  };
  const comparison = await compare({
    title: "two",
    limit: "a",
    contenders: [make("a", [1000, 2, 4]), make("b", [1, 10, 20])],
    rounds: 2,
    conclude: (median) => ({ goals: [{ text: "b below 20", met: median("b") < 20 }], notes: ["a note"] }),
  });
  assert.deepEqual(order.slice(0, 6), ["before a", "a", "before b", "b", "before a", "a"]);
  assert.deepEqual(
    comparison.measured.map(({ name, statistics, ratio }) => [name, statistics.median, statistics.rounds, ratio]),
    [
      ["a", 3, 2, 1],
      ["b", 15, 2, 5],
    ],
  );
  assert.match(formatComparison(comparison), /5\.00 ×\n {2}a note\n {2}goal met: b below 20$/u);
});

test("a contender that takes long takes part in fewer rounds, and in no warm-up", async () => {
  const order: string[] = [];
  const make = (name: string) => ({ name, run: () => order.push(name) });
  const comparison = await compare({
    title: "two",
    limit: "quick",
    contenders: [make("quick"), { ...make("slow"), rounds: 1 }],
    rounds: 2,
  });
  assert.deepEqual(order, ["quick", "quick", "slow", "quick"]);
  assert.deepEqual(
    comparison.measured.map(({ statistics }) => statistics.rounds),
    [2, 1],
  );
});

test("new figures take the place of the old ones, and the text around them stays", () => {
  const page = "# Page\n\nBy hand.\n\n<!-- figures: a -->\nold\n<!-- end of figures -->\n\nAlso by hand.\n";
  const renewed = replaceFigures(page, { name: "a", title: "A" }, "new");
  assert.equal(renewed, page.replace("old", "new"));
  assert.match(
    replaceFigures(page, { name: "b", title: "B" }, "more"),
    /by hand\.\n\n## B\n\n<!-- figures: b -->\nmore\n/u,
  );
});

test("every file that measures is a row", async () => {
  const files = await readdir(import.meta.dirname);
  for (const { name } of rows) assert.ok(files.includes(`${name}.ts`), name);
});

for (const { name } of rows) {
  test(`${name} measures`, async () => {
    const file = join(import.meta.dirname, `${name}.ts`);
    const env = { ...process.env, REPRISE_BENCH_QUICK: "1" };
    const { stdout } = await promisify(execFile)(process.execPath, [file], { env });
    assert.match(stdout, /1\.00 ×/u);
  });
}
