/** What projects of these tests import as `reprise`: real steps and pipelines, whose runs tell what their code is instead of running. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  createPipelineFunction,
  planPipeline,
  type AnyPipeline,
  type PipelineExecutor,
  type StepDefinition,
} from "../../src/define/index.ts";

export * from "../../src/define/index.ts";

/** A file that `run` writes its report to; without it, a run does nothing. */
export const reportVariable = "REPRISE_TEST_REPORT";

const executor: PipelineExecutor = {
  run: async (pipeline: AnyPipeline, params: Readonly<Record<string, unknown>>) => {
    const report = process.env[reportVariable];
    if (report !== undefined) await reportRun(report, pipeline, params);
    return {
      id: "run",
      name: "run",
      pipeline: "tested",
      version: 1,
      status: "completed",
      steps: [],
      outputs: {},
    } as never;
  },
};

export const pipeline = createPipelineFunction(executor);

async function reportRun(report: string, run: AnyPipeline, params: Readonly<Record<string, unknown>>): Promise<void> {
  const { openCodeIndex } = await import("../../src/code/index.ts");
  const { reportSteps } = await import("./report-steps.ts");
  const definitions = new Set<StepDefinition>(planPipeline(run, params).nodes.map((node) => node.step));
  const root = process.cwd();
  const index = await openCodeIndex({ root, stateDir: join(root, ".reprise") });
  await writeFile(report, JSON.stringify({ steps: await reportSteps(index, [...definitions]) }));
}
