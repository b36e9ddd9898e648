/** Several runs that need the same at the same time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { makePorts, type MemoryPorts } from "../../test/rig/ports.ts";
import { pipeline, run } from "../../test/rig/run-plan.ts";
import { step } from "../define/index.ts";
import type { RunEvent } from "../record/event.ts";
import type { StepRunId } from "../record/id.ts";
import type { LeaseHolder, LeaseToken } from "../record/lease.ts";
import type { ProcessIdentity } from "../record/process-identity.ts";
import type { Obstacle } from "../record/trace.ts";
import type { AskedLease, MetadataStore } from "../store/metadata-store.ts";
import { describeProcess } from "../store/process.ts";
import { type RunOutcome, type RunPlanOptions } from "./run.ts";

function statuses({ steps }: RunOutcome): readonly string[] {
  return steps.map(({ node, status, reason }) => `${node} ${status}: ${reason?.code}`);
}

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

function makeGate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** A pipeline of one step that tells when it is called, and ends when it is told to. */
function makeSlow() {
  const calls: { signal: AbortSignal; end: (how: "well" | "badly") => void }[] = [];
  const called: Gate[] = [makeGate(), makeGate(), makeGate()];
  const slow = step({
    name: "slow",
    run: async ({ n }: { n: number }, { signal }) => {
      const { promise, resolve, reject } = Promise.withResolvers<{ made: number }>();
      const index = calls.length;
      calls.push({
        signal,
        end: (how) => (how === "well" ? resolve({ made: n + index }) : reject(new Error("it failed"))),
      });
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      called[index]?.open();
      return await promise;
    },
  });
  const single = pipeline({ name: "single", build: ({ n }: { n: number }) => slow({ n }) });
  return { slow, single, calls, called: async (index: number) => await called[index]!.opened };
}

/** Options of a run that is watched: what it waits for, and when it first does. */
function watch(): RunPlanOptions & { readonly events: RunEvent[]; readonly waits: Promise<LeaseHolder> } {
  const { promise, resolve } = Promise.withResolvers<LeaseHolder>();
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent): void => {
    events.push(event);
    if (event.kind === "step-waiting") resolve(event.holder);
  };
  return { events, waits: promise, onEvent };
}

for (const jobs of [1, 2, 8]) {
  test(`equal nodes of one run execute once, with ${jobs} at a time`, async () => {
    const ports = makePorts();
    let executed = 0;
    const count = step({ name: "count", run: async ({ n }: { n: number }) => ({ made: (executed += 1) + n }) });
    const add = step({ name: "add", run: ({ all }: { all: number[] }) => ({ sum: all.length }) });
    const many = pipeline({
      name: "many",
      build: () => add({ all: Array.from({ length: 5 }, () => count({ n: 1 }).made) }),
    });
    const outcome = await run(ports, many, {}, { jobs });
    assert.equal(executed, 1);
    assert.equal(outcome.run.status, "completed");
    const [first, ...others] = outcome.steps.filter(({ step }) => step === "count");
    assert.equal(first?.status, "completed");
    for (const other of others) {
      assert.deepEqual([other.status, other.reason?.code, other.origin], ["cached", "made-meanwhile", first?.id]);
      assert.equal(other.reason?.text, '"count" of this run made it meanwhile');
    }
  });
}

test("of two runs that need the same, one executes it, and the other waits, tells for whom, and takes the result", async () => {
  const ports = makePorts();
  const { single, calls, called } = makeSlow();
  const first = run(ports, single, { n: 1 });
  await called(0);
  const watched = watch();
  const second = run(ports, single, { n: 1 }, watched);
  const holder = await watched.waits;
  assert.deepEqual(holder.process, describeProcess());
  calls[0]!.end("well");
  const [made, reused] = [await first, await second];
  assert.equal(holder.stepRun, made.steps[0]?.id);
  assert.deepEqual(statuses(made), ["slow completed: first-run"]);
  assert.deepEqual(statuses(reused), ["slow cached: made-meanwhile"]);
  assert.equal(reused.steps[0]?.reason?.text, `run ${made.run.id} made it meanwhile`);
  assert.equal(calls.length, 1);
  assert.deepEqual(reused.artifacts.get("slow" as never), made.artifacts.get("slow" as never));
});

