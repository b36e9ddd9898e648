/** A step run of a run that repeats another one. */
import { toStepRunId } from "../record/id.ts";
import type { Run, StepRun } from "../record/run.ts";

/** As the other run has it, at the time of this one. */
export function repeatStepRun(stepRun: StepRun, run: Pick<Run, "id" | "startedAt" | "finishedAt">): StepRun {
  const { id, startedAt, finishedAt } = run;
  return { ...stepRun, id: toStepRunId(id, stepRun.node), run: id, startedAt, finishedAt };
}
