/** An artifact and its preview. */
import type { Preview } from "../define/materializer.ts";
import type { JsonValue } from "../hash/json.ts";
import { artifactKey } from "../history/run-details.ts";
import type { Artifact } from "../record/artifact.ts";
import { formatBytes, formatCount, formatNumber, formatTime } from "./format.ts";
import { renderJson } from "./json-view.ts";
import { cleanText, cutText, printTable, type Printer } from "./print.ts";
import { printFacts } from "./run-view.ts";

/** Lines of a text preview that are printed. */
const previewLines = 20;
/** Columns of a preview that goes into a pipe. */
const previewWidth = 160;

export function printArtifact(printer: Printer, artifact: Artifact): void {
  const facts = Object.entries(artifact.metadata);
  const nameWidth = Math.min(28, Math.max("made by".length, ...facts.map(([name]) => name.length)));
  const room = Math.max(20, Math.min(printer.terminal.columns, previewWidth) - nameWidth - 4);
  printer.line(printer.style("bold", artifactKey(artifact)));
  printer.line();
  printFacts(printer, [
    ["type", cutText(`${artifact.type} (${artifact.mediaType})`, room, printer.symbols.more)],
    ["size", formatBytes(artifact.size)],
    ["made by", artifact.producer],
    ["made at", formatTime(artifact.createdAt)],
    ["digest", artifact.digest],
    ...facts
      .filter(([, value]) => !isRows(value))
      .map(([name, value]) => [name, cutText(showCell(value), room, printer.symbols.more)] as const),
  ]);
  for (const [name, value] of facts) if (isRows(value)) printRows(printer, name, value);
  if (artifact.preview === undefined) return;
  printer.line();
  printPreview(printer, artifact.preview);
}

function printPreview(printer: Printer, preview: Preview): void {
  switch (preview.kind) {
    case "json":
      return printLines(printer, renderJson(preview.value, widthOf(printer)), preview.truncated);
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
          flexible: true,
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
  printLines(printer, cleanText(text).split("\n"), truncated);
}

function printLines(printer: Printer, lines: readonly string[], truncated: boolean): void {
  const { more } = printer.symbols;
  for (const line of lines.slice(0, previewLines)) {
    printer.line(`  ${cutText(cleanText(line), widthOf(printer), more)}`.trimEnd());
  }
  if (truncated || lines.length > previewLines) printer.line(`  ${more}`);
}

function widthOf(printer: Printer): number {
  return Math.min(printer.terminal.columns, previewWidth) - 2;
}

type Row = Readonly<Record<string, JsonValue>>;

/** Statistics of columns and the like: facts that are a small table themselves. */
function isRows(value: JsonValue): value is readonly Row[] {
  return Array.isArray(value) && value.length > 0 && value.every(isRow);
}

function isRow(value: JsonValue): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function printRows(printer: Printer, title: string, rows: readonly Row[]): void {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  printer.line();
  printer.line(`  ${printer.style("bold", title)}`);
  printTable(
    printer,
    rows,
    names.map((name) => ({
      title: name,
      value: (row: Row) => (row[name] === undefined ? "" : showCell(row[name])),
      flexible: true,
      align: rows.every((row) => row[name] === undefined || typeof row[name] === "number") ? "right" : "left",
    })),
  );
}

function showCell(value: JsonValue): string {
  return typeof value === "number" ? formatNumber(value) : showJson(value);
}

function showJson(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
