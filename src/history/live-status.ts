/** A run that is recorded as running but whose process is gone was interrupted. */
import type { Run, StepRun } from "../record/run.ts";
import { findProcessState, isElsewhere as isProcessElsewhere } from "../store/process.ts";

/** The run, `interrupted` if its process ran on this machine and is no more. Of other machines nothing can be told. */
export function withLiveStatus(run: Run): Run {
  return isInterrupted(run) ? { ...run, status: "interrupted" } : run;
}

/** A step run of this run: one that is recorded as running ended with its run. */
export function withLiveStepStatus(stepRun: StepRun, run: Run): StepRun {
  const isOver = run.status !== "running" || isInterrupted(run);
  return stepRun.status === "running" && isOver ? { ...stepRun, status: "interrupted" } : stepRun;
}

/** Whether a run was started on another machine (or in another container), of which nothing can be told from here. */
export function isElsewhere({ environment }: Run): boolean {
  return isProcessElsewhere(environment);
}

function isInterrupted(run: Run): boolean {
  return run.status === "running" && findProcessState(run.environment) === "gone";
}
