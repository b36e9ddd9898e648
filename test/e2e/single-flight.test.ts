/** Processes that need the same step at the same time: one executes it, whatever becomes of that one. */
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { makeProject, type Project } from "../rig/project.ts";
import { countExecutions, files, finish, playAtOnce, playStopped, showAll, start } from "./slow-step.ts";

for (const count of [2, 8]) {
  test(`${count} processes that need the same execute it once`, async () => {
    await playAtOnce(count);
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
    await playStopped();
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
