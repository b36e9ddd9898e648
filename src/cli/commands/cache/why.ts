/** `reprise cache why`. */
import { UsageError } from "../../../error.ts";
import { shortDigest } from "../../../hash/digest.ts";
import type { EntryExplanation } from "../../../history/explain-entries.ts";
import { openHistory } from "../../../history/history.ts";
import type { Handler } from "../../context.ts";
import { describeEntryState } from "../../entry-view.ts";
import { formatAgo, formatBytes, formatCount, formatDuration, shortenDigests } from "../../format.ts";
import { cleanText, type Printer } from "../../print.ts";

export const why: Handler<"cache why"> = async (context) => {
  const { limit } = context.flags;
  if (limit < 1) throw new UsageError("RPS6001", "--limit is 0", { hint: "Ask for one result at least" });
  const [selector = ""] = context.args;
  const found = await openHistory(await context.openStack()).cache.why(selector, { limit });
  context.answer(found, () => {
    const now = Date.now();
    for (const each of found) printEntry(context.printer, each, now);
    const usable = found.filter(({ obstacles }) => obstacles.length === 0).length;
    context.printer.line();
    context.printer.line(
      `  ${formatCount(found.length, "stored result")}, ${usable} that would be reused where its key is asked for`,
    );
  });
};

function printEntry(printer: Printer, explained: EntryExplanation, now: number): void {
  const { entry, size, hits, reads, obstacles, differences, warnings } = explained;
  const { symbols } = printer;
  const made = `${formatAgo(entry.createdAt, now)} by ${entry.origin}`;
  printer.line(`${printer.style("bold", entry.step)} ${shortDigest(entry.key)}  made ${made}`);
  const facts = [
    describeEntryState(explained),
    formatBytes(size),
    `saves ${formatDuration(entry.durationMs)}`,
    formatCount(hits, "hit"),
    ...(entry.trace === undefined || reads === undefined ? [] : [`read ${formatCount(reads, "thing")}`]),
  ];
  printer.line(printer.style("dim", `  ${facts.join(` ${symbols.dot} `)}`));
  if (obstacles.length === 0) {
    printer.line(`  ${printer.style("green", symbols.done)} nothing stands against its reuse`);
  }
  for (const { code, text, differences: changes } of obstacles) {
    const sign = printer.style("yellow", symbols.failed);
    printer.line(`  ${sign} not reused now: ${shortenDigests(cleanText(text))} ${printer.style("dim", `[${code}]`)}`);
    // The first one is the sentence.
    for (const difference of changes.slice(1)) printDifference(printer, difference);
  }
  for (const warning of warnings) printer.line(`  ${printer.style("yellow", symbols.warning)} ${cleanText(warning)}`);
  if (differences.length === 0) return;
  printer.line(printer.style("dim", "  unlike it, the newest has"));
  for (const difference of differences) printDifference(printer, difference);
}

function printDifference(printer: Printer, difference: EntryExplanation["differences"][number]): void {
  const { code, part, from, to, place } = difference;
  const both = from === to ? "changed" : `${from} ${printer.symbols.arrow} ${to}`;
  const change = from === undefined ? "new" : to === undefined ? "gone" : both;
  const where = place === undefined || place === part ? "" : `  ${printer.style("cyan", place)}`;
  printer.line(
    `    ${printer.style("yellow", code)}  ${cleanText(part)}  ${shortenDigests(cleanText(change))}${where}`,
  );
}
