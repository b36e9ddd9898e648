import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { hostname } from "node:os";
import process from "node:process";
import { test } from "node:test";
import { UsageError } from "../error.ts";
import { digestBytes, type Digest } from "../hash/digest.ts";
import { createRegistry } from "../materializer/registry.ts";
import { storeValue } from "../materializer/stored-value.ts";
import type { RunId, StepRunId } from "../record/id.ts";
import type { KeyRecord } from "../record/key.ts";
import type { ArtifactUse, NodeRecord, PlanRecord, Run, StepRun } from "../record/run.ts";
import { openContentStore } from "../store/content-store.ts";
import { openMemoryBlobStore } from "../store/memory-blob-store.ts";
import { openMemoryMetadataStore } from "../store/memory-metadata-store.ts";
import { openHistory } from "./history.ts";
import { applyRemoval } from "./apply-removal.ts";
import { applyInvalidation, planInvalidation } from "./invalidation.ts";
import { planCollection, planRunRemoval } from "./removal.ts";

const digest = (text: string): Digest => digestBytes(text);
const hour = 3_600_000;

const plan: PlanRecord = {
  nodes: [
    { id: "load", step: "load", arguments: {}, after: [] },
    {
      id: "train",
      step: "train",
      arguments: { rows: { kind: "ref", node: "load", output: "rows" }, gamma: { kind: "value" } },
      after: [],
    },
  ],
  outputs: { model: { kind: "ref", node: "train", output: "model" } },
};

interface Told {
  readonly id: string;
  readonly gamma: number;
  readonly status?: Run["status"];
  readonly tags?: Run["tags"];
  readonly startedAt?: number;
  readonly pid?: number;
  /** The run whose `load` is reused. */
  readonly reuses?: string;
  readonly code?: string;
}

/** A store with runs of a pipeline of two steps, written as a run writes them. */
async function openStore() {
  const metadata = openMemoryMetadataStore();
  const blobs = openMemoryBlobStore();
  const content = openContentStore(blobs);
  const registry = createRegistry([]);
  const ports = { metadata, blobs, content, registry, root: "/project", checkTraces: async () => new Map() };

  const store = async (name: string, value: unknown, producer: StepRunId, createdAt: number) => {
    const stored = await storeValue(value, { registry, blobs: content });
    const [artifact] = await metadata.recordArtifacts([{ ...stored, name, producer, createdAt }]);
    assert.ok(artifact);
    return (slot: string): ArtifactUse => ({
      slot,
      artifact: artifact.name,
      version: artifact.version,
      digest: artifact.digest,
    });
  };

  const tell = async (told: Told): Promise<Run> => {
    const { gamma, status = "completed", startedAt = 1000, code = "train 1", tags = {} } = told;
    const id = told.id as RunId;
    const codes = { load: digest("load 1"), train: digest(code) };
    const version = await metadata.versionOf({
      pipeline: "first",
      digest: digest(JSON.stringify(codes)),
      plan,
      code: codes,
      createdAt: startedAt,
    });
    const run: Run = {
      id,
      name: `first-${id}`,
      pipeline: "first",
      version: version.version,
      status,
      params: { gamma: { digest: digest(`gamma ${gamma}`), value: gamma, shown: String(gamma) } },
      stack: "default",
      cache: undefined,
      startedAt,
      finishedAt: status === "running" ? undefined : startedAt + 50,
      git: undefined,
      environment: {
        node: "24.0.0",
        platform: "linux",
        arch: "x64",
        reprise: "0.1.0",
        host: hostname(),
        pid: told.pid ?? process.pid,
      },
      tags,
      error: undefined,
      outputs: plan.outputs,
    };
    const load = `${id}/load` as StepRunId;
    const train = `${id}/train` as StepRunId;
    const origin = told.reuses === undefined ? undefined : (`${told.reuses}/load` as StepRunId);
    const rows = await store("load.rows", [1, 2, 3], origin ?? load, startedAt);
    const model = await store("train.model", { gamma }, train, startedAt);
    const key: KeyRecord = {
      scheme: 1,
      step: "train",
      code: codes.train,
      arguments: {
        gamma: { kind: "value", digest: digest(`gamma ${gamma}`), shown: String(gamma) },
        rows: { kind: "artifact", digest: rows("rows").digest },
      },
      outputs: {},
      version: undefined,
      cacheKey: undefined,
      runtime: "node 24",
    };
    const keyDigest = digest(JSON.stringify(key));
    const loadKey = digest("load key");
    const step = (node: NodeRecord, change: Partial<StepRun>): StepRun => ({
      id: `${id}/${node.id}` as StepRunId,
      run: id,
      node: node.id,
      step: node.step,
      status: "completed",
      reason: { code: "first-run", text: "it runs for the first time", differences: [] },
      key: undefined,
      cache: "use",
      startedAt,
      finishedAt: startedAt + 20,
      attempts: [],
      inputs: [],
      outputs: [],
      origin: undefined,
      savedMs: undefined,
      error: undefined,
      metadata: {},
      tags: [],
      ...change,
    });
    const [loadNode, trainNode] = plan.nodes as [NodeRecord, NodeRecord];
    const text = `function train() { return ${JSON.stringify(code)}; }`;
    await metadata.write([
      { kind: "run", run },
      {
        kind: "step-run",
        stepRun: step(loadNode, {
          key: loadKey,
          outputs: [rows("rows")],
          ...(origin === undefined ? {} : { status: "cached", origin, savedMs: 20 }),
        }),
      },
      {
        kind: "step-run",
        stepRun: step(trainNode, {
          key: keyDigest,
          inputs: [rows("rows")],
          outputs: [model("model")],
          metadata: { seed: 7 },
          status: status === "running" ? "running" : "completed",
        }),
      },
      { kind: "key", digest: keyDigest, key },
      {
        kind: "code",
        code: {
          digest: codes.train,
          verdict: "proved",
          own: ["train.ts#train"],
          place: "train.ts:1",
          units: [{ id: "train.ts#train", kind: "declaration", digest: digest(text), lines: [1, 1] }],
        },
      },
      { kind: "source", digest: digest(text), text },
      ...(origin === undefined
        ? [{ kind: "cache-entry" as const, entry: entryOf(loadKey, "load", [rows("rows")], load, startedAt) }]
        : []),
      { kind: "cache-entry", entry: entryOf(keyDigest, "train", [model("model")], train, startedAt) },
      {
        kind: "metric",
        points: [{ stepRun: train, name: "accuracy", step: undefined, value: 1 - gamma, time: startedAt }],
      },
      ...(origin === undefined
        ? [
            {
              kind: "log" as const,
              lines: [
                { stepRun: load, seq: 0, time: startedAt, stream: "log" as const, level: undefined, text: "3 rows" },
              ],
            },
          ]
        : []),
    ]);
    return run;
  };
  return { ports, tell, history: openHistory(ports) };
}