test("a run that waits is told what the other one's step writes", async () => {
  const ports = makePorts();
  const [begun, ended] = [makeGate(), makeGate()];
  const train = step({
    name: "train",
    run: async (_: object, { log }) => {
      begun.open();
      for (const epoch of [1, 2]) log(`epoch ${epoch}`);
      await ended.opened;
      return { done: true };
    },
  });
  const training = pipeline({ name: "training", build: () => train() });
  const first = run(ports, training);
  await begun.opened;
  const lines: (string | undefined)[] = [];
  const onEvent = (event: RunEvent): void => {
    if (event.kind !== "step-waiting") return;
    lines.push(event.line);
    if (event.line === "epoch 2") ended.open();
  };
  await run(ports, training, {}, { onEvent });
  await first;
  assert.deepEqual([lines[0], lines.at(-1)], [undefined, "epoch 2"]);
});

test("runs with other params wait for nobody", async () => {
  const ports = makePorts();
  const { single, calls, called } = makeSlow();
  const runs = [run(ports, single, { n: 1 }), run(ports, single, { n: 2 })];
  await Promise.all([called(0), called(1)]);
  for (const call of calls) call.end("well");
  for (const outcome of await Promise.all(runs)) assert.equal(outcome.steps[0]?.status, "completed");
});

test("when who executes fails, the next one executes", async () => {
  const ports = makePorts();
  const { single, calls, called } = makeSlow();
  const first = run(ports, single, { n: 1 });
  await called(0);
  const others = [watch(), watch()];
  const runs = others.map((watched) => run(ports, single, { n: 1 }, watched));
  await Promise.all(others.map(({ waits }) => waits));
  calls[0]!.end("badly");
  assert.deepEqual(statuses(await first), ["slow failed: first-run"]);
  await called(1);
  calls[1]!.end("well");
  const ended = (await Promise.all(runs)).map((outcome) => outcome.steps[0]);
  assert.deepEqual(ended.map((each) => `${each?.status}: ${each?.reason?.code}`).toSorted(), [
    "cached: made-meanwhile",
    "completed: previous-failed",
  ]);
  assert.equal(calls.length, 2);
});

test("when the run that executes is cancelled, the one that waits executes", async () => {
  const ports = makePorts();
  const { single, calls, called } = makeSlow();
  const abort = new AbortController();
  const first = run(ports, single, { n: 1 }, { signal: abort.signal });
  await called(0);
  const watched = watch();
  const second = run(ports, single, { n: 1 }, watched);
  await watched.waits;
  abort.abort();
  assert.equal((await first).run.status, "cancelled");
  await called(1);
  calls[1]!.end("well");
  assert.equal((await second).run.status, "completed");
});

test("a run that waits ends when it is cancelled, whatever the other one does", async () => {
  const ports = makePorts();
  const { single, calls, called } = makeSlow();
  const first = run(ports, single, { n: 1 });
  await called(0);
  const abort = new AbortController();
  const watched = watch();
  const second = run(ports, single, { n: 1 }, { ...watched, signal: abort.signal });
  await watched.waits;
  abort.abort();
  const ended = await second;
  assert.equal(ended.run.status, "cancelled");
  assert.deepEqual(statuses(ended), ["slow skipped: cancelled"]);
  calls[0]!.end("well");
  assert.equal((await first).run.status, "completed");
});

test("what is executed whatever is stored waits for nobody", async () => {
  const ports = makePorts();
  const { single, calls, called } = makeSlow();
  const first = run(ports, single, { n: 1 });
  await called(0);
  const others: RunPlanOptions[] = [{ cache: false }, { cache: "off", force: ["slow"] }];
  const runs = others.map((options) => run(ports, single, { n: 1 }, options));
  await Promise.all([called(1), called(2)]);
  for (const call of calls) call.end("well");
  for (const outcome of await Promise.all([first, ...runs])) assert.equal(outcome.steps[0]?.status, "completed");
});

