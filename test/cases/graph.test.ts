/** The graph, and what is upstream. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { applyRemoval } from "../../src/history/apply-removal.ts";
import { planCollection } from "../../src/history/removal.ts";
import { openStack } from "../../src/stack/stack.ts";
import { listStoredBlobs } from "../rig/stored-blobs.ts";
import { Playground, type Played } from "./playground.ts";

/** A pipeline in one file: steps, and the body of its build. */
const pipelineOf = (steps: string, build: string, params = "_: object"): Record<string, string> => ({
  "pipeline.ts": `
import fs from "node:fs";
import { pipeline, step } from "reprise";
${steps}
export const main = pipeline({ name: "main", build: (${params}) => { ${build} } });
void fs;
`,
});

const chain = pipelineOf(
  `
const load = step({ name: "load", run: () => ({ rows: [3, 1, 2], name: "a" }) });
const clean = step({ name: "clean", run: ({ rows }: { rows: number[] }) => rows.toSorted() });
const sum = step({ name: "sum", run: ({ rows }: { rows: number[] }) => rows.reduce((a, b) => a + b, 0) });
`,
  "const { rows } = load(); return { sum: sum({ rows: clean({ rows }) }) };",
);

const short = ({ steps }: Played): string => steps.map((each) => each.replace(": ", " ")).join(", ");

test("D1: when a step runs again and gives the same bytes, everything below it stays cached", async () => {
  using project = Playground.open(chain);
  await project.play();
  project.edit("pipeline.ts", "[3, 1, 2]", "[3, 1, 1 + 1]");
  assert.equal(
    short(await project.play()),
    "load completed code, clean cached same-output-upstream, sum cached same-fingerprint",
  );
  project.edit("pipeline.ts", "[3, 1, 1 + 1]", "[2, 1, 3]");
  assert.equal(
    short(await project.play()),
    "load completed code, clean completed input, sum cached same-output-upstream",
  );
});

test("D2: what a step takes of another is its input, whether it is passed or left for it in a file", async () => {
  using project = Playground.open(
    pipelineOf(
      `
const make = step({ name: "make", run: () => { fs.writeFileSync("made.txt", "one"); return { done: true }; } });
const take = step({ name: "take", run: () => fs.readFileSync("made.txt", "utf8") });
`,
      "const made = make(); return { taken: take({}, { after: made }) };",
    ),
  );
  await project.play();
  project.edit("pipeline.ts", '"one"', '"two"');
  const second = await project.play();
  assert.equal(short(second), "make completed code, take completed file");
  assert.deepEqual(second.outputs, { taken: "two" });
});

test("D5: a step that takes one output of a step stays cached when another output changes", async () => {
  using project = Playground.open(chain);
  await project.play();
  project.edit("pipeline.ts", 'name: "a"', 'name: "b"');
  assert.equal(
    short(await project.play()),
    "load completed code, clean cached same-output-upstream, sum cached same-fingerprint",
  );
});

const looped = pipelineOf(
  `
const square = step({ name: "square", run: ({ n }: { n: number }) => { if (n === 13 && !process.title.startsWith("lucky")) throw new Error("13"); return n * n; } });
const join = step({ name: "join", run: ({ all }: { all: number[] }) => all.join() });
`,
  "return { all: join({ all: items.map((n) => square({ n })) }) };",
  "{ items }: { items: number[] }",
);

const ranIn = ({ steps }: Played): readonly string[] =>
  steps.filter((each) => / completed: /u.test(each)).map((each) => each.split(" ")[0] as string);

test("D7: in a loop of a build, an item that is inserted in the middle runs alone", async () => {
  using project = Playground.open(looped);
  await project.play({ params: { items: [1, 2, 3] } });
  const second = await project.play({ params: { items: [1, 5, 2, 3] } });
  assert.deepEqual([ranIn(second), second.outputs], [["square_2", "join"], { all: "1,25,4,9" }]);
});

test("D8: in a loop of a build, items in another order are reused, twice the same one is run once, and what joins them runs", async () => {
  using project = Playground.open(looped);
  const first = await project.play({ params: { items: [1, 2, 2] } });
  assert.deepEqual([ranIn(first), first.outputs], [["square", "square_2", "join"], { all: "1,4,4" }]);
  const second = await project.play({ params: { items: [2, 1, 2] } });
  assert.deepEqual([ranIn(second), second.outputs], [["join"], { all: "4,1,4" }]);
});

