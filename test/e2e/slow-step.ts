/** A step that several processes need at the same time, and what is played with it. */
import assert from "node:assert/strict";
import { makeProject, type ProcessOptions, type Project, type Running } from "../rig/project.ts";

/** A step that says who executes it, and ends when there is a file `go`, where it is no input; its result is the process that made it. */
export const files = {
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

export interface ShownRun {
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

export const start = (project: Project, options: ProcessOptions = {}): Running => project.start(["slow.ts"], options);

export async function countExecutions(project: Project): Promise<number> {
  return (await project.read("executed.log")).trim().split("\n").length;
}

export async function showAll(project: Project): Promise<readonly ShownRun["steps"][number]["stepRun"][]> {
  const listed = await project.json<{ run: { id: string } }[]>(["runs", "--limit", "100"]);
  const shown = await Promise.all(listed.map(({ run }) => project.json<ShownRun>(["show", run.id])));
  return shown.map(({ steps }) => steps[0]!.stepRun);
}

export async function finish(running: Running): Promise<string> {
  const { code, stdout, stderr } = await running.finished;
  assert.equal(code, 0, stdout + stderr);
  return /^made by (\d+)$/mu.exec(stdout)?.[1] as string;
}

/** So many processes need the same at once. */
export async function playAtOnce(count: number): Promise<void> {
  await using project = await makeProject(files);
  const first = start(project);
  await first.saw("working");
  const others = Array.from({ length: count - 1 }, () => start(project));
  for (const other of others) await other.saw(`(process ${first.process.pid}), which is making it.`);
  await project.write("node_modules/go", "");
  for (const each of [first, ...others]) assert.equal(await finish(each), String(first.process.pid));
  assert.equal(await countExecutions(project), 1);
  const ended = (await showAll(project)).map(({ status, reason }) => `${status} ${reason.code}`).toSorted();
  assert.deepEqual(ended, [...Array.from({ length: count - 1 }, () => "cached made-meanwhile"), "completed first-run"]);
}

/** The process that executes is stopped for longer than its lease, and goes on later. */
export async function playStopped(): Promise<void> {
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
}