test("a node that waits leaves its place to others", async () => {
  const ports = makePorts();
  const { slow, single, calls, called } = makeSlow();
  const first = run(ports, single, { n: 1 });
  await called(0);
  let isOtherDone = false;
  const other = step({ name: "other", run: () => ({ done: (isOtherDone = true) }) });
  const join = step({
    name: "join",
    run: ({ made, done }: { made: number; done: boolean }) => ({ all: [made, done] }),
  });
  const both = pipeline({
    name: "both",
    build: () => join({ made: slow({ n: 1 }).made, done: other().done }),
  });
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent): void => {
    events.push(event);
    if (event.kind === "step-ended" && event.step.node === "other") calls[0]!.end("well");
  };
  const outcome = await run(ports, both, {}, { jobs: 1, onEvent });
  assert.ok(isOtherDone);
  assert.deepEqual(statuses(outcome), [
    "slow cached: made-meanwhile",
    "other completed: first-run",
    "join completed: first-run",
  ]);
  await first;
});

/** As if what executes met this obstacle. */
function withObstacle(ports: MemoryPorts, obstacle: Obstacle): MemoryPorts {
  const openObserver: MemoryPorts["openObserver"] = (files) => {
    const observer = ports.openObserver(files);
    const observe: typeof observer.observe = (parts) => {
      const observation = observer.observe(parts);
      return { ...observation, close: async () => ({ ...(await observation.close()), obstacle }) };
    };
    return { ...observer, observe };
  };
  return { ...ports, openObserver };
}

test("a result that may not be reused is not taken: the next one executes", async () => {
  const ports = makePorts();
  const { single, calls, called } = makeSlow();
  const obstacle: Obstacle = { code: "unstable-input", text: "a file changed while it ran" };
  const first = run(withObstacle(ports, obstacle), single, { n: 1 });
  await called(0);
  const watched = [watch(), watch()];
  const others = watched.map((options) => run(ports, single, { n: 1 }, options));
  await Promise.all(watched.map(({ waits }) => waits));
  calls[0]!.end("well");
  assert.equal((await first).steps[0]?.obstacle, obstacle);
  await called(1);
  calls[1]!.end("well");
  assert.deepEqual((await Promise.all(others)).flatMap(statuses).toSorted(), [
    "slow cached: made-meanwhile",
    "slow completed: unstable-input",
  ]);
});

test("those who waited for a result that can never be reused execute at once, not one after another", async () => {
  const memory = makePorts();
  const ports = withObstacle(memory, { code: "unobserved", text: "it started a process" });
  const { single, calls, called } = makeSlow();
  const first = run(ports, single, { n: 1 });
  await called(0);
  const watched = [watch(), watch()];
  const others = watched.map((options) => run(ports, single, { n: 1 }, options));
  await Promise.all(watched.map(({ waits }) => waits));
  calls[0]!.end("well");
  await first;
  await Promise.all([called(1), called(2)]);
  for (const call of calls) call.end("well");
  for (const outcome of await Promise.all(others)) assert.deepEqual(statuses(outcome), ["slow completed: unobserved"]);
});

test("a holder that finds its lease lost lets those of its process wait for the new one", async () => {
  const ports = { ...makePorts(), leaseMs: 40 };
  const { single, calls, called } = makeSlow();
  const late = run(ports, single, { n: 1 });
  await called(0);
  const [here, elsewhere] = [makeGate(), makeGate()];
  const onEvent = (event: RunEvent): void => {
    if (event.kind === "step-waiting") (event.holder.process.host === "elsewhere" ? elsewhere : here).open();
  };
  const key = (await ports.metadata.stepRuns({}))[0]!.key!;
  const held = (await ports.metadata.leases([key])).get(key)!;
  const asked = { key, token: "new" as LeaseToken, insteadOf: held };
  const second = run(ports, single, { n: 1 }, { onEvent });
  await here.opened;
  const holder = { process: { host: "elsewhere", pid: 1 }, stepRun: "r-other/slow" as StepRunId };
  assert.equal((await ports.metadata.acquireLease({ ...asked, holder })).kind, "granted");
  await elsewhere.opened;
  await ports.metadata.write([{ kind: "end-lease", lease: asked, changes: [], otherwise: [] }]);
  await called(1);
  for (const call of calls) call.end("well");
  assert.equal((await late).steps[0]?.obstacle?.code, "taken-over");
  assert.equal((await second).steps[0]?.obstacle, undefined);
});

