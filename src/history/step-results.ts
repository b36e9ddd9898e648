/** What step runs left behind; a reused one has what its origin left. */
import type { StepRunId } from "../record/id.ts";
import type { LogLine, MetricPoint, StepRun } from "../record/run.ts";
import type { MetadataStore } from "../store/metadata-store.ts";

export interface StepResult {
  /** The step run that executed: itself, or its origin. Undefined when the origin was removed. */
  readonly executed: StepRun | undefined;
  readonly metrics: readonly MetricPoint[];
  readonly metadata: StepRun["metadata"];
  readonly tags: readonly string[];
}

/** The results of many step runs in few questions. */
export async function loadStepResults(
  metadata: MetadataStore,
  stepRuns: readonly StepRun[],
): Promise<ReadonlyMap<StepRunId, StepResult>> {
  const origins = [...new Set(stepRuns.flatMap((stepRun) => stepRun.origin ?? []))];
  const known = new Map(stepRuns.map((stepRun) => [stepRun.id, stepRun]));
  const missing = origins.filter((id) => !known.has(id));
  if (missing.length > 0) for (const each of await metadata.stepRuns({ ids: missing })) known.set(each.id, each);
  const executedIds = [...new Set(stepRuns.map((stepRun) => stepRun.origin ?? stepRun.id))];
  const points = Map.groupBy(
    executedIds.length === 0 ? [] : await metadata.metrics({ stepRuns: executedIds }),
    (point) => point.stepRun,
  );
  return new Map(
    stepRuns.map((stepRun) => {
      const executed = known.get(stepRun.origin ?? stepRun.id);
      const source = executed ?? stepRun;
      return [
        stepRun.id,
        {
          executed,
          metrics: points.get(stepRun.origin ?? stepRun.id) ?? [],
          metadata: source.metadata,
          tags: source.tags,
        },
      ];
    }),
  );
}

/** The log of a step run; of a reused one, what was written when it executed. */
export async function loadLog(metadata: MetadataStore, stepRun: StepRun): Promise<readonly LogLine[]> {
  return await metadata.logs({ stepRuns: [stepRun.origin ?? stepRun.id] });
}

/** The last value of each metric, by `node.name`. */
export function lastMetrics(
  stepRuns: readonly StepRun[],
  results: ReadonlyMap<StepRunId, StepResult>,
): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const stepRun of stepRuns) {
    for (const point of results.get(stepRun.id)?.metrics ?? []) last.set(`${stepRun.node}.${point.name}`, point.value);
  }
  return last;
}
