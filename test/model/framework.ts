/**
 * Reprise as the projects of the model test import it: a pipeline that a step runs is run with what the run of that step
 * is run with, instead of with a stack that stays open for the whole process.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { createPipelineFunction, type PipelineFunction } from "../../src/define/index.ts";
import type { PipelineExecutor } from "../../src/define/pipeline-definition.ts";

export * from "../../src/index.ts";

export type Executor = PipelineExecutor["run"];

const executors = new AsyncLocalStorage<Executor>();

export const pipeline: PipelineFunction = createPipelineFunction({
  run: async (...given) => {
    const executor = executors.getStore();
    if (executor === undefined) throw new TypeError("a pipeline was run outside of a run of the test");
    return await executor(...given);
  },
});

/** Within work, pipelines are run so. */
export function withExecutor<T>(executor: Executor, work: () => T): T {
  return executors.run(executor, work);
}
