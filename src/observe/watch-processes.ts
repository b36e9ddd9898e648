/** Watches what leads out of sight: child processes, threads, native add-ons. */
import module from "node:module";
import process from "node:process";
import { readFileSync } from "./disk.ts";
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
let early: readonly string[] = [];

function watchAddOns(): void {
  const { dlopen } = process as unknown as { dlopen: AnyFunction };
  (process as unknown as { dlopen: AnyFunction }).dlopen = function (this: unknown, ...args) {
    const name = packageOf(String(args[1]));
    if (name !== undefined) addOns.add(name);
    return dlopen.apply(this, args);
  };
  const { _cache: cache = {} } = module as unknown as { readonly _cache?: Readonly<Record<string, unknown>> };
  early = Object.keys(cache).filter((path) => packageOf(path) !== undefined);
}

/** Notes packages that the step reaches and that may read what nobody sees. */
export async function noteAddOns(recording: Recording, packages: () => Promise<ReadonlySet<string>>): Promise<void> {
  if (addOns.size === 0 && early.length === 0) return;
  const reached = await packages();
  for (const name of reached) {
    if (addOns.has(name)) recording.notice("add-on", `uses the native add-on of ${name}, whose reads are not seen`);
  }
  for (const path of early) {
    const name = packageOf(path) as string;
    if (!reached.has(name) || !takesFiles(path)) continue;
    recording.blind.add(`uses ${name}, which was loaded before Reprise and so is not watched: import reprise first`);
  }
}

/** Whether a file took functions out of `fs` when it was loaded: who asks the module each time is watched all the same. */
function takesFiles(path: string): boolean {
  try {
    const text = readFileSync(path, "utf8");
    const module = String.raw`require\(["'](?:node:)?fs(?:/promises)?["']\)`;
    return new RegExp(String.raw`\}\s*=\s*${module}|${module}\s*\.\s*(?!promises\b)\w+\s*[;,\n]`, "u").test(text);
  } catch {
    return false;
  }
}

function packageOf(path: string): string | undefined {
  return /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/u.exec(path)?.[1]?.replace("\\", "/");
}
