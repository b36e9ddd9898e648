/** The plain lines in the words of GitHub's workflow commands: a group a step, errors and warnings as annotations. */
import type { StepRun } from "../../record/run.ts";
import { createPrinter, type Printer } from "../print.ts";
import { printRunEnd, printRunStart, printStepEnd, showLine } from "./plain.ts";
import { describeHolder } from "./holder-view.ts";
import { nodeOf, type Reporter, type ReporterOptions } from "./reporter.ts";

/**
 * Steps may run at once but groups cannot nest, so a step's lines are held until it has ended. They are printed behind a
 * bar, so that a line of a step is never taken for a workflow command.
 */
export function createGithubReporter(printer: Printer, options: ReporterOptions): Reporter {
  const held = new Map<string, string[]>();

  const hold = (node: string, line: string): void => {
    const lines = held.get(node);
    if (lines === undefined) held.set(node, [line]);
    else lines.push(line);
  };

  const release = (step: StepRun): void => {
    const lines = held.get(step.node) ?? [];
    held.delete(step.node);
    const ending: string[] = [];
    const ended = createPrinter({ ...printer.terminal, write: (text) => void ending.push(text) });
    printStepEnd(ended, step, options);
    printer.line(`::group::${escapeData(`${step.node} ${step.status}${step.reason ? ` (${step.reason.code})` : ""}`)}`);
    for (const line of lines) printer.line(`| ${line}`);
    printer.terminal.write(ending.join(""));
    printer.line("::endgroup::");
    if (step.status === "failed") annotate(printer, step);
  };

  return {
    report(event) {
      switch (event.kind) {
        case "run-started":
          return printRunStart(printer, event);
        case "step-waiting": {
          if (event.line !== undefined || options.level === "quiet") return undefined;
          const holder = describeHolder(event.holder, event.step);
          return printer.line(`${nodeOf(event.step)} waits for ${holder}, which is making it.`);
        }
        case "log":
          if (options.level === "quiet") return undefined;
          return hold(nodeOf(event.line.stepRun), showLine(printer, event.line.text));
        case "step-attempt-failed":
          if (!event.willRetry) return undefined;
          return hold(event.step.node, `Attempt ${event.attempt} has failed; it is tried again.`);
        case "step-ended":
          return release(event.step);
        case "warning":
          return printer.line(
            `::warning title=${escapeProperty(event.step === undefined ? "reprise" : nodeOf(event.step))}::${escapeData(event.message)}`,
          );
        case "run-ended":
          return printRunEnd(printer, event);
        default:
          return undefined;
      }
    },
    close() {
      for (const [node, lines] of held) {
        printer.line(`::group::${escapeData(`${node} did not end`)}`);
        for (const line of lines) printer.line(`| ${line}`);
        printer.line("::endgroup::");
      }
      held.clear();
    },
  };
}

function annotate(printer: Printer, step: StepRun): void {
  const place = step.error?.place;
  const properties = [
    ...(place === undefined ? [] : [`file=${escapeProperty(place.file)}`, `line=${place.line}`]),
    ...(place?.column === undefined ? [] : [`col=${place.column}`]),
    `title=${escapeProperty(`Step ${step.node} failed`)}`,
  ];
  printer.line(`::error ${properties.join(",")}::${escapeData(step.error?.message ?? "unknown error")}`);
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
