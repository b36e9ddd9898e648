/** `reprise cache ls`. */
import { UsageError } from "../../../error.ts";
import { shortDigest } from "../../../hash/digest.ts";
import { didYouMean } from "../../../history/did-you-mean.ts";
import { openHistory } from "../../../history/history.ts";
import type { CacheEntrySummary } from "../../../history/list-entries.ts";
import { parseAge } from "../../age.ts";
import type { Handler } from "../../context.ts";
import { describeEntryState } from "../../entry-view.ts";
import { formatAgo, formatBytes, formatDuration } from "../../format.ts";
import { printTable } from "../../print.ts";

export const ls: Handler<"cache ls"> = async (context) => {
  const { flags, printer } = context;
  const [step] = context.args;
  const now = Date.now();
  const { "older-than": age, ...query } = flags;
  if (flags.limit < 1) throw new UsageError("RPS6001", "--limit is 0", { hint: "Ask for one result at least" });
  const stack = await context.openStack();
  const found = await openHistory(stack).cache.entries({
    ...query,
    ...(step === undefined ? {} : { step }),
    ...(age === undefined ? {} : { createdBefore: now - parseAge("older-than", age) }),
  });
  if (found.length === 0 && step !== undefined) {
    const known = new Set((await stack.metadata.cacheEntriesOf({})).map((entry) => entry.step));
    if (!known.has(step)) {
      throw new UsageError("RPS6002", `Nothing of a step "${step}" is stored for reuse`, {
        hint: didYouMean(step, known) ?? "List all that is: reprise cache ls",
      });
    }
  }
  context.answer(found, () => {
    if (found.length === 0) {
      printer.line("  No stored result fits");
      return;
    }
    printTable(printer, found, [
      { title: "step", value: ({ entry }) => entry.step, flexible: true },
      { title: "key", value: ({ entry }) => shortDigest(entry.key) },
      { title: "made", value: ({ entry }) => formatAgo(entry.createdAt, now) },
      { title: "size", value: ({ size }) => formatBytes(size), align: "right" },
      { title: "saves", value: ({ entry }) => formatDuration(entry.durationMs), align: "right" },
      { title: "hits", value: ({ hits }) => String(hits), align: "right" },
      { title: "reads", value: showReads, align: "right" },
      {
        title: "state",
        value: describeEntryState,
        style: ({ state }) => (state === "valid" ? undefined : "yellow"),
      },
      { title: "used", value: ({ hits, usedAt }) => (hits === 0 ? "" : formatAgo(usedAt, now)) },
      { title: "made by", value: ({ entry }) => entry.origin, flexible: true },
    ]);
  });
};

function showReads({ reads, entry }: CacheEntrySummary): string {
  if (reads === undefined) return "gone";
  return entry.trace === undefined ? "" : String(reads);
}
