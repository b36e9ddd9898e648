/** Watches what leads out of sight: child processes, threads, native add-ons. */
import process from "node:process";
import { findEarlyPackages, packageOf } from "./early-packages.ts";
import type { Recording } from "./recording.ts";
import { watchPorts, withoutStandIns } from "./stand-in.ts";
import { watchWhenAsked } from "./when-asked.ts";
import { watchCall, watchNew, type AnyFunction, type Holder } from "./wrap.ts";

export function watchProcesses(): void {
  watchWhenAsked("child_process", watchChildProcesses);
  watchWhenAsked("worker_threads", watchThreads);
  watchAddOns();
}

function watchChildProcesses(): void {
  const childProcess = process.getBuiltinModule("node:child_process");
  const holder = childProcess as unknown as Holder;
  for (const name of ["spawn", "exec", "execFile", "fork", "spawnSync", "execSync", "execFileSync"]) {
    watchCall(holder, name, (recording, [command]) => tellProcess(recording, command));
  }
  // What `promisify` makes of them, and who has taken them before, comes by here.
  watchCall(childProcess.ChildProcess.prototype as unknown as Holder, "spawn", (recording, [options]) => {
    tellProcess(recording, (options as { readonly file?: unknown } | undefined)?.file);
  });
}

function watchThreads(): void {
  const workerThreads = process.getBuiltinModule("node:worker_threads");
  watchPorts(workerThreads);
  watchNew(
    workerThreads as unknown as Record<string, unknown>,
    "Worker",
    (recording) => {
      const text = "starts a thread, whose reads are not seen";
      recording.blind.add(text);
      recording.notice("process", text);
    },
    ([script, options, ...rest]) => [script, cloneable(options), ...rest],
  );
}

function cloneable(options: unknown): unknown {
  if (typeof options !== "object" || options === null || !("workerData" in options)) return options;
  const workerData = withoutStandIns(options.workerData);
  return workerData === options.workerData ? options : { ...options, workerData };
}

function tellProcess(recording: Recording, command: unknown): void {
  const program = String(command).trim().split(/\s/u, 1)[0]?.split(/[\\/]/u).at(-1) ?? "";
  const text = `starts a process (${program}), whose reads are not seen`;
  recording.blind.add(text);
  recording.notice("process", text);
}

/** By the name of the package that has it. */
const addOns = new Set<string>();

function watchAddOns(): void {
  const { dlopen } = process as unknown as { dlopen: AnyFunction };
  (process as unknown as { dlopen: AnyFunction }).dlopen = function (this: unknown, ...args) {
    const name = packageOf(String(args[1]));
    if (name !== undefined) addOns.add(name);
    return dlopen.apply(this, args);
  };
}

/** Notes packages that the step reaches and that may read what nobody sees. */
export async function noteAddOns(recording: Recording, packages: () => Promise<ReadonlySet<string>>): Promise<void> {
  if (addOns.size > 0) {
    for (const name of await packages()) {
      if (addOns.has(name)) recording.notice("add-on", `uses the native add-on of ${name}, whose reads are not seen`);
    }
  }
  for (const name of await findEarlyPackages(packages)) {
    recording.blind.add(`uses ${name}, which was loaded before Reprise and so is not watched: import reprise first`);
  }
}
