/** The part of the metadata store's contract about runs and what belongs to them. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { RunId, StepRunId } from "../record/id.ts";
import type { Change, MetadataStore } from "../store/metadata-store.ts";
import {
  sampleArtifact,
  sampleEntry,
  sampleLine,
  samplePoint,
  sampleRun,
  sampleStepRun,
  sampleTime,
  sampleVersion,
  sparseRun,
  sparseStepRun,
  toRunId,
} from "./sample-records.ts";

export function testRuns(current: () => MetadataStore): void {
  it("gives a run back as it was written, every field of it", async () => {
    const store = current();
    const runs = [
      sampleRun("r-3", { startedAt: sampleTime + 3, tags: { stage: "dev", empty: "", __proto__x: "1" } }),
      sparseRun("r-2", { startedAt: sampleTime + 2, error: { name: "Error", message: "no" } }),
      sparseRun("r-1", { startedAt: sampleTime + 1, git: undefined, status: "interrupted" }),
    ];
    await store.write(runs.map((run) => ({ kind: "run", run })));
    assert.deepEqual(await store.runs({}), runs);
  });

  it("replaces a run of the same id", async () => {
    const store = current();
    await store.write([{ kind: "run", run: sparseRun("r-1") }]);
    const ended = sampleRun("r-1", { status: "failed", error: { name: "Error", message: "no" } });
    await store.write([{ kind: "run", run: ended }]);
    assert.deepEqual(await store.runs({}), [ended]);
  });

  it("keeps what was tagged while a run went on", async () => {
    const store = current();
    await store.write([{ kind: "run", run: sparseRun("r-1", { tags: { stage: "dev", old: "" } }) }]);
    await store.write([{ kind: "tag-run", run: toRunId("r-1"), tags: { stage: "prod", old: null, new: "=" } }]);
    await store.write([{ kind: "run", run: sampleRun("r-1", { tags: { stage: "dev", old: "" } }) }]);
    const [run] = await store.runs({});
    assert.deepEqual(run?.tags, { stage: "prod", new: "=" });
  });

  it("lists runs newest first, and those that started at once by their ids", async () => {
    const store = current();
    const started = { "r-b": 5, "r-a": 5, "r-c": 1, "r-d": 9 };
    for (const [run, at] of Object.entries(started)) {
      await store.write([{ kind: "run", run: sampleRun(run, { startedAt: at }) }]);
    }
    assert.deepEqual(idsOf(await store.runs({})), ["r-d", "r-b", "r-a", "r-c"]);
    assert.deepEqual(idsOf(await store.runs({ limit: 2 })), ["r-d", "r-b"]);
    assert.deepEqual(idsOf(await store.runs({ limit: 2, offset: 1 })), ["r-b", "r-a"]);
    assert.deepEqual(idsOf(await store.runs({ offset: 3 })), ["r-c"]);
    assert.deepEqual(idsOf(await store.runs({ limit: 0 })), []);
  });

  it("finds runs by each condition and by all together", async () => {
    const store = current();
    await store.write([
      { kind: "run", run: sampleRun("r-1", { startedAt: 1, name: "one", tags: { stage: "dev" } }) },
      { kind: "run", run: sampleRun("r-2", { startedAt: 2, name: "two", status: "failed", version: 2 }) },
      { kind: "run", run: sampleRun("r-3", { startedAt: 3, name: "three", pipeline: "other", tags: { stage: "" } }) },
      { kind: "run", run: sampleRun("r-4", { startedAt: 4, name: "one", tags: { other: "dev", "a=b": "c" } }) },
    ]);
    const found = async (query: Parameters<MetadataStore["runs"]>[0]) => idsOf(await store.runs(query));
    assert.deepEqual(await found({ ids: [toRunId("r-2"), toRunId("r-4"), toRunId("r-9"), toRunId("r-2")] }), [
      "r-4",
      "r-2",
    ]);
    assert.deepEqual(await found({ ids: [] }), []);
    assert.deepEqual(await found({ names: ["one", "three"] }), ["r-4", "r-3", "r-1"]);
    assert.deepEqual(await found({ pipeline: "other" }), ["r-3"]);
    assert.deepEqual(await found({ version: 2 }), ["r-2"]);
    assert.deepEqual(await found({ status: ["failed", "running"] }), ["r-2"]);
    assert.deepEqual(await found({ status: [] }), []);
    assert.deepEqual(await found({ tag: "stage" }), ["r-3", "r-1"]);
    assert.deepEqual(await found({ tag: "stage=dev" }), ["r-1"]);
    assert.deepEqual(await found({ tag: "stage=" }), ["r-3"]);
    assert.deepEqual(await found({ tag: "toString" }), []);
    assert.deepEqual(await found({ startedBefore: 3 }), ["r-2", "r-1"]);
    assert.deepEqual(await found({ startedAfter: 3 }), ["r-4"]);
    await store.write([{ kind: "run", run: sampleRun("r-4", { startedAt: 4, name: "one", imported: 7 }) }]);
    assert.deepEqual(await found({ madeHere: true }), ["r-3", "r-2", "r-1"]);
    assert.deepEqual(
      (await store.runs({ ids: [toRunId("r-4")] })).map(({ imported }) => imported),
      [7],
    );
    assert.deepEqual(await found({ pipeline: "first_pipeline", names: ["one"], startedAfter: 1, tag: "other" }), [
      "r-4",
    ]);
  });

  it("finds thousands of runs by their ids at once", async () => {
    const store = current();
    const runs = Array.from({ length: 1300 }, (_, index) => sparseRun(`r-${index}`, { startedAt: index }));
    await store.write(runs.map((run) => ({ kind: "run", run })));
    const ids = runs.map((run) => run.id);
    assert.deepEqual(idsOf(await store.runs({ ids })), ids.toReversed());
    assert.deepEqual(idsOf(await store.runs({ ids, limit: 3, offset: 700 })), ids.toReversed().slice(700, 703));
  });

  it("removes runs with all that belongs to them, and leaves artifacts and cache entries", async () => {
    const store = current();
    const [artifact] = await store.recordArtifacts([sampleArtifact("trainer.model", "a")]);
    await store.write([
      { kind: "run", run: sampleRun("r-1", { tags: { a: "" } }) },
      { kind: "run", run: sampleRun("r-2") },
      { kind: "step-run", stepRun: sampleStepRun("r-1", "trainer") },
      { kind: "step-run", stepRun: sampleStepRun("r-2", "trainer") },
      { kind: "log", lines: [sampleLine("r-1", "trainer", 0), sampleLine("r-2", "trainer", 0)] },
      { kind: "metric", points: [samplePoint("r-1/trainer"), samplePoint("r-2/trainer")] },
      { kind: "cache-entry", entry: sampleEntry("key") },
    ]);
    await store.write([{ kind: "remove-runs", runs: [toRunId("r-1"), toRunId("r-9")] }]);
    const steps = ["r-1/trainer", "r-2/trainer"] as StepRunId[];
    assert.deepEqual(idsOf(await store.runs({})), ["r-2"]);
    assert.deepEqual(await store.runs({ tag: "a" }), []);
    assert.deepEqual(idsOf(await store.stepRuns({})), ["r-2/trainer"]);
    assert.equal((await store.logs({ stepRuns: steps })).length, 1);
    assert.equal((await store.metrics({ stepRuns: steps })).length, 1);
    assert.equal((await store.uses({ artifacts: [{ name: "trainer.model", version: 1 }] })).length, 1);
    assert.deepEqual(await store.artifacts({}), [artifact]);
    assert.equal((await store.cacheEntriesOf({})).length, 1);
  });
}

export function testStepRuns(current: () => MetadataStore): void {
  it("gives a step run back as it was written, every field of it", async () => {
    const store = current();
    const stepRuns = [sampleStepRun("r-1", "a"), sparseStepRun("r-1", "b/nested node")];
    await store.write([
      { kind: "run", run: sampleRun("r-1") },
      ...stepRuns.map((stepRun): Change => ({ kind: "step-run", stepRun })),
    ]);
    assert.deepEqual(await store.stepRuns({ ids: stepRuns.map((stepRun) => stepRun.id) }), stepRuns);
  });

  it("replaces a step run of the same id", async () => {
    const store = current();
    await store.write([
      { kind: "run", run: sampleRun("r-1") },
      { kind: "step-run", stepRun: sparseStepRun("r-1", "a") },
    ]);
    const ended = sampleStepRun("r-1", "a");
    await store.write([{ kind: "step-run", stepRun: ended }]);
    assert.deepEqual(await store.stepRuns({}), [ended]);
  });

  it("lists the step runs of given runs in plan order, run by run as asked", async () => {
    const store = current();
    await store.versionOf(sampleVersion("one"));
    await store.write([
      { kind: "run", run: sampleRun("r-1") },
      { kind: "run", run: sampleRun("r-2", { startedAt: sampleTime + 5 }) },
      { kind: "run", run: sampleRun("r-3", { pipeline: "without a version" }) },
    ]);
    for (const [run, node, startedAt] of [
      ["r-1", "unplanned", 1],
      ["r-1", "evaluator", 2],
      ["r-2", "evaluator", 3],
      ["r-1", "splitter", 4],
      ["r-1", "trainer", 3],
      ["r-3", "second", 8],
      ["r-3", "first", 7],
    ] as const) {
      await store.write([{ kind: "step-run", stepRun: sparseStepRun(run, node, { startedAt }) }]);
    }
    const order = ["r-1/splitter", "r-1/trainer", "r-1/evaluator", "r-1/unplanned"];
    const asked = async (runs: string[], limit?: number) =>
      idsOf(await store.stepRuns({ runs: runs as RunId[], ...(limit === undefined ? {} : { limit }) }));
    assert.deepEqual(await asked(["r-1"]), order);
    assert.deepEqual(await asked(["r-1", "r-2"]), [...order, "r-2/evaluator"]);
    assert.deepEqual(await asked(["r-2", "r-1"], 2), ["r-2/evaluator", "r-1/splitter"]);
    assert.deepEqual(await asked(["r-3"]), ["r-3/first", "r-3/second"]);
    assert.deepEqual(await asked(["r-9"]), []);
    assert.deepEqual(await asked([]), []);
  });

  it("lists other step runs by the newest run, and finds the closest earlier one", async () => {
    const store = current();
    for (const [run, startedAt, pipeline] of [
      ["r-1", 10, "first_pipeline"],
      ["r-2", 20, "first_pipeline"],
      ["r-3", 20, "first_pipeline"],
      ["r-4", 30, "other"],
    ] as const) {
      await store.write([
        { kind: "run", run: sampleRun(run, { startedAt, pipeline }) },
        // A step run that starts late in an early run does not make the run newer.
        { kind: "step-run", stepRun: sparseStepRun(run, "a", { startedAt: 100 - startedAt, step: "train" }) },
        { kind: "step-run", stepRun: sparseStepRun(run, "b", { startedAt: 200, step: "train", status: "failed" }) },
      ]);
    }
    const found = async (query: Parameters<MetadataStore["stepRuns"]>[0]) => idsOf(await store.stepRuns(query));
    const all = ["r-4/b", "r-4/a", "r-3/b", "r-3/a", "r-2/b", "r-2/a", "r-1/b", "r-1/a"];
    assert.deepEqual(await found({}), all);
    assert.deepEqual(await found({ step: "train" }), all);
    assert.deepEqual(await found({ step: "a" }), []);
    assert.deepEqual(await found({ limit: 3 }), all.slice(0, 3));
    assert.deepEqual(await found({ step: "train", limit: 3 }), all.slice(0, 3));
    assert.deepEqual(await found({ node: "b" }), ["r-4/b", "r-3/b", "r-2/b", "r-1/b"]);
    assert.deepEqual(await found({ node: "b", pipeline: "other" }), ["r-4/b"]);
    assert.deepEqual(await found({ status: ["failed"], step: "train", pipeline: "first_pipeline", limit: 1 }), [
      "r-3/b",
    ]);
    assert.deepEqual(await found({ before: toRunId("r-3"), step: "train", node: "a" }), ["r-2/a", "r-1/a"]);
    assert.deepEqual(await found({ before: toRunId("r-3"), node: "a", limit: 1 }), ["r-2/a"]);
    assert.deepEqual(await found({ before: toRunId("r-1") }), []);
    assert.deepEqual(await found({ before: toRunId("r-9") }), []);
    assert.deepEqual(await found({ ids: ["r-1/a", "r-3/b", "r-9/a"] as StepRunId[] }), ["r-3/b", "r-1/a"]);
    assert.deepEqual(await found({ ids: [] }), []);
  });
}

export function testLogsAndMetrics(current: () => MetadataStore): void {
  it("gives lines back in the order they were written", async () => {
    const store = current();
    const lines = [
      sampleLine("r-1", "a", 0, { data: { rows: 3 } }),
      sampleLine("r-1", "b", 0, { level: undefined, stream: "stderr", text: "" }),
      // The clock went backwards.
      sampleLine("r-1", "a", 1, { time: 5, text: "nul \u0000, escapes \u001A0 \u001B[31m and 😀" }),
      sampleLine("r-1", "a", 2),
    ];
    await store.write([
      { kind: "run", run: sampleRun("r-1") },
      { kind: "log", lines: lines.slice(0, 2) },
      { kind: "log", lines: lines.slice(2) },
    ]);
    const [a, b] = ["r-1/a", "r-1/b"] as [StepRunId, StepRunId];
    assert.deepEqual(await store.logs({ stepRuns: [b, a] }), lines);
    assert.deepEqual(await store.logs({ stepRuns: [a], afterSeq: 0 }), [lines[2], lines[3]]);
    assert.deepEqual(await store.logs({ stepRuns: [a], afterSeq: 0, limit: 1 }), [lines[2]]);
    assert.deepEqual(await store.logs({ stepRuns: [] }), []);
  });

  it("gives metrics back in the order they were written, whatever number they are", async () => {
    const store = current();
    const values = [0.1, NaN, Infinity, -Infinity, 1e300, -3];
    const points = values.map((value, step) => samplePoint("r-1/a", { value, step }));
    const scalar = samplePoint("r-1/b", { step: undefined, name: "accuracy" });
    await store.write([
      { kind: "run", run: sampleRun("r-1") },
      { kind: "metric", points: [...points, scalar] },
    ]);
    assert.deepEqual(await store.metrics({ stepRuns: ["r-1/b", "r-1/a"] as StepRunId[] }), [...points, scalar]);
    assert.deepEqual(await store.metrics({ stepRuns: ["r-1/b"] as StepRunId[] }), [scalar]);
    assert.deepEqual(await store.metrics({ stepRuns: [] }), []);
  });
}

function idsOf(records: readonly { readonly id: string }[]): string[] {
  return records.map((record) => record.id);
}
