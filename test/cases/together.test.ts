/** Concurrency, machines, time. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import type { Digest } from "../../src/hash/digest.ts";
import type { StepRunId } from "../../src/record/id.ts";
import type { LeaseToken } from "../../src/record/lease.ts";
import { openStack } from "../../src/stack/stack.ts";
import { describeProcess } from "../../src/store/process.ts";
import { playAtOnce, playStopped } from "../e2e/slow-step.ts";
import { repository } from "../rig/project.ts";
import { listStoredBlobs } from "../rig/stored-blobs.ts";
import { cached, Playground, single } from "./playground.ts";

const stepOf = (body: string, options = ""): Record<string, string> => ({
  "pipeline.ts": single,
  "steps.ts": `
import { step } from "reprise";
export const work = step({ name: "work", ${options} run: async (_: object, { signal }) => { void signal; ${body} } });
`,
});

test("F1: two processes that need the same at once execute it once", async () => {
  await playAtOnce(2);
});

test(
  "F2: a process that was stopped for longer than its lease cannot replace the result of the one that took over",
  { skip: process.platform === "win32" ? "Windows stops no processes" : false },
  playStopped,
);

test("F3: a lease of a process that is gone holds nobody up, also when another process has its number now", async () => {
  using project = Playground.open(stepOf("return 1;"));
  await project.play();
  for (const gone of [
    { ...describeProcess(), pid: 2 ** 30 },
    { ...describeProcess(), started: "long ago" },
    { ...describeProcess(), boot: "an earlier one" },
  ]) {
    {
      await using stack = await openStack({ cwd: project.root });
      const [entry] = await stack.metadata.cacheEntriesOf({});
      assert.ok(entry);
      const holder = { process: gone, stepRun: "r-other/work" as StepRunId };
      const asked = { key: entry.key, token: `token ${gone.pid}` as LeaseToken, holder };
      assert.equal((await stack.metadata.acquireLease(asked)).kind, "granted");
    }
    for (const blob of listStoredBlobs(project.at(".reprise"))) blob.remove();
    // Whoever waited would wait for a minute.
    const { steps, outputs } = await project.play({
      onEvent: ({ kind }) => assert.notEqual(kind, "step-waiting"),
    });
    assert.deepEqual([steps, outputs], [["work completed: missing-output"], { y: 1 }]);
  }
});

test("F6: what another architecture made is another key", () => {
  using project = Playground.open({
    ...stepOf("return 1;"),
    // What is native is loaded before, for the architecture that it is.
    "other.mjs": `
await import(${JSON.stringify(import.meta.resolve("oxc-parser"))});
await import(${JSON.stringify(import.meta.resolve("oxc-resolver"))});
Object.defineProperty(process, "arch", { value: "riscv64" });
`,
  });
  const play = (...nodeArguments: string[]): string => {
    const args = [...nodeArguments, join(repository, "dist/bin.js"), "run", "pipeline.ts", "--reporter", "pretty"];
    return execFileSync(process.execPath, args, { cwd: project.root, encoding: "utf8", stdio: "pipe" });
  };
  assert.match(play(), /1 ran/u);
  assert.match(play("--import", "./other.mjs"), /riscv64[\s\S]*1 ran/u);
  assert.match(play("--import", "./other.mjs"), /1 cached/u);
  assert.match(play(), /1 cached/u);
});

const siblings = {
  "pipeline.ts": `
import { pipeline, step } from "reprise";
const quick = step({ name: "quick", run: () => 1 });
const slow = step({
  name: "slow",
  run: async ({ x }: { x: number }, { signal }) => {
    console.log("working");
    if (process.title === "waits") await new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason)));
    return x + 1;
  },
});
export const main = pipeline({ name: "main", build: () => ({ y: slow({ x: quick() }) }) });
`,
};

test("F10: a run that is cancelled keeps what had finished, leaves no lease, and the next run goes on", async () => {
  using project = Playground.open(siblings);
  const abort = new AbortController();
  const { title } = process;
  process.title = "waits";
  const first = await project
    .play({
      signal: abort.signal,
      onEvent: ({ kind }) => {
        if (kind === "log") abort.abort();
      },
    })
    .finally(() => (process.title = title));
  assert.match(first.steps.join(), /quick completed: first-run,slow cancelled/u);
  {
    await using stack = await openStack({ cwd: project.root });
    const keys = (await stack.metadata.stepRuns({})).flatMap(({ key }) => key ?? []);
    assert.equal(keys.length, 2);
    assert.equal((await stack.metadata.leases(keys)).size, 0);
  }
  const second = await project.play();
  assert.deepEqual(second.steps, ["quick cached: same-fingerprint", "slow completed: previous-failed"]);
  assert.deepEqual(second.outputs, { y: 2 });
});

test("F11: who reads bytes while they are written anew reads them whole", async () => {
  using project = Playground.open(stepOf("return new Uint8Array(1_000_000).fill(7);"));
  await project.play();
  await using stack = await openStack({ cwd: project.root });
  const [entry] = await stack.metadata.cacheEntriesOf({});
  const digest = entry!.blobs[0]!.digest as Digest;
  const right = await stack.content.bytes(digest);
  let read = 0;
  for await (const piece of stack.content.stream(digest)) {
    if (read === 0) {
      const upload = await stack.blobs.upload();
      await upload.write(right);
      await upload.commit(digest, { replace: true });
    }
    assert.ok(Buffer.from(right.buffer, read, piece.length).equals(piece));
    read += piece.length;
  }
  assert.equal(read, right.length);
  assert.deepEqual(readdirSync(project.at(".reprise/tmp")), []);
  assert.deepEqual((await project.play()).steps, cached);
});

test("F12: a result that expires while a run uses it is used to the end of that run, and by no later one", async (t) => {
  using project = Playground.open({
    "pipeline.ts": `
import { pipeline, step } from "reprise";
const rates = step({ name: "rates", expires: "1h", run: () => ({ a: 1, b: 2 }) });
const one = step({ name: "one", run: ({ a }: { a: number; n: number }) => (console.log("one"), a) });
const two = step({ name: "two", run: ({ b, y }: { b: number; y: number }) => b + y });
export const main = pipeline({
  name: "main",
  build: ({ n }: { n: number }) => { const { a, b } = rates(); return { y: two({ b, y: one({ a, n }) }) }; },
});
`,
  });
  const hour = 3_600_000;
  // Over the end of summer time: a day of 25 hours where there is such a thing.
  let now = Date.UTC(2026, 9, 25, 0, 30);
  t.mock.method(Date, "now", () => now);
  await project.play({ params: { n: 1 } });
  now += hour - 1;
  const second = await project.play({
    params: { n: 2 },
    onEvent: ({ kind }) => {
      if (kind === "log") now += 2;
    },
  });
  assert.deepEqual(second.outputs, { y: 3 });
  assert.equal(second.steps[0], "rates cached: same-fingerprint");
  assert.equal((await project.play({ params: { n: 3 } })).steps[0], "rates completed: expired");
});
