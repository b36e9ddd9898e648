/** The part of the metadata store's contract about runs that repeat another one, and are one record each. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { toStepRunId, type RunId } from "../record/id.ts";
import type { Repeatable } from "../record/repeatable.ts";
import { ConflictError } from "../error.ts";
import type { Change, MetadataStore } from "../store/metadata-store.ts";
import {
  sampleDigest,
  sampleEntry,
  sampleRun,
  sampleStepRun,
  sampleTime,
  sampleVersion,
  toRunId,
} from "./sample-records.ts";

export function testRepeats(current: () => MetadataStore): void {
  it("gives a run that repeats another one its step runs, at its own time", async () => {
    const store = current();
    await writeFirst(store);
    await repeat(store, "r-2", 1);
    const own = [reused("r-2", "splitter", 1), reused("r-2", "trainer", 1)];
    assert.deepEqual(await store.stepRuns({ runs: [toRunId("r-2")] }), own);
    assert.deepEqual(await store.stepRuns({ ids: own.map(({ id }) => id).toReversed() }), own);
    assert.deepEqual(await store.stepRuns({ ids: [] }), []);
    assert.deepEqual(await store.runs({ ids: [toRunId("r-2")] }), [repeating("r-2", 1)]);
  });

  it("finds the step runs of such runs in order, and only before a run where that is asked", async () => {
    const store = current();
    await writeFirst(store);
    await repeat(store, "r-2", 1);
    await store.write([
      { kind: "run", run: sampleRun("r-3", { startedAt: sampleTime + 2 }) },
      { kind: "step-run", stepRun: sampleStepRun("r-3", "trainer", { status: "completed" }) },
    ]);
    await repeat(store, "r-4", 3);
    const found = async (query: Parameters<MetadataStore["stepRuns"]>[0]) =>
      (await store.stepRuns(query)).map(({ id }) => id);
    const trainers = ["r-4/trainer", "r-3/trainer", "r-2/trainer", "r-1/trainer"];
    assert.deepEqual(await found({ step: "trainer" }), trainers);
    assert.deepEqual(await found({ step: "trainer", node: "trainer", pipeline: "first_pipeline" }), trainers);
    assert.deepEqual(await found({ step: "trainer", limit: 2 }), trainers.slice(0, 2));
    assert.deepEqual(await found({ step: "trainer", before: toRunId("r-3") }), trainers.slice(2));
    assert.deepEqual(await found({ step: "trainer", status: ["completed"] }), ["r-3/trainer"]);
    assert.deepEqual(await found({ step: "trainer", status: ["cached"], limit: 1 }), ["r-4/trainer"]);
    assert.deepEqual(await found({ step: "trainer", pipeline: "other" }), []);
    assert.deepEqual(await found({ step: "evaluator" }), []);
    assert.deepEqual(await found({ node: "splitter" }), ["r-4/splitter", "r-2/splitter", "r-1/splitter"]);
    assert.deepEqual(await found({ limit: 3 }), ["r-4/splitter", "r-4/trainer", "r-3/trainer"]);
  });

  it("counts what such runs reuse, and names them among those that used an artifact", async () => {
    const store = current();
    await writeFirst(store);
    await repeat(store, "r-2", 1);
    await repeat(store, "r-3", 2);
    const origin = toStepRunId(toRunId("r-0"), "trainer");
    const reuses = await store.reuses({ step: "trainer" });
    assert.deepEqual(reuses, new Map([[origin, { count: 3, lastAt: sampleTime + 2 }]]));
    const uses = await store.uses({ artifacts: [{ name: "trainer.model", version: 1 }] });
    assert.deepEqual(uses.map(({ stepRun }) => stepRun).toSorted(), ["r-1/trainer", "r-2/trainer", "r-3/trainer"]);
  });

  for (const { what, changes } of [
    { what: "replaced", changes: [{ kind: "cache-entry", entry: sampleEntry("a") }] },
    {
      what: "joined by another under its key",
      changes: [{ kind: "cache-entry", entry: sampleEntry("a", { trace: sampleDigest("trace") }) }],
    },
    { what: "invalidated", changes: [{ kind: "invalidate", keys: [sampleDigest("a")], at: sampleTime }] },
    { what: "removed", changes: [{ kind: "remove-cache-entries", entries: [sampleEntry("a")] }] },
  ] satisfies { what: string; changes: Change[] }[]) {
    it(`repeats nothing once an entry was ${what}`, async () => {
      const store = current();
      await writeFirst(store);
      const { entries } = await store.repeatable(sampleDigest("plan"));
      await store.write(changes);
      const now = await store.repeatable(sampleDigest("plan"));
      assert.notEqual(now.entries, entries);
      assert.equal(now.found, undefined);
      await assert.rejects(repeat(store, "r-2", 1, entries), ConflictError);
      assert.deepEqual(await store.runs({ ids: [toRunId("r-2")] }), []);
    });
  }

  it("repeats still when an entry came under a key of its own, or was pinned", async () => {
    const store = current();
    await writeFirst(store);
    const before = await store.repeatable(sampleDigest("plan"));
    await store.write([
      { kind: "cache-entry", entry: sampleEntry("b") },
      { kind: "pin", keys: [sampleDigest("a")], at: sampleTime },
    ]);
    assert.deepEqual(await store.repeatable(sampleDigest("plan")), before);
    assert.deepEqual(before.found, { repeatable: sampleRepeatable("r-1"), run: repeating("r-1", 0) });
    assert.equal((await store.repeatable(sampleDigest("another plan"))).found, undefined);
    await repeat(store, "r-2", 1, before.entries);
  });

  it("keeps what the newest run of a plan left, and nothing of what was found out before entries changed", async () => {
    const store = current();
    const before = await store.repeatable(sampleDigest("plan"));
    await writeFirst(store);
    await store.write([
      { kind: "run", run: repeating("r-2", 1) },
      { kind: "repeatable", repeatable: sampleRepeatable("r-2"), entries: before.entries },
    ]);
    assert.equal((await store.repeatable(sampleDigest("plan"))).found?.run.id, "r-2");
    await store.write([{ kind: "invalidate", keys: [sampleDigest("a")], at: sampleTime }]);
    await store.write([{ kind: "repeatable", repeatable: sampleRepeatable("r-2"), entries: before.entries }]);
    assert.equal((await store.repeatable(sampleDigest("plan"))).found, undefined);
  });

  it("repeats no run that is gone, and none that repeats another itself", async () => {
    const store = current();
    await writeFirst(store);
    await repeat(store, "r-2", 1);
    const { entries } = await store.repeatable(sampleDigest("plan"));
    for (const earlier of ["r-2", "r-9"]) {
      const change: Change = { kind: "repeat", run: repeating("r-3", 2), of: toRunId(earlier), entries };
      await assert.rejects(store.write([change]), ConflictError);
    }
    assert.equal((await store.runs({})).length, 2);
  });

  it("leaves the step runs of a run that is removed to the first that repeats it", async () => {
    const store = current();
    await writeFirst(store);
    for (const [at, id] of ["r-2", "r-3", "r-4"].entries()) await repeat(store, id, at + 1);
    await store.write([{ kind: "remove-runs", runs: [toRunId("r-2"), toRunId("r-1")] }]);
    const left = ["r-3", "r-4"] as const;
    for (const [index, id] of left.entries()) {
      const own = [reused(id, "splitter", index + 2), reused(id, "trainer", index + 2)];
      assert.deepEqual(await store.stepRuns({ runs: [toRunId(id)] }), own);
    }
    const uses = await store.uses({ artifacts: [{ name: "trainer.model", version: 1 }] });
    assert.deepEqual(uses.map(({ stepRun }) => stepRun).toSorted(), ["r-3/trainer", "r-4/trainer"]);
    assert.equal((await store.repeatable(sampleDigest("plan"))).found?.run.id, "r-3");
    await repeat(store, "r-5", 5);
    await store.write([{ kind: "remove-runs", runs: (await store.runs({})).map(({ id }) => id) }]);
    assert.deepEqual(await store.stepRuns({}), []);
    assert.deepEqual(await store.uses({ artifacts: [{ name: "trainer.model", version: 1 }] }), []);
    assert.equal((await store.repeatable(sampleDigest("plan"))).found, undefined);
  });
}

/** Run `r-1`, which reused both of its steps, and an entry. */
async function writeFirst(store: MetadataStore): Promise<void> {
  await store.versionOf(sampleVersion("one"));
  const { entries } = await store.repeatable(sampleDigest("plan"));
  await store.write([
    { kind: "cache-entry", entry: sampleEntry("a") },
    { kind: "run", run: repeating("r-1", 0) },
    { kind: "step-run", stepRun: reused("r-1", "splitter", 0) },
    { kind: "step-run", stepRun: reused("r-1", "trainer", 0) },
    { kind: "repeatable", repeatable: sampleRepeatable("r-1"), entries },
  ]);
}

