import assert from "node:assert/strict";
import { test } from "node:test";
import { makePorts, type MemoryPorts } from "../../test/rig/ports.ts";
import { pipeline, run } from "../../test/rig/run-plan.ts";
import { step } from "../define/index.ts";
import { json } from "../materializer/index.ts";
import type { RunEvent } from "../record/event.ts";
import { type RunOutcome } from "./run.ts";

function statuses({ steps }: RunOutcome): Record<string, string> {
  return Object.fromEntries(steps.map(({ node, status, reason }) => [node, `${status}: ${reason?.code}`]));
}

/** A pipeline of three steps in a row, and how often each was executed. */
function makeChain(): { chain: unknown; executed: Record<string, number> } {
  const executed: Record<string, number> = { load: 0, clean: 0, train: 0 };
  const count = (name: string): number => (executed[name] = (executed[name] ?? 0) + 1);
  const load = step({
    name: "load",
    run: ({ size }: { size: number }) => (count("load"), { rows: Array.from({ length: size }, (_, at) => at) }),
  });
  const clean = step({
    name: "clean",
    run: ({ rows }: { rows: number[] }) => (count("clean"), { even: rows.filter((row) => row % 2 === 0) }),
  });
  const train = step({
    name: "train",
    run: ({ even, rate }: { even: number[]; rate: number }) => (count("train"), { model: even.length * rate }),
  });
  const chain = pipeline({
    name: "chain",
    build: ({ size, rate }: { size: number; rate: number }) => {
      const { rows } = load({ size });
      const { even } = clean({ rows });
      return train({ even, rate });
    },
  });
  return { chain, executed };
}

test("the second run executes nothing, and each output is as it was", async () => {
  const ports = makePorts();
  const { chain, executed } = makeChain();
  const first = await run(ports, chain, { size: 4, rate: 2 });
  const second = await run(ports, chain, { size: 4, rate: 2 });
  assert.deepEqual(executed, { load: 1, clean: 1, train: 1 });
  assert.deepEqual(statuses(second), {
    load: "cached: same-fingerprint",
    clean: "cached: same-fingerprint",
    train: "cached: same-fingerprint",
  });
  assert.deepEqual(second.artifacts.get("train" as never), first.artifacts.get("train" as never));
  assert.equal(second.run.version, 1);
  assert.equal(second.steps[0]?.origin, first.steps[0]?.id);
});

test("a step whose parameter changed runs again, with the steps below whose input then differs", async () => {
  const ports = makePorts();
  const { chain, executed } = makeChain();
  await run(ports, chain, { size: 4, rate: 2 });
  const other = await run(ports, chain, { size: 4, rate: 3 });
  assert.deepEqual(executed, { load: 1, clean: 1, train: 2 });
  assert.deepEqual(other.steps[2]?.reason?.differences, [{ code: "param", part: "rate", from: "2", to: "3" }]);
});

test("when a step runs again and gives the same bytes, nothing below it runs", async () => {
  const ports = makePorts();
  const { chain, executed } = makeChain();
  await run(ports, chain, { size: 3, rate: 2 });
  // Of 0, 1, 2 and of 0, 1, 2, 3 the even ones are the same.
  const other = await run(ports, chain, { size: 4, rate: 2 });
  assert.deepEqual(executed, { load: 2, clean: 2, train: 1 });
  assert.deepEqual(statuses(other), {
    load: "completed: param",
    clean: "completed: input",
    train: "cached: same-output-upstream",
  });
});

test("code that goes back to what it was goes back to its version and its results", async () => {
  const ports = makePorts();
  const { chain, executed } = makeChain();
  const versions = [];
  for (const text of ["1", "2", "1"]) {
    ports.codeOf.set("clean", { text });
    versions.push((await run(ports, chain, { size: 4, rate: 2 })).run.version);
  }
  assert.deepEqual(versions, [1, 2, 1]);
  assert.deepEqual(executed, { load: 1, clean: 2, train: 1 });
});

