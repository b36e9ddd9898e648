/** One line after another, nothing rewritten: for pipes, logs and screen readers. */
import type { RunEvent } from "../../record/event.ts";
import type { CacheMode } from "../../define/options.ts";
import type { StepRun } from "../../record/run.ts";
import { describeError, printBody } from "../error-view.ts";
import { cleanText, type Printer } from "../print.ts";
import { describeHolder } from "./holder-view.ts";
import { nodeOf, type Reporter, type ReporterOptions } from "./reporter.ts";

export function createPlainReporter(printer: Printer, options: ReporterOptions): Reporter {
  const level = options.level ?? "normal";
  const started = new Set<string>();

  const start = (step: StepRun): void => {
    if (started.has(step.id) || level === "quiet") return;
    started.add(step.id);
    printer.line(`Step ${step.node} has started.`);
  };

  return {
    report(event) {
      switch (event.kind) {
        case "run-started":
          return level === "quiet" ? undefined : printRunStart(printer, event);
        case "step-waiting": {
          if (event.line !== undefined || level === "quiet") return undefined;
          const holder = describeHolder(event.holder, event.step);
          return printer.line(`Step ${nodeOf(event.step)} waits for ${holder}, which is making it.`);
        }
        case "step-started":
          return start(event.step);
        case "step-attempt-failed": {
          const error = event.step.attempts.at(-1)?.error ?? event.step.error;
          if (event.willRetry) {
            printer.line(
              `Step ${event.step.node} has failed in attempt ${event.attempt} and is tried again: ${cleanText(error?.message ?? "unknown error")}`,
            );
          }
          return undefined;
        }
        case "log":
          if (level === "quiet") return undefined;
          return printer.line(`[${nodeOf(event.line.stepRun)}] ${showLine(printer, event.line.text)}`);
        case "step-ended":
          if (event.step.status !== "skipped") start(event.step);
          if (level === "verbose" && event.step.reason !== undefined) {
            const { code, text } = event.step.reason;
            printer.line(`Step ${event.step.node}: ${code}, ${cleanText(text)}.`);
          }
          return level === "quiet" && event.step.status !== "failed"
            ? undefined
            : printStepEnd(printer, event.step, options);
        case "warning":
          return printer.line(
            `Warning${event.step === undefined ? "" : ` in ${nodeOf(event.step)}`}: ${cleanText(event.message)}`,
          );
        case "run-ended":
          return printRunEnd(printer, event);
        default:
          return undefined;
      }
    },
    close: () => {},
  };
}

/** Prints the first lines of a run, as far as a listener without a live screen needs them. */
export function printRunStart(printer: Printer, event: Extract<RunEvent, { kind: "run-started" }>): void {
  const { run } = event;
  printer.line(`Creating run for pipeline: ${run.pipeline}`);
  printer.line(`Cache ${isReading(event.pipelineCache) ? "enabled" : "disabled"} for pipeline ${run.pipeline}`);
  printer.line(`Using stack ${run.stack} to run pipeline ${run.pipeline}...`);
  if (run.cache !== undefined) {
    const setting = isReading(run.cache) ? "True" : "False";
    printer.line(
      `Runtime configuration overwriting the pipeline cache settings to enable_cache=${setting} for this pipeline run. ` +
        "The default caching strategy is retained for future pipeline runs.",
    );
  }
}

export function printStepEnd(printer: Printer, step: StepRun, options: ReporterOptions): void {
  const seconds = `${(((step.finishedAt ?? step.startedAt) - step.startedAt) / 1000).toFixed(3)}s`;
  switch (step.status) {
    case "cached":
      printer.line(`Using cached version of ${step.node}.`);
      printer.line(`Step ${step.node} has finished in ${seconds}.`);
      return;
    case "completed":
      printer.line(`Step ${step.node} has finished in ${seconds}.`);
      return;
    case "failed":
      printer.line(`Step ${step.node} has failed in ${seconds}: ${describeError(step.error)}`);
      if (step.error !== undefined) {
        printBody(printer, step.error, { root: options.root, verbose: options.level === "verbose" });
      }
      return;
    case "skipped":
      printer.line(`Step ${step.node} was not run: ${cleanText(step.reason?.text ?? "it was skipped")}.`);
      return;
    default:
      printer.line(`Step ${step.node} was ${step.status} after ${seconds}.`);
  }
}

export function printRunEnd(printer: Printer, event: Extract<RunEvent, { kind: "run-ended" }>): void {
  const { run } = event;
  const seconds = `${(((run.finishedAt ?? event.time) - run.startedAt) / 1000).toFixed(3)}s`;
  if (run.status === "completed") printer.line(`Pipeline run ${run.name} has finished in ${seconds}.`);
  else if (run.status === "failed") printer.line(`Pipeline run ${run.name} has failed in ${seconds}.`);
  else printer.line(`Pipeline run ${run.name} was ${run.status} after ${seconds}.`);
}

/** A line that a step wrote: its own colours are kept only where colour is shown. */
export function showLine(printer: Printer, text: string): string {
  return printer.terminal.color ? `${keepColors(text)}` : cleanText(text);
}

/** Keeps the sequences that set colours and drops those that move the cursor or talk to the terminal. */
function keepColors(text: string): string {
  const parts = text.split(/(\u001b\[[0-9;]*m)/u); // oxlint-disable-line no-control-regex -- the sequences that are kept
  const shown = parts.map((part, at) => (at % 2 === 1 ? part : cleanText(part))).join("");
  return parts.length > 1 ? `${shown}\u001b[0m` : shown;
}

function isReading(mode: CacheMode | undefined): boolean {
  return mode === undefined || mode === "use" || mode === "require";
}
