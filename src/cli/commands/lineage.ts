/** `reprise lineage`. */
import { renderDot, renderMermaid, renderTree, toLineageGraph } from "../../history/graph.ts";
import { openHistory } from "../../history/history.ts";
import type { Lineage } from "../../history/lineage.ts";
import type { Handler } from "../context.ts";
import type { Printer } from "../print.ts";

export const lineage: Handler<"lineage"> = async (context) => {
  const { flags, printer } = context;
  const direction = flags.up === flags.down ? "both" : flags.up ? "up" : "down";
  const history = openHistory(await context.openStack());
  const found = await history.lineage(context.args[0] ?? "", { direction, depth: flags.depth });
  context.answer(found, () => {
    const graph = toLineageGraph(found);
    if (flags.graph === "mermaid") printer.terminal.write(renderMermaid(graph));
    else if (flags.graph === "dot") printer.terminal.write(renderDot(graph));
    else printTree(printer, found);
  });
};

/** Everything that leads to the end reads from the top down, in the direction of the data. */
function printTree(printer: Printer, found: Lineage): void {
  for (const line of renderTree(toLineageGraph(found))) {
    const isRoot = found.roots.some((root) => line.endsWith(` ${root}`) || line === root);
    printer.line(`  ${isRoot ? printer.style("bold", line) : line}`);
  }
}