test("what was stored between the look-up and the lease is taken", async () => {
  const ports = makePorts();
  const { single, calls, called } = makeSlow();
  let other: Promise<RunOutcome> | undefined;
  const metadata = intercept(ports.metadata, async (asked) => {
    // Another run makes it, from start to end, just now.
    if (other === undefined) {
      other = run(ports, single, { n: 1 });
      await called(0);
      calls[0]!.end("well");
      await other;
    }
    return await ports.metadata.acquireLease(asked);
  });
  const outcome = await run({ ...ports, metadata }, single, { n: 1 });
  assert.deepEqual(statuses(outcome), ["slow cached: made-meanwhile"]);
  assert.equal(calls.length, 1);
  assert.equal((await ports.metadata.leases([outcome.steps[0]!.key!])).size, 0);
});

test("what a dead process was making is made anew at once", async () => {
  const ports = makePorts();
  const { single, calls, called } = makeSlow();
  await leave(ports, single, { ...describeProcess(), pid: 2 ** 30 });
  const events: RunEvent[] = [];
  const outcome = run(ports, single, { n: 1 }, { onEvent: (event) => events.push(event) });
  await called(0);
  calls[0]!.end("well");
  assert.deepEqual(statuses(await outcome), ["slow completed: first-run"]);
  assert.ok(events.every(({ kind }) => kind !== "step-waiting"));
});

test("a holder of which nothing can be told is replaced when its beat does not move any more", async () => {
  const ports = { ...makePorts(), leaseMs: 100 };
  const { single, calls, called } = makeSlow();
  const elsewhere = await leave(ports, single, { host: "elsewhere", pid: 1 });
  let looks = 0;
  const metadata = intercept(ports.metadata, undefined, async (keys) => {
    looks += 1;
    // It beats for as long as would have been enough to lose the lease several times.
    if (looks < 8) await ports.metadata.write([{ kind: "beat-leases", leases: [elsewhere] }]);
    return await ports.metadata.leases(keys);
  });
  const watched = watch();
  const outcome = run({ ...ports, metadata }, single, { n: 1 }, watched);
  assert.equal((await watched.waits).process.host, "elsewhere");
  await called(0);
  calls[0]!.end("well");
  assert.equal((await outcome).run.status, "completed");
  assert.ok(looks >= 8, `${looks} looks`);
});

test("a result that comes after another process took over does not replace that one's, and says so", async () => {
  const ports = makePorts();
  const { single, calls, called } = makeSlow();
  const watched = watch();
  const late = run(ports, single, { n: 1 }, watched);
  await called(0);
  const key = watched.events.flatMap((event) => (event.kind === "step-started" ? event.step.key! : []))[0]!;
  const held = (await ports.metadata.leases([key])).get(key)!;
  const token = "new" as LeaseToken;
  const insteadOf = held;
  assert.equal((await ports.metadata.acquireLease({ key, token, holder: held.holder, insteadOf })).kind, "granted");
  calls[0]!.end("well");
  const { steps, run: ended } = await late;
  assert.equal(ended.status, "completed");
  assert.equal(steps[0]?.obstacle?.code, "taken-over");
  assert.deepEqual(await ports.metadata.stepRuns({}), steps);
  assert.deepEqual(await ports.metadata.cacheEntriesOf({}), []);
  assert.equal((await ports.metadata.leases([key])).get(key)?.token, token);
  const warnings = watched.events.flatMap((event) => (event.kind === "warning" ? event.message : []));
  assert.deepEqual(warnings, [
    "its result will not be reused: its process gave no sign of life for so long that another one took over",
  ]);
  await ports.metadata.write([{ kind: "end-lease", lease: { key, token }, changes: [], otherwise: [] }]);
  const next = run(ports, single, { n: 1 });
  await called(1);
  calls[1]!.end("well");
  assert.deepEqual(statuses(await next), ["slow completed: taken-over"]);
});