test("opaque code is not reused unless a version vouches for it", async () => {
  for (const version of [undefined, "1"]) {
    const ports = makePorts();
    let executed = 0;
    const only = step({
      name: "only",
      ...(version === undefined ? {} : { version }),
      run: () => ({ n: (executed += 1) }),
    });
    const single = pipeline({ name: "single", build: () => only() });
    const note = { verdict: "opaque" as const, kind: "eval", message: "it calls eval" };
    ports.codeOf.set("only", { verdict: "opaque", notes: [note] });
    await run(ports, single);
    const second = await run(ports, single);
    assert.equal(executed, version === undefined ? 2 : 1);
    assert.equal(second.steps[0]?.reason?.code, version === undefined ? "opaque-code" : "same-fingerprint");
  }
});

test("a run that asks for proof reuses no result of a step whose native add-on reads unseen", async () => {
  const notices = [{ kind: "add-on", text: "uses the native add-on of duckdb, whose reads are not seen" }] as const;
  const observed = { trace: undefined, obstacle: undefined, notices };
  const ports: MemoryPorts = {
    ...makePorts(),
    openObserver: () => ({
      reused: () => {},
      observe: () => ({ run: (work) => work(), close: async () => observed }),
      check: async () => new Map(),
    }),
  };
  const single = pipeline({ name: "single", build: () => step({ name: "only", run: () => ({ n: 1 }) })() });
  await run(ports, single);
  assert.deepEqual(statuses(await run(ports, single)), { only: "cached: same-fingerprint" });
  const demanding = await run(ports, single, {}, { require: "proved" });
  assert.deepEqual(statuses(demanding), { only: "completed: opaque-code" });
  assert.match(demanding.steps[0]?.reason?.text ?? "", /asks for proved results: it uses the native add-on of duckdb/u);
});

test("a run that says false wins over a step that says true, which wins over its pipeline", async () => {
  const ports = makePorts();
  let executed = 0;
  const eager = step({ name: "eager", cache: true, run: () => ({ n: (executed += 1) }) });
  const single = pipeline({ name: "single", cache: false, build: () => eager() });
  await run(ports, single);
  assert.deepEqual(statuses(await run(ports, single)), { eager: "cached: same-fingerprint" });
  assert.deepEqual(statuses(await run(ports, single, {}, { cache: false })), { eager: "completed: cache-off" });
  assert.equal(executed, 2);
});

test("refresh records the new result, off records nothing, require refuses to execute", async () => {
  const ports = makePorts();
  let executed = 0;
  const counter = step({ name: "counter", run: () => ({ n: (executed += 1) }) });
  const single = pipeline({ name: "single", build: () => counter() });
  const required = await run(ports, single, {}, { cache: "require" });
  assert.equal(required.run.status, "failed");
  assert.equal(required.steps[0]?.error?.code, "RPS3004");
  await run(ports, single, {}, { cache: "off" });
  assert.deepEqual(statuses(await run(ports, single)), { counter: "completed: cache-off" });
  await run(ports, single, {}, { cache: "refresh" });
  const last = await run(ports, single);
  assert.equal(executed, 3);
  assert.equal(last.steps[0]?.outputs[0]?.version, 3);
});

test("a failing step stops what depends on it and nothing else, and the next run resumes", async () => {
  const ports = makePorts();
  let isBroken = true;
  const executed: string[] = [];
  const good = step({ name: "good", run: () => (executed.push("good"), { a: 1 }) });
  const bad = step({
    name: "bad",
    run: ({ a }: { a: number }) => {
      executed.push("bad");
      if (isBroken) throw new TypeError("no score");
      return { b: a };
    },
  });
  const below = step({ name: "below", run: ({ b }: { b: number }) => (executed.push("below"), { c: b }) });
  const beside = step({ name: "beside", run: ({ a }: { a: number }) => (executed.push("beside"), { d: a }) });
  const forked = pipeline({
    name: "forked",
    build: () => {
      const { a } = good();
      const { b } = bad({ a });
      return { c: below({ b }).c, d: beside({ a }).d };
    },
  });
  const first = await run(ports, forked);
  assert.equal(first.run.status, "failed");
  assert.equal((first.error as Error).message, "no score");
  assert.deepEqual(statuses(first), {
    good: "completed: first-run",
    bad: "failed: first-run",
    below: "skipped: upstream-failed",
    beside: "completed: first-run",
  });
  isBroken = false;
  executed.length = 0;
  const second = await run(ports, forked);
  assert.deepEqual(executed, ["bad", "below"]);
  assert.equal(second.steps[1]?.reason?.code, "previous-failed");
});

