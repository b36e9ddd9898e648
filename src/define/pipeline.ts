/** `pipeline()`: a function that calls steps, as something to run. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Problem } from "../error.ts";
import { captureCallSites } from "./capture-call-sites.ts";
import { checkOptions, checkRunOptions } from "./check-options.ts";
import type { CheckedBuild, CheckedName, NoSchema, PipelineArguments } from "./infer.ts";
import { reportRunInside } from "./call-step.ts";
import { rememberPipeline } from "./defined-pipelines.ts";
import { pipelineMark } from "./definition-mark.ts";
import { checkName } from "./name.ts";
import type { StepOptions } from "./options.ts";
import type { AnyPipeline, Pipeline, PipelineExecutor } from "./pipeline-definition.ts";
import type { PipelineDefinition } from "./plan.ts";
import { report } from "./reference.ts";
import { asyncBuild, callPipeline, planPipeline } from "./plan-pipeline.ts";
import type { RunOptions } from "./run-handle.ts";
import { state } from "./state.ts";
import { throwProblems } from "./throw-problems.ts";
import { isSchema } from "./validate.ts";

/** What a pipeline is defined by; `name` and `build` are enough. */
export interface PipelineSource<Name extends string, B, P extends StandardSchemaV1, I> extends StepOptions {
  readonly name: CheckedName<Name>;
  /** Validates the params and fills in defaults. What else the build takes (references, steps) passes as it is. */
  readonly params?: P;
  /** Calls steps, and returns the outputs of the pipeline. Synchronous, and run anew for each plan. */
  readonly build: ((params: I) => B) & CheckedBuild<B>;
  /** Params whose values are never kept and never shown, as `["apiKey"]`; steps that they are passed to need not say so again. */
  readonly secrets?: readonly (keyof NoInfer<I> & string)[];
}

/** The type of `pipeline()`. */
export interface PipelineFunction {
  /**
   * Defines a pipeline. It joins {@link definedPipelines}, exported or not.
   *
   * Throws a DefinitionError with all that is wrong with the definition.
   */
  <const Name extends string, B, P extends StandardSchemaV1 = NoSchema, I = StandardSchemaV1.InferOutput<P>>(
    source: PipelineSource<Name, B, P, I>,
  ): Pipeline<PipelineArguments<I, P>, B>;
}

/** Makes the `pipeline()` whose pipelines are run by this executor. */
export function createPipelineFunction(executor: PipelineExecutor): PipelineFunction {
  const pipeline = (source: LooseSource): unknown => {
    const sites = captureCallSites(1);
    throwProblems(checkSource(source), sites);
    const { name, params, build, secrets, ...options } = source;
    const marked = secrets === undefined ? {} : { secrets };
    const definition: PipelineDefinition = { name, params, build, options, ...marked, sites };
    const defined = createPipeline(definition, {}, executor);
    rememberPipeline(defined);
    return defined;
  };
  return pipeline as unknown as PipelineFunction;
}

type LooseSource = StepOptions & {
  readonly name: string;
  readonly params: StandardSchemaV1 | undefined;
  readonly build: PipelineDefinition["build"];
  readonly secrets?: readonly string[];
};

type Params = Readonly<Record<string, unknown>>;

function createPipeline(definition: PipelineDefinition, preset: Params, executor: PipelineExecutor): AnyPipeline {
  const call = (given: Params = {}, options?: unknown): unknown => {
    if (state.build === undefined) return report(calledOutside(definition));
    return callPipeline(state.build, definition, { ...preset, ...given }, options);
  };
  const members = {
    run: async (params: Params = {}, options: RunOptions = {}) => {
      if (state.build !== undefined) return reportRunInside(`pipeline "${definition.name}"`, definition.name);
      checkRunOptions(options, definition.name);
      return await executor.run(defined, { ...preset, ...params }, options);
    },
    plan: (params: Params = {}) => planPipeline({ definition }, { ...preset, ...params }),
    with: (some: Params) => createPipeline(definition, { ...preset, ...some }, executor),
    definition,
    ...pipelineMark,
  };
  Object.defineProperty(call, "name", { value: definition.name });
  const defined = Object.assign(call, members) as unknown as AnyPipeline;
  return defined;
}

function calledOutside({ name }: PipelineDefinition): Problem {
  return {
    code: "RPS1002",
    message: `Pipeline "${name}" was called outside of a build`,
    hint: "Run it: await firstPipeline.run({ … }); a call is for the build of another pipeline",
  };
}

function checkSource(source: LooseSource): Problem[] {
  const name = checkName("A pipeline's name", source.name);
  const where = name === undefined ? `pipeline "${source.name}"` : "a pipeline";
  const problems = name === undefined ? [] : [name];
  problems.push(...checkOptions("pipeline", source, where));
  if (typeof source.build !== "function") {
    const hint = "Write build({ gamma }) { … }";
    problems.push({ code: "RPS1012", message: `Option "build" of ${where} is not a function`, hint });
  } else if (Object.prototype.toString.call(source.build) === "[object AsyncFunction]") {
    problems.push(asyncBuild(String(source.name)));
  }
  if (source.params !== undefined && !isSchema(source.params)) {
    const hint = "Use an object schema of zod, valibot, arktype or another library";
    problems.push({ code: "RPS1012", message: `Option "params" of ${where} is not a Standard Schema`, hint });
  }
  return problems;
}
