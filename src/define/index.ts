/** What a user writes. */
export type { AnyPipeline, Pipeline, PipelineExecutor } from "./pipeline-definition.ts";
export type { After, CallOptions, PipelineCallOptions } from "./call-options.ts";
export type { CallSite } from "./call-site.ts";
export type { DeclaredRead, ReadDeclaration, ReadsOption } from "./declared-read.ts";
export type { LogFunction, StepContext } from "./context.ts";
export type { Mistake } from "./mistake.ts";
export type {
  BlobReader,
  BlobRef,
  BlobSource,
  BlobWriter,
  Description,
  Materializer,
  Preview,
  Written,
} from "./materializer.ts";
export type {
  CacheMode,
  CacheOption,
  Duration,
  HttpOption,
  HttpPolicy,
  SecretsOption,
  SecretUse,
  StepIdentityOptions,
  StepOptions,
} from "./options.ts";
export type { PipelineFunction, PipelineSource } from "./pipeline.ts";
export type {
  Argument,
  Declaration,
  NodeId,
  OutputName,
  PipelineDefinition,
  Plan,
  PlanNode,
  StepDefinition,
} from "./plan.ts";
export type { NodeResult, Ref } from "./reference.ts";
export type { EffectiveOptions, OptionLevel, OptionLevels } from "./resolve-options.ts";
export type {
  ArtifactInfo,
  OutputHandle,
  OutputHandles,
  RunHandle,
  RunOptions,
  StepSummary,
  ValueHandle,
} from "./run-handle.ts";
export type { DefinedPipeline } from "./defined-pipelines.ts";
export type { Step, StepSource } from "./step.ts";
export type { CollectedLine, TestContext } from "./test-context.ts";
export { captureCallSites, toPlace } from "./capture-call-sites.ts";
export { checkRunOptions } from "./check-options.ts";
export { checkPlan } from "./check-plan.ts";
export { parseDuration } from "./duration.ts";
export { checkName } from "./name.ts";
export { createPipelineFunction } from "./pipeline.ts";
export { planPipeline } from "./plan-pipeline.ts";
export { singleOutput } from "./plan.ts";
export { resolveIdentity, resolveNodeOptions, resolveReads, resolveOptions, toCacheMode } from "./resolve-options.ts";
export { validateInputs, validateOutputs } from "./run-step-function.ts";
export { definedPipelines } from "./defined-pipelines.ts";
export { isPipeline, isStep } from "./definition-mark.ts";
export { step } from "./step.ts";
export { suggestName } from "./suggest-name.ts";
export { openTestContext } from "./test-context.ts";