test("a step is compared with its closest earlier run, however many runs lie between", async () => {
  const ports = makePorts();
  let isBroken = true;
  const fit = step({
    name: "fit",
    run({ rate, size }: { rate: number; size: number }) {
      if (isBroken) throw new Error("no fit");
      return { fitted: rate * size };
    },
  });
  const fitted = pipeline({
    name: "fitted",
    build: ({ rate, size = 1 }: { rate: number; size?: number }) => fit({ rate, size }),
  });
  const reasonFor = async (params: { rate: number; size?: number }): Promise<string | undefined> =>
    (await run(ports, fitted, params)).steps[0]?.reason?.text;
  await reasonFor({ rate: 1 });
  isBroken = false;
  for (const rate of [2, 3, 4, 5, 6]) await reasonFor({ rate });
  // One difference from the last run, and none from the first, which failed.
  assert.equal(await reasonFor({ rate: 1 }), "it failed the last time");
  // Two differences from each of the last runs, and one from an older one.
  await reasonFor({ rate: 7, size: 9 });
  for (const rate of [2.5, 3.5, 4.5, 5.5]) await reasonFor({ rate });
  assert.equal(await reasonFor({ rate: 7, size: 8 }), "size changed: 9 → 8");
});

test("a missing blob is a miss with a reason, and what is below stays cached when the bytes come back", async () => {
  const ports = makePorts();
  const { chain, executed } = makeChain();
  const first = await run(ports, chain, { size: 4, rate: 2 });
  const [artifact] = await ports.metadata.artifacts({ digests: [first.steps[1]!.outputs[0]!.digest] });
  await ports.blobs.remove([artifact!.root.digest]);
  const second = await run(ports, chain, { size: 4, rate: 2 });
  assert.deepEqual(statuses(second), {
    load: "cached: same-fingerprint",
    clean: "completed: missing-output",
    train: "cached: same-output-upstream",
  });
  assert.deepEqual(executed, { load: 1, clean: 2, train: 1 });
});

test("damage that only reading finds is repaired by the step that made the bytes", async () => {
  const ports = makePorts();
  const { chain, executed } = makeChain();
  const first = await run(ports, chain, { size: 4, rate: 2 });
  const [artifact] = await ports.metadata.artifacts({ digests: [first.steps[1]!.outputs[0]!.digest] });
  const upload = await ports.blobs.upload();
  await upload.write(Buffer.from("[0,3]"));
  await upload.commit(artifact!.root.digest, { replace: true });
  const second = await run(ports, chain, { size: 4, rate: 5 });
  assert.equal(second.run.status, "completed", JSON.stringify(second.run.error));
  assert.deepEqual(executed, { load: 1, clean: 2, train: 2 });
  assert.equal(statuses(second)["clean"], "completed: corrupt-output");
  const third = await run(ports, chain, { size: 4, rate: 5 });
  assert.deepEqual(
    Object.values(statuses(third)),
    Array.from({ length: 3 }, () => "cached: same-fingerprint"),
  );
});

test("steps that do not depend on each other run at once, within the limit", async () => {
  const ports = makePorts();
  let running = 0;
  let most = 0;
  const gate = Promise.withResolvers<void>();
  const worker = step({
    name: "worker",
    run: async ({ n }: { n: number }) => {
      running += 1;
      most = Math.max(most, running);
      if (running === 3) gate.resolve();
      await gate.promise;
      running -= 1;
      return { n };
    },
  });
  const wide = pipeline({ name: "wide", build: () => void [1, 2, 3, 4, 5].map((n) => worker({ n })) });
  await run(ports, wide, {}, { jobs: 3 });
  assert.equal(most, 3);
});

