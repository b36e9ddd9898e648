/** `reprise invalidate`. */
import { applyInvalidation, planInvalidation } from "../../history/invalidation.ts";
import { confirm } from "../confirm.ts";
import type { Handler } from "../context.ts";
import { formatAgo, formatCount, formatDuration } from "../format.ts";
import { printTable } from "../print.ts";

export const invalidate: Handler<"invalidate"> = async (context) => {
  const { flags, printer, globals } = context;
  const { metadata } = await context.openStack();
  const planned = await planInvalidation(metadata, context.args[0] ?? "", { downstream: flags.downstream });
  const { entries } = planned;
  const data = (applied: boolean) => ({ applied, entries });
  if (entries.length === 0) {
    return context.answer(data(false), () => printer.line("  Nothing stored is valid there"));
  }
  if (!globals.json) {
    printTable(printer, entries, [
      { title: "step", value: (entry) => entry.step },
      { title: "made by", value: (entry) => entry.origin, flexible: true },
      { title: "made", value: (entry) => formatAgo(entry.createdAt, Date.now()) },
      { title: "took", value: (entry) => formatDuration(entry.durationMs), align: "right" },
    ]);
  }
  if (flags["dry-run"]) return context.answer(data(false), () => printer.line("  Nothing was changed"));
  if (!(await confirm(context, `Drop ${formatCount(entries.length, "stored result")}?`, flags))) return 1;
  await applyInvalidation(metadata, planned, Date.now());
  return context.answer(data(true), () =>
    printer.line(`  Dropped ${formatCount(entries.length, "stored result")}: the next run executes the step again`),
  );
};
