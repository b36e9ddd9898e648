/** All that is known of a run. */
import type { Artifact } from "../record/artifact.ts";
import type { ArtifactUse, PipelineVersion, Run, StepRun } from "../record/run.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { withLiveStepStatus } from "./live-status.ts";
import { loadStepResults, type StepResult } from "./step-results.ts";

export interface StepDetails extends StepResult {
  readonly stepRun: StepRun;
  readonly durationMs: number | undefined;
}

export interface RunDetails {
  readonly run: Run;
  readonly version: PipelineVersion | undefined;
  /** In plan order. */
  readonly steps: readonly StepDetails[];
  readonly durationMs: number | undefined;
  readonly savedMs: number;
  /** The artifacts that its steps took and gave, by `name@version`. */
  readonly artifacts: ReadonlyMap<string, Artifact>;
}

/** Loads a run's steps with what they left behind; logs are loaded apart, because they may be long. */
export async function loadRunDetails(metadata: MetadataStore, run: Run): Promise<RunDetails> {
  const stored = await metadata.stepRuns({ runs: [run.id] });
  const stepRuns = stored.map((stepRun) => withLiveStepStatus(stepRun, run));
  const results = await loadStepResults(metadata, stepRuns);
  const [version] = await metadata.versions(run.pipeline, run.version);
  const uses = stepRuns.flatMap((stepRun) => [...stepRun.inputs, ...stepRun.outputs]);
  return {
    run,
    version,
    steps: stepRuns.map((stepRun) => ({
      stepRun,
      durationMs: stepRun.finishedAt === undefined ? undefined : stepRun.finishedAt - stepRun.startedAt,
      ...(results.get(stepRun.id) ?? { executed: undefined, metrics: [], metadata: {}, tags: [] }),
    })),
    durationMs: run.finishedAt === undefined ? undefined : run.finishedAt - run.startedAt,
    savedMs: stepRuns.reduce((sum, stepRun) => sum + (stepRun.savedMs ?? 0), 0),
    artifacts: await loadUsedArtifacts(metadata, uses),
  };
}

/** The records of used artifacts, by `name@version`. */
async function loadUsedArtifacts(
  metadata: MetadataStore,
  uses: readonly ArtifactUse[],
): Promise<ReadonlyMap<string, Artifact>> {
  const digests = [...new Set(uses.map((use) => use.digest))];
  if (digests.length === 0) return new Map();
  const found = await metadata.artifacts({ digests });
  return new Map(found.map((artifact) => [artifactKey(artifact), artifact]));
}

/** `model@v3`. */
export function artifactKey({ name, version }: { readonly name: string; readonly version: number }): string {
  return `${name}@v${version}`;
}
