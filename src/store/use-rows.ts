/** What a step run used, as rows. */
import type { StepRun } from "../record/run.ts";
import type { ArtifactUseRow } from "./metadata-store.ts";

/** Inputs first. */
export function toUseRows(stepRun: Pick<StepRun, "id" | "inputs" | "outputs">): ArtifactUseRow[] {
  return (["input", "output"] as const).flatMap((role) =>
    stepRun[`${role}s`].map(({ artifact, version, slot }) => ({ artifact, version, stepRun: stepRun.id, role, slot })),
  );
}
