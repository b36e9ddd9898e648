/** What the second argument of a call in a build can say. */
import type { StepIdentityOptions, StepOptions } from "./options.ts";
import type { NodeResult, Ref } from "./reference.ts";

/** Order without data: outputs, whole results of calls, or lists of these, that must be there before a node starts. */
export type After = Ref<unknown> | NodeResult | readonly After[];

export interface CallOptions extends StepOptions, StepIdentityOptions {
  /** The node's name in the plan, instead of the step's. */
  readonly name?: string;
  readonly after?: After;
}

/** As {@link CallOptions}, of a pipeline inside another one. */
export interface PipelineCallOptions extends StepOptions {
  /** What its nodes' names start with, instead of the pipeline's name. */
  readonly name?: string;
  readonly after?: After;
}
