/** Processes that need the same step at the same time: one executes it, whatever becomes of that one. */
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { makeProject, type ProcessOptions, type Project, type Running } from "../rig/project.ts";

/** A step that says who executes it, and ends when there is a file `go`, where it is no input; its result is the process that made it. */
const files = {
  "slow.ts": `
import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { pipeline, step } from "reprise";

const slow = step({
  name: "slow",
  run: async (_: object, { signal }) => {
    appendFileSync("executed.log", process.pid + "\\n");
    console.log("working");
    if (process.title.startsWith("block-")) {
      // Nothing else happens in this process meanwhile.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.title.slice(6)));
    }
    while (!existsSync("node_modules/go")) await delay(10, undefined, { signal });
    return { maker: process.pid };
  },
});
export const slowly = pipeline({ name: "slowly", build: () => slow() });
if (import.meta.main) {
  const run = await slowly.run({}, { reporter: "plain" });
  console.log("made by " + (await run.outputs.maker.load()));
}
`,
  /** Says that it is another machine. */
  "elsewhere.mjs": `
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
os.hostname = () => "elsewhere";
syncBuiltinESMExports();
`,
  /** The clock jumps by up to a day at each look. */
  "clock.mjs": `
const { now } = Date;
Date.now = () => now() + Math.round((Math.random() - 0.5) * 2 * 86_400_000);
`,
};

interface ShownRun {
  readonly run: { readonly id: string; readonly status: string };
  readonly steps: readonly {
    readonly stepRun: {
      readonly status: string;
      readonly reason: { readonly code: string };
      readonly origin?: string;
      readonly obstacle?: { readonly code: string };
    };
  }[];
}

const start = (project: Project, options: ProcessOptions = {}): Running => project.start(["slow.ts"], options);

async function countExecutions(project: Project): Promise<number> {
  return (await project.read("executed.log")).trim().split("\n").length;
}

async function showAll(project: Project): Promise<readonly ShownRun["steps"][number]["stepRun"][]> {
  const listed = await project.json<{ run: { id: string } }[]>(["runs", "--limit", "100"]);
  const shown = await Promise.all(listed.map(({ run }) => project.json<ShownRun>(["show", run.id])));
  return shown.map(({ steps }) => steps[0]!.stepRun);
}

async function finish(running: Running): Promise<string> {
  const { code, stdout, stderr } = await running.finished;
  assert.equal(code, 0, stdout + stderr);
  return /^made by (\d+)$/mu.exec(stdout)?.[1] as string;
}

for (const count of [2, 8]) {
  test(`${count} processes that need the same execute it once`, async () => {
    await using project = await makeProject(files);
    const first = start(project);
    await first.saw("working");
    const others = Array.from({ length: count - 1 }, () => start(project));
    for (const other of others) await other.saw(`(process ${first.process.pid}), which is making it.`);
    await project.write("node_modules/go", "");
    for (const each of [first, ...others]) assert.equal(await finish(each), String(first.process.pid));
    assert.equal(await countExecutions(project), 1);
    const ended = (await showAll(project)).map(({ status, reason }) => `${status} ${reason.code}`).toSorted();
    assert.deepEqual(ended, [
      ...Array.from({ length: count - 1 }, () => "cached made-meanwhile"),
      "completed first-run",
    ]);
  });
}

test("eight processes that start at the same moment execute each of many steps once", async () => {
  await using project = await makeProject({
    "fan.ts": `
import { appendFileSync } from "node:fs";
import { pipeline, step } from "reprise";
const square = step({
  name: "square",
  run: async ({ n }: { n: number }) => {
    appendFileSync("executed.log", n + "\\n");
    return { squared: n * n };
  },
});
const sum = step({ name: "sum", run: ({ all }: { all: number[] }) => ({ total: all.reduce((a, b) => a + b, 0) }) });
const fan = pipeline({ name: "fan", build: () => sum({ all: Array.from({ length: 40 }, (_, n) => square({ n }).squared) }) });
const run = await fan.run({}, { reporter: "silent" });
console.log(await run.outputs.total.load());
`,
  });
  const ended = await Promise.all(Array.from({ length: 8 }, () => project.node(["fan.ts"])));
  for (const { code, stdout, stderr } of ended) {
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "20540\n");
  }
  const executed = (await project.read("executed.log")).trim().split("\n").map(Number);
  assert.deepEqual(
    executed.toSorted((a, b) => a - b),
    Array.from({ length: 40 }, (_, n) => n),
  );
});

