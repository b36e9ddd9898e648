/** A pipeline as its users see it, and as those who run it do. */
import type { PipelineCallOptions } from "./call-options.ts";
import type { CallParameters, Remaining } from "./infer.ts";
import type { PipelineDefinition, Plan } from "./plan.ts";
import type { NodeResult, Ref } from "./reference.ts";
import type { OutputHandle, OutputHandles, RunHandle, RunOptions } from "./run-handle.ts";

/**
 * A pipeline: run it, plan it, or call it in the build of another pipeline, where its nodes become `name/node`.
 * `Arguments` is what it takes, `Built` what its build returns.
 */
export interface Pipeline<Arguments, Built> {
  /** Inside a build: adds this pipeline's nodes, and yields what its build returns. */
  (...given: CallParameters<Arguments, PipelineCallOptions>): BuiltResult<Built>;
  /** Runs it, and answers when the run has ended. Throws a ValueError for params that do not fit, a RunError for a failed run. */
  run(...given: CallParameters<Arguments, RunOptions>): Promise<RunHandle<OutputHandles<Built>>>;
  /** What a run would consist of. Executes no step. */
  plan(...given: CallParameters<Arguments, never>): Plan;
  /** The same pipeline with some of its params or steps already given. */
  with<const Some extends Partial<Arguments>>(some: Some): Pipeline<Remaining<Arguments, keyof Some>, Built>;
  readonly definition: PipelineDefinition;
}

/** Any pipeline, as the runner and the command line see it. */
export interface AnyPipeline {
  readonly definition: PipelineDefinition;
  /** Runs with params that nobody has checked yet: a command line's. */
  run(params?: never, options?: RunOptions): Promise<RunHandle<object>>;
}

/** What a call of a pipeline in a build yields: what its build returned; it is good for `after` in any case. */
export type BuiltResult<B> = 0 extends 1 & B
  ? B
  : [B] extends [void]
    ? NodeResult
    : B extends Ref<unknown> | readonly unknown[]
      ? B
      : B & NodeResult;

/** Runs pipelines. The definition layer has none of its own: whoever makes `pipeline` binds one. */
export interface PipelineExecutor {
  /** Params as the caller gave them; {@link planPipeline} checks them. The options are checked already. */
  run(
    pipeline: AnyPipeline,
    params: Readonly<Record<string, unknown>>,
    options: RunOptions,
  ): Promise<RunHandle<Readonly<Record<string, OutputHandle<unknown>>>>>;
}
