/** The past of a store, for programs: the same answers that the terminal prints. */
import { loadValue } from "../materializer/stored-value.ts";
import type { Artifact } from "../record/artifact.ts";
import type { ArgumentRecord, ArtifactUse, LogLine, PipelineVersion, Run, StepRun } from "../record/run.ts";
import type { ArtifactQuery, PipelineSummary } from "../store/metadata-store.ts";
import { openCacheHistory, type CacheHistory } from "./cache-history.ts";
import { diffArtifacts, type ArtifactDiff } from "./diff-artifacts.ts";
import { diffRuns, type RunDiff } from "./diff-runs.ts";
import { diffVersions, type VersionDiff } from "./diff-versions.ts";
import { explainStepRun, type StepExplanation } from "./explain-step-run.ts";
import { findArtifact, findArtifactName, findStepRun } from "./find-artifact.ts";
import { findRun } from "./find-run.ts";
import { traceArtifacts, traceRun, type Lineage, type LineageOptions } from "./lineage.ts";
import { listRuns, type RunSummary } from "./list-runs.ts";
import { withLiveStatus } from "./live-status.ts";
import { orUndefined } from "./or-undefined.ts";
import type { HistoryPorts } from "./ports.ts";
import { artifactKey, loadRunDetails, type StepDetails } from "./run-details.ts";
import { parseRunFilter, type RunFilter } from "./run-filter.ts";
import { loadLog } from "./step-results.ts";
import { UsageError } from "../error.ts";
import { didYouMean } from "./did-you-mean.ts";

/** An artifact whose value can be loaded. */
export interface StoredArtifact extends Artifact {
  /** Reads the value, anew at each call, and verifies its bytes. */
  load<T = unknown>(): Promise<T>;
}

/** A step of a run. A reused one has the metrics, metadata, tags and log of when it was executed. */
export interface RecordedStep extends StepRun, Pick<StepDetails, "durationMs" | "executed" | "metrics"> {
  /** By argument; an element of a fan-in is `models[0]`. */
  readonly inputArtifacts: Readonly<Record<string, StoredArtifact>>;
  readonly outputArtifacts: Readonly<Record<string, StoredArtifact>>;
  log(): Promise<readonly LogLine[]>;
}

export interface RecordedRun extends Omit<Run, "outputs"> {
  readonly durationMs: number | undefined;
  readonly savedMs: number;
  /** In plan order. */
  readonly steps: readonly RecordedStep[];
  /** Throws a UsageError when the run has no such step. */
  step(name: string): RecordedStep;
  /** What the build returned, as far as it is there: references to steps that ended well. */
  readonly outputs: Readonly<Record<string, StoredArtifact>>;
}

export interface RunListOptions extends RunFilter {
  readonly limit?: number;
}

export interface History {
  /** Newest first. Takes a query in words (`status:failed since:7d metrics.f1>0.8`) or its parts. */
  runs(query?: string | RunListOptions): Promise<readonly RunSummary[]>;
  /** By `last`, `last~2`, `last:failed`, id, name, tag, or the beginning of an id. */
  run(selector: string): Promise<RecordedRun>;
  /** Newest first; of one name, also given by its end, all versions. */
  artifacts(query?: string | ArtifactQuery): Promise<readonly StoredArtifact[]>;
  /** By `trainer.model`, `model`, `model@v3`. */
  artifact(selector: string): Promise<StoredArtifact>;
  pipelines(): Promise<readonly PipelineSummary[]>;
  /** Oldest first. */
  versions(pipeline: string): Promise<readonly PipelineVersion[]>;
  /** Of an artifact or a run. */
  lineage(selector: string, options?: LineageOptions): Promise<Lineage>;
  /** Why a step ran or was reused; compared with the same step of the run `against`, or the closest earlier one. */
  why(step: string, options?: { readonly run?: string; readonly against?: string }): Promise<StepExplanation>;
  diffRuns(from: string, to: string): Promise<RunDiff>;
  diffVersions(pipeline: string, from: number, to: number): Promise<VersionDiff>;
  diffArtifacts(from: string, to: string): Promise<ArtifactDiff>;
  /** Stored results, apart from the runs that made them. */
  readonly cache: CacheHistory;
}

