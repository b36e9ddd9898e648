/** A run and its steps in full. */
import type { RunDetails, StepDetails } from "../history/run-details.ts";
import { artifactKey } from "../history/run-details.ts";
import { lastMetrics } from "../history/step-results.ts";
import { describeError, printBody } from "./error-view.ts";
import { formatBytes, formatDuration, formatNumber, formatTime, shortenDigests } from "./format.ts";
import { cleanText, padText, printTable, type Printer } from "./print.ts";
import { describeReason } from "./reason-view.ts";
import { styleOfStatus } from "./status-style.ts";

/** Prints a run; of a failed one, the error first. */
export function printRun(printer: Printer, details: RunDetails, root: string): void {
  const { run, steps } = details;
  const duration = details.durationMs === undefined ? "" : `  in ${formatDuration(details.durationMs)}`;
  const status = printer.style(styleOfStatus(run.status), run.status);
  printer.line(`${printer.style("bold", `${run.pipeline} ${run.id}`)}  ${status}${duration}`);
  for (const { stepRun } of steps.filter((step) => step.stepRun.status === "failed")) {
    if (stepRun.error === undefined) continue;
    printer.line();
    printer.line(
      `  ${printer.style("red", `${printer.symbols.failed} ${stepRun.node}`)}  ${describeError(stepRun.error)}`,
    );
    printBody(printer, stepRun.error, { root, indent: "    " });
  }
  printer.line();
  printFacts(printer, [
    ["name", run.name],
    ["version", `v${run.version}`],
    ["started", formatTime(run.startedAt)],
    ["saved", details.savedMs === 0 ? undefined : formatDuration(details.savedMs)],
    ["params", joinPairs(Object.entries(run.params).map(([name, param]) => [name, shortenDigests(param.shown)]))],
    ["cache", run.cache],
    [
      "commit",
      run.git && `${run.git.commit.slice(0, 10)}${run.git.dirty ? "+dirty" : ""} ${run.git.branch ?? ""}`.trim(),
    ],
    ["stack", run.stack],
    ["machine", `node ${run.environment.node} on ${run.environment.platform} ${run.environment.arch}`],
    ["imported", run.imported === undefined ? undefined : `${formatTime(run.imported)}, from ${run.environment.host}`],
    ["tags", joinPairs(Object.entries(run.tags))],
  ]);
  printer.line();
  printTable(printer, steps, [
    { title: "step", value: ({ stepRun }) => stepRun.node },
    {
      title: "status",
      value: ({ stepRun }) => stepRun.status,
      style: ({ stepRun }) => styleOfStatus(stepRun.status),
    },
    { title: "took", value: tookOf, align: "right" },
    { title: "reason", value: ({ stepRun }) => stepRun.reason?.code ?? "" },
    {
      title: "because",
      value: (step) =>
        [
          ...(step.stepRun.reason ? [describeReason(step.stepRun.reason)] : []),
          ...(findUnsteady(step) === undefined ? [] : ["nondeterministic"]),
        ].join("; "),
      flexible: true,
    },
    {
      title: "outputs",
      value: ({ stepRun }) => stepRun.outputs.map((use) => `${use.artifact}@v${use.version}`).join(" "),
      flexible: true,
    },
  ]);
  const metrics = lastMetrics(
    steps.map((step) => step.stepRun),
    new Map(steps.map((step) => [step.stepRun.id, step])),
  );
  if (metrics.size === 0) return;
  printer.line();
  printFacts(
    printer,
    [...metrics].map(([name, value]) => [name, formatNumber(value)]),
  );
}

/** Prints one step of a run. */
export function printStep(printer: Printer, details: RunDetails, step: StepDetails, root: string): void {
  const { stepRun } = step;
  const status = printer.style(styleOfStatus(stepRun.status), stepRun.status);
  printer.line(`${printer.style("bold", stepRun.node)} in ${details.run.id}  ${status}  ${tookOf(step)}`);
  if (stepRun.error !== undefined) {
    printer.line(`  ${printer.style("red", describeError(stepRun.error))}`);
    printBody(printer, stepRun.error, { root, indent: "    " });
  }
  printer.line();
  printFacts(printer, [
    ["step", stepRun.step],
    ["reason", stepRun.reason && `${stepRun.reason.code}: ${shortenDigests(stepRun.reason.text)}`],
    ["reused from", stepRun.origin],
    ["attempts", stepRun.attempts.length > 1 ? String(stepRun.attempts.length) : undefined],
    ["key", stepRun.key],
    ["not kept", stepRun.obstacle?.text],
    ["nondeterministic", findUnsteady(step)],
    ["noticed", noticed(step)],
    ["tags", step.tags.join(" ") || undefined],
    ...Object.entries(step.metadata).map(([name, value]) => [name, JSON.stringify(value)] as const),
    ...step.metrics.map(
      (point) =>
        [`${point.name}${point.step === undefined ? "" : `[${point.step}]`}`, formatNumber(point.value)] as const,
    ),
  ]);
  const uses = [
    ...stepRun.inputs.map((use) => ({ role: "input", use })),
    ...stepRun.outputs.map((use) => ({ role: "output", use })),
  ];
  if (uses.length === 0) return;
  const artifactOf = ({ use }: (typeof uses)[number]) =>
    details.artifacts.get(artifactKey({ name: use.artifact, version: use.version }));
  printer.line();
  printTable(printer, uses, [
    { title: "role", value: ({ role }) => role },
    { title: "name", value: ({ use }) => use.slot },
    { title: "artifact", value: ({ use }) => `${use.artifact}@v${use.version}`, flexible: true },
    { title: "type", value: (row) => artifactOf(row)?.type ?? "" },
    { title: "size", value: (row) => formatBytes(artifactOf(row)?.size ?? 0), align: "right" },
  ]);
}

function noticed({ stepRun, executed }: StepDetails): string | undefined {
  const texts = ((executed ?? stepRun).notices ?? []).filter(({ kind }) => kind !== "nondeterministic");
  return texts.length === 0 ? undefined : texts.map(({ text }) => text).join("; ");
}

function findUnsteady({ stepRun, executed }: StepDetails): string | undefined {
  return (executed ?? stepRun).notices?.find(({ kind }) => kind === "nondeterministic")?.text;
}

/** Prints names and values below each other; those without a value are left out. */
export function printFacts(
  printer: Printer,
  facts: readonly (readonly [name: string, value: string | undefined])[],
): void {
  const known = facts.filter((fact) => fact[1] !== undefined && fact[1] !== "");
  const width = Math.min(28, Math.max(0, ...known.map(([name]) => name.length)));
  for (const [name, value] of known) {
    printer.line(`  ${printer.style("dim", padText(cleanText(name), width))}  ${cleanText(value ?? "")}`);
  }
}

function tookOf({ stepRun, durationMs }: StepDetails): string {
  if (stepRun.status === "cached")
    return stepRun.savedMs === undefined ? "" : `saved ${formatDuration(stepRun.savedMs)}`;
  return durationMs === undefined || stepRun.status === "skipped" ? "" : formatDuration(durationMs);
}

function joinPairs(pairs: readonly (readonly [string, string])[]): string {
  return pairs.map(([name, value]) => (value === "" ? name : `${name}=${value}`)).join(" ");
}
