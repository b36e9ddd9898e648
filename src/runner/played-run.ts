/** What a run is asked to be, and what it was. */
import type { RunOptions } from "../define/run-handle.ts";
import type { Argument, NodeId, OutputName } from "../define/plan.ts";
import type { Digest } from "../hash/digest.ts";
import type { ArtifactContent } from "../record/artifact.ts";
import type { RunEvent } from "../record/event.ts";
import type { ArtifactUse, Run, StepRun } from "../record/run.ts";

export interface RunPlanOptions extends RunOptions {
  readonly onEvent?: (event: RunEvent) => void;
}

export interface PlayedRun {
  readonly run: Run;
  /** In plan order. */
  readonly steps: readonly StepRun[];
  /** What the build returned. A whole result that turned out to be a record stands as its outputs. */
  readonly outputs: Readonly<Record<OutputName, Argument>>;
  /** Every output of every step that ended well: node, then output. */
  readonly artifacts: ReadonlyMap<NodeId, ReadonlyMap<OutputName, ArtifactUse>>;
  /** What reused steps took when they were executed. */
  readonly savedMs: number;
  /** What was made in this run or read in it, by digest: what the store refused to record is here alone. */
  readonly contents: ReadonlyMap<Digest, ArtifactContent>;
  /** What the first failing step threw. */
  readonly error: unknown;
}

export interface RunOutcome extends PlayedRun {
  /** Whether the store took all of it, results included; or may only be read, and was not asked for more. */
  readonly recorded: "yes" | "no" | "read-only";
}