function entryOf(key: Digest, step: string, outputs: readonly ArtifactUse[], origin: StepRunId, createdAt: number) {
  return {
    key,
    trace: undefined,
    step,
    outputs,
    blobs: [],
    origin,
    durationMs: 20,
    createdAt,
    expiresAt: undefined,
    invalidatedAt: undefined,
    pinnedAt: undefined,
  };
}

async function refused(work: Promise<unknown>): Promise<UsageError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof UsageError, String(error));
  return error;
}

test("a run is found by its place, status, id, name, tag and a part of its id", async () => {
  const { tell, history } = await openStore();
  await tell({ id: "r-aa11", gamma: 0.1, startedAt: 1000, tags: { baseline: "", data: "v2" } });
  await tell({ id: "r-aa22", gamma: 0.2, startedAt: 2000, status: "failed" });
  await tell({ id: "r-bb33", gamma: 0.3, startedAt: 3000 });
  const found = {
    last: "r-bb33",
    "last~2": "r-aa11",
    "last:failed": "r-aa22",
    "last:completed~1": "r-aa11",
    "r-aa22": "r-aa22",
    "first-r-aa22": "r-aa22",
    baseline: "r-aa11",
    "data=v2": "r-aa11",
    bb: "r-bb33",
    "r-b": "r-bb33",
    a22: "r-aa22",
  };
  for (const [selector, id] of Object.entries(found)) assert.equal((await history.run(selector)).id, id, selector);
  assert.match((await refused(history.run("r-aa"))).message, /Several runs.*r-aa22, r-aa11/u);
  assert.equal((await refused(history.run("r-bb34"))).hint, 'Did you mean "r-bb33"?');
  assert.equal((await refused(history.run("last:faild"))).hint, 'Did you mean "failed"?');
  assert.match((await refused(history.run("last~9"))).message, /There is no run "last~9"/u);
});

