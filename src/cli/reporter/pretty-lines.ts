/** The lines of the pretty reporter, as text. */
import type { RunEvent } from "../../record/event.ts";
import type { ReasonCode } from "../../record/reason.ts";
import type { ParamRecord, Run, StepRun } from "../../record/run.ts";
import { formatAgo, formatCount, formatDuration, formatNumber, shortenDigests } from "../format.ts";
import { cleanText, cutText, padText, textWidth, type Printer, type Style } from "../print.ts";
import { describeReason } from "../reason-view.ts";
import { nodeOf, type PreviousRun } from "./reporter.ts";

/** What a run has shown so far. */
export interface RunTally {
  readonly steps: StepRun[];
  /** Last value by `node.name`. */
  readonly metrics: Map<string, number>;
  /** A word on a node's outputs: `120 rows`. */
  readonly facts: Map<string, string>;
}

/** `rag @ v12 · 3f9c2ab+dirty · 7 steps · k=8 (last: 5)`. */
export function renderHeader(
  printer: Printer,
  event: Extract<RunEvent, { kind: "run-started" }>,
  previous: PreviousRun | undefined,
): readonly string[] {
  const { run } = event;
  const params = Object.entries(run.params).map(([name, param]) => {
    const before = previous?.params[name];
    const changed = before !== undefined && before.digest !== param.digest;
    const isSecret = param.secret === true || before?.secret === true;
    const last = changed ? ` (last: ${isSecret ? "another" : showParam(before)})` : "";
    return `${name}=${showParam(param)}${last}`;
  });
  const rest = [
    ...(run.git === undefined ? [] : [`${run.git.commit.slice(0, 7)}${run.git.dirty ? "+dirty" : ""}`]),
    formatCount(event.steps, "step"),
    ...params,
    ...(run.cache === undefined ? [] : [`cache ${run.cache}`]),
  ].join(` ${printer.symbols.dot} `);
  const head = `${run.pipeline} @ v${run.version}`;
  const room = printer.terminal.columns - textWidth(head) - 6;
  return [
    `  ${printer.style("bold", head)} ${printer.style("dim", `${printer.symbols.dot} ${cutText(rest, room, printer.symbols.more)}`)}`,
  ];
}

function showParam({ shown }: ParamRecord): string {
  return shortenDigests(cleanText(shown));
}

/** A finished step: name, what became of it, why, how long, what came out. Two lines where one does not fit. */
export function renderStepLines(printer: Printer, step: StepRun, nameWidth: number, facts: string): readonly string[] {
  const { sign, style, word } = stateOf(printer, step);
  const reason = whyOf(step);
  const time = timeOf(step);
  const width = printer.terminal.columns;
  const head = `  ${printer.style(style, sign)} ${padText(step.node, nameWidth)}  ${printer.style(style, padText(word, 7))}`;
  const headWidth = 4 + Math.max(nameWidth, textWidth(step.node)) + 2 + 7;
  const more = printer.symbols.more;
  const reasonWidth = 32;
  if (headWidth + 2 + textWidth(reason) + 2 + textWidth(time) <= width) {
    const line = [padText(reason, reasonWidth), padText(time, 12), facts].join("  ");
    const fitted = headWidth + 2 + textWidth(line) <= width ? line : [reason, time].join("  ");
    return [`${head}  ${fitted}`.trimEnd()];
  }
  const short = `  ${printer.style(style, sign)} ${cutText(step.node, width - 6, more)}`;
  const below = cutText([word, time, reason, facts].filter(Boolean).join(` ${printer.symbols.dot} `), width - 6, more);
  return [short, `      ${below}`];
}

/** Metrics of a step in a few words, else what is known of its outputs. */
export function describeFacts(tally: RunTally, step: StepRun): string {
  const own = [...tally.metrics].filter(([key]) => key.startsWith(`${step.node}.`));
  const shown = own.slice(0, 2).map(([key, value]) => `${key.slice(step.node.length + 1)} ${formatNumber(value)}`);
  return shown.length > 0 ? shown.join("  ") : (tally.facts.get(step.node) ?? "");
}

/** The last lines of a run: how it ended, its metrics against the last run, what to type next. */
export function renderSummary(
  printer: Printer,
  event: Extract<RunEvent, { kind: "run-ended" }>,
  tally: RunTally,
  previous: PreviousRun | undefined,
): readonly string[] {
  const { symbols } = printer;
  const { run } = event;
  const duration = formatDuration((run.finishedAt ?? event.time) - run.startedAt);
  const name = `${run.pipeline} ${run.id}`;
  const parts = [countSteps(tally.steps), ...(event.savedMs > 0 ? [`saved ${formatDuration(event.savedMs)}`] : [])];
  const dot = ` ${symbols.dot} `;
  if (run.status === "completed") {
    return [
      "",
      `  ${printer.style("green", symbols.success)} ${printer.style("bold", name)} finished in ${[duration, ...parts].join(dot)}`,
      ...renderMetrics(printer, run, tally, previous),
      ...renderNext(printer, tally, previous !== undefined),
    ];
  }
  const kept = tally.steps.filter((step) => step.status === "completed" || step.status === "cached").length;
  const failed = tally.steps.find((step) => step.status === "failed");
  const sign = printer.style(run.status === "failed" ? "red" : "yellow", symbols.failed);
  return [
    "",
    `  ${sign} ${printer.style("bold", name)} ${endingOf(run)} ${[duration, ...parts].join(dot)}`,
    ...(kept === 0
      ? []
      : [printer.style("dim", `    ${formatCount(kept, "finished step")} kept: the next run goes on from there`)]),
    ...(failed === undefined
      ? []
      : [printer.style("dim", `    reprise logs ${run.id} ${failed.node}${dot}reprise show ${run.id}`)]),
  ];
}

