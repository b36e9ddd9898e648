/** Pipelines that run in memory, on ports and without a stack. */
import { createPipelineFunction, planPipeline, type AnyPipeline } from "../../src/define/index.ts";
import { runPlan, type RunOutcome, type RunPlanOptions } from "../../src/runner/run.ts";
import type { MemoryPorts } from "./ports.ts";

/** As users have it, for pipelines whose plans are run by {@link run}. */
export const pipeline = createPipelineFunction({
  run: () => {
    throw new Error("these tests run plans");
  },
});

export async function run(
  ports: MemoryPorts,
  of: unknown,
  params: object = {},
  options: RunPlanOptions = {},
): Promise<RunOutcome> {
  return await runPlan(planPipeline(of as AnyPipeline, params as Record<string, unknown>), ports, options);
}
