/** For people at a terminal: finished lines scroll up and stay, only the last few lines are live. */
import type { RunEvent } from "../../record/event.ts";
import type { StepRun } from "../../record/run.ts";
import { describeError, printBody } from "../error-view.ts";
import { formatCount, formatDuration } from "../format.ts";
import { cleanText, createPrinter, cutText, type Printer } from "../print.ts";
import { describeHolder } from "./holder-view.ts";
import { createLiveLines } from "./live-lines.ts";
import { showLine } from "./plain.ts";
import { describeFacts, renderHeader, renderStepLines, renderSummary, type RunTally } from "./pretty-lines.ts";
import { nodeOf, type Reporter, type ReporterOptions } from "./reporter.ts";

/** Running steps that are shown at once. */
const liveSteps = 5;

interface RunningStep {
  readonly node: string;
  /** `running`, or whom it waits for. */
  readonly doing: string;
  readonly startedAt: number;
  attempt: number;
  lastLine: string;
}

export function createPrettyReporter(printer: Printer, options: ReporterOptions): Reporter {
  const { symbols } = printer;
  const now = options.now ?? Date.now;
  const running = new Map<string, RunningStep>();
  const tally: RunTally = { steps: [], metrics: new Map(), facts: new Map() };
  let waiting: readonly string[] = [];
  let nameWidth = 16;
  let frame = 0;
  const live = createLiveLines(printer.terminal, renderLive);

  function renderLive(): readonly string[] {
    const lines: string[] = [];
    frame += 1;
    const spinner = symbols.running[frame % symbols.running.length] ?? "";
    for (const step of [...running.values()].slice(0, liveSteps)) {
      const attempt = step.attempt > 1 ? ` attempt ${step.attempt}` : "";
      const text = `${step.node}  ${step.doing}${attempt}  ${formatDuration(now() - step.startedAt)}  ${step.lastLine}`;
      const fitted = cutText(text.trimEnd(), printer.terminal.columns - 5, symbols.more);
      lines.push(`  ${printer.style("cyan", spinner)} ${fitted}`);
    }
    if (running.size > liveSteps) lines.push(`    and ${running.size - liveSteps} more running`);
    if (waiting.length > 0) {
      const names = cutText(waiting.join(` ${symbols.dot} `), printer.terminal.columns - 5, symbols.more);
      lines.push(printer.style("dim", `  ${symbols.waiting} ${names}`));
    }
    return lines;
  }

  /** Prints lines that stay, above the live ones. */
  const keep = (print: (target: Printer) => void): void => {
    let text = "";
    print(createPrinter({ ...printer.terminal, write: (part) => void (text += part) }));
    live.print(text);
  };

  const start = (step: StepRun): void => {
    waiting = waiting.filter((node) => node !== step.node);
    running.set(step.node, {
      node: step.node,
      doing: "running",
      startedAt: step.startedAt,
      attempt: 1,
      lastLine: "",
    });
    live.refresh();
  };

  const wait = ({ step, holder, line, time }: Extract<RunEvent, { kind: "step-waiting" }>): void => {
    const node = nodeOf(step);
    const doing = `waits for ${describeHolder(holder, step)}`;
    waiting = waiting.filter((each) => each !== node);
    const startedAt = running.get(node)?.startedAt ?? time;
    running.set(node, { node, doing, startedAt, attempt: 1, lastLine: line === undefined ? "" : cleanText(line) });
    // Where nothing is rewritten, it is said once.
    if (!printer.terminal.live && line === undefined && options.level !== "quiet") {
      keep((target) => target.line(`    ${target.style("dim", `${node} ${doing}, which is making it`)}`));
    } else live.refresh();
  };

  const end = (step: StepRun): void => {
    running.delete(step.node);
    waiting = waiting.filter((node) => node !== step.node);
    tally.steps.push(step);
    if (options.level === "quiet" && step.status !== "failed") return live.refresh();
    keep((target) => {
      for (const line of renderStepLines(target, step, nameWidth, describeFacts(tally, step))) target.line(line);
      if (step.status === "failed" && step.error !== undefined) {
        target.line(`      ${target.style("red", describeError(step.error))}`);
        printBody(target, step.error, {
          root: options.root,
          indent: "        ",
          verbose: options.level === "verbose",
        });
      }
    });
  };

  return {
    report(event: RunEvent) {
      switch (event.kind) {
        case "run-started":
          waiting = event.version.plan.nodes.map((node) => node.id);
          nameWidth = Math.min(28, Math.max(10, ...waiting.map((node) => node.length)));
          keep((target) => {
            if (options.level === "quiet") return;
            for (const line of renderHeader(target, event, options.previous)) target.line(line);
            target.line();
          });
          return;
        case "step-waiting":
          return wait(event);
        case "step-started":
          return start(event.step);
        case "step-attempt-failed": {
          const step = running.get(event.step.node);
          if (step !== undefined && event.willRetry) step.attempt = event.attempt + 1;
          return live.refresh();
        }
        case "log": {
          const node = nodeOf(event.line.stepRun);
          const step = running.get(node);
          if (step !== undefined) step.lastLine = cleanText(event.line.text);
          if (options.level === "quiet") return live.refresh();
          return keep((target) => {
            target.line(`    ${target.style("dim", `${node} ${symbols.bar}`)} ${showLine(target, event.line.text)}`);
          });
        }
        case "metric":
          tally.metrics.set(`${nodeOf(event.point.stepRun)}.${event.point.name}`, event.point.value);
          return;
        case "artifact":
          if (event.artifact.preview?.kind === "table") {
            tally.facts.set(nodeOf(event.step), formatCount(event.artifact.preview.rowCount, "row"));
          }
          return;
        case "step-ended":
          return end(event.step);
        case "warning":
          return keep((target) => {
            const where = event.step === undefined ? "" : `${nodeOf(event.step)}: `;
            target.line(
              `  ${target.style("yellow", `${symbols.warning} warning`)}  ${where}${cleanText(event.message)}`,
            );
          });
        case "run-ended":
          waiting = [];
          running.clear();
          live.clear();
          keep((target) => {
            for (const line of renderSummary(target, event, tally, options.previous)) target.line(line);
          });
          return;
      }
    },
    close: () => live.close(),
  };
}
