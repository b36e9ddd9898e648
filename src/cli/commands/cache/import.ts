/** `reprise cache import`. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../../../error.ts";
import { shortDigest } from "../../../hash/digest.ts";
import type { ImportReport, SkipReason } from "../../../history/archive/import-entries.ts";
import { openHistory } from "../../../history/history.ts";
import type { Handler } from "../../context.ts";
import { formatBytes, formatCount } from "../../format.ts";
import { printTable, type Printer } from "../../print.ts";

export const importResults: Handler<"cache import"> = async (context) => {
  const [name = ""] = context.args;
  const file = resolve(context.cwd, name);
  if (!existsSync(file)) throw new UsageError("RPS6002", `There is no file ${name}`, { hint: "Name an archive" });
  const history = openHistory(await context.openStack());
  const report = await history.cache.import(file, { dryRun: context.flags["dry-run"] });
  context.answer(report, () => printReport(context.printer, report, context.flags["dry-run"]));
};

/** So many results are listed. */
const shownResults = 20;

function printReport(printer: Printer, report: ImportReport, isDryRun: boolean): void {
  const { added, replaced, skipped, stepRuns, blobs, blobBytes, foreign, inputsElsewhere } = report;
  const rows = [
    ...added.map((entry) => ({ ...entry, what: "new" })),
    ...replaced.map((entry) => ({ ...entry, what: "replaces an older one" })),
    ...skipped.filter(({ why }) => why !== "same").map(({ why, ...entry }) => ({ ...entry, what: describeSkip(why) })),
  ];
  if (rows.length > 0) {
    printTable(printer, rows.slice(0, shownResults), [
      { title: "step", value: ({ step }) => step, flexible: true },
      { title: "key", value: ({ key }) => shortDigest(key) },
      { title: "", value: ({ what }) => what },
    ]);
    if (rows.length > shownResults) printer.line(`  and ${formatCount(rows.length - shownResults, "more result")}`);
  }
  const same = skipped.filter(({ why }) => why === "same").length;
  if (same > 0) printer.line(`  ${formatCount(same, "stored result is", "stored results are")} here already`);
  if (foreign > 0) {
    printer.line(
      `  ${formatCount(foreign, "result was", "results were")} made on another runtime: no step reuses them here`,
    );
  }
  if (inputsElsewhere > 0) {
    printer.line(`  ${formatCount(inputsElsewhere, "input")} of their steps did not come along: lineage ends there`);
  }
  const taken = added.length + replaced.length;
  const verb = isDryRun ? "Would import" : "Imported";
  if (taken === 0) printer.line("  Nothing was imported");
  else {
    printer.line(
      `  ${verb} ${formatCount(taken, "stored result")}, ${formatCount(stepRuns, "step run")}, ` +
        `${formatCount(blobs, "blob")}: ${formatBytes(blobBytes)}`,
    );
  }
}

function describeSkip(why: SkipReason): string {
  switch (why) {
    case "same":
      return "is here already";
    case "newer-here":
      return "stays away: what is here is newer";
    case "expired":
      return "stays away: it has expired";
  }
}