async function repeat(store: MetadataStore, id: string, after: number, entries?: number): Promise<void> {
  const known = await store.repeatable(sampleDigest("plan"));
  const of = known.found?.run.id ?? toRunId("r-1");
  await store.write([{ kind: "repeat", run: repeating(id, after), of, entries: entries ?? known.entries }]);
}

function repeating(id: string, after: number): ReturnType<typeof sampleRun> {
  return sampleRun(id, { startedAt: sampleTime + after, finishedAt: sampleTime + after + 1 });
}

function reused(run: string, node: string, after: number): ReturnType<typeof sampleStepRun> {
  return sampleStepRun(run, node, {
    status: "cached",
    reason: {
      code: "same-fingerprint",
      text: "nothing it depends on has changed",
      differences: [],
      against: `r-0/${node}`,
    },
    startedAt: sampleTime + after,
    finishedAt: sampleTime + after + 1,
    attempts: [],
    error: undefined,
  });
}

function sampleRepeatable(run: string): Repeatable {
  return {
    digest: sampleDigest("plan"),
    run: run as RunId,
    expiresAt: undefined,
    savedMs: 12.5,
    traces: [sampleDigest("trace")],
    blobs: [{ digest: sampleDigest("bytes of the model"), size: 1234 }],
    steps: "[1, 2]",
  };
}