test("two connections of one process to one store execute the same once", async () => {
  await using project = await makeProject({
    ...files,
    "both.ts": `
import { slowly } from "./slow.ts";
// Each way to name a store opens its own.
const runs = [slowly.run({}, { reporter: "plain" }), slowly.run({}, { reporter: "plain", store: ".reprise" })];
console.log((await Promise.all(runs)).map(({ steps }) => steps[0].status).toSorted().join(" "));
`,
  });
  const running = project.start(["both.ts"]);
  await running.saw("waits for");
  await project.write("node_modules/go", "");
  const { stdout, stderr } = await running.finished;
  assert.match(stdout, /^cached completed$/mu, stdout + stderr);
  assert.equal(await countExecutions(project), 1);
});

for (const signal of ["SIGKILL", "SIGINT"] as const) {
  test(`when the process that executes is ended by ${signal}, one that waits executes at once`, async () => {
    await using project = await makeProject(files);
    // Nobody would wait for a heartbeat to be missed.
    const env = { REPRISE_LEASE: "1h" };
    const holder = start(project, { env });
    await holder.saw("working");
    const others = [start(project, { env }), start(project, { env })];
    for (const other of others) await other.saw(`(process ${holder.process.pid}), which is making it.`);
    holder.process.kill(signal);
    await holder.finished;
    const next = await Promise.race(others.map(async (other) => (await other.saw("working"), other)));
    await project.write("node_modules/go", "");
    for (const other of others) assert.equal(await finish(other), String(next.process.pid));
    assert.equal(await countExecutions(project), 2);
    const statuses = (await showAll(project)).map(({ status }) => status).toSorted();
    const ended = signal === "SIGINT" ? "cancelled" : "interrupted";
    assert.deepEqual(statuses, ["cached", "completed", ended].toSorted());
  });
}

test("a run goes on at once after one that ended in the middle of a step", async () => {
  await using project = await makeProject({ ...files, "node_modules/go": "" });
  await project.edit("slow.ts", `console.log("working");`, `if (process.title === "exit") process.exit(3);`);
  const ended = await project.node(["slow.ts"], { env: { REPRISE_LEASE: "1h" }, nodeArguments: ["--title=exit"] });
  assert.equal(ended.code, 3);
  const next = await project.node(["slow.ts"], { env: { REPRISE_LEASE: "1h" } });
  assert.equal(next.code, 0, next.stderr);
  assert.doesNotMatch(next.stdout, /waits for/u);
});

const posix = { skip: process.platform === "win32" ? "Windows stops no processes" : false };

test(
  "a process that was stopped for long loses what it executes, and does not replace the result of the next",
  posix,
  async () => {
    await using project = await makeProject(files);
    const env = { REPRISE_LEASE: "300ms" };
    const late = start(project, { env });
    await late.saw("working");
    late.process.kill("SIGSTOP");
    const next = start(project, { env });
    await next.saw("waits for");
    await next.saw("working");
    await project.write("node_modules/go", "");
    assert.equal(await finish(next), String(next.process.pid));
    late.process.kill("SIGCONT");
    // Its own run goes on with what it made itself.
    assert.equal(await finish(late), String(late.process.pid));
    const { stdout } = await late.finished;
    assert.match(stdout, /Warning in slow: its result will not be reused: .* another one took over/u);
    assert.equal(await finish(start(project)), String(next.process.pid));
    const [third, , first] = await showAll(project);
    assert.equal(first?.obstacle?.code, "taken-over");
    assert.equal(third?.status, "cached");
    assert.equal(await countExecutions(project), 2);
  },
);

