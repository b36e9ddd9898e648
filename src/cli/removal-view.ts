/** What would be removed, and doing it: shared by `gc` and `rm`. */
import { applyRemoval, type Removal } from "../history/removal.ts";
import { confirm } from "./confirm.ts";
import type { Context } from "./context.ts";
import { formatAgo, formatBytes, formatCount } from "./format.ts";
import { printTable } from "./print.ts";

/** Shows the removal, asks, and applies it. Answers with the exit code. */
export async function offerRemoval(
  context: Context,
  removal: Removal,
  flags: { readonly "dry-run": boolean; readonly yes: boolean },
): Promise<number> {
  const { printer, globals } = context;
  const { runs, held, losing, cacheEntries, artifacts, blobs, bytes } = removal;
  const counts = {
    runs: runs.map((run) => run.id),
    held: held.map(({ run, why }) => ({ run: run.id, why })),
    losing: losing.map(({ run, from }) => ({ run: run.id, from: from.id })),
    cacheEntries: cacheEntries.length,
    artifacts: artifacts.length,
    blobs: blobs.length,
    bytes,
  };
  if (!globals.json) {
    if (runs.length > 0) {
      printTable(printer, runs, [
        { title: "run", value: (run) => run.id },
        { title: "pipeline", value: (run) => run.pipeline, flexible: true },
        { title: "status", value: (run) => run.status },
        { title: "started", value: (run) => formatAgo(run.startedAt, Date.now()) },
      ]);
    }
    for (const { run, why } of held) printer.line(`  ${run.id} stays: ${why}`);
    for (const { run, from } of losing) {
      printer.line(`  ${run.id} reuses results of ${from.id}: their logs and metrics go with it`);
    }
    printer.line(
      `  ${formatCount(runs.length, "run")}, ${formatCount(cacheEntries.length, "stored result")}, ` +
        `${formatCount(artifacts.length, "artifact")}, ${formatCount(blobs.length, "blob")}: ${formatBytes(bytes)}`,
    );
  }
  const isEmpty = runs.length + cacheEntries.length + artifacts.length + blobs.length === 0;
  if (flags["dry-run"] || isEmpty) {
    context.answer({ applied: false, ...counts }, () => printer.line("  Nothing was removed"));
    return 0;
  }
  if (!(await confirm(context, `Remove ${formatBytes(bytes)}?`, flags))) return 1;
  const freed = await applyRemoval(await context.openStack(), removal);
  context.answer({ applied: true, ...counts, freed }, () => printer.line(`  Freed ${formatBytes(freed)}`));
  return 0;
}
