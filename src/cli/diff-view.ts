/** Differences between versions, runs and artifacts, as the terminal shows them. */
import type { ArtifactDiff } from "../history/diff-artifacts.ts";
import type { FactDiff, MetricDiff, RunDiff } from "../history/diff-runs.ts";
import { toHunks, type LineChange } from "../history/diff-text.ts";
import type { GraphEdge, StepDiff, VersionDiff } from "../history/diff-versions.ts";
import { artifactKey } from "../history/run-details.ts";
import { formatDuration, formatNumber, shortenDigests } from "./format.ts";
import { cleanText, printTable, type Printer } from "./print.ts";

export interface DiffViewOptions {
  /** Equal values too. */
  readonly all: boolean;
}

export function printVersionDiff(printer: Printer, diff: VersionDiff, options: DiffViewOptions): void {
  const { from, to, steps, edges, same } = diff;
  const names = from.pipeline === to.pipeline ? [`v${from.version}`, `v${to.version}`] : [toName(from), toName(to)];
  printer.line(`${printer.style("bold", `${to.pipeline}  ${names[0]} ${printer.symbols.arrow} ${names[1]}`)}`);
  if (steps.length === 0 && edges.added.length + edges.removed.length === 0) printer.line("  no difference");
  for (const step of steps) printStepDiff(printer, step);
  for (const edge of edges.removed) printer.line(printer.style("red", `  - ${showEdge(printer, edge)}`));
  for (const edge of edges.added) printer.line(printer.style("green", `  + ${showEdge(printer, edge)}`));
  if (options.all && same.length > 0)
    printer.line(printer.style("dim", `  ${printer.symbols.same} ${same.join("  ")}`));
}

export function printRunDiff(printer: Printer, diff: RunDiff, options: DiffViewOptions): void {
  const { from, to } = diff;
  printer.line(
    `${printer.style("bold", `${from.pipeline} ${from.id} ${printer.symbols.arrow} ${to.id}`)}  ${from.name} ${printer.symbols.arrow} ${to.name}`,
  );
  const titles = [from.id, to.id] as const;
  printFactDiffs(printer, "run", diff.facts, titles, options);
  printFactDiffs(printer, "params", diff.params, titles, options);
  printMetricDiffs(printer, diff.metrics, titles, options);
  printFactDiffs(printer, "outputs", diff.outputs, titles, options);
  printer.line();
  printTable(printer, diff.steps, [
    { title: "step", value: (step) => step.node },
    { title: titles[0], value: ({ from: old }) => showState(old) },
    { title: titles[1], value: ({ to: now }) => showState(now) },
    { title: "because", value: ({ to: now }) => shortenDigests(now?.reason?.text ?? ""), flexible: true },
  ]);
  if (diff.versions === undefined) return;
  printer.line();
  printVersionDiff(printer, diff.versions, options);
}

export function printArtifactDiff(printer: Printer, diff: ArtifactDiff, options: DiffViewOptions): void {
  const titles = [artifactKey(diff.from), artifactKey(diff.to)] as const;
  printer.line(printer.style("bold", `${titles[0]} ${printer.symbols.arrow} ${titles[1]}`));
  if (diff.same) printer.line("  the same bytes");
  printFactDiffs(printer, "facts", diff.facts, titles, options);
  if (diff.lines === undefined || diff.same) return;
  printer.line();
  printLines(printer, diff.lines, "  ");
  if (diff.partial) printer.line(printer.style("dim", "  only the preview is compared"));
}

function printStepDiff(printer: Printer, { node, change, step, units }: StepDiff): void {
  const [old, now] = step;
  if (change === "added") return printer.line(printer.style("green", `  + ${node}  new step`));
  if (change === "removed") return printer.line(printer.style("red", `  - ${node}  step removed`));
  const replaced = old === now ? "" : `  ${old} ${printer.symbols.arrow} ${now}`;
  printer.line(`  ${printer.style("yellow", `~ ${node}`)}${replaced}`);
  for (const unit of units) {
    const versions =
      unit.kind === "package" ? `  ${unit.from ?? "none"} ${printer.symbols.arrow} ${unit.to ?? "none"}` : "";
    const place = unit.place === undefined ? "" : `  ${printer.style("cyan", unit.place)}`;
    printer.line(`      ${unit.change}  ${cleanText(unit.id)}${versions}${place}`);
    if (unit.lines !== undefined) printLines(printer, unit.lines, "        ");
  }
  return undefined;
}

function printLines(printer: Printer, lines: readonly LineChange[], indent: string): void {
  for (const line of toHunks(lines)) {
    if (line === undefined) printer.line(`${indent}${printer.style("dim", printer.symbols.more)}`);
    else if (line.kind === "same") printer.line(`${indent}${printer.style("dim", `  ${cleanText(line.text)}`)}`);
    else if (line.kind === "removed") printer.line(`${indent}${printer.style("red", `- ${cleanText(line.text)}`)}`);
    else printer.line(`${indent}${printer.style("green", `+ ${cleanText(line.text)}`)}`);
  }
}

function printFactDiffs(
  printer: Printer,
  title: string,
  facts: readonly FactDiff[],
  titles: readonly [string, string],
  options: DiffViewOptions,
): void {
  const shown = options.all ? facts : facts.filter((fact) => !fact.same);
  if (shown.length === 0) return;
  printer.line();
  printTable(printer, shown, [
    { title, value: (fact) => fact.name },
    { title: titles[0], value: (fact) => shortenDigests(fact.from ?? "none"), flexible: true },
    { title: titles[1], value: (fact) => shortenDigests(fact.to ?? "none"), flexible: true },
  ]);
}

function printMetricDiffs(
  printer: Printer,
  metrics: readonly MetricDiff[],
  titles: readonly [string, string],
  options: DiffViewOptions,
): void {
  const shown = options.all ? metrics : metrics.filter((metric) => metric.delta !== 0);
  if (shown.length === 0) return;
  const show = (value: number | undefined): string => (value === undefined ? "none" : formatNumber(value));
  printer.line();
  printTable(printer, shown, [
    { title: "metrics", value: (metric) => metric.name },
    { title: titles[0], value: (metric) => show(metric.from), align: "right" },
    { title: titles[1], value: (metric) => show(metric.to), align: "right" },
    {
      title: "change",
      value: ({ delta }) => (delta === undefined ? "" : `${delta > 0 ? "+" : ""}${formatNumber(delta)}`),
      align: "right",
    },
  ]);
}

function showState(step: { readonly status: string; readonly durationMs: number | undefined } | undefined): string {
  if (step === undefined) return "none";
  const duration =
    step.status === "completed" && step.durationMs !== undefined ? ` ${formatDuration(step.durationMs)}` : "";
  return `${step.status}${duration}`;
}

function showEdge(printer: Printer, { from, to, output, argument }: GraphEdge): string {
  const source = output === undefined ? from : `${from}.${output}`;
  const target = argument === undefined ? `${to} (order)` : `${to}.${argument}`;
  return `${source} ${printer.symbols.arrow} ${target}`;
}

function toName({ pipeline, version }: VersionDiff["from"]): string {
  return `${pipeline}@v${version}`;
}
