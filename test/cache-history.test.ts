import assert from "node:assert/strict";
import { test } from "node:test";
import { makePorts, type MemoryPorts } from "./rig/ports.ts";
import { digestKey } from "../src/cache/key.ts";
import { createPipelineFunction, planPipeline, step, type AnyPipeline } from "../src/define/index.ts";
import { UsageError } from "../src/error.ts";
import { digestBytes, type Digest } from "../src/hash/digest.ts";
import type { CacheEntry } from "../src/record/cache-entry.ts";
import type { Trace, TraceCheck } from "../src/record/trace.ts";
import { runPlan, type RunOutcome, type RunPlanOptions } from "../src/runner/run.ts";
import { openHistory, type History } from "../src/history/history.ts";

const pipeline = createPipelineFunction({
  run: () => {
    throw new Error("these tests run plans");
  },
});

const load = step({
  name: "load",
  run: ({ size }: { size: number }) => ({ rows: Array.from({ length: size }, (_, at) => at) }),
});
const count = step({ name: "count", run: ({ rows }: { rows: number[] }) => ({ total: rows.length }) });
const chain = pipeline({
  name: "chain",
  build: ({ size }: { size: number }) => count({ rows: load({ size }).rows }),
});

interface Rig {
  readonly ports: MemoryPorts;
  readonly history: History;
  /** What the world says of a trace; nothing against it where nothing is set. */
  readonly world: Map<Digest, TraceCheck>;
  run(size: number, options?: RunPlanOptions): Promise<RunOutcome>;
}

function openRig(): Rig {
  const ports = makePorts();
  const world = new Map<Digest, TraceCheck>();
  const checkTraces = async (traces: ReadonlyMap<Digest, Trace>): Promise<ReadonlyMap<Digest, TraceCheck>> =>
    new Map([...traces.keys()].map((each) => [each, world.get(each) ?? { differences: [], warnings: [] }]));
  return {
    ports,
    world,
    history: openHistory({ ...ports, checkTraces }),
    run: async (size, options = {}) =>
      await runPlan(planPipeline(chain as unknown as AnyPipeline, { size }), ports, options),
  };
}

async function entryOf({ ports }: Rig, name: string): Promise<CacheEntry> {
  const [entry] = await ports.metadata.cacheEntriesOf({ step: name, limit: 1 });
  assert.ok(entry);
  return entry;
}

/** Writes an entry beside another, as a run does whose step read other things of the world. */
async function addEntry(
  rig: Rig,
  like: CacheEntry,
  reads: Trace["reads"],
  change: Partial<CacheEntry>,
): Promise<Digest> {
  const trace: Trace = { salt: "pepper", reads };
  const digest = digestBytes(JSON.stringify(trace));
  await rig.ports.metadata.write([
    { kind: "trace", digest, trace },
    { kind: "cache-entry", entry: { ...like, trace: digest, ...change } },
  ]);
  return digest;
}

test("stored results are listed newest first, with what they save and how often they were reused", async () => {
  const rig = openRig();
  await rig.run(2);
  await rig.run(2);
  await rig.run(300);
  const found = await rig.history.cache.entries({ step: "load" });
  assert.deepEqual(
    found.map(({ hits, state, reads }) => ({ hits, state, reads })),
    [
      { hits: 0, state: "valid", reads: 0 },
      { hits: 1, state: "valid", reads: 0 },
    ],
  );
  assert.ok((found[0]?.size ?? 0) > (found[1]?.size ?? 0));
  assert.equal((await rig.history.cache.entries()).length, 4);
  const [mostReused] = await rig.history.cache.entries({ step: "load", sort: "hits", limit: 1 });
  assert.equal(mostReused?.entry.key, found[1]?.entry.key);
  assert.ok((mostReused?.usedAt ?? 0) >= (mostReused?.entry.createdAt ?? Infinity));
  const [largest] = await rig.history.cache.entries({ sort: "size", limit: 1 });
  assert.equal(largest?.entry.key, found[0]?.entry.key);
  assert.deepEqual(await rig.history.cache.entries({ createdBefore: 1000 }), []);
});