function endingOf(run: Run): string {
  return run.status === "failed" ? "failed in" : `was ${run.status} after`;
}

function countSteps(steps: readonly StepRun[]): string {
  const words: readonly (readonly [StepRun["status"], string])[] = [
    ["cached", "cached"],
    ["completed", "ran"],
    ["failed", "failed"],
    ["cancelled", "cancelled"],
    ["skipped", "not run"],
  ];
  const counts = words.flatMap(([status, word]) => {
    const count = steps.filter((step) => step.status === status).length;
    return count === 0 ? [] : [`${count} ${word}`];
  });
  return counts.length === 0 ? "no steps" : counts.join(", ");
}

function renderMetrics(
  printer: Printer,
  run: Run,
  tally: RunTally,
  previous: PreviousRun | undefined,
): readonly string[] {
  const names = [...tally.metrics.keys()].map((key) => key.slice(key.lastIndexOf(".") + 1));
  const shown = [...tally.metrics].slice(0, 6).map(([key, value]) => {
    const short = key.slice(key.lastIndexOf(".") + 1);
    const name = names.filter((each) => each === short).length > 1 ? key : short;
    const before = previous?.metrics[key];
    const delta = before === undefined ? 0 : value - before;
    const sign = delta > 0 ? `${printer.symbols.up} +` : `${printer.symbols.down} `;
    const change = delta === 0 ? "" : ` ${sign}${formatNumber(delta)} vs last`;
    return `${name} ${formatNumber(value)}${change}`;
  });
  const lines: string[] = [];
  for (const each of shown) {
    const joined = `${lines.at(-1) ?? ""}     ${each}`;
    // Half a number would be another number: what does not fit stands on the next line.
    if (lines.length > 0 && textWidth(joined) < printer.terminal.columns) lines[lines.length - 1] = joined;
    else lines.push(`    ${each}`);
  }
  const left = tally.metrics.size - shown.length;
  if (left > 0) lines.push(printer.style("dim", `    and ${formatCount(left, "more metric")}: reprise show ${run.id}`));
  return lines;
}

function renderNext(printer: Printer, tally: RunTally, hasPrevious: boolean): readonly string[] {
  const ran = tally.steps.find((step) => step.status === "completed") ?? tally.steps[0];
  const commands = [
    ...(hasPrevious ? ["reprise diff last~1 last"] : ["reprise show last"]),
    ...(ran === undefined ? [] : [`reprise why ${ran.node}`]),
  ];
  const line = `    ${commands.join(` ${printer.symbols.dot} `)}`;
  return textWidth(line) > printer.terminal.columns ? [] : [printer.style("dim", line)];
}

function stateOf(printer: Printer, step: StepRun): { sign: string; style: Style; word: string } {
  const { symbols } = printer;
  switch (step.status) {
    case "completed":
      return { sign: symbols.done, style: "green", word: "ran" };
    case "cached":
      return { sign: symbols.done, style: "blue", word: "cached" };
    case "failed":
      return { sign: symbols.failed, style: "red", word: "failed" };
    case "skipped":
      return { sign: symbols.skipped, style: "dim", word: "not run" };
    default:
      return { sign: symbols.failed, style: "yellow", word: step.status };
  }
}

function whyOf(step: StepRun): string {
  if (step.status === "failed") {
    const attempts = step.attempts.length;
    return attempts > 1 ? `in attempt ${attempts}/${attempts}` : "";
  }
  if (step.reason === undefined) return "";
  const why = cleanText(describeReason(step.reason));
  if (step.status !== "cached") return why;
  const told = isToldByOrigin(step, step.reason.code) ? originOf(step) : why;
  return step.verdict === undefined ? told : `${told}, code ${step.verdict}`;
}

function isToldByOrigin(step: StepRun, code: ReasonCode): boolean {
  return code === "same-fingerprint" || (code === "made-meanwhile" && isOfOwnRun(step));
}

function isOfOwnRun({ origin, run }: StepRun): boolean {
  return origin?.startsWith(`${run}/`) === true;
}

/** Where a reused result comes from. */
function originOf(step: StepRun): string {
  if (step.origin === undefined) return "";
  if (isOfOwnRun(step)) return `as ${nodeOf(step.origin)} of this run`;
  const age = step.originAt === undefined ? "" : `, ${formatAgo(step.originAt, step.finishedAt ?? step.startedAt)}`;
  return `from ${step.origin.slice(0, -nodeOf(step.origin).length - 1)}${age}`;
}

function timeOf(step: StepRun): string {
  if (step.status === "cached") return step.savedMs === undefined ? "" : `saved ${formatDuration(step.savedMs)}`;
  if (step.status === "skipped") return "";
  return formatDuration((step.finishedAt ?? step.startedAt) - step.startedAt);
}
