/** Metrics of reused steps are those of when they were executed: whoever listens is told them again. */
import type { StepRunId } from "../record/id.ts";
import type { StepRun } from "../record/run.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import type { Recorder } from "./recorder.ts";

export async function tellReusedMetrics(
  steps: readonly StepRun[],
  metadata: MetadataStore,
  recorder: Recorder,
): Promise<void> {
  if (!recorder.isHeard) return;
  const reusing = new Map<StepRunId, StepRunId[]>();
  for (const { id, origin } of steps)
    if (origin !== undefined) reusing.set(origin, [...(reusing.get(origin) ?? []), id]);
  if (reusing.size === 0) return;
  for (const point of await metadata.metrics({ stepRuns: [...reusing.keys()] })) {
    for (const stepRun of reusing.get(point.stepRun) ?? []) {
      recorder.emit({ kind: "metric", time: point.time, point: { ...point, stepRun } });
    }
  }
}
