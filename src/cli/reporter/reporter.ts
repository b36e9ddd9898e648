/** A reader of a run's events that prints them. */
import type { RunEvent } from "../../record/event.ts";
import type { ParamRecord } from "../../record/run.ts";
import type { StepRunId } from "../../record/id.ts";

export interface Reporter {
  report(event: RunEvent): void;
  /** Ends live output, also when the run broke off. Nothing is printed afterwards. */
  close(): void;
}

/** What a run is compared with on the screen: the one before it. */
export interface PreviousRun {
  readonly params: Readonly<Record<string, ParamRecord>>;
  /** Last value of each metric, by `node.name`. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface ReporterOptions {
  /** The project, to show lines of source. */
  readonly root: string;
  readonly color?: "auto" | "never";
  /** `quiet`: results only, no lines of the steps; `verbose`: reasons and stacks everywhere. */
  readonly level?: "quiet" | "normal" | "verbose";
  readonly previous?: PreviousRun | undefined;
  /** The clock of the live lines. */
  readonly now?: () => number;
}

/** The node that a step run stands for. */
export function nodeOf(stepRun: StepRunId): string {
  return stepRun.slice(stepRun.indexOf("/") + 1);
}