test("D12: in a loop of a build, what succeeded is kept when one item fails, and the next run does that one alone", async () => {
  using project = Playground.open(looped);
  const items = [1, 13, 2, 3];
  const { title } = process;
  try {
    const first = await project.play({ params: { items } });
    assert.deepEqual([ranIn(first), first.outputs], [["square", "square_3", "square_4"], {}]);
    process.title = "lucky";
    const second = await project.play({ params: { items } });
    assert.deepEqual([ranIn(second), second.outputs], [["square_2", "join"], { all: "1,169,4,9" }]);
  } finally {
    process.title = title;
  }
});

test("D15: how many run at once, how long they may take and how often they are tried is no part of a key", async () => {
  using project = Playground.open(chain);
  await project.play({ jobs: 1 });
  project.edit("pipeline.ts", 'name: "clean",', 'name: "clean", retry: 3, timeout: "1m",');
  const second = await project.play({ jobs: 4, name: "another name", tags: { by: "me" } });
  assert.equal(
    short(second),
    "load cached same-fingerprint, clean cached same-fingerprint, sum cached same-fingerprint",
  );
});

test("D16: what a step read on a way that it does not go any more does not matter", async () => {
  using project = Playground.open({
    ...pipelineOf(
      `const work = step({ name: "work", run: () => fs.readFileSync(fs.readFileSync("which", "utf8"), "utf8") });`,
      "return { y: work() };",
    ),
    which: "a.txt",
    "a.txt": "a",
    "b.txt": "b",
  });
  assert.deepEqual((await project.play()).outputs, { y: "a" });
  project.write({ which: "b.txt" });
  assert.deepEqual((await project.play()).outputs, { y: "b" });
  project.write({ "a.txt": "other" });
  const third = await project.play();
  assert.deepEqual([short(third), third.outputs], ["work cached same-fingerprint", { y: "b" }]);
  project.write({ "b.txt": "other b" });
  assert.deepEqual((await project.play()).outputs, { y: "other b" });
  project.write({ which: "a.txt", "a.txt": "a" });
  const back = await project.play();
  assert.deepEqual([short(back), back.outputs], ["work cached same-fingerprint", { y: "a" }]);
});

test("D17: what a nondeterministic step gives anew goes on to what is below, though that is stored for the old output", async () => {
  using project = Playground.open(
    pipelineOf(
      `
const draw = step({ name: "draw", run: () => Math.random() });
const show = step({ name: "show", run: ({ drawn }: { drawn: number }) => "drew " + drawn });
`,
      "const drawn = draw(); return { drawn, shown: show({ drawn }) };",
    ),
  );
  await project.play();
  for (const blob of listStoredBlobs(project.at(".reprise"))) blob.remove();
  const { outputs } = await project.play();
  assert.equal(outputs["shown"], `drew ${String(outputs["drawn"])}`);
});

test("D18: what a run leaves out is taken as it is stored, and where nothing is stored nothing below it runs", async () => {
  using project = Playground.open(chain);
  const first = await project.play({ only: ["sum"] });
  assert.match(short(first), /sum skipped/u);
  await project.play();
  project.edit("pipeline.ts", "rows.reduce((a, b) => a + b, 0)", "rows.reduce((a, b) => a + b, 1)");
  const second = await project.play({ only: ["sum"] });
  assert.equal(short(second), "load cached same-fingerprint, clean cached same-fingerprint, sum completed code");
  assert.deepEqual(second.outputs, { sum: 7 });
});

test("D19: results of a step that was removed are kept as long as a run names them, and are collected with it", async () => {
  using project = Playground.open(chain);
  await project.play();
  project.edit("pipeline.ts", "sum: sum({ rows: clean({ rows }) })", "rows: clean({ rows })");
  await project.play({ cache: "refresh" });
  await using stack = await openStack({ cwd: project.root });
  const stepsLeft = async (): Promise<readonly string[]> =>
    (await stack.metadata.cacheEntriesOf({})).map(({ step }) => step).toSorted();
  assert.deepEqual(await stepsLeft(), ["clean", "load", "sum"]);
  const inAnHour = Date.now() + 4_000_000;
  assert.equal((await planCollection(stack, { keep: 2 }, inAnHour)).bytes, 0);
  await applyRemoval(stack, await planCollection(stack, { keep: 1 }, inAnHour));
  assert.deepEqual(await stepsLeft(), ["clean", "load"]);
  assert.deepEqual((await project.play()).outputs, { rows: [1, 2, 3] });
});
