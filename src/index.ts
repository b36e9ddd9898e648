/**
 * Reprise: machine-learning and AI pipelines in TypeScript. Run it again; only what changed is played again.
 *
 * @packageDocumentation
 */
import { createPipelineFunction, type PipelineFunction } from "./define/index.ts";

/** Defines a pipeline: a function of its params that calls steps. */
export const pipeline: PipelineFunction = createPipelineFunction({
  // What runs pipelines is loaded by the first run: a file that only defines them costs nothing.
  run: async (...given) => (await import("./cli/executor.ts")).runFromScript(...given),
});

export { step } from "./define/index.ts";