const proc = { skip: process.platform === "linux" ? false : "only Linux tells whether a process goes on" };

test("a step that blocks its process for longer than a lease is waited for", proc, async () => {
  await using project = await makeProject({ ...files, "node_modules/go": "" });
  const env = { REPRISE_LEASE: "200ms" };
  const holder = start(project, { env, nodeArguments: ["--title=block-1500"] });
  await holder.saw("working");
  const other = start(project, { env });
  await other.saw("waits for");
  for (const each of [holder, other]) assert.equal(await finish(each), String(holder.process.pid));
  assert.equal(await countExecutions(project), 1);
});

test("a process on another machine is waited for while it gives signs of life, whatever the clocks say", async () => {
  await using project = await makeProject(files);
  const env = { REPRISE_LEASE: "2s" };
  const clock = ["--import", "./clock.mjs"];
  const holder = start(project, { env, nodeArguments: [...clock, "--import", "./elsewhere.mjs"] });
  await holder.saw("working");
  const other = start(project, { env, nodeArguments: clock });
  await other.saw(`(process ${holder.process.pid} on elsewhere), which is making it.`);
  // Longer than a lease.
  await beats(project, 5);
  await project.write("node_modules/go", "");
  for (const each of [holder, other]) assert.equal(await finish(each), String(holder.process.pid));
  assert.equal(await countExecutions(project), 1);
});

test("a process on another machine that died is replaced when it gives no sign of life, whatever the clocks say", async () => {
  await using project = await makeProject(files);
  const env = { REPRISE_LEASE: "2s" };
  const clock = ["--import", "./clock.mjs"];
  const holder = start(project, { env, nodeArguments: [...clock, "--import", "./elsewhere.mjs"] });
  await holder.saw("working");
  const other = start(project, { env, nodeArguments: clock });
  await other.saw("on elsewhere), which is making it.");
  holder.process.kill("SIGKILL");
  await other.saw("working");
  await project.write("node_modules/go", "");
  assert.equal(await finish(other), String(other.process.pid));
});

test("who reads a result while others replace it gets one of them whole", async () => {
  await using project = await makeProject({
    "pair.ts": `
import { randomUUID } from "node:crypto";
import { pipeline, step } from "reprise";
const pair = step({
  name: "pair",
  run: () => {
    const mark = randomUUID();
    return { left: mark.repeat(3000), right: mark.repeat(5000) };
  },
});
const pairs = pipeline({ name: "pairs", build: () => pair() });
for (let round = 0; round < 25; round += 1) {
  const run = await pairs.run({}, { reporter: "silent", cache: process.argv[2] === "write" ? "refresh" : "use" });
  const [left, right] = [await run.outputs.left.load(), await run.outputs.right.load()];
  const mark = left.slice(0, 36);
  if (left !== mark.repeat(3000) || right !== mark.repeat(5000)) throw new Error("mixed");
}
`,
  });
  const ended = await Promise.all(
    ["write", "write", "read", "read", "read"].map((what) => project.node(["pair.ts", what])),
  );
  for (const { code, stderr } of ended) assert.equal(code, 0, stderr);
});

test("REPRISE_LEASE that is no duration is an error", async () => {
  await using project = await makeProject(files);
  const { code, stderr } = await project.node(["slow.ts"], { env: { REPRISE_LEASE: "long" } });
  assert.equal(code, 1);
  assert.match(stderr, /REPRISE_LEASE is "long", which is no duration/u);
});

/** Waits until the one holder of a lease has said so often that it lives. */
async function beats(project: Project, count: number): Promise<void> {
  using database = new DatabaseSync(join(project.path, ".reprise", "metadata.db"), { readOnly: true, timeout: 5000 });
  const beat = database.prepare("SELECT beat FROM leases");
  while ((beat.get()?.["beat"] as number) < count) await delay(20);
}