test("a step whose own runs need what it makes itself does not wait for itself", async () => {
  const ports = makePorts();
  let depth = 0;
  const nest = step({
    name: "nest",
    run: async (): Promise<{ depth: number }> => {
      depth += 1;
      const here = depth;
      if (here < 3) await run(ports, nested);
      return { depth: here };
    },
  });
  const nested: unknown = pipeline({ name: "nested", build: () => nest() });
  assert.equal((await run(ports, nested)).run.status, "completed");
  assert.equal(depth, 3);
});

test("two steps whose own runs need each other's result do not wait for each other", async () => {
  const ports = makePorts();
  const begun = [makeGate(), makeGate()];
  const calls = [0, 0];
  const makes = [0, 1].map((index) =>
    step({
      name: `make_${index}`,
      run: async () => {
        calls[index]! += 1;
        begun[index]!.open();
        await begun[1 - index]!.opened;
        if (calls[index] === 1) await run(ports, pipelines[1 - index]);
        return { index };
      },
    }),
  );
  const pipelines: readonly unknown[] = makes.map((make, index) =>
    pipeline({ name: `pipeline_${index}`, build: () => make() }),
  );
  for (const outcome of await Promise.all(pipelines.map((each) => run(ports, each)))) {
    assert.equal(outcome.run.status, "completed");
  }
});

test("an output that is damaged is made anew once, whoever finds it", async () => {
  const ports = makePorts();
  let executed = 0;
  const remake = makeGate();
  const make = step({
    name: "make",
    run: async () => {
      executed += 1;
      if (executed > 1) await remake.opened;
      return { text: "sound" };
    },
  });
  const read = step({ name: "read", run: ({ text, n }: { text: string; n: number }) => ({ all: `${text} ${n}` }) });
  const both = pipeline({ name: "both", build: ({ n }: { n: number }) => read({ text: make().text, n }) });
  await run(ports, both, { n: 0 });
  const [artifact] = await ports.metadata.artifacts({ name: "make.text" as never });
  const upload = await ports.blobs.upload();
  await upload.write(Buffer.alloc(artifact!.root.size, "x"));
  await upload.commit(artifact!.root.digest, { replace: true });
  const watched = [watch(), watch()];
  const runs = watched.map((options, index) => run(ports, both, { n: index + 1 }, options));
  await Promise.race(watched.map(({ waits }) => waits));
  remake.open();
  const makes = (await Promise.all(runs)).map(({ steps }) => steps[0]);
  assert.equal(executed, 2);
  assert.deepEqual(makes.map((each) => `${each?.status} ${each?.reason?.code}`).toSorted(), [
    "cached made-meanwhile",
    "completed corrupt-output",
  ]);
  // What was made anew is not said to be reused.
  assert.equal(makes.find((each) => each?.status === "completed")?.origin, undefined);
});

/** A lease that another process took, and never ends. */
async function leave(ports: MemoryPorts, of: unknown, process: ProcessIdentity): Promise<AskedLease> {
  // The key is that of a run that comes to nothing.
  const abort = new AbortController();
  let left: AskedLease | undefined;
  const metadata = intercept(ports.metadata, async (asked) => {
    const { key, token } = asked;
    left = { key, token, holder: { process, stepRun: "r-other/slow" as StepRunId } };
    abort.abort();
    return await ports.metadata.acquireLease(left);
  });
  const scratch = makePorts();
  await run({ ...scratch, metadata: intercept(scratch.metadata, metadata.acquireLease) }, of, { n: 1 }, abort);
  return left!;
}

function intercept(
  metadata: MetadataStore,
  acquireLease: MetadataStore["acquireLease"] = (asked) => metadata.acquireLease(asked),
  leases: MetadataStore["leases"] = (keys) => metadata.leases(keys),
): MetadataStore {
  const changed: Record<PropertyKey, unknown> = { acquireLease, leases };
  return new Proxy(metadata, {
    get(target, name) {
      const value: unknown = changed[name] ?? Reflect.get(target, name);
      return typeof value === "function" ? (value as () => unknown).bind(target) : value;
    },
  });
}