test("an empty store says what to do", async () => {
  const { history } = await openStore();
  assert.equal((await refused(history.run("last"))).message, "There is no run yet");
  assert.equal((await refused(history.versions("first"))).hint, "Run one first");
});

test("a query finds runs by status, params, metrics, tags and age", async () => {
  const { tell, history } = await openStore();
  const now = Date.now();
  await tell({ id: "r-1", gamma: 0.1, startedAt: now - 48 * hour, tags: { baseline: "" } });
  await tell({ id: "r-2", gamma: 0.2, startedAt: now - 2 * hour, status: "failed" });
  await tell({ id: "r-3", gamma: 0.3, startedAt: now - hour });
  const ask = async (query: string): Promise<string[]> => (await history.runs(query)).map(({ run }) => run.id);
  assert.deepEqual(await ask(""), ["r-3", "r-2", "r-1"]);
  assert.deepEqual(await ask("status:failed"), ["r-2"]);
  assert.deepEqual(await ask("params.gamma:0.3"), ["r-3"]);
  assert.deepEqual(await ask("params.gamma:0.15..0.3"), ["r-3", "r-2"]);
  assert.deepEqual(await ask("metrics.accuracy>=0.8 status:completed"), ["r-1"]);
  assert.deepEqual(await ask("since:1d"), ["r-3", "r-2"]);
  assert.deepEqual(await ask("tag:baseline pipeline:first"), ["r-1"]);
  assert.deepEqual(await ask("first-r-2"), ["r-2"]);
  assert.equal((await refused(history.runs("stats:failed"))).hint, 'Did you mean "status"?');
  assert.equal((await refused(history.runs("metrics.accuracy>high"))).hint, '"high" is not a number');
  assert.equal((await history.runs({ limit: 1 })).length, 1);
});

test("a run that is recorded as running is interrupted when its process is gone", async () => {
  const { tell, history } = await openStore();
  const { pid } = spawnSync(process.execPath, ["--version"]);
  await tell({ id: "r-dead", gamma: 0.1, status: "running", pid });
  await tell({ id: "r-live", gamma: 0.1, status: "running", startedAt: 2000 });
  const dead = await history.run("r-dead");
  assert.equal(dead.status, "interrupted");
  assert.equal(dead.step("train").status, "interrupted");
  assert.equal((await history.run("r-live")).status, "running");
  assert.equal((await history.run("last:interrupted")).id, "r-dead");
  const listed = await history.runs("status:interrupted");
  assert.deepEqual(
    listed.map(({ run }) => run.id),
    ["r-dead"],
  );
});

test("a reused step shows the log of the one that executed, and values are loaded by name", async () => {
  const { tell, history } = await openStore();
  await tell({ id: "r-1", gamma: 0.1 });
  await tell({ id: "r-2", gamma: 0.2, startedAt: 2000, reuses: "r-1" });
  const run = await history.run("last");
  assert.equal(run.savedMs, 20);
  assert.deepEqual(
    (await run.step("load").log()).map((line) => line.text),
    ["3 rows"],
  );
  assert.equal(run.step("load").executed?.run, "r-1");
  assert.deepEqual(run.step("train").metadata, { seed: 7 });
  assert.equal(run.step("train").metrics[0]?.value, 0.8);
  assert.deepEqual(await run.outputs["model"]?.load(), { gamma: 0.2 });
  assert.deepEqual(await run.step("train").inputArtifacts["rows"]?.load(), [1, 2, 3]);
  assert.throws(() => run.step("trian"), { hint: 'Did you mean "train"?' });
});

test("an artifact is found by its name, the end of it, its step, and its version", async () => {
  const { tell, history } = await openStore();
  await tell({ id: "r-1", gamma: 0.1 });
  await tell({ id: "r-2", gamma: 0.2, startedAt: 2000 });
  for (const [selector, version] of [
    ["train.model", 2],
    ["model", 2],
    ["train", 2],
    ["model@v1", 1],
    ["model@1", 1],
  ] as const) {
    const found = await history.artifact(selector);
    assert.deepEqual([found.name, found.version], ["train.model", version], selector);
  }
  assert.deepEqual(await (await history.artifact("model@v1")).load(), { gamma: 0.1 });
  assert.equal((await history.artifacts("model")).length, 2);
  assert.match((await refused(history.artifact("model@v7"))).hint ?? "", /train\.model@v2/u);
  assert.equal((await refused(history.artifact("modle"))).hint, 'Did you mean "model"?');
});

