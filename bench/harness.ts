/**
 * What all benchmarks share: contenders take turns (A B A B …), so that what the machine does besides hits all alike;
 * medians are compared, and the ratio to the limit is what a reader takes home.
 */
import { availableParallelism, cpus, loadavg, totalmem, type as systemName } from "node:os";
import process from "node:process";

/** One thing that is timed. */
export interface Contender {
  readonly name: string;
  /** Done before each round, untimed. */
  readonly before?: () => unknown;
  /** What is timed. A number that it answers with is taken instead: what a process measured of itself, or its memory. */
  readonly run: () => number | void | Promise<number | void>;
  /** It takes part in that many rounds only, and in no warm-up: for what takes long. */
  readonly rounds?: number;
}

export interface Statistics {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

export type Unit = "ms" | "MiB";

export interface Measured {
  readonly name: string;
  readonly statistics: Statistics;
  /** Its median to that of the limit. */
  readonly ratio: number;
}

/** What the claim was, and whether these figures bear it out. */
export interface Goal {
  readonly text: string;
  readonly met: boolean;
}

/** Contenders that did the same work, in the order they are shown. */
export interface Comparison {
  readonly title: string;
  readonly unit: Unit;
  readonly measured: readonly Measured[];
  readonly goals: readonly Goal[];
  /** What follows from the figures, a sentence each. */
  readonly notes: readonly string[];
}

export interface Mode {
  /** Everything as small as it can be, once: tells that a benchmark works, not how long it takes. */
  readonly quick: boolean;
}

/** A row of docs/benchmarks.md; a file each. */
export interface Row {
  /** The name of its file. */
  readonly name: string;
  readonly title: string;
  /** Yields each comparison as soon as it is measured. */
  readonly measure: (mode: Mode) => AsyncIterable<Comparison>;
}

export interface CompareOptions {
  readonly title: string;
  readonly unit?: Unit;
  /** The contender that the others are divided by. */
  readonly limit: string;
  readonly contenders: readonly Contender[];
  readonly rounds: number;
  /** Rounds that are not counted; 1 by default, none for a single round. */
  readonly warmups?: number;
  readonly conclude?: (median: (name: string) => number) => { readonly goals?: Goal[]; readonly notes?: string[] };
}

/** Times the contenders in turns. */
export async function compare(options: CompareOptions): Promise<Comparison> {
  const { contenders, limit, rounds, warmups = rounds === 1 ? 0 : 1, title, unit = "ms", conclude } = options;
  const values = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -warmups; round < rounds; round += 1) {
    for (const contender of contenders) {
      if (contender.rounds !== undefined && (round < 0 || round >= contender.rounds)) continue;
      const value = await time(contender);
      if (round >= 0) values.get(contender.name)?.push(value);
    }
  }
  const medianOf = (name: string): number => summarize(values.get(name) ?? []).median;
  const measured = [...values].map(([name, each]) => {
    const statistics = summarize(each);
    return { name, statistics, ratio: statistics.median / medianOf(limit) };
  });
  const { goals = [], notes = [] } = conclude?.(medianOf) ?? {};
  return { title, unit, measured, goals, notes };
}

/** Middle, least and most; of an even number of values, the mean of the two in the middle. */
export function summarize(values: readonly number[]): Statistics {
  if (values.length === 0) throw new RangeError("there is nothing to summarize");
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] as number;
  const half = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? at(half) : (at(half - 1) + at(half)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1), rounds: sorted.length };
}

/** Whether the value keeps to a bound, as a goal to show. */
export function atMost(value: number, bound: number, text: string): Goal {
  return { text, met: value <= bound };
}

async function time({ before, run }: Contender): Promise<number> {
  await before?.();
  const start = performance.now();
  const answer = await run();
  return typeof answer === "number" ? answer : performance.now() - start;
}

/** How the process was asked to measure. */
export function readMode(): Mode {
  return { quick: (process.env["REPRISE_BENCH_QUICK"] ?? "") !== "" };
}

/** What the figures were taken on. */
export function describeMachine(): string {
  const gigabytes = (totalmem() / 2 ** 30).toFixed(0);
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  return `${model}, ${availableParallelism()} cores, ${gigabytes} GiB, ${systemName()}, Node ${process.versions.node}`;
}

/** How busy the machine was in the last minute: with more than there are cores, times are longer than they need be. */
export function describeLoad(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

/** Measures a row and prints it: what `node bench/FILE.ts` does. */
export async function runAlone(row: Row): Promise<void> {
  console.log(`${row.title}\n${describeMachine()}, ${new Date().toISOString().slice(0, 10)}, load ${describeLoad()}`);
  for await (const comparison of row.measure(readMode())) console.log(`\n${formatComparison(comparison)}`);
}

/** A comparison for a terminal, the ratio last. */
export function formatComparison({ title, unit, measured, goals, notes }: Comparison): string {
  const width = Math.max(...measured.map(({ name }) => name.length));
  const lines = measured.map(({ name, statistics: { median, min, max }, ratio }) => {
    const range = `(${formatNumber(min)}–${formatNumber(max)})`;
    return `  ${name.padEnd(width)} ${formatNumber(median).padStart(9)} ${unit}  ${range.padEnd(20)} ${formatRatio(ratio)}`;
  });
  const said = goals.map(({ text, met }) => `  goal ${met ? "met" : "MISSED"}: ${text}`);
  return [title, ...lines, ...notes.map((note) => `  ${note}`), ...said].join("\n");
}

export function formatNumber(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function formatRatio(ratio: number): string {
  return `${formatNumber(ratio)} ×`;
}
