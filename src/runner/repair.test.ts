/** Stored bytes that turn out to be damaged while a run reads them. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { makePorts, type MemoryPorts } from "../../test/rig/ports.ts";
import { pipeline, run } from "../../test/rig/run-plan.ts";
import { step, type Materializer } from "../define/index.ts";
import { directory, file, text, type StoredDirectory, type StoredFile } from "../materializer/index.ts";
import type { Artifact } from "../record/artifact.ts";
import { openContentStore } from "../store/content-store.ts";
import type { RunEvent } from "../record/event.ts";
import type { RunOutcome, RunPlanOptions } from "./run.ts";

function statuses({ steps }: RunOutcome): readonly string[] {
  return steps.map(({ node, status, error }) => `${node} ${status}${error === undefined ? "" : `: ${error.message}`}`);
}

/** The artifact that a node's output is. */
async function artifactOf(
  ports: MemoryPorts,
  { artifacts }: RunOutcome,
  node: string,
  output: string,
): Promise<Artifact> {
  const use = artifacts.get(node as never)?.get(output);
  const [artifact] = await ports.metadata.artifacts({ name: use!.artifact, version: use!.version });
  return artifact!;
}

/** Other bytes of the same size: only who reads them finds out. */
async function damage(ports: MemoryPorts, { digest, size }: Artifact["root"]): Promise<void> {
  const upload = await ports.blobs.upload();
  await upload.write(Buffer.alloc(size, "x"));
  await upload.commit(digest, { replace: true });
}

test("several damaged outputs of one step are repaired by running it once", async () => {
  const ports = makePorts();
  let executed = 0;
  const make = step({ name: "make", run: () => ((executed += 1), { a: "one", b: "two" }) });
  const concat = step({
    name: "concat",
    run: ({ a, b, end }: Record<"a" | "b" | "end", string>) => ({ all: a + b + end }),
  });
  const both = pipeline({
    name: "both",
    build: ({ end }: { end: string }) => {
      const { a, b } = make();
      return concat({ a, b, end });
    },
  });
  const first = await run(ports, both, { end: "." });
  for (const output of ["a", "b"]) await damage(ports, (await artifactOf(ports, first, "make", output)).root);
  const second = await run(ports, both, { end: "!" });
  assert.deepEqual(statuses(second), ["make completed", "concat completed"]);
  assert.equal(executed, 2);
  const all = await artifactOf(ports, second, "concat", "all");
  assert.equal(await ports.content.text(all.root.digest), "onetwo!");
});

test("a step that gives again what is stored damaged is run once more, and its bytes are put right", async () => {
  const ports = makePorts();
  let executed = 0;
  const make = step({ name: "make", run: () => ((executed += 1), { text: "one" }) });
  const shout = step({ name: "shout", run: ({ text }: { text: string }) => ({ loud: `${text}!` }) });
  const both = pipeline({ name: "both", build: () => shout({ text: make().text }) });
  const first = await run(ports, both);
  await damage(ports, (await artifactOf(ports, first, "make", "text")).root);
  const second = await run(ports, both, {}, { cache: "refresh" });
  assert.deepEqual(statuses(second), ["make completed", "shout completed"]);
  assert.equal(executed, 3);
  const { root } = await artifactOf(ports, second, "make", "text");
  assert.equal(await ports.content.text(root.digest), "one");
});

test("damage that a step finds when it reads a file of its input is repaired, and the step is called again", async (t) => {
  const ports = makePorts();
  const folder = await mkdtemp(join(tmpdir(), "reprise-test-"));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "texts"));
  for (const name of ["a", "b"]) await writeFile(join(folder, "texts", name), `text ${name}`);
  const make = step({ name: "make", run: () => ({ texts: directory(join(folder, "texts")) }) });
  const read = step({
    name: "read",
    run: async ({ texts, end }: { texts: StoredDirectory; end: string }, { log }) => {
      log("reading");
      return { all: (await texts.file("a").text()) + (await texts.file("b").text()) + end };
    },
  });
  const both = pipeline({ name: "both", build: ({ end }: { end: string }) => read({ texts: make().texts, end }) });
  const first = await run(ports, both, { end: "." });
  for (const part of (await artifactOf(ports, first, "make", "texts")).parts) await damage(ports, part);
  const second = await run(ports, both, { end: "!" });
  assert.deepEqual(statuses(second), ["make completed", "read completed"]);
  const all = await artifactOf(ports, second, "read", "all");
  assert.equal(await ports.content.text(all.root.digest), "text atext b!");
  const lines = await ports.metadata.logs({ stepRuns: [second.steps[1]!.id] });
  assert.deepEqual(
    lines.map(({ seq }) => seq),
    [0, 1],
  );
});

