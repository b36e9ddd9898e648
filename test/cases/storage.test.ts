/** Storage, crashes, corruption. */
import assert from "node:assert/strict";
import { statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { applyRemoval } from "../../src/history/apply-removal.ts";
import { planCollection } from "../../src/history/removal.ts";
import { openStack } from "../../src/stack/stack.ts";
import { assertSound } from "../faults/assert-sound.ts";
import { countCached, makeFlowProject, playFlow, resultOf, stepsOfFlow } from "../faults/flow.ts";
import { digestFiles, toNewerSchema } from "../faults/store-states.ts";
import type { Project } from "../rig/project.ts";
import { listStoredBlobs, moveToFiles, type StoredBlob } from "../rig/stored-blobs.ts";
import { Playground } from "./playground.ts";

let project: Project;
/** What each call that writes is called, in the order of a run on an empty store. */
let points: readonly string[];
let expected: string;

const faults = (store: string, fault: string) => ({
  env: { REPRISE_FAULT: fault, REPRISE_FAULT_FOLDER: store },
  nodeArguments: ["--import", pathToFileURL(join(import.meta.dirname, "../faults/fault-points.ts")).href],
});

before(async () => {
  project = await makeFlowProject();
  const store = join(project.path, "listed");
  const list = join(project.path, "points.txt");
  expected = resultOf(await playFlow(project, store, "1", faults(store, `list:${list}`)));
  points = (await project.read("points.txt")).trim().split("\n");
});
after(() => project[Symbol.asyncDispose]());

/** A run is killed at a point; the next one goes on to the right result and leaves a sound store. */
async function playKilled(name: string, point: number): Promise<void> {
  assert.notEqual(point, -1, points.join(", "));
  const store = join(project.path, name);
  assert.equal((await playFlow(project, store, "1", faults(store, `kill:${point}`))).signal, "SIGKILL");
  assert.equal(resultOf(await playFlow(project, store, "1")), expected);
  await assertSound(project.path, store);
  assert.equal(countCached(await playFlow(project, store, "1")), stepsOfFlow);
}

test("E1: a run that is killed in the middle of writing an artifact leaves no entry of it", async () => {
  await playKilled(
    "half-written",
    points.findIndex((point) => point.startsWith("half write tmp")),
  );
});

test("E2: a run that is killed between an artifact and its record leaves none or both", async () => {
  const placed = points.findIndex((point) => /^after (?:rename|link) objects/u.test(point));
  await playKilled("before-record", placed);
  await playKilled(
    "before-commit",
    points.findIndex((point, at) => at > placed && point === "before COMMIT database"),
  );
});

const chain = {
  "pipeline.ts": `
import { appendFileSync } from "node:fs";
import { pipeline, step } from "reprise";
const make = step({ name: "make", run: () => ({ text: "made text" }) });
const measure = step({ name: "measure", run: ({ text }: { text: string }) => text.length });
export const main = pipeline({ name: "main", build: () => { const { text } = make(); return { text, y: measure({ text }) }; } });
void appendFileSync;
`,
};
const whole = { text: "made text", y: 9 };

/** The blob that holds a text. */
function blobWith(playground: Playground, text: string): StoredBlob {
  const found = listStoredBlobs(playground.at(".reprise")).find((blob) => blob.read().includes(text));
  assert.ok(found);
  return found;
}

/** Where this version keeps small outputs, and where an earlier one did. */
const places = ["row", "file"] as const;

/** A project that was played, whose outputs are all in one place. */
async function playIn(place: (typeof places)[number]): Promise<Playground> {
  const playground = Playground.open(chain);
  await playground.play();
  if (place === "file") await moveToFiles(playground.at(".reprise"));
  assert.equal(blobWith(playground, "made text").place, place);
  return playground;
}

test("E3: an artifact that was deleted behind the cache's back is made again, which is said", async () => {
  for (const place of places) {
    using playground = await playIn(place);
    blobWith(playground, "made text").remove();
    const { steps, outputs, told } = await playground.play();
    assert.deepEqual(steps, ["make completed: missing-output", "measure cached: same-output-upstream"]);
    assert.deepEqual(outputs, whole);
    assert.match(told, /missing from the store/u);
  }
});

test("E5: a bit that flips, and a change that still decodes, are found and mended", async () => {
  for (const place of places) {
    using playground = await playIn(place);
    for (const change of [
      (bytes: Buffer) => bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte)),
      (bytes: Buffer) => Buffer.from(bytes.toString().replace("made", "fake")),
    ]) {
      const blob = blobWith(playground, "made text");
      blob.overwrite(change(blob.read()));
      const { steps, outputs } = await playground.play();
      assert.deepEqual(steps, ["make completed: corrupt-output", "measure cached: same-output-upstream"]);
      assert.deepEqual(outputs, whole);
    }
  }
});

test("E7: when the disk is full a run ends with its results, one warning, and no entry", async () => {
  // The one large output alone, or nothing at all.
  for (const [fault, kept] of [
    ["write@tmp:ENOSPC", stepsOfFlow - 1],
    ["BEGIN IMMEDIATE:FULL", 0],
  ] as const) {
    const store = join(project.path, `full-${kept}`);
    assert.equal((await playFlow(project, store, "2")).code, 0);
    const { code, stdout, stderr } = await playFlow(project, store, "1", faults(store, `fail:${fault}`));
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, new RegExp(expected, "u"));
    assert.equal((stdout + stderr).match(/the store refuses to be written/gu)?.length, 1);
    const next = await playFlow(project, store, "1");
    assert.deepEqual([resultOf(next), countCached(next)], [expected, kept]);
    await assertSound(project.path, store);
  }
});

