/** A stack that is disposed of while the process lives on, over a store that refused to end a lease: nobody waits for it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { RunEvent } from "../../src/record/event.ts";
import { openStack } from "../../src/stack/stack.ts";
import { repository } from "../rig/project.ts";
import { filling, play } from "./filling.ts";
import { countTable } from "./store-states.ts";

let cwd: string;
let store: string;
/** Whether whoever begins to write is told that the disk is full. */
let isFull = false;
let executed = 0;

const { exec } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (sql) {
  if (isFull && sql === "BEGIN IMMEDIATE") throw Object.assign(new Error("disk is full"), { errcode: 13 });
  exec.call(this, sql);
};

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "reprise-disposed-"));
  store = join(cwd, ".reprise");
  executed = 0;
  filling.execute = () => {
    executed += 1;
  };
});
afterEach(async () => {
  isFull = false;
  await rm(cwd, { recursive: true, force: true });
});

/** A run whose lease the store refuses to end, on a stack that is disposed of after it. */
async function leaveLease(): Promise<void> {
  const { execute } = filling;
  filling.execute = () => {
    execute();
    isFull = true;
  };
  await using stack = await openStack({ cwd });
  const { recorded, run } = await play(stack);
  assert.deepEqual([recorded, run.status], ["no", "completed"]);
  filling.execute = execute;
}

test("a stack that is opened after it in the same process executes at once what the first one left", async () => {
  await leaveLease();
  isFull = false;
  assert.equal(countTable(store, "leases"), 1);
  await using stack = await openStack({ cwd });
  const waits: RunEvent[] = [];
  const outcome = await play(stack, (event) => event.kind === "step-waiting" && waits.push(event));
  assert.deepEqual([outcome.recorded, executed, waits], ["yes", 2, []]);
  assert.equal(countTable(store, "leases"), 0);
});

test("a lease that the store refused to end is ended when it refuses no more, though its stack is disposed of", async () => {
  process.env["REPRISE_LEASE"] = "100ms";
  try {
    await leaveLease();
    assert.equal(countTable(store, "leases"), 1);
    isFull = false;
    // Other processes see that this one lives, and would wait for as long as it does.
    while (countTable(store, "leases") > 0) await delay(10);
  } finally {
    delete process.env["REPRISE_LEASE"];
  }
});

test("a stack that is disposed of in the middle of a step leaves no lease behind", async () => {
  const stack = await openStack({ cwd });
  const end = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  filling.execute = async () => {
    begun.resolve();
    await end.promise;
  };
  const run = play(stack);
  await begun.promise;
  assert.equal(countTable(store, "leases"), 1);
  await stack[Symbol.asyncDispose]();
  assert.equal(countTable(store, "leases"), 0);
  end.resolve();
  assert.equal((await run).recorded, "no");
});

test(
  "what a worker thread was making is made anew when the thread has ended, though its process lives on",
  { skip: process.platform === "linux" ? false : "only Linux tells of threads" },
  async () => {
    const script = `
      import { Worker } from "node:worker_threads";
      const worker = new Worker(new URL(process.argv[1]), { argv: [process.argv[2]], execArgv: [] });
      process.stdin.once("data", () => void worker.terminate().then(() => console.log("ended")));
    `;
    const worker = pathToFileURL(join(repository, "test/faults/holding-worker.ts")).href;
    const holder = spawn(process.execPath, ["--input-type=module", "--eval", script, worker, cwd], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const saw = async (word: string): Promise<void> => {
      const [text] = (await Promise.race([once(holder.stdout, "data"), once(holder, "exit")])) as [unknown];
      assert.equal(String(text), `${word}\n`);
    };
    try {
      await saw("held");
      await using stack = await openStack({ cwd });
      const waiting = Promise.withResolvers<void>();
      const outcome = play(stack, (event) => event.kind === "step-waiting" && waiting.resolve());
      await waiting.promise;
      holder.stdin.write("end\n");
      await saw("ended");
      assert.equal((await outcome).run.status, "completed");
      assert.equal(holder.exitCode, null);
    } finally {
      holder.kill("SIGKILL");
    }
  },
);