/** Texts that are read back only when a test says so. */
function gatedText(gate: () => Promise<void>): Materializer<string> {
  return {
    name: "gated",
    version: 1,
    mediaType: "text/plain",
    extension: "txt",
    accepts: () => false,
    write: async (value, blobs) => ({ root: await blobs.put(value) }),
    async read({ digest }, blobs) {
      const found = await blobs.text(digest).catch((error: unknown) => error);
      await gate();
      if (found instanceof Error) throw found;
      return found as string;
    },
  };
}

test("a step that finds the damage after somebody else had it repaired is called again", async () => {
  const ports = makePorts();
  let reads = 0;
  const repaired = Promise.withResolvers<void>();
  // The first reader gets its answer at once, the second only when the first has had its repair.
  const gated = gatedText(async () => {
    reads += 1;
    if (reads === 2) await repaired.promise;
  });
  const make = step({ name: "make", outputs: { a: gated }, run: () => ({ a: "one" }) });
  const early = step({ name: "early", cache: "off", run: ({ a }: { a: string }) => (repaired.resolve(), { b: a }) });
  const late = step({ name: "late", cache: "off", run: ({ a }: { a: string }) => ({ c: a }) });
  const three = pipeline({
    name: "three",
    build: () => {
      const { a } = make();
      return { b: early({ a }).b, c: late({ a }).c };
    },
  });
  const alone = pipeline({ name: "alone", build: () => make().a });
  const first = await run(ports, alone);
  await damage(ports, (await artifactOf(ports, first, "make", "a")).root);
  const second = await run(ports, three);
  assert.deepEqual(statuses(second), ["make completed", "early completed", "late completed"]);
});

test("a step gets the very inputs that its key was made of, and runs again when a repair changed them", async () => {
  const ports = makePorts();
  let made = 0;
  const gate = Promise.withResolvers<void>();
  let isGated = false;
  const slowText = gatedText(async () => {
    if (isGated) await gate.promise;
  });
  const slow = step({ name: "slow", outputs: { first: slowText }, run: () => ({ first: "slow" }) });
  const make = step({ name: "make", run: () => ((made += 1), { a: "damaged", b: `made ${made}` }) });
  const seen: string[] = [];
  const finder = step({ name: "finder", cache: "off", run: ({ a }: { a: string }) => (gate.resolve(), { c: a }) });
  const other = step({
    name: "other",
    run: ({ first, b }: { first: string; b: string }) => (seen.push(b), { d: first + b }),
  });
  const build = (isWhole: boolean) => () => {
    const { first } = slow();
    const { a, b } = make();
    if (!isWhole) return {};
    return { c: finder({ a }).c, d: other({ first, b }).d };
  };
  const before = await run(ports, pipeline({ name: "before", build: build(false) }));
  await damage(ports, (await artifactOf(ports, before, "make", "a")).root);
  isGated = true;
  const whole = pipeline({ name: "whole", build: build(true) });
  const outcome = await run(ports, whole);
  assert.deepEqual(statuses(outcome), ["slow cached", "make completed", "finder completed", "other completed"]);
  assert.deepEqual(seen, ["made 1", "made 2"]);
  const d = await artifactOf(ports, outcome, "other", "d");
  assert.equal(await ports.content.text(d.root.digest), "slowmade 2");
  const again = await run(ports, whole);
  assert.equal(again.steps[3]?.status, "cached");
  assert.deepEqual(again.artifacts.get("other" as never), outcome.artifacts.get("other" as never));
});