test("what is invalidated, expired or pinned says so, and can be asked for", async () => {
  const rig = openRig();
  await rig.run(2);
  await rig.run(3);
  const [newest, older] = await rig.ports.metadata.cacheEntriesOf({ step: "load" });
  assert.ok(newest && older);
  await rig.ports.metadata.write([
    { kind: "invalidate", keys: [newest.key], at: 5 },
    { kind: "cache-entry", entry: { ...older, expiresAt: 6 } },
    { kind: "pin", keys: [older.key], at: 7 },
  ]);
  const states = (await rig.history.cache.entries({ invalid: true })).map(({ state }) => state);
  assert.deepEqual(states, ["invalidated", "expired"]);
  assert.deepEqual(
    (await rig.history.cache.entries({ pinned: true })).map(({ entry }) => entry.key),
    [older.key],
  );
});

test("statistics count hits, misses and what did not ask, and name what made steps miss", async () => {
  const rig = openRig();
  const { codeOf } = rig.ports;
  await rig.run(2);
  await rig.run(2);
  await rig.run(2, { cache: "refresh" });
  codeOf.set("load", { text: "2" });
  await rig.run(3);
  codeOf.set("load", { text: "3" });
  await rig.run(4);
  const { use, misses, steps, runs, stored, days } = await rig.history.cache.stats();
  assert.deepEqual(
    { hits: use.hits, misses: use.misses, bypassed: use.bypassed, rate: use.hitRate },
    { hits: 2, misses: 6, bypassed: 2, rate: 0.25 },
  );
  // The counting step missed for what its input was made by: it is the same cause.
  assert.deepEqual(misses, [
    { code: "code", part: "steps.ts", count: 4, share: 4 / 6, steps: ["count", "load"] },
    { code: "first-run", part: undefined, count: 2, share: 2 / 6, steps: ["count", "load"] },
  ]);
  assert.equal(runs.count, 5);
  assert.deepEqual(
    days.map((day) => day.runs),
    [5],
  );
  assert.deepEqual(
    steps.map(({ step: name, entries, hits }) => ({ name, entries, hits })),
    [
      { name: "count", entries: 3, hits: 1 },
      { name: "load", entries: 3, hits: 1 },
    ],
  );
  assert.equal(stored.entries, 6);
  assert.ok(stored.bytes <= stored.logicalBytes && stored.bytes === stored.storeBytes);
  const { use: last, neverHit } = await rig.history.cache.stats({ runs: 2 });
  assert.deepEqual([last.hits, last.misses], [0, 4]);
  assert.deepEqual(neverHit, ["count", "load"]);
});

test("statistics name steps that gave different outputs for equal inputs", async () => {
  const rig = openRig();
  const { steps } = await rig.run(2);
  const [first] = steps;
  assert.ok(first);
  const text = "gives other rows for equal inputs";
  await rig.ports.metadata.write([
    { kind: "step-run", stepRun: { ...first, notices: [{ kind: "nondeterministic", text }] } },
  ]);
  assert.deepEqual((await rig.history.cache.stats()).unsteady, [{ step: "load", stepRun: first.id, text }]);
});

test("an empty store has no rate", async () => {
  const { use, runs, stored } = await openRig().history.cache.stats();
  assert.equal(use.hitRate, undefined);
  assert.equal(runs.count + stored.entries + stored.storeBytes, 0);
});

