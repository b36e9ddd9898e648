/** A run of a project through the command line, in a process that may be killed in the middle. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import type { RunEvent } from "../../src/record/event.ts";
import { repository } from "../rig/project.ts";
import { variableNames } from "./project.ts";
import { Tally, type RunResult, type RunWay } from "./tally.ts";

/** The built command line, once or in several processes at once; `reprise` is linked into the project's packages. */
export async function runInProcesses(root: string, ways: readonly RunWay[]): Promise<readonly RunResult[]> {
  linkPackage(root);
  return await Promise.all(ways.map((way) => runInProcess(root, way)));
}

async function runInProcess(root: string, way: RunWay): Promise<RunResult> {
  const args = ["run", "pipeline.ts#main", "--json", "--jobs", String(way.jobs)];
  const child = spawn(process.execPath, [join(repository, "dist", "bin.js"), ...args], {
    cwd: root,
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  let noise = "";
  child.stderr.on("data", (chunk) => (noise += String(chunk)));
  const tally = new Tally(way, () => child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stdout })) {
    const { kind } = JSON.parse(line) as { kind?: string };
    if (kind !== undefined) tally.note(JSON.parse(line) as RunEvent);
  }
  const [code, signal] = (await closed) as [number | null, string | null];
  // 1: a step failed, as some of them are made to.
  if (signal === null && code !== 0 && code !== 1) throw new Error(`the run ended with code ${code}:\n${noise}`);
  return tally;
}

function linkPackage(root: string): void {
  const target = join(root, "node_modules", "reprise");
  mkdirSync(join(root, "node_modules"), { recursive: true });
  try {
    symlinkSync(repository, target, "dir");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function environment(): Record<string, string | undefined> {
  const { PATH, HOME, TMPDIR } = process.env;
  const own = Object.fromEntries(variableNames.map((name) => [name, process.env[name]]));
  return { PATH, HOME, TMPDIR, NO_COLOR: "1", LANG: "C.UTF-8", ...own };
}
