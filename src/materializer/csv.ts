/** Comma-separated values as RFC 4180 has them; lines end in a line feed. */

/** Records as CSV; null and undefined are empty cells, dates in ISO form, objects as JSON. */
export function formatCsv(rows: readonly object[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [
    columns,
    ...rows.map((row) => columns.map((name) => formatCell((row as Record<string, unknown>)[name]))),
  ];
  return lines.map((cells) => `${cells.map(quoteCell).join(",")}\n`).join("");
}

/** One row from a place in a text, and where the next one starts. */
export function readCsvRow(text: string, start: number): { readonly cells: readonly string[]; readonly end: number } {
  const cells: string[] = [];
  let at = start;
  while (true) {
    let cell = "";
    if (text[at] === '"') {
      at++;
      while (true) {
        const quote = text.indexOf('"', at);
        if (quote === -1) return { cells: [...cells, cell + text.slice(at)], end: text.length };
        cell += text.slice(at, quote);
        at = quote + 1;
        if (text[at] !== '"') break;
        cell += '"';
        at++;
      }
    }
    const from = at;
    while (at < text.length && text[at] !== "," && text[at] !== "\n" && text[at] !== "\r") at++;
    cells.push(cell + text.slice(from, at));
    if (text[at] !== ",") break;
    at++;
  }
  if (text[at] === "\r") at++;
  if (text[at] === "\n") at++;
  return { cells, end: at };
}

function formatCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "" : value.toISOString();
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function quoteCell(text: string): string {
  return /[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
