/**
 * Reprise: machine-learning and AI pipelines in TypeScript. Run it again; only what changed is played again.
 *
 * @packageDocumentation
 */
import "./stack/require-node.ts";
import { installWatchers } from "./observe/install.ts";
import { createPipelineFunction, type PipelineFunction } from "./define/index.ts";
import type { History } from "./history/history.ts";

// Before the modules that are imported after this one take functions from Node.
installWatchers("script");

/** Defines a pipeline: a function of its params that calls steps. */
export const pipeline: PipelineFunction = createPipelineFunction({
  // What runs pipelines is loaded by the first run: a file that only defines them costs nothing.
  run: async (...given) => (await import("./cli/executor.ts")).runFromScript(...given),
});

/** Opens the past of a stack's store: runs, artifacts, versions, lineage. Looks for the project as a run does. */
export async function openHistory(
  options: { readonly store?: string; readonly stack?: string; readonly cwd?: string } = {},
): Promise<History> {
  const [{ openSharedStack }, history] = await Promise.all([
    import("./stack/shared-stack.ts"),
    import("./history/history.ts"),
  ]);
  return history.openHistory(await openSharedStack({ ...options, purpose: "look" }));
}

const opened = async (): Promise<History> => await openHistory();

/** The past of the current project's store: {@link openHistory} with nothing to choose. */
export const reprise: History = {
  runs: async (...given) => await (await opened()).runs(...given),
  run: async (...given) => await (await opened()).run(...given),
  artifacts: async (...given) => await (await opened()).artifacts(...given),
  artifact: async (...given) => await (await opened()).artifact(...given),
  pipelines: async () => await (await opened()).pipelines(),
  versions: async (...given) => await (await opened()).versions(...given),
  lineage: async (...given) => await (await opened()).lineage(...given),
  why: async (...given) => await (await opened()).why(...given),
  diffRuns: async (...given) => await (await opened()).diffRuns(...given),
  diffVersions: async (...given) => await (await opened()).diffVersions(...given),
  diffArtifacts: async (...given) => await (await opened()).diffArtifacts(...given),
  cache: {
    entries: async (...given) => await (await opened()).cache.entries(...given),
    stats: async (...given) => await (await opened()).cache.stats(...given),
    why: async (...given) => await (await opened()).cache.why(...given),
    pin: async (...given) => await (await opened()).cache.pin(...given),
    unpin: async (...given) => await (await opened()).cache.unpin(...given),
    export: async (...given) => await (await opened()).cache.export(...given),
    import: async (...given) => await (await opened()).cache.import(...given),
  },
};

export { isPipeline, isStep, step } from "./define/index.ts";
export type {
  ArtifactInfo,
  BlobReader,
  BlobRef,
  BlobSource,
  BlobWriter,
  CacheOption,
  CallOptions,
  Description,
  Duration,
  HttpOption,
  LogFunction,
  Materializer,
  OutputHandle,
  Pipeline,
  Plan,
  Preview,
  ReadDeclaration,
  ReadsOption,
  Ref,
  RunHandle,
  RunOptions,
  SecretsOption,
  SecretUse,
  Step,
  StepContext,
  StepOptions,
  StepSummary,
  ValueHandle,
  Written,
} from "./define/index.ts";
export {
  bytes,
  csv,
  directory,
  file,
  html,
  jpeg,
  json,
  markdown,
  png,
  svg,
  table,
  tensor,
  text,
} from "./materializer/index.ts";
export type { Image, StoredDirectory, StoredFile, Table, Tensor, TextDocument } from "./materializer/index.ts";
export { defineConfig, type Config, type StackConfig } from "./stack/define-config.ts";
export {
  ConflictError,
  DefinitionError,
  InternalError,
  RepriseError,
  RunError,
  StoreError,
  UsageError,
  ValueError,
  type ErrorCode,
  type Place,
  type Problem,
} from "./error.ts";
export type { History, RecordedRun, RecordedStep, RunListOptions, StoredArtifact } from "./history/history.ts";
export type { ExportReport } from "./history/archive/export-entries.ts";
export type { ImportOptions, ImportReport } from "./history/archive/import-entries.ts";
export type { CacheHistory } from "./history/cache-history.ts";
export type { CacheStats } from "./history/cache-stats.ts";
export type { EntryExplanation } from "./history/explain-entries.ts";
export type { CacheEntrySummary } from "./history/list-entries.ts";
export type { Lineage, LineageOptions } from "./history/lineage.ts";
export type { RunSummary } from "./history/list-runs.ts";
export type { StepExplanation } from "./history/explain-step-run.ts";
export type { VersionDiff } from "./history/diff-versions.ts";
export type { RunDiff } from "./history/diff-runs.ts";
export type { Difference, Reason, ReasonCode } from "./record/reason.ts";