/** Opens the past of a stack's store. It reads when asked, and keeps nothing. */
export function openHistory(ports: HistoryPorts): History {
  const { metadata } = ports;
  return {
    async runs(query = {}) {
      if (typeof query === "string") return await listRuns(metadata, parseRunFilter(query, Date.now()));
      const { limit, ...filter } = query;
      return await listRuns(metadata, filter, limit);
    },
    run: async (selector) => await openRun(ports, await findRun(metadata, selector)),
    async artifacts(query = {}) {
      const asked = typeof query === "string" ? { name: await findArtifactName(metadata, query) } : query;
      return (await metadata.artifacts(asked)).map((artifact) => toStored(ports, artifact));
    },
    artifact: async (selector) => toStored(ports, await findArtifact(metadata, selector)),
    async pipelines() {
      const found = await metadata.pipelines();
      return found.map(({ lastRun, ...rest }) => ({ ...rest, lastRun: lastRun && withLiveStatus(lastRun) }));
    },
    versions: async (pipeline) => await loadVersions(ports, pipeline),
    lineage: async (selector, options) => await traceSelected(ports, selector, options),
    async why(step, { run: selector = "last", against } = {}) {
      const run = await findRun(metadata, selector);
      const stepRun = findStepRun(await metadata.stepRuns({ runs: [run.id] }), step);
      if (against === undefined) return await explainStepRun(metadata, run, stepRun);
      const other = await findRun(metadata, against);
      const others = await metadata.stepRuns({ runs: [other.id] });
      return await explainStepRun(metadata, run, stepRun, findStepRun(others, stepRun.node));
    },
    diffRuns: async (from, to) => await diffRuns(metadata, await findRun(metadata, from), await findRun(metadata, to)),
    async diffVersions(pipeline, from, to) {
      const versions = await loadVersions(ports, pipeline);
      return await diffVersions(metadata, findVersion(versions, pipeline, from), findVersion(versions, pipeline, to));
    },
    diffArtifacts: async (from, to) =>
      diffArtifacts(await findArtifact(metadata, from), await findArtifact(metadata, to)),
    cache: openCacheHistory(ports),
  };
}

async function loadVersions({ metadata }: HistoryPorts, pipeline: string): Promise<readonly PipelineVersion[]> {
  const versions = await metadata.versions(pipeline);
  if (versions.length > 0) return versions;
  const names = (await metadata.pipelines()).map((each) => each.pipeline);
  throw new UsageError("RPS6002", `There is no pipeline "${pipeline}" in the store`, {
    hint: didYouMean(pipeline, names) ?? (names.length === 0 ? "Run one first" : `Known: ${names.join(", ")}`),
  });
}

function findVersion(versions: readonly PipelineVersion[], pipeline: string, number: number): PipelineVersion {
  const found = versions.find((each) => each.version === number);
  if (found !== undefined) return found;
  const newest = versions.at(-1)?.version ?? 1;
  throw new UsageError("RPS6002", `Pipeline "${pipeline}" has no version ${number}`, {
    hint: newest === 1 ? "Its only version is v1" : `It has the versions v1 to v${newest}`,
  });
}

/** A run, where the selector names one; else an artifact. */
async function traceSelected(ports: HistoryPorts, selector: string, options?: LineageOptions): Promise<Lineage> {
  const { metadata } = ports;
  const run = await orUndefined(findRun(metadata, selector));
  if (run !== undefined) return await traceRun(metadata, run, options);
  return await traceArtifacts(metadata, [await findArtifact(metadata, selector)], options);
}

async function openRun(ports: HistoryPorts, run: Run): Promise<RecordedRun> {
  const details = await loadRunDetails(ports.metadata, run);
  const toArtifacts = (uses: readonly ArtifactUse[]): Record<string, StoredArtifact> => {
    const found: Record<string, StoredArtifact> = {};
    for (const use of uses) {
      const artifact = details.artifacts.get(artifactKey({ name: use.artifact, version: use.version }));
      if (artifact !== undefined) found[use.slot] = toStored(ports, artifact);
    }
    return found;
  };
  const steps = details.steps.map(({ stepRun, durationMs, executed, metrics, metadata, tags }): RecordedStep => ({
    ...stepRun,
    durationMs,
    executed,
    metrics,
    metadata,
    tags,
    inputArtifacts: toArtifacts(stepRun.inputs),
    outputArtifacts: toArtifacts(stepRun.outputs),
    log: async () => await loadLog(ports.metadata, stepRun),
  }));
  return {
    ...run,
    durationMs: details.durationMs,
    savedMs: details.savedMs,
    steps,
    step: (name) => findStepRun(steps, name),
    outputs: toOutputs(run.outputs, steps),
  };
}

function toOutputs(
  outputs: Readonly<Record<string, ArgumentRecord>>,
  steps: readonly RecordedStep[],
): Record<string, StoredArtifact> {
  const found: Record<string, StoredArtifact> = {};
  const visit = (name: string, argument: ArgumentRecord): void => {
    if (argument.kind === "list") for (const [at, item] of argument.items.entries()) visit(`${name}[${at}]`, item);
    if (argument.kind !== "ref") return;
    const artifact = steps.find((step) => step.node === argument.node)?.outputArtifacts[argument.output];
    if (artifact !== undefined) found[name] = artifact;
  };
  for (const [name, argument] of Object.entries(outputs)) visit(name, argument);
  return found;
}

function toStored({ registry, content }: HistoryPorts, artifact: Artifact): StoredArtifact {
  return {
    ...artifact,
    load: async <T>() => (await loadValue(artifact, { registry, blobs: content })) as T,
  };
}