test("lineage leads across runs, and a reused step counts once", async () => {
  const { tell, history } = await openStore();
  await tell({ id: "r-1", gamma: 0.1 });
  await tell({ id: "r-2", gamma: 0.2, startedAt: 2000, reuses: "r-1" });
  const up = await history.lineage("model@v2", { direction: "up" });
  assert.deepEqual(
    up.edges.map(({ from, to }) => `${from} > ${to}`),
    ["load.rows@v1 > r-2/train", "r-2/train > train.model@v2", "r-1/load > load.rows@v1"],
  );
  const near = await history.lineage("model@v2", { direction: "up", depth: 1 });
  assert.equal(near.edges.length, 2);
  const down = await history.lineage("rows", { direction: "down" });
  const reached = new Set<string>(down.nodes.map((node) => node.id));
  assert.ok(reached.has("train.model@v1") && reached.has("train.model@v2"));
  assert.ok(!reached.has("r-2/load"));
  assert.deepEqual((await history.lineage("r-2", { direction: "up" })).roots.length, 2);
});

test("why compares each part of the key with the closest earlier run", async () => {
  const { tell, history } = await openStore();
  await tell({ id: "r-1", gamma: 0.1 });
  await tell({ id: "r-2", gamma: 0.5, startedAt: 2000, code: "train 2" });
  await tell({ id: "r-3", gamma: 0.2, startedAt: 3000, code: "train 2" });
  const { against, parts, differences, verdict } = await history.why("train");
  assert.equal(against?.run, "r-2");
  assert.equal(verdict, "proved");
  const shown = Object.fromEntries(parts.map((part) => [part.part, part.same]));
  assert.deepEqual(shown, { code: true, "param gamma": false, "input rows": true, runtime: true });
  assert.deepEqual(
    differences.map(({ code, part, from, to }) => [code, part, from, to]),
    [["param", "gamma", "0.5", "0.2"]],
  );
  const other = await history.why("train", { run: "r-3", against: "r-1" });
  assert.deepEqual(
    other.differences.map((difference) => difference.code),
    ["code", "param"],
  );
  assert.equal(other.differences[0]?.place, "train.ts:1");
});

test("two versions differ in the code of a step, line by line", async () => {
  const { tell, history } = await openStore();
  await tell({ id: "r-1", gamma: 0.1 });
  await tell({ id: "r-2", gamma: 0.1, startedAt: 2000, code: "train 2" });
  const { steps, edges, same } = await history.diffVersions("first", 1, 2);
  assert.deepEqual(same, ["load"]);
  assert.deepEqual(edges, { added: [], removed: [] });
  assert.deepEqual(
    steps.map(({ node, change, units }) => [node, change, units.map((unit) => [unit.id, unit.change])]),
    [["train", "changed", [["train.ts#train", "changed"]]]],
  );
  assert.deepEqual(
    steps[0]?.units[0]?.lines?.map((line) => line.kind),
    ["removed", "added"],
  );
  assert.equal((await refused(history.diffVersions("first", 1, 5))).hint, "It has the versions v1 to v2");
});

test("two runs differ in params, metrics and outputs", async () => {
  const { tell, history } = await openStore();
  await tell({ id: "r-1", gamma: 0.25 });
  await tell({ id: "r-2", gamma: 0.5, startedAt: 2000, reuses: "r-1" });
  const diff = await history.diffRuns("r-1", "r-2");
  assert.deepEqual(diff.params, [{ name: "gamma", from: "0.25", to: "0.5", same: false }]);
  assert.deepEqual(diff.metrics, [{ name: "train.accuracy", from: 0.75, to: 0.5, delta: -0.25 }]);
  assert.deepEqual(
    diff.outputs.filter((output) => !output.same).map(({ name, from, to }) => [name, from, to]),
    [["train.model", "train.model@v1", "train.model@v2"]],
  );
  assert.deepEqual(
    diff.facts.filter((fact) => !fact.same),
    [],
  );
  assert.equal(diff.versions, undefined);
  const artifacts = await history.diffArtifacts("model@1", "model@2");
  assert.equal(artifacts.same, false);
  assert.ok(artifacts.lines?.some((line) => line.kind === "added" && line.text.includes("0.5")));
});