test("a stored result tells all that stands against its reuse, and how it differs from the newest", async () => {
  const rig = openRig();
  await rig.run(2);
  await rig.run(3);
  const newest = await entryOf(rig, "load");
  const trace = await addEntry(
    rig,
    newest,
    [
      { kind: "file", name: "data.csv", found: digestBytes("old") },
      { kind: "env", name: "REGION", found: "eu" },
    ],
    { createdAt: 1, expiresAt: 20, blobs: [{ digest: digestBytes("nowhere"), size: 3 }] },
  );
  const difference = { code: "file", part: "data.csv", from: "1", to: "2" } as const;
  rig.world.set(trace, { differences: [difference], warnings: ["offline"] });
  const found = await rig.history.cache.why("load");
  assert.deepEqual(
    found.map(({ entry, obstacles }) => [entry.trace === trace, obstacles.map(({ code }) => code)]),
    [
      [false, []],
      [false, []],
      [true, ["expired", "missing-output", "file"]],
    ],
  );
  const [, older, withTrace] = found;
  assert.deepEqual(withTrace?.warnings, ["offline"]);
  assert.deepEqual(
    withTrace?.differences.map(({ code, part, to }) => [code, part, to]),
    [
      ["file", "data.csv", undefined],
      ["env", "REGION", undefined],
    ],
  );
  assert.deepEqual(older?.differences, [{ code: "param", part: "size", from: "2", to: "3" }]);
});

test("a result of another runtime, or whose trace is gone, cannot be reused here", async () => {
  const rig = openRig();
  await rig.run(2);
  const entry = await entryOf(rig, "load");
  const [record] = (await rig.ports.metadata.keys([entry.key])).values();
  assert.ok(record);
  const foreign = { ...record, runtime: "node 22 sunos sparc" };
  await rig.ports.metadata.write([
    { kind: "key", digest: digestKey(foreign), key: foreign },
    { kind: "cache-entry", entry: { ...entry, key: digestKey(foreign), trace: digestBytes("gone") } },
  ]);
  const found = await rig.history.cache.why(digestKey(foreign).slice("sha256:".length, 20));
  assert.deepEqual(
    found.map(({ reads, obstacles }) => [reads, obstacles.map(({ code }) => code)]),
    [[undefined, ["runtime", "unobserved"]]],
  );
});

test("variables that were digested with two salts are not said to differ", async () => {
  const rig = openRig();
  await rig.run(2);
  const entry = await entryOf(rig, "load");
  const read = { kind: "env", name: "REGION" } as const;
  await addEntry(rig, entry, [{ ...read, found: "1" }], { createdAt: entry.createdAt + 1 });
  const other: Trace = { salt: "other", reads: [{ ...read, found: "2" }] };
  await rig.ports.metadata.write([
    { kind: "trace", digest: digestBytes("other"), trace: other },
    { kind: "cache-entry", entry: { ...entry, trace: digestBytes("other"), createdAt: entry.createdAt + 2 } },
  ]);
  const [, second] = await rig.history.cache.why("load");
  assert.deepEqual(second?.differences, []);
});

test("stored results are found by step, by key, by run and by step run; else what is near is named", async () => {
  const rig = openRig();
  const { run, steps } = await rig.run(2);
  await rig.run(2);
  const entry = await entryOf(rig, "count");
  const keys = async (selector: string): Promise<readonly string[]> =>
    (await rig.history.cache.why(selector)).map((each) => each.entry.step).sort();
  assert.deepEqual(await keys("count"), ["count"]);
  assert.deepEqual(await keys(entry.key), ["count"]);
  assert.deepEqual(await keys(entry.key.slice("sha256:".length, 15)), ["count"]);
  assert.deepEqual(await keys(run.id), ["count", "load"]);
  assert.deepEqual(await keys("last"), ["count", "load"]);
  assert.deepEqual(await keys(String(steps[0]?.id)), ["load"]);
  const refused = async (selector: string): Promise<UsageError> => {
    const error: unknown = await rig.history.cache.why(selector).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof UsageError);
    return error;
  };
  assert.equal((await refused("cuont")).hint, 'Did you mean "count"?');
  await rig.ports.metadata.write([{ kind: "remove-cache-entries", entries: [entry] }]);
  assert.match((await refused("count")).message, /^Nothing of step "count" is stored/u);
  assert.equal((await refused("count")).hint, "See why it runs: reprise why count");
});
