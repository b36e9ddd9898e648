import assert from "node:assert/strict";
import { test } from "node:test";
import { makePorts, type MemoryPorts } from "../../test/rig/ports.ts";
import { createPipelineFunction, planPipeline, step, type AnyPipeline, type NodeId } from "../define/index.ts";
import { digestBytes } from "../hash/digest.ts";
import type { RunEvent } from "../record/event.ts";
import type { Difference } from "../record/reason.ts";
import type { Notice, Obstacle, Trace } from "../record/trace.ts";
import { openContentStore } from "../store/content-store.ts";
import { openMemoryBlobStore } from "../store/memory-blob-store.ts";
import { runPlan, type RunOutcome, type RunPlanOptions } from "./run.ts";
import { verifyPlan, type Verification } from "./verify.ts";

const pipeline = createPipelineFunction({
  run: () => {
    throw new Error("these tests run plans");
  },
});

const never = new AbortController().signal;

async function run(ports: MemoryPorts, of: unknown, options: RunPlanOptions = {}): Promise<RunOutcome> {
  return await runPlan(planPipeline(of as AnyPipeline, {}), ports, options);
}

async function verify(ports: MemoryPorts, of: unknown, outcome: RunOutcome): Promise<readonly Verification[]> {
  const plan = planPipeline(of as AnyPipeline, {});
  const stepRuns = await ports.metadata.stepRuns({ runs: [outcome.run.id] });
  const nodes = new Set(stepRuns.map(({ node }) => node as NodeId));
  const scratch = openContentStore(openMemoryBlobStore());
  return await verifyPlan(plan, ports, { run: outcome.run, stepRuns, nodes, scratch, signal: never });
}

function verdicts(found: readonly Verification[]): readonly string[] {
  return found.map((each) => {
    const rest = each.verdict === "skipped" ? `: ${each.because}` : each.verdict === "differs" ? `: ${each.text}` : "";
    return `${each.node} ${each.verdict}${rest}`;
  });
}

async function listBlobs({ blobs }: MemoryPorts): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { digest } of blobs.list()) found.push(digest);
  return found.sort();
}

/** A pipeline whose second step counts its calls. */
function makeUnsteady() {
  let calls = 0;
  const load = step({ name: "load", run: () => ({ rows: [1, 2] }) });
  const score = step({
    name: "score",
    run: ({ rows }: { rows: number[] }, { log, metric }) => {
      log("scoring");
      metric("calls", (calls += 1));
      return { scores: rows.map((row) => ({ row, score: row * calls })), count: rows.length };
    },
  });
  const total = step({ name: "total", run: ({ count }: { count: number }) => ({ total: count }) });
  return pipeline({
    name: "unsteady",
    build: () => {
      const { scores, count } = score({ rows: load().rows });
      return { scores, total: total({ count }).total };
    },
  });
}

test("a step that gives another output for equal inputs is found, with the field where it differs", async () => {
  const ports = makePorts();
  const unsteady = makeUnsteady();
  const found = await verify(ports, unsteady, await run(ports, unsteady));
  assert.deepEqual(verdicts(found), [
    "load equal",
    "score differs: scores at [0].score: 1 → 2, and more",
    "total equal",
  ]);
});

test("nothing of the store changes but the finding", async () => {
  const ports = makePorts();
  const unsteady = makeUnsteady();
  const first = await run(ports, unsteady);
  const everything = async (): Promise<unknown> => ({
    artifacts: await ports.metadata.artifacts({}),
    runs: await ports.metadata.runs({}),
    logs: await ports.metadata.logs({ stepRuns: first.steps.map(({ id }) => id) }),
    metrics: await ports.metadata.metrics({ stepRuns: first.steps.map(({ id }) => id) }),
    blobs: await listBlobs(ports),
    entries: (await ports.metadata.cacheEntriesOf({})).map((entry) => ({ ...entry, unsteady: undefined })),
    steps: (await ports.metadata.stepRuns({ runs: [first.run.id] })).map((each) => ({ ...each, notices: undefined })),
  });
  const before = await everything();
  await verify(ports, unsteady, first);
  assert.deepEqual(await everything(), before);
});

test("the finding stands on the step run that made the result, also when a run that reused it is verified, and once", async () => {
  const ports = makePorts();
  const unsteady = makeUnsteady();
  const first = await run(ports, unsteady);
  const second = await run(ports, unsteady);
  assert.equal(second.steps[1]?.status, "cached");
  await verify(ports, unsteady, second);
  await verify(ports, unsteady, second);
  const [maker] = await ports.metadata.stepRuns({ ids: [first.steps[1]!.id] });
  assert.deepEqual(maker?.notices, [
    { kind: "nondeterministic", text: "gives another output each time: scores at [0].score: 1 → 3, and more" },
  ] satisfies Notice[]);
  assert.equal(maker.status, "completed");
});

test("a later run that takes a result which was found nondeterministic says so, until it is made anew", async () => {
  const ports = makePorts();
  const unsteady = makeUnsteady();
  await verify(ports, unsteady, await run(ports, unsteady));
  const warned = async (options: RunPlanOptions = {}): Promise<readonly string[]> => {
    const events: RunEvent[] = [];
    await run(ports, unsteady, { ...options, onEvent: (event) => void events.push(event) });
    return events.flatMap((event) => (event.kind === "warning" ? [event.message] : []));
  };
  const [message, ...others] = await warned();
  assert.match(message ?? "", /^its result was found nondeterministic: gives another output each time: scores at/u);
  assert.deepEqual(others, []);
  await warned({ cache: "refresh" });
  assert.deepEqual(await warned(), []);
});

