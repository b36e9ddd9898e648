/** A query for runs, in words: `status:failed pipeline:rag params.k:5..10 metrics.recall>0.8 tag:baseline since:7d`. */
import { toMilliseconds } from "../define/duration.ts";
import { UsageError } from "../error.ts";
import type { Run, RunStatus } from "../record/run.ts";
import { didYouMean } from "./did-you-mean.ts";

export interface RunFilter {
  readonly pipeline?: string;
  readonly version?: number;
  readonly status?: readonly RunStatus[];
  readonly tag?: string;
  /** Milliseconds since 1970. */
  readonly startedAfter?: number;
  readonly startedBefore?: number;
  /** Conditions on params and metrics; all must hold. */
  readonly conditions?: readonly Condition[];
  /** Words that must occur in a run's name or id. */
  readonly words?: readonly string[];
}

/** A comparison with a param or metric. `between` takes both ends in. */
export interface Condition {
  readonly of: "params" | "metrics";
  readonly name: string;
  readonly test:
    | { readonly kind: "equals"; readonly text: string }
    | { readonly kind: "compare"; readonly operator: "<" | "<=" | ">" | ">="; readonly value: number }
    | { readonly kind: "between"; readonly from: number; readonly to: number };
}

const statuses: readonly RunStatus[] = ["running", "completed", "failed", "cancelled", "interrupted"];
const fields = ["status", "pipeline", "version", "tag", "since", "before", "params.", "metrics."];

/** Parses a query. Throws a UsageError (RPS6001) that says which word is not understood. */
export function parseRunFilter(query: string, now: number): RunFilter {
  const filter: { -readonly [K in keyof RunFilter]: RunFilter[K] } = {};
  const conditions: Condition[] = [];
  const words: string[] = [];
  for (const term of query.split(/\s+/u).filter(Boolean)) {
    const match = /^(?<key>[a-z]+(?:\..+?)?)(?<operator><=|>=|[:=<>])(?<value>.*)$/u.exec(term);
    if (match?.groups === undefined) {
      words.push(term);
      continue;
    }
    const { key = "", operator = "", value = "" } = match.groups;
    const dot = key.indexOf(".");
    const scope = dot === -1 ? undefined : key.slice(0, dot);
    if (scope === "params" || scope === "metrics") {
      conditions.push({ of: scope, name: key.slice(dot + 1), test: parseTest(term, operator, value) });
      continue;
    }
    if (operator !== ":" && operator !== "=") throw notUnderstood(term, "Only params and metrics are compared");
    if (key === "status") filter.status = value.split(",").map(parseStatus);
    else if (key === "pipeline") filter.pipeline = value;
    else if (key === "version") filter.version = parseNumber(term, value.replace(/^v/u, ""));
    else if (key === "tag") filter.tag = value;
    else if (key === "since") filter.startedAfter = parseTime(term, value, now);
    else if (key === "before") filter.startedBefore = parseTime(term, value, now);
    else throw notUnderstood(term, didYouMean(key, fields) ?? `Fields are: ${fields.join(", ")}`);
  }
  return { ...filter, ...(conditions.length > 0 ? { conditions } : {}), ...(words.length > 0 ? { words } : {}) };
}

/** Whether the part of a filter that no store knows holds: words, params, metrics. */
export function matchesRun(filter: RunFilter, run: Run, metrics: ReadonlyMap<string, number>): boolean {
  const words = filter.words ?? [];
  if (!words.every((word) => run.name.includes(word) || run.id.includes(word))) return false;
  return (filter.conditions ?? []).every((condition) => {
    if (condition.of === "params") {
      const param = run.params[condition.name];
      if (param === undefined) return false;
      return holds(condition.test, param.secret === true ? undefined : (param.value ?? param.shown));
    }
    for (const [name, value] of metrics) {
      const matches = name === condition.name || name.endsWith(`.${condition.name}`);
      if (matches && holds(condition.test, value)) return true;
    }
    return false;
  });
}

function holds(test: Condition["test"], value: unknown): boolean {
  if (value === undefined) return false;
  if (test.kind === "equals") return String(value) === test.text || JSON.stringify(value) === test.text;
  if (typeof value !== "number") return false;
  if (test.kind === "between") return value >= test.from && value <= test.to;
  switch (test.operator) {
    case "<":
      return value < test.value;
    case "<=":
      return value <= test.value;
    case ">":
      return value > test.value;
    case ">=":
      return value >= test.value;
  }
}

function parseTest(term: string, operator: string, value: string): Condition["test"] {
  if (operator === ":" || operator === "=") {
    const range = /^(?<from>[^.]+(?:\.\d+)?)\.\.(?<to>.+)$/u.exec(value);
    if (range?.groups === undefined) return { kind: "equals", text: value };
    return {
      kind: "between",
      from: parseNumber(term, range.groups["from"] ?? ""),
      to: parseNumber(term, range.groups["to"] ?? ""),
    };
  }
  return { kind: "compare", operator: operator as "<" | "<=" | ">" | ">=", value: parseNumber(term, value) };
}

function parseStatus(status: string): RunStatus {
  if (statuses.includes(status as RunStatus)) return status as RunStatus;
  throw new UsageError("RPS6001", `A run is never "${status}"`, {
    hint: didYouMean(status, statuses) ?? `Its status is one of: ${statuses.join(", ")}`,
  });
}

function parseNumber(term: string, value: string): number {
  const number = Number(value);
  if (value === "" || Number.isNaN(number)) throw notUnderstood(term, `"${value}" is not a number`);
  return number;
}

function parseTime(term: string, value: string, now: number): number {
  const ago = toMilliseconds(value);
  const time = ago === undefined ? Date.parse(value) : now - ago;
  if (Number.isNaN(time)) throw notUnderstood(term, "Write a duration as in 7d, or a date as in 2026-11-22");
  return time;
}

function notUnderstood(term: string, hint: string): UsageError {
  return new UsageError("RPS6001", `The query does not say what "${term}" means`, { hint });
}
