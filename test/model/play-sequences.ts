/** Plays many sequences in worker processes, adds up what they report, and makes a failing one as short as it can be. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worlds } from "./project.ts";
import type { Sabotage } from "./run-project.ts";
import type { SequenceReport } from "./judge.ts";
import type { PlayRequest } from "./worker.ts";

export interface PlayOptions {
  readonly sequences: number;
  readonly seed: number;
  readonly processes: number;
  readonly sabotage?: Sabotage;
  /** What the steps of projects read, by the seed. */
  readonly worlds?: (seed: number) => Worlds;
  /** Asked after each sequence; the rest is not played when it says so. */
  readonly isEnough?: (totals: Totals) => boolean;
  /** Called now and then with how many are done. */
  readonly onProgress?: (totals: Totals) => void;
}

export interface Totals {
  sequences: number;
  runs: number;
  interrupted: number;
  decisions: number;
  executed: number;
  reused: number;
  open: number;
  together: number;
  assumed: number;
  unproved: number;
  falseMisses: number;
  readonly causes: Map<string, number>;
  /** One text for each sequence with a false hit or a wrong result: its seed and what led to it. */
  readonly failures: string[];
}

/** A worker that has played this many is replaced: modules that it has loaded are never freed. */
const sequencesPerProcess = 200;
/** Longer than any sequence takes: a worker that says nothing for so long waits for something that will not come. */
const longestSequenceMs = 60_000;

const counted = [
  ...(["runs", "interrupted", "together", "decisions", "executed", "reused"] as const),
  ...(["open", "assumed", "unproved", "falseMisses"] as const),
];
type Counted = (typeof counted)[number];

export function emptyTotals(): Totals {
  const counts = Object.fromEntries(["sequences", ...counted].map((name) => [name, 0])) as Record<Counted, number>;
  return { sequences: 0, ...counts, causes: new Map(), failures: [] };
}

export async function playSequences(options: PlayOptions): Promise<Totals> {
  const { sequences, seed, processes, sabotage, worlds = worldsOf, isEnough = () => false, onProgress } = options;
  const folder = mkdtempSync(join(memoryFolder(), "reprise-model-"));
  const totals = emptyTotals();
  let next = seed;
  const lane = async (): Promise<void> => {
    await using player = new Player();
    while (next < seed + sequences && !isEnough(totals)) {
      const request: PlayRequest = { folder, seed: next, worlds: worlds(next), sabotage, without: [] };
      next += 1;
      const report = await player.play(request);
      addReport(totals, report);
      if (report.failures.length > 0) {
        const isMeant = sabotage !== undefined;
        totals.failures.push(isMeant ? report.failures.join("\n") : await explainFailure(player, request, report));
      }
      onProgress?.(totals);
    }
  };
  try {
    await Promise.all(Array.from({ length: processes }, lane));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return totals;
}

/** Files and variables, and nothing else. */
export const plainWorld: Worlds = {
  files: true,
  environment: true,
  memos: false,
  links: false,
  http: false,
  processes: false,
  writes: false,
  nesting: false,
};

/**
 * A memo makes steps depend on what others read: in one project of five. Of the rest of the world each project knows
 * a part, so that every part meets every other.
 */
export function worldsOf(seed: number): Worlds {
  const memos = seed % 5 === 0;
  return {
    ...plainWorld,
    memos,
    links: seed % 3 === 0,
    http: seed % 4 === 1,
    processes: seed % 7 === 2,
    writes: seed % 11 === 3 || seed % 11 === 7,
    nesting: !memos && (seed % 6 === 2 || seed % 6 === 5),
  };
}

/** A folder in memory, where there is one: most of a sequence is writing small files. */
export function memoryFolder(): string {
  try {
    accessSync("/dev/shm", constants.W_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
}

export function addReport(totals: Totals, report: SequenceReport): void {
  totals.sequences += 1;
  for (const name of counted) totals[name] += report[name];
  for (const [cause, count] of Object.entries(report.causes)) {
    totals.causes.set(cause, (totals.causes.get(cause) ?? 0) + count);
  }
}

/** `10 sequences, 70 runs, 300 step decisions: 0 false hits, 2 false misses`. */
export function summarize({ sequences, runs, decisions, falseMisses, failures }: Totals): string {
  return `${sequences} sequences, ${runs} runs, ${decisions} step decisions: ${failures.length} false hits, ${falseMisses} false misses`;
}

/** All that was counted, a line each. */
export function report(totals: Totals): readonly string[] {
  const { executed, reused, interrupted, together, open, assumed, unproved, causes } = totals;
  return [
    summarize(totals),
    `steps executed ${executed}, reused ${reused}; runs interrupted ${interrupted}, going on at once with another ${together}`,
    `decisions that the model leaves open ${open}; results taken to hold that nobody could be asked about ${assumed}`,
    `outputs that no run from nothing stands beside ${unproved}`,
    ...[...causes].toSorted((a, b) => b[1] - a[1]).map(([cause, count]) => `false misses after ${cause}: ${count}`),
  ];
}

/** Leaves out every edit that the failure does not need. */
async function explainFailure(player: Player, request: PlayRequest, report: SequenceReport): Promise<string> {
  let shortest = report;
  let without: readonly number[] = [];
  for (let number = report.edits; number >= 1; number--) {
    const shorter = await player.play({ ...request, without: [...without, number] });
    if (shorter.failures.length === 0) continue;
    without = [...without, number];
    shortest = shorter;
  }
  const repeat = `REPRISE_SEED=${request.seed} REPRISE_SEQUENCES=1`;
  return [`seed ${request.seed}; repeat with ${repeat}`, ...shortest.story, ...shortest.failures].join("\n");
}

class Player implements AsyncDisposable {
  #worker: ChildProcess | undefined;
  #played = 0;

  async play(request: PlayRequest): Promise<SequenceReport> {
    if (this.#played >= sequencesPerProcess) await this[Symbol.asyncDispose]();
    this.#worker ??= fork(join(import.meta.dirname, "worker.ts"), [], {
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, NODE_NO_WARNINGS: "1", REPRISE_STORE: "", REPRISE_STACK: "", REPRISE_LEASE: "" },
    });
    this.#played += 1;
    return await ask(this.#worker, request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#played = 0;
    if (worker === undefined || worker.exitCode !== null || worker.signalCode !== null) return;
    const ended = once(worker, "exit");
    worker.disconnect();
    await ended;
  }
}

async function ask(worker: ChildProcess, request: PlayRequest): Promise<SequenceReport> {
  const { promise, resolve, reject } = Promise.withResolvers<SequenceReport>();
  let noise = "";
  const onNoise = (chunk: Buffer): void => void (noise += String(chunk));
  const fail = (what: string): void => reject(new Error(`${what} in the sequence of seed ${request.seed}:\n${noise}`));
  const onExit = (code: number | null): void => fail(`the worker ended with code ${code}`);
  const timer = setTimeout(() => {
    worker.kill("SIGKILL");
    fail("nothing went on any more");
  }, longestSequenceMs);
  worker.stderr?.on("data", onNoise);
  worker.once("message", resolve).once("exit", onExit);
  worker.send(request);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    worker.off("exit", onExit).off("message", resolve);
    worker.stderr?.off("data", onNoise);
  }
}
