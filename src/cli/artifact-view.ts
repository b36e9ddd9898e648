/** An artifact and its preview. */
import type { Preview } from "../define/materializer.ts";
import type { JsonValue } from "../hash/json.ts";
import { artifactKey } from "../history/run-details.ts";
import type { Artifact } from "../record/artifact.ts";
import { formatBytes, formatCount, formatTime } from "./format.ts";
import { cleanText, printTable, type Printer } from "./print.ts";
import { printFacts } from "./run-view.ts";

/** Lines of a text preview that are printed. */
const previewLines = 20;

export function printArtifact(printer: Printer, artifact: Artifact): void {
  printer.line(printer.style("bold", artifactKey(artifact)));
  printer.line();
  printFacts(printer, [
    ["type", `${artifact.type} (${artifact.mediaType})`],
    ["size", formatBytes(artifact.size)],
    ["made by", artifact.producer],
    ["made at", formatTime(artifact.createdAt)],
    ["digest", artifact.digest],
    ...Object.entries(artifact.metadata).map(([name, value]) => [name, showJson(value)] as const),
  ]);
  if (artifact.preview === undefined) return;
  printer.line();
  printPreview(printer, artifact.preview);
}

function printPreview(printer: Printer, preview: Preview): void {
  switch (preview.kind) {
    case "json":
      return printText(printer, JSON.stringify(preview.value, undefined, 2), preview.truncated);
    case "text":
    case "markdown":
      return printText(printer, preview.text, preview.truncated);
    case "table": {
      const rows = preview.rows.slice(0, 10);
      printTable(
        printer,
        rows,
        preview.columns.map((column, at) => ({
          title: column.name,
          value: (row: readonly JsonValue[]) => showJson(row[at] ?? null),
          align: /^(?:u?int|float|number|bigint)/u.test(column.type) ? ("right" as const) : ("left" as const),
        })),
      );
      if (preview.rowCount > rows.length)
        printer.line(`  ${printer.symbols.more} of ${formatCount(preview.rowCount, "row")}`);
      return;
    }
    case "files":
      for (const entry of preview.entries) printer.line(`  ${cleanText(entry.path)}  ${formatBytes(entry.size)}`);
      if (preview.truncated) printer.line(`  ${printer.symbols.more} of ${formatCount(preview.count, "file")}`);
      return;
    case "image": {
      const size =
        preview.width === undefined || preview.height === undefined ? "" : ` ${preview.width}×${preview.height}`;
      printer.line(`  ${preview.mediaType}${size}`);
      return;
    }
    default:
      printer.line(`  ${preview.kind}: save it with reprise get ARTIFACT -o FILE`);
  }
}

function printText(printer: Printer, text: string, truncated: boolean): void {
  const lines = cleanText(text).split("\n");
  for (const line of lines.slice(0, previewLines)) printer.line(`  ${line}`);
  if (truncated || lines.length > previewLines) printer.line(`  ${printer.symbols.more}`);
}

function showJson(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