test("E8: records of a newer schema, or cut off, are refused, and not a byte of them is changed", async () => {
  const cutOff = (store: string): void => {
    const database = join(store, "metadata.db");
    truncateSync(database, statSync(database).size >> 1);
  };
  for (const [spoil, message] of [
    [toNewerSchema, /written by a newer Reprise/u],
    [cutOff, /is cut off/u],
  ] as const) {
    using playground = Playground.open(chain);
    await playground.play();
    const store = playground.at(".reprise");
    spoil(store);
    const was = digestFiles(store);
    await assert.rejects(playground.play(), message);
    assert.deepEqual(digestFiles(store), was);
  }
});

test("E9: what a step left half done when it failed is nobody's result", async () => {
  using playground = Playground.open({
    "pipeline.ts": `
import { appendFileSync } from "node:fs";
import { file, pipeline, step, type StoredFile } from "reprise";
const make = step({
  name: "make",
  run: async (_: object, { tempDir }) => {
    const path = (await tempDir()) + "/made.txt";
    appendFileSync(path, "half,");
    if (process.title === "fails") throw new Error("midway");
    appendFileSync(path, "whole");
    return { made: file(path) };
  },
});
const read = step({ name: "read", run: async ({ made }: { made: StoredFile }) => await made.text() });
export const main = pipeline({ name: "main", build: () => ({ made: read({ made: make().made }) }) });
`,
  });
  const { title } = process;
  try {
    process.title = "fails";
    const first = await playground.play();
    assert.match(first.steps[0]!, /^make failed/u);
    assert.deepEqual(first.outputs, {});
  } finally {
    process.title = title;
  }
  const second = await playground.play();
  assert.deepEqual(second.steps, ["make completed: previous-failed", "read completed: first-run"]);
  assert.equal(second.outputs["made"], "half,whole");
});

test("E11: a cache is brought below a size by what was used longest ago", async () => {
  using playground = Playground.open({
    "pipeline.ts": `
import { pipeline, step } from "reprise";
const make = step({ name: "make", run: ({ n }: { n: number }) => new Uint8Array(100_000).fill(n) });
export const main = pipeline({ name: "main", build: ({ n }: { n: number }) => ({ y: make({ n }) }) });
`,
  });
  for (const n of [1, 2, 3, 1]) await playground.play({ params: { n } });
  {
    await using stack = await openStack({ cwd: playground.root });
    const removal = await planCollection(stack, { maxSize: 250_000 }, Date.now() + 4_000_000);
    await applyRemoval(stack, removal);
    assert.ok(removal.bytes > 90_000 && removal.bytes < 200_000, String(removal.bytes));
  }
  const again = [];
  for (const n of [1, 3, 2]) again.push(...(await playground.play({ params: { n } })).steps);
  assert.deepEqual(again, ["make cached: same-fingerprint", "make cached: same-fingerprint", "make completed: param"]);
});

test("E12: keys and blobs are named by whole SHA-256 digests", async () => {
  using playground = Playground.open(chain);
  await playground.play();
  await using stack = await openStack({ cwd: playground.root });
  const entries = await stack.metadata.cacheEntriesOf({});
  const names = entries.flatMap(({ key, blobs, outputs }) => [
    key,
    ...[...blobs, ...outputs].map(({ digest }) => digest),
  ]);
  assert.equal(names.length, 6);
  for (const name of names) assert.match(name, /^sha256:[0-9a-f]{64}$/u);
});

test("E13: a step that writes to a file that it was given fails, and nobody gets what it wrote", async () => {
  using playground = Playground.open({
    "pipeline.ts": `
import { chmodSync, writeFileSync } from "node:fs";
import { file, pipeline, step, type StoredFile } from "reprise";
const make = step({
  name: "make",
  run: async (_: object, { tempDir }) => {
    const path = (await tempDir()) + "/made.txt";
    writeFileSync(path, "as it was made");
    return { made: file(path) };
  },
});
const spoil = step({
  name: "spoil",
  run: async ({ made }: { made: StoredFile }) => {
    const path = await made.path();
    chmodSync(path, 0o644);
    writeFileSync(path, "spoilt");
    return { done: true };
  },
});
const read = step({
  name: "read",
  run: async ({ made }: { made: StoredFile; done: boolean }) => await made.text(),
});
export const main = pipeline({
  name: "main",
  build: () => { const { made } = make(); return { y: read({ made, done: spoil({ made }).done }) }; },
});
`,
  });
  const first = await playground.play({ jobs: 1 });
  assert.match(first.told, /The file behind input "made" of step "spoil" was written to/u);
  assert.deepEqual(first.outputs, {});
  playground.edit("pipeline.ts", 'writeFileSync(path, "spoilt");', "");
  const second = await playground.play({ jobs: 1 });
  assert.equal(second.steps[0], "make completed: corrupt-output");
  assert.deepEqual(second.outputs, { y: "as it was made" });
});
