/** Which process this is, and what became of another one. The one place that knows how to tell. */
import { execFile } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import type { ProcessIdentity } from "../record/process-identity.ts";

/**
 * - `running`: it is there, and goes on.
 * - `stopped`: it is there, and somebody stopped it, as Ctrl-Z does.
 * - `gone`: it has ended.
 * - `unknown`: nothing can be told from here, or whatever has its pid may be another process.
 */
export type ProcessState = "running" | "stopped" | "gone" | "unknown";

let own: ProcessIdentity | undefined;

/** This process, and in a worker thread also that. */
export function describeProcess(): ProcessIdentity {
  return (own ??= {
    host: hostname(),
    pid: process.pid,
    ...present("boot", () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    ...present("pidNamespace", () => readlinkSync("/proc/self/ns/pid")),
    ...present("started", () => readProcess("self")?.started ?? new Date(performance.timeOrigin).toISOString()),
    ...present("thread", describeThread),
  });
}

/** Only Linux numbers threads so that others can look them up. The main one has the number of the process, and ends with it. */
function describeThread(): ProcessIdentity["thread"] {
  const id = /task\/(\d+)$/u.exec(readlinkSync("/proc/thread-self"))?.[1];
  const started =
    id === undefined || id === readlinkSync("/proc/self") ? undefined : readProcess(`self/task/${id}`)?.started;
  return started === undefined ? undefined : { id: Number(id), started };
}

/** Whether this very code runs in it: then it goes on. */
export function isHere(other: ProcessIdentity): boolean {
  const here = describeProcess();
  const same = (["host", "pid", "boot", "pidNamespace", "started"] as const).every(
    (each) => other[each] === here[each],
  );
  return same && other.thread?.id === here.thread?.id && other.thread?.started === here.thread?.started;
}

/** What became of a process. Only of those of this machine, and of this container, can it be told. */
export function findProcessState(other: ProcessIdentity): ProcessState {
  const here = describeProcess();
  if (isElsewhere(other)) return "unknown";
  if (differ(other.boot, here.boot)) return "gone";
  if (!hasPid(other.pid)) return "gone";
  const found = readProcess(other.pid);
  if (found === undefined || other.started === undefined) return "unknown";
  // A process that ended and that its parent has not asked about is still listed, as Z.
  if (found.started !== other.started || isDead(found.state)) return "gone";
  if (other.thread === undefined) return /[Tt]/u.test(found.state) ? "stopped" : "running";
  const thread = readProcess(`${other.pid}/task/${other.thread.id}`);
  if (thread === undefined || thread.started !== other.thread.started || isDead(thread.state)) return "gone";
  return /[Tt]/u.test(thread.state) ? "stopped" : "running";
}

function isDead(state: string): boolean {
  return /[ZXx]/u.test(state);
}

/** As {@link findProcessState}, and where that does not know, a program of the system is asked, which takes its time. */
export async function askProcessState(other: ProcessIdentity): Promise<ProcessState> {
  const state = findProcessState(other);
  return state !== "unknown" || isElsewhere(other) ? state : await askPs(other);
}

/** `ps` tells the start to the second, and the clock may have been set a little since. */
const startSlackMs = 5000;

/** What `ps` says of a process of this machine: on macOS, for instance. */
export async function askPs({ pid, started = "" }: ProcessIdentity): Promise<ProcessState> {
  const env = { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" };
  const text = await new Promise<string>((answer) => {
    execFile("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { env, windowsHide: true }, (_, output) =>
      answer(output),
    );
  });
  const [, state = "", start] = /^\s*(\S+)\s+(.+?)\s*$/u.exec(text) ?? [];
  const difference = Math.abs(Date.parse(`${start} UTC`) - Date.parse(started));
  if (Number.isNaN(difference)) return "unknown";
  if (difference > startSlackMs || state.startsWith("Z")) return "gone";
  return state.startsWith("T") ? "stopped" : "running";
}

/** Whether a process runs on another machine, or in another container: its pid says nothing here. */
export function isElsewhere(other: ProcessIdentity): boolean {
  const here = describeProcess();
  // Namespaces are numbered anew when the machine starts.
  const isOtherBoot = differ(other.boot, here.boot);
  return other.host !== here.host || (!isOtherBoot && differ(other.pidNamespace, here.pidNamespace));
}

function differ(left: string | undefined, right: string | undefined): boolean {
  return left !== undefined && right !== undefined && left !== right;
}

function hasPid(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there but belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** What Linux says of a process or a thread; undefined elsewhere, and when it is not there. */
function readProcess(
  pid: number | "self" | `${number | "self"}/task/${number | string}`,
): { readonly state: string; readonly started: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses, and may hold anything.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const [state, started] = [fields[0], fields[19]];
    return state === undefined || started === undefined ? undefined : { state, started };
  } catch {
    return undefined;
  }
}

function present<K extends string, T = string>(name: K, read: () => T | undefined): { readonly [Key in K]?: T } {
  try {
    const value = read();
    return (value === undefined ? {} : { [name]: value }) as { readonly [Key in K]?: T };
  } catch {
    return {};
  }
}
