/** `reprise versions`. */
import { openHistory } from "../../history/history.ts";
import type { Handler } from "../context.ts";
import { choosePipeline } from "../choose-pipeline.ts";
import { formatTime } from "../format.ts";
import { printTable } from "../print.ts";

export const versions: Handler<"versions"> = async (context) => {
  const stack = await context.openStack();
  const history = openHistory(stack);
  const found = await history.versions(await choosePipeline(history, context.args[0]));
  const runs = await stack.metadata.runs({ pipeline: found[0]?.pipeline ?? "" });
  const rows = found.map((version) => ({
    ...version,
    runs: runs.filter((run) => run.version === version.version).length,
  }));
  context.answer(rows, () =>
    printTable(context.printer, rows, [
      { title: "version", value: (each) => `v${each.version}` },
      { title: "runs", value: (each) => String(each.runs), align: "right" },
      { title: "first seen", value: (each) => formatTime(each.createdAt) },
      { title: "steps", value: (each) => each.plan.nodes.map((node) => node.id).join(" "), flexible: true },
    ]),
  );
};