test("what a step writes is its own, also when steps run at the same time", async () => {
  const ports = makePorts();
  const both = Promise.withResolvers<void>();
  let arrived = 0;
  const talker = step({
    name: "talker",
    run: async ({ n }: { n: number }, { log }) => {
      process.stdout.write(`out ${n} `);
      arrived += 1;
      if (arrived === 2) both.resolve();
      await both.promise;
      await new Promise((done) => setImmediate(done));
      process.stdout.write("more\n");
      console.error(`err ${n}`);
      log(`log ${n}`, { n });
      return { n };
    },
  });
  const pair = pipeline({ name: "pair", build: () => void [1, 2].map((n) => talker({ n })) });
  const { steps } = await run(ports, pair);
  for (const [index, { id }] of steps.entries()) {
    const lines = await ports.metadata.logs({ stepRuns: [id] });
    const n = index + 1;
    assert.deepEqual(
      lines.map(({ stream, text }) => `${stream}: ${text}`),
      [`stdout: out ${n} more`, `stderr: err ${n}`, `log: log ${n}`],
    );
  }
});

test("a cancelled run starts nothing more, and its steps hear of it", async () => {
  const ports = makePorts();
  const abort = new AbortController();
  const patient = step({
    name: "patient",
    run: async (_inputs: object, { signal }) => {
      const told = new Promise((_, fail) => {
        signal.addEventListener("abort", () => fail(signal.reason), { once: true });
      });
      abort.abort();
      await told;
      return { a: 1 };
    },
  });
  const next = step({ name: "next", run: ({ a }: { a: number }) => ({ b: a }) });
  const pair = pipeline({ name: "pair", build: () => next({ a: patient().a }) });
  const outcome = await run(ports, pair, {}, { signal: abort.signal });
  assert.equal(outcome.run.status, "cancelled");
  assert.deepEqual(statuses(outcome), { patient: "cancelled: first-run", next: "skipped: cancelled" });
});

test("a step that takes too long fails, and one that is tried again may succeed", async () => {
  const ports = makePorts();
  const slow = step({ name: "slow", timeout: 5, run: async () => await new Promise<{ a: number }>(() => {}) });
  let attempts = 0;
  const flaky = step({
    name: "flaky",
    retry: 1,
    run: () => {
      attempts += 1;
      if (attempts === 1) throw new Error("not yet");
      return { b: attempts };
    },
  });
  const pair = pipeline({ name: "pair", build: () => void [slow(), flaky()] });
  const { steps } = await run(ports, pair);
  assert.equal(steps[0]?.error?.code, "RPS3003");
  assert.equal(steps[1]?.status, "completed");
  assert.deepEqual(
    steps[1]?.attempts.map(({ error }) => error?.message),
    ["not yet", undefined],
  );
});

test("a consumer that changes its input changes nothing for anybody else", async () => {
  const ports = makePorts();
  const make = step({ name: "make", run: () => ({ rows: [1, 2, 3], bytes: new Float64Array([1, 2]) }) });
  const spoil = step({
    name: "spoil",
    run: ({ rows, bytes, list }: { rows: number[]; bytes: Float64Array; list: number[] }) => {
      rows.push(4);
      list.push(9);
      bytes[0] = 7;
      return { a: rows.length };
    },
  });
  const look = step({
    name: "look",
    run: ({ rows, bytes, list }: { rows: number[]; bytes: Float64Array; list: number[] }) => ({
      seen: [...rows, ...bytes, ...list],
    }),
  });
  const list = [5];
  const three = pipeline({
    name: "three",
    build: () => {
      const { rows, bytes } = make();
      const { a } = spoil({ rows, bytes, list });
      return { seen: look({ rows, bytes, list }, { after: a }).seen };
    },
  });
  const { steps } = await run(ports, three);
  const [seen] = await ports.metadata.artifacts({ digests: [steps[2]!.outputs[0]!.digest] });
  assert.equal(await ports.content.text(seen!.root.digest), "[1,2,3,1,2,5]");
});

test("events tell the run from its start to its end", async () => {
  const ports = makePorts();
  const { chain } = makeChain();
  const events: RunEvent[] = [];
  await run(ports, chain, { size: 1, rate: 1 }, { onEvent: (event) => events.push(event) });
  const one = ["step-started", "artifact", "step-ended"];
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["run-started", ...one, ...one, ...one, "run-ended"],
  );
});

