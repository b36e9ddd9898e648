/** What would be removed, and doing it: shared by `gc`, `rm` and `cache rm`. */
import { shortDigest } from "../hash/digest.ts";
import { applyRemoval } from "../history/apply-removal.ts";
import type { Removal } from "../history/removal.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import { confirm } from "./confirm.ts";
import type { Context } from "./context.ts";
import { formatAgo, formatBytes, formatCount } from "./format.ts";
import { printTable, type Printer } from "./print.ts";

/** Shows the removal, asks, and applies it; also what writers have not finished in a time. Answers with the exit code. */
export async function offerRemoval(
  context: Context,
  removal: Removal,
  flags: { readonly "dry-run": boolean; readonly yes: boolean },
  { unfinishedMs }: { readonly unfinishedMs?: number } = {},
): Promise<number> {
  const stack = await context.openStack();
  const sweep = async (dryRun: boolean): Promise<number> =>
    unfinishedMs === undefined
      ? 0
      : (await stack.blobs.sweep(unfinishedMs, { dryRun })) + stack.code.sweep(unfinishedMs, { dryRun });
  const unfinished = await sweep(true);
  const { printer, globals } = context;
  const { runs, held, losing, cacheEntries, pinned, artifacts, blobs, bytes, traces, keys, leases, files } = removal;
  const counts = {
    runs: runs.map((run) => run.id),
    held: held.map(({ run, why }) => ({ run: run.id, why })),
    losing: losing.map(({ run, from }) => ({ run: run.id, from: from.id })),
    cacheEntries: cacheEntries.length,
    results: cacheEntries.map(toName),
    pinned: pinned.map(toName),
    artifacts: artifacts.length,
    blobs: blobs.length,
    bytes,
    traces: traces.length,
    keys: keys.length,
    leases: leases.length,
    files: files.length,
    unfinishedBytes: unfinished,
  };
  if (!globals.json) {
    printRemoval(printer, removal);
    if (unfinished > 0) printer.line(`  ${formatBytes(unfinished)} that killed writers left unfinished`);
  }
  const lists = [runs, cacheEntries, artifacts, blobs, traces, keys, leases, files];
  const isEmpty = lists.every((list) => list.length === 0) && unfinished === 0;
  if (flags["dry-run"] || isEmpty) {
    // Of files without bytes there is nothing to ask.
    if (!flags["dry-run"]) await sweep(false);
    context.answer({ applied: false, ...counts }, () => printer.line("  Nothing was removed"));
    return 0;
  }
  if (!(await confirm(context, `Remove ${formatBytes(bytes + unfinished)}?`, flags))) return 1;
  const freed = await applyRemoval(stack, removal);
  const total = freed.bytes + (await sweep(false));
  context.answer({ applied: true, ...counts, freed: total, freedOfRecords: freed.recordBytes }, () => {
    const records = freed.recordBytes === 0 ? "" : `, and ${formatBytes(freed.recordBytes)} of records`;
    printer.line(`  Freed ${formatBytes(total)}${records}`);
  });
  return 0;
}

/** So many results are listed; of more, the largest part was picked by a rule. */
const shownResults = 20;

function printRemoval(printer: Printer, removal: Removal): void {
  const { runs, held, losing, cacheEntries, pinned, artifacts, blobs, bytes, traces, keys, leases, files } = removal;
  const now = Date.now();
  if (runs.length > 0) {
    printTable(printer, runs, [
      { title: "run", value: (run) => run.id },
      { title: "pipeline", value: (run) => run.pipeline, flexible: true },
      { title: "status", value: (run) => run.status },
      { title: "started", value: (run) => formatAgo(run.startedAt, now) },
    ]);
  } else if (cacheEntries.length > 0) {
    printTable(printer, cacheEntries.slice(0, shownResults), [
      { title: "step", value: (entry) => entry.step, flexible: true },
      { title: "key", value: (entry) => shortDigest(entry.key) },
      { title: "made", value: (entry) => formatAgo(entry.createdAt, now) },
      { title: "made by", value: (entry) => entry.origin, flexible: true },
    ]);
    const left = cacheEntries.length - shownResults;
    if (left > 0) printer.line(`  and ${formatCount(left, "more stored result")}`);
  }
  for (const { run, why } of held) printer.line(`  ${run.id} stays: ${why}`);
  for (const { step, key } of pinned) printer.line(`  ${step} ${shortDigest(key)} stays: it is pinned`);
  for (const { run, from } of losing) {
    printer.line(`  ${run.id} reuses results of ${from.id}: their logs and metrics go with it`);
  }
  printer.line(
    `  ${formatCount(runs.length, "run")}, ${formatCount(cacheEntries.length, "stored result")}, ` +
      `${formatCount(artifacts.length, "artifact")}, ${formatCount(blobs.length, "blob")}: ${formatBytes(bytes)}`,
  );
  const useless = [
    ...(keys.length > 0 ? [formatCount(keys.length, "key")] : []),
    ...(traces.length > 0 ? [`what ${formatCount(traces.length, "step run")} read`] : []),
    ...(leases.length > 0 ? [formatCount(leases.length, "lease")] : []),
    ...(files.length > 0 ? [formatCount(files.length, "remembered file")] : []),
  ];
  if (useless.length > 0) printer.line(`  of no use any more: ${useless.join(", ")}`);
}

function toName({ step, key, trace }: CacheEntry): Pick<CacheEntry, "step" | "key" | "trace"> {
  return { step, key, trace };
}
