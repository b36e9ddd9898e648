/** A pipeline of one step, for tests and threads that share its code: what the step does when it executes is set from outside. */
import { createPipelineFunction, planPipeline, step, type AnyPipeline } from "../../src/define/index.ts";
import type { RunEvent } from "../../src/record/event.ts";
import { runPlan, type RunOutcome } from "../../src/runner/run.ts";
import type { Stack } from "../../src/stack/stack.ts";

export const filling: { execute: () => unknown } = { execute: () => undefined };

const pipeline = createPipelineFunction({ run: () => Promise.reject(new Error("these tests run plans")) });

const fill = step({
  name: "fill",
  version: "1",
  run: async () => {
    await filling.execute();
    return { filled: true };
  },
});
const fills = pipeline({ name: "fills", build: () => fill() });

export async function play(stack: Stack, onEvent: (event: RunEvent) => void = () => {}): Promise<RunOutcome> {
  return await runPlan(planPipeline(fills as unknown as AnyPipeline, {}), stack, { onEvent });
}