test("a timeout of months is one, though timers count no further than 25 days", async () => {
  const ports = makePorts();
  let isAborted: boolean | undefined;
  const patient = step({
    name: "patient",
    timeout: "8w",
    run: async (_inputs: object, { signal }) => {
      // Long enough for a timer that overflowed, and is due at once, to go off.
      for (const end = performance.now() + 3; performance.now() < end;);
      for (let turn = 0; turn < 3; turn += 1) await new Promise((done) => setImmediate(done));
      isAborted = signal.aborted;
      return { a: 1 };
    },
  });
  await run(ports, pipeline({ name: "single", build: () => patient() }));
  assert.equal(isAborted, false);
});

test("a plain argument comes to the step with all of its members, whatever they are called", async () => {
  const ports = makePorts();
  const keys = step({ name: "keys", run: ({ of }: { of: object }) => ({ keys: Object.keys(of).join() }) });
  const of = JSON.parse('{ "__proto__": { "a": 1 }, "constructor": 2 }') as object;
  const { artifacts } = await run(ports, pipeline({ name: "single", build: () => keys({ of }) }));
  const [found] = await ports.metadata.artifacts({ digests: [artifacts.get("keys" as never)!.get("keys")!.digest] });
  assert.equal(await ports.content.text(found!.root.digest), "__proto__,constructor");
});

test("one declared output is the whole of what is returned, also where that has a member named output", async () => {
  const ports = makePorts();
  const make = step({ name: "make", outputs: json(), run: () => ({ output: 1, other: 2 }) });
  const look = step({ name: "look", run: ({ made }: { made: object }) => ({ keys: Object.keys(made).join() }) });
  const pair = pipeline({ name: "pair", build: () => look({ made: make() as never }) });
  const { artifacts } = await run(ports, pair);
  assert.deepEqual([...artifacts.get("make" as never)!.keys()], ["output"]);
  const [found] = await ports.metadata.artifacts({ digests: [artifacts.get("look" as never)!.get("keys")!.digest] });
  assert.equal(await ports.content.text(found!.root.digest), "output,other");
});

test("an error of several errors says what each of them says", async () => {
  const ports = makePorts();
  const ask = step({
    name: "ask",
    run: async () => await Promise.any([Promise.reject(new Error("no answer")), Promise.reject(new Error("refused"))]),
  });
  const { run: record } = await run(ports, pipeline({ name: "single", build: () => void ask() }));
  assert.equal(record.error?.message, "All promises were rejected; no answer; refused");
});

test("an error of any make is recorded, and ends the run as any other does", async () => {
  const circular = new Error("circular");
  circular.cause = circular;
  const odd = Object.assign(new Error("odd"), { stack: 5, name: undefined });
  const twisted = Object.assign(Object.create(null) as object, { n: 1n });
  const messages: (string | undefined)[] = [];
  for (const thrown of [circular, odd, undefined, Symbol("sign"), twisted]) {
    const thrower = step({
      name: "thrower",
      run: () => {
        throw thrown;
      },
    });
    const { run: record } = await run(makePorts(), pipeline({ name: "single", build: () => void thrower() }));
    messages.push(record.status === "failed" ? `${record.error?.name}: ${record.error?.message}` : undefined);
  }
  assert.deepEqual(messages, [
    "Error: circular",
    "undefined: odd",
    "Thrown: undefined",
    "Thrown: Symbol(sign)",
    "Thrown: { n: 1n }",
  ]);
});

test("a step is not failed by a temporary folder that it could not have and did without", async (t) => {
  const { TMPDIR } = process.env;
  t.after(() => {
    if (TMPDIR === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = TMPDIR;
  });
  process.env["TMPDIR"] = "/nowhere";
  const careful = step({
    name: "careful",
    run: async (_inputs: object, { tempDir }) => ({ path: await tempDir().catch(() => "none") }),
  });
  const careless = step({ name: "careless", run: async (_inputs: object, { tempDir }) => ({ path: await tempDir() }) });
  const pair = pipeline({ name: "pair", build: () => void [careful(), careless()] });
  const { steps } = await run(makePorts(), pair);
  assert.equal(steps[0]?.status, "completed", steps[0]?.error?.message);
  assert.match(steps[1]?.error?.message ?? "", /^ENOENT/u);
});
