import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { ProcessIdentity } from "../record/process-identity.ts";
import { askPs, askProcessState, describeProcess, findProcessState, isElsewhere, isHere } from "./process.ts";

const linux = { skip: process.platform === "linux" ? false : "only Linux tells when a process started" };

const posix = { skip: process.platform === "win32" ? "Windows has no ps" : false };

test("this process is running, as far as it can be told", async () => {
  assert.equal(findProcessState(describeProcess()), process.platform === "linux" ? "running" : "unknown");
  assert.equal(await askProcessState(describeProcess()), process.platform === "win32" ? "unknown" : "running");
});

test("a process that was killed is gone", async () => {
  const child = spawn("sleep", ["1000"]);
  await once(child, "spawn");
  const identity = toIdentity(child.pid as number);
  assert.notEqual(findProcessState(identity), "gone");
  child.kill("SIGKILL");
  await once(child, "close");
  assert.equal(findProcessState(identity), "gone");
});

test("a process that has ended is gone though its parent did not ask about it", linux, async () => {
  // The shell starts a child, and becomes a program that knows of no children.
  const parent = spawn("sh", ["-c", "sh -c 'echo $$; exec sleep 1000' & exec sleep 1000"]);
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const identity = toIdentity(Number(line.toString()));
  process.kill(identity.pid, "SIGKILL");
  await until(() => findProcessState(identity) === "gone");
  assert.match(readFileSync(`/proc/${identity.pid}/stat`, "utf8"), /\) Z /u);
  parent.kill("SIGKILL");
  await once(parent, "close");
});

test("a worker thread is told from its process, and is gone when it has ended", linux, async () => {
  const url = new URL("./process.ts", import.meta.url).href;
  const script = `
    const { parentPort } = require("node:worker_threads");
    parentPort.on("message", () => {});
    import(${JSON.stringify(url)}).then(({ describeProcess }) => parentPort.postMessage(describeProcess()));
  `;
  const worker = new Worker(script, { eval: true });
  const [identity] = (await once(worker, "message")) as [ProcessIdentity];
  assert.deepEqual({ ...identity, thread: undefined }, { ...describeProcess(), thread: undefined });
  assert.deepEqual([findProcessState(identity), isHere(identity)], ["running", false]);
  await worker.terminate();
  assert.deepEqual([findProcessState(identity), findProcessState(describeProcess())], ["gone", "running"]);
  assert.equal(isHere(describeProcess()), true);
});

test("a process that was stopped is stopped until it goes on", linux, async () => {
  const child = spawn("sleep", ["1000"]);
  await once(child, "spawn");
  const identity = toIdentity(child.pid as number);
  for (const [signal, state] of [
    ["SIGSTOP", "stopped"],
    ["SIGCONT", "running"],
  ] as const) {
    child.kill(signal);
    await until(() => findProcessState(identity) === state);
  }
  child.kill("SIGKILL");
  await once(child, "close");
});

test("where the system keeps no files about processes, ps tells the same", posix, async () => {
  const child = spawn("sleep", ["1000"]);
  await once(child, "spawn");
  const identity = { host: describeProcess().host, pid: child.pid as number, started: new Date().toISOString() };
  assert.equal(await askPs(identity), "running");
  assert.equal(await askPs({ ...identity, started: new Date(Date.now() - 60_000).toISOString() }), "gone");
  child.kill("SIGSTOP");
  while ((await askPs(identity)) !== "stopped") await delay(5);
  child.kill("SIGKILL");
  await once(child, "close");
  assert.equal(await askPs(identity), "unknown");
});

test("a later process of the same pid is not taken for the one that is gone", linux, () => {
  assert.equal(findProcessState({ ...describeProcess(), started: "1" }), "gone");
});

test("of a process whose start was not recorded, only its end can be told", () => {
  const { host, pid } = describeProcess();
  assert.equal(findProcessState({ host, pid }), "unknown");
});

test("of other machines and other containers nothing can be told, whatever has the pid here", () => {
  for (const other of [{ host: "elsewhere" }, { host: "elsewhere", boot: "other" }, { pidNamespace: "pid:[1]" }]) {
    const identity = { ...describeProcess(), boot: "this", ...other };
    const here = { ...identity, ...describeProcess(), ...other };
    assert.equal(findProcessState({ ...here, pid: 2 ** 30 }), "unknown", JSON.stringify(other));
    assert.ok(isElsewhere(here));
  }
});

test("what ran before this machine was started anew is gone", linux, () => {
  const before = { ...describeProcess(), boot: "before", pidNamespace: "pid:[1]" };
  assert.equal(isElsewhere(before), false);
  assert.equal(findProcessState(before), "gone");
});

function toIdentity(pid: number): ProcessIdentity {
  const identity = { ...describeProcess(), pid };
  if (process.platform !== "linux") return identity;
  const started = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ")[19] as string;
  return { ...identity, started };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}