test("a file that a step passes on is not written again, and is repaired by the step that made it", async (t) => {
  const ports = makePorts();
  const folder = await mkdtemp(join(tmpdir(), "reprise-test-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "large"), "bytes ".repeat(1000));
  const make = step({ name: "make", run: () => ({ made: file(join(folder, "large")) }) });
  const pass = step({ name: "pass", run: ({ made, n }: { made: StoredFile; n: number }) => ({ passed: made, n }) });
  const pair = pipeline({ name: "pair", build: ({ n }: { n: number }) => pass({ made: make().made, n }) });
  const first = await run(ports, pair, { n: 1 });
  const put = t.mock.method(ports.content, "put");
  const second = await run(ports, pair, { n: 2 });
  assert.deepEqual(statuses(second), ["make cached", "pass completed"]);
  assert.ok(put.mock.calls.every(({ arguments: [source] }) => typeof source === "string"));
  await damage(ports, (await artifactOf(ports, first, "make", "made")).parts[0]!);
  // As another process has it: without a copy that was found right before.
  const third = await run({ ...ports, content: openContentStore(ports.blobs) }, pair, { n: 3 });
  assert.deepEqual(statuses(third), ["make completed", "pass completed"]);
});

test("when a repair fails, a step that is already at work with other outputs comes to its end", async () => {
  const ports = makePorts();
  let isBroken = false;
  const failed = Promise.withResolvers<void>();
  const make = step({
    name: "make",
    run: () => {
      if (!isBroken) return { a: "damaged", b: "sound" };
      // After this attempt has been recorded, as far as a test can tell.
      setImmediate(() => setImmediate(failed.resolve));
      throw new Error("cannot make it again");
    },
  });
  const finder = step({ name: "finder", run: ({ a, n }: { a: string; n: number }) => ({ c: a + n }) });
  const worker = step({
    name: "worker",
    run: async ({ b, n }: { b: string; n: number }) => {
      if (isBroken) await failed.promise;
      return { d: b + n };
    },
  });
  const below = step({ name: "below", run: ({ d }: { d: string }) => ({ e: d }) });
  const all = pipeline({
    name: "all",
    build: ({ n }: { n: number }) => {
      const { a, b } = make();
      return { c: finder({ a, n }).c, e: below({ d: worker({ b, n }).d }).e };
    },
  });
  const first = await run(ports, all, { n: 1 });
  await damage(ports, (await artifactOf(ports, first, "make", "a")).root);
  isBroken = true;
  const second = await run(ports, all, { n: 2 });
  const expected = ["make failed: cannot make it again", "finder skipped", "worker completed", "below skipped"];
  assert.deepEqual(statuses(second), expected);
  const recorded = await ports.metadata.stepRuns({ runs: [second.run.id] });
  assert.deepEqual(
    recorded.map(({ status }) => status),
    ["failed", "skipped", "completed", "skipped"],
  );
  isBroken = false;
  const third = await run(ports, all, { n: 2 });
  assert.deepEqual(statuses(third), ["make completed", "finder completed", "worker cached", "below completed"]);
});

/**
 * `make` writes a file besides its outputs, `finder` finds damage of one of them, and two others read the file: `reader`
 * below `make` itself, `far` below a step that does not read it.
 */
async function makeWriters(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "reprise-test-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "written");
  const ports = makePorts();
  const reads: string[] = [];
  /** What is waited for before an answer to who reads `a`, and before the file is written. */
  const waits = { reading: async () => {}, writing: async () => {}, ending: async () => {} };
  const make = step({
    name: "make",
    outputs: { a: gatedText(() => waits.reading()), b: text() },
    run: async () => {
      await waits.writing();
      writeFileSync(path, "right");
      return { a: "damaged", b: "sound" };
    },
  });
  const finder = step({ name: "finder", run: ({ a, n }: { a: string; n: number }) => ({ c: a + n }) });
  const reader = step({
    name: "reader",
    run: async ({ b, m }: { b: string; m: number }) => {
      const found = readFileSync(path, "utf8");
      reads.push(`reader ${found}`);
      await waits.ending();
      return { d: b + m + found };
    },
  });
  const between = step({ name: "between", run: ({ b }: { b: string }) => ({ e: b }) });
  const far = step({
    name: "far",
    run: ({ e }: { e: string }) => {
      const found = readFileSync(path, "utf8");
      reads.push(`far ${found}`);
      return { f: e + found };
    },
  });
  const all = pipeline({
    name: "all",
    build: ({ n, m }: { n: number; m: number }) => {
      const { a, b } = make();
      return { c: finder({ a, n }).c, d: reader({ b, m }).d, f: far({ e: between({ b }).e }).f };
    },
  });
  const first = await run(ports, all, { n: 0, m: 1 });
  assert.deepEqual(reads.splice(0), ["reader right", "far right"]);
  return {
    ports,
    reads,
    waits,
    spoil: async () => await writeFile(path, "spoilt"),
    damage: async () => await damage(ports, (await artifactOf(ports, first, "make", "a")).root),
    play: async (params: { readonly n: number; readonly m: number }, options: RunPlanOptions = {}) =>
      await run(ports, all, params, options),
    textOf: async (outcome: RunOutcome, node: string, output: string) =>
      await ports.content.text((await artifactOf(ports, outcome, node, output)).root.digest),
  };
}

const of = (node: string, reads: readonly string[]): readonly string[] => reads.filter((read) => read.startsWith(node));

/** A promise that is kept when all of these nodes have ended, and the listener that sees to that. */
function whenEnded(...nodes: readonly string[]) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const open = new Set(nodes);
  const onEvent = (event: RunEvent): void => {
    if (event.kind === "step-ended" && open.delete(event.step.node) && open.size === 0) resolve();
  };
  return { promise, onEvent };
}

test("a step that is at work on a file when a repair writes it again is run once more, and its result is reused", async (t) => {
  const { reads, waits, spoil, damage, play, textOf } = await makeWriters(t);
  await spoil();
  await damage();
  const hasRead = Promise.withResolvers<void>();
  const repair = whenEnded("finder");
  waits.writing = () => hasRead.promise;
  waits.ending = async () => (hasRead.resolve(), await repair.promise);
  const second = await play({ n: 1, m: 2 }, repair);
  assert.deepEqual(of("reader", reads), ["reader spoilt", "reader right"]);
  assert.equal(await textOf(second, "reader", "d"), "sound2right");
  assert.equal(second.steps.find(({ node }) => node === "reader")?.obstacle, undefined);
  const third = await play({ n: 1, m: 2 });
  assert.deepEqual(new Set(third.steps.map(({ status }) => status)), new Set(["cached"]));
});

test("steps that ended on a file before a repair wrote it again are run once more, however far below they are", async (t) => {
  const { reads, waits, spoil, damage, play, textOf } = await makeWriters(t);
  await spoil();
  await damage();
  const early = whenEnded("reader", "far");
  waits.reading = () => early.promise;
  const second = await play({ n: 1, m: 2 }, early);
  assert.deepEqual(reads.toSorted(), ["far spoilt", "reader right", "reader spoilt"]);
  assert.deepEqual(statuses(second), [
    "make completed",
    "finder completed",
    "reader completed",
    "between cached",
    "far cached",
  ]);
  assert.equal(await textOf(second, "reader", "d"), "sound2right");
  assert.equal(await textOf(second, "far", "f"), "soundright");
});

test("results that were taken for a file before a repair wrote it again are exchanged for those that fit it", async (t) => {
  const { reads, waits, spoil, damage, play, textOf } = await makeWriters(t);
  await spoil();
  await play({ n: 1, m: 1 });
  assert.deepEqual(reads.splice(0).toSorted(), ["far spoilt", "reader spoilt"]);
  await damage();
  const early = whenEnded("reader", "far");
  waits.reading = () => early.promise;
  const third = await play({ n: 2, m: 1 }, early);
  assert.deepEqual(statuses(third).slice(0, 3), ["make completed", "finder completed", "reader cached"]);
  assert.deepEqual(reads, []);
  assert.equal(await textOf(third, "reader", "d"), "sound1right");
  assert.equal(await textOf(third, "far", "f"), "soundright");
});

test("a step that has its turn after damage was found waits for the repair", async (t) => {
  const { reads, spoil, damage, play, textOf } = await makeWriters(t);
  await spoil();
  await damage();
  const second = await play({ n: 1, m: 2 }, { jobs: 1 });
  assert.deepEqual(of("reader", reads), ["reader right"]);
  assert.equal(await textOf(second, "reader", "d"), "sound2right");
});

test("a step is left alone where a repair writes again what it had read", async (t) => {
  const { reads, waits, damage, play } = await makeWriters(t);
  await damage();
  const early = whenEnded("reader");
  waits.reading = () => early.promise;
  const second = await play({ n: 1, m: 2 }, early);
  assert.deepEqual(reads, ["reader right"]);
  assert.equal(statuses(second)[2], "reader completed");
});
