/** What tells steps and pipelines from other functions, of this or another copy of Reprise. */
import type { PipelineDefinition, StepDefinition } from "./plan.ts";

const stepKey = Symbol.for("reprise.step");
const pipelineKey = Symbol.for("reprise.pipeline");

/** The member that makes a function a step. */
export const stepMark = { [stepKey]: true } as const;

/** The member that makes a function a pipeline. */
export const pipelineMark = { [pipelineKey]: true } as const;

/** Whether a value is a step. */
export function isStep(value: unknown): value is { readonly definition: StepDefinition } {
  return typeof value === "function" && (value as Partial<typeof stepMark>)[stepKey] === true;
}

/** Whether a value is a pipeline. */
export function isPipeline(value: unknown): value is { readonly definition: PipelineDefinition } {
  return typeof value === "function" && (value as Partial<typeof pipelineMark>)[pipelineKey] === true;
}