test("what is no finding is not executed, and says why: code, options, world and bytes", async () => {
  const ports = makePorts();
  const calls: string[] = [];
  const call = (name: string) => () => (calls.push(name), { out: name });
  const steps = ["edited", "guarded", "failing", "gone", "damaged", "versioned"] as const;
  const made = Object.fromEntries(steps.map((name) => [name, step({ name, run: call(name) })]));
  const off = step({ name: "off", cache: "off", run: call("off") });
  const refreshed = step({ name: "refreshed", cache: false, run: call("refreshed") });
  const all = pipeline({
    name: "all",
    build: () => {
      for (const each of Object.values(made)) (each as unknown as () => unknown)();
      off();
      refreshed();
    },
  });
  ports.codeOf.set("guarded", { verdict: "opaque" });
  const outcome = await run(ports, all);
  calls.length = 0;
  ports.codeOf.set("edited", { text: "2" });
  const entry = (step: string) => ports.metadata.cacheEntriesOf({ step });
  const [[gone], [damaged]] = [await entry("gone"), await entry("damaged")];
  await ports.metadata.write([{ kind: "remove-cache-entries", entries: [gone!] }]);
  await ports.blobs.remove(damaged!.blobs.map(({ digest }) => digest));
  const found = verdicts(await verify(ports, all, outcome));
  assert.deepEqual(found, [
    "edited skipped: its code has changed since",
    "guarded skipped: its code cannot be known",
    "failing equal",
    "gone skipped: its result is not kept for reuse any more",
    "damaged skipped: its stored output is missing or was altered: a run mends it",
    "versioned equal",
    "off skipped: its results are not reused: its cache is off",
    "refreshed skipped: its results are not reused: its cache is off",
  ]);
  assert.deepEqual(calls, ["failing", "versioned"]);
});

test("a step whose input is gone is not judged, and one that fails now is told with its error", async () => {
  const ports = makePorts();
  let isBroken = false;
  const load = step({ name: "load", run: () => ({ rows: [1] }) });
  const use = step({ name: "use", run: ({ rows }: { rows: number[] }) => ({ n: rows.length }) });
  const flaky = step({
    name: "flaky",
    run: () => {
      if (isBroken) throw new Error("the service is away");
      return { m: 1 };
    },
  });
  const all = pipeline({
    name: "all",
    build: () => {
      flaky();
      return use({ rows: load().rows });
    },
  });
  const outcome = await run(ports, all);
  isBroken = true;
  const [entry] = await ports.metadata.cacheEntriesOf({ step: "load" });
  await ports.blobs.remove(entry!.blobs.map(({ digest }) => digest));
  const found = await verify(ports, all, outcome);
  assert.deepEqual(verdicts(found), [
    "flaky failed",
    "load skipped: its stored output is missing or was altered: a run mends it",
    "use skipped: the stored bytes of an input are missing or were altered",
  ]);
  assert.equal(found[0]?.verdict === "failed" && found[0].error.message, "the service is away");
});

test("a step of an earlier run that the pipeline has no more is told, and not executed", async () => {
  const ports = makePorts();
  const one = step({ name: "one", run: () => ({ a: 1 }) });
  const two = step({ name: "two", run: () => ({ a: 1 }) });
  const before = pipeline({ name: "p", build: () => void [one(), two()] });
  const now = pipeline({ name: "p", build: () => one() });
  const found = await verify(ports, now, await run(ports, before));
  assert.deepEqual(verdicts(found), ["one equal", "two skipped: the pipeline has no such step any more"]);
});

test("a step is not judged when what it read has changed since, or changes while it is executed again", async () => {
  const trace: Trace = { salt: "", reads: [{ kind: "file", name: "prices.csv", found: "sha256:1" }] };
  const digest = digestBytes(JSON.stringify(trace));
  const difference: Difference = { code: "file", part: "prices.csv", from: "1", to: "2" };
  const world = { hasChanged: false, obstacle: undefined as Obstacle | undefined };
  const ports: MemoryPorts = {
    ...makePorts(),
    openObserver: () => ({
      reused: () => {},
      observe: () => ({
        run: (work) => work(),
        close: async () => ({ trace: { digest, content: trace }, obstacle: world.obstacle, notices: [] }),
      }),
      check: async (traces) =>
        new Map(
          [...traces.keys()].map((each) => [each, { differences: world.hasChanged ? [difference] : [], warnings: [] }]),
        ),
    }),
  };
  let calls = 0;
  const read = step({ name: "read", run: () => ({ calls: (calls += 1) }) });
  const all = pipeline({ name: "all", build: () => read() });
  const outcome = await run(ports, all);
  world.hasChanged = true;
  assert.deepEqual(verdicts(await verify(ports, all, outcome)), [
    "read skipped: what it read has changed since: prices.csv",
  ]);
  assert.equal(calls, 1);
  world.hasChanged = false;
  world.obstacle = { code: "unstable-input", text: "prices.csv changed while it ran" };
  assert.deepEqual(verdicts(await verify(ports, all, outcome)), [
    "read skipped: nothing can be told of it: prices.csv changed while it ran",
  ]);
  world.obstacle = undefined;
  assert.deepEqual(verdicts(await verify(ports, all, outcome)), ["read differs: calls: 1 → 3"]);
});
