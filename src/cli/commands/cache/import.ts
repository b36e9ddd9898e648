/** `reprise cache import`. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../../../error.ts";
import { shortDigest } from "../../../hash/digest.ts";
import type { ImportReport, SkipReason } from "../../../history/archive/import-entries.ts";
import { openHistory } from "../../../history/history.ts";
import type { Handler } from "../../context.ts";
import { formatBytes, formatCount } from "../../format.ts";
import { cleanText, printTable, type Printer } from "../../print.ts";

export const importResults: Handler<"cache import"> = async (context) => {
  const [name = ""] = context.args;
  const file = resolve(context.cwd, name);
  if (!existsSync(file)) throw new UsageError("RPS6002", `There is no file ${name}`, { hint: "Name an archive" });
  const history = openHistory(await context.openStack());
  const report = await history.cache.import(file, {
    dryRun: context.flags["dry-run"],
    allowHosts: context.flags["allow-host"],
    allowPaths: context.flags["allow-path"].map((path) => resolve(context.cwd, path)),
  });
  context.answer(report, () => printReport(context.printer, report, context.flags["dry-run"]));
};

/** So many results are listed. */
const shownResults = 20;

function printReport(printer: Printer, report: ImportReport, isDryRun: boolean): void {
  const { added, replaced, skipped, stepRuns, blobs, blobBytes, foreign, inputsElsewhere, outside } = report;
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
  const unallowed = [
    ...outside.hosts.map((host) => `--allow-host ${host}`),
    ...outside.paths.map((path) => `--allow-path ${path}`),
  ];
  if (unallowed.length > 0) {
    const strays = skipped.filter(({ why }) => why === "reads-outside").length;
    const what = formatCount(strays, "result stays away, as it reads", "results stay away, as they read");
    printer.line(`  ${what} outside of the project. To let look-ups look there:`);
    for (const flag of unallowed.slice(0, shownResults)) printer.line(`    ${cleanText(flag)}`);
    const left = unallowed.length - shownResults;
    if (left > 0) printer.line(`    and ${formatCount(left, "more place")}: --json lists them`);
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
    case "reads-outside":
      return "stays away: it reads outside of the project";
  }
}
