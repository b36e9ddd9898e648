/** `reprise graph`. */
import { UsageError } from "../../error.ts";
import { findRun } from "../../history/find-run.ts";
import { renderDot, renderMermaid, renderTree, toPlanGraph, type DrawnGraph } from "../../history/graph.ts";
import { loadRunDetails } from "../../history/run-details.ts";
import { toPlanRecord } from "../../runner/plan-record.ts";
import type { Context, Handler } from "../context.ts";
import { findPipeline } from "../find-pipeline.ts";
import { planWithWords, readParams } from "../plan-command.ts";

export const graph: Handler<"graph"> = async (context) => {
  const drawn = await drawGraph(context);
  const { printer } = context;
  context.answer(drawn, () => {
    switch (context.flags.format) {
      case "mermaid":
        return printer.terminal.write(renderMermaid(drawn));
      case "dot":
        return printer.terminal.write(renderDot(drawn));
      case "json":
        return printer.terminal.write(`${JSON.stringify(drawn, undefined, 2)}\n`);
      default:
        for (const line of renderTree(drawn)) printer.line(`  ${line}`);
    }
  });
};

async function drawGraph(context: Context<"graph">): Promise<DrawnGraph> {
  const stack = await context.openStack();
  const { run: selector } = context.flags;
  if (selector === undefined) {
    const { pipeline } = await findPipeline(stack, context.cwd, context.args[0]);
    return toPlanGraph(toPlanRecord(planWithWords(pipeline, await readParams(context, pipeline.definition.params))));
  }
  const run = await findRun(stack.metadata, selector);
  const { version, steps } = await loadRunDetails(stack.metadata, run);
  if (version === undefined) {
    throw new UsageError("RPS6002", `Version ${run.version} of "${run.pipeline}" is not in the store`, {
      hint: "Draw the pipeline as it is now: reprise graph FILE",
    });
  }
  return toPlanGraph(version.plan, new Map(steps.map(({ stepRun }) => [stepRun.node, stepRun.status])));
}