test("removing a run frees what no other run refers to, and says what others lose", async () => {
  const { ports, tell, history } = await openStore();
  const first = await tell({ id: "r-1", gamma: 0.1 });
  await tell({ id: "r-2", gamma: 0.2, startedAt: 2000, reuses: "r-1" });
  const removal = await planRunRemoval(ports, [first], { data: "remove" }, Date.now());
  assert.deepEqual(removal.artifacts, [{ name: "train.model", version: 1 }]);
  assert.equal(removal.cacheEntries.length, 1);
  assert.deepEqual(
    removal.losing.map(({ run }) => run.id),
    ["r-2"],
  );
  assert.equal((await applyRemoval(ports, removal)).bytes, removal.bytes);
  assert.deepEqual(await (await history.run("r-2")).outputs["model"]?.load(), { gamma: 0.2 });
  assert.deepEqual(await (await history.artifact("rows")).load(), [1, 2, 3]);
  await refused(history.artifact("model@v1"));
});

test("a rule spares tagged runs and runs whose results others reuse", async () => {
  const { ports, tell } = await openStore();
  const now = 100 * hour;
  await tell({ id: "r-1", gamma: 0.1, startedAt: hour });
  await tell({ id: "r-2", gamma: 0.2, startedAt: 2 * hour, tags: { baseline: "" } });
  await tell({ id: "r-3", gamma: 0.3, startedAt: 3 * hour });
  await tell({ id: "r-4", gamma: 0.4, startedAt: 99 * hour, reuses: "r-1" });
  const removal = await planCollection(ports, { startedBefore: 90 * hour }, now);
  assert.deepEqual(
    removal.runs.map((run) => run.id),
    ["r-3"],
  );
  assert.deepEqual(
    removal.held.map(({ run, why }) => [run.id, why]),
    [
      ["r-2", "it is tagged baseline"],
      ["r-1", "run r-4 reuses its results"],
    ],
  );
  const keep = await planCollection(ports, { keep: 3 }, now);
  assert.deepEqual([keep.runs.length, keep.held.length], [0, 1]);
  const size = await planCollection(ports, { maxSize: 0 }, now);
  assert.deepEqual(
    size.runs.map((run) => run.id),
    ["r-4", "r-3", "r-1"],
  );
});

test("nothing is removed while a run goes on that may need it", async () => {
  const { ports, tell } = await openStore();
  const first = await tell({ id: "r-1", gamma: 0.1 });
  await tell({ id: "r-2", gamma: 0.2, startedAt: 2000, status: "running" });
  const removal = await planRunRemoval(ports, [first], { data: "remove" }, Date.now());
  await assert.rejects(applyRemoval(ports, removal), { code: "RPS5001" });
  assert.equal((await ports.metadata.runs({})).length, 2);
});

test("a run of a machine that is gone can be removed by its name, and only then stops holding the rest", async () => {
  const { ports, tell } = await openStore();
  const first = await tell({ id: "r-1", gamma: 0.1 });
  const run = await tell({ id: "r-2", gamma: 0.2, startedAt: 2000, status: "running" });
  const lost: Run = { ...run, environment: { ...run.environment, host: "a-container-of-yesterday" } };
  await ports.metadata.write([{ kind: "run", run: lost }]);
  const remove = async (runs: readonly Run[]): Promise<unknown> =>
    await applyRemoval(ports, await planRunRemoval(ports, runs, { data: "remove" }, Date.now()));
  await assert.rejects(remove([first]), { code: "RPS5001", hint: /reprise rm r-2$/u });
  await remove([lost]);
  await remove([first]);
  assert.equal((await ports.metadata.runs({})).length, 0);
});

test("invalidating an artifact downstream drops what was made from it", async () => {
  const { ports, tell } = await openStore();
  await tell({ id: "r-1", gamma: 0.1 });
  await tell({ id: "r-2", gamma: 0.2, startedAt: 2000, reuses: "r-1" });
  const { metadata } = ports;
  const alone = await planInvalidation(metadata, "load");
  assert.deepEqual(
    alone.entries.map((entry) => entry.step),
    ["load"],
  );
  const planned = await planInvalidation(metadata, "rows@v1", { downstream: true });
  assert.deepEqual(
    planned.entries.map((entry) => entry.origin),
    ["r-2/train", "r-1/load", "r-1/train"],
  );
  await applyInvalidation(metadata, planned, 5000);
  const entries = await metadata.cacheEntriesOf({});
  assert.ok(entries.every((entry) => entry.invalidatedAt === 5000));
  assert.deepEqual((await planInvalidation(metadata, "load")).entries, []);
});
