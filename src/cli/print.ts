/**
 * The one way to print: styles, symbols, columns. A meaning is always a word or a shape; colour only repeats it.
 */
import { stripVTControlCharacters, styleText } from "node:util";
import type { Terminal } from "./terminal.ts";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "cyan" | "magenta";

interface Symbols {
  readonly done: string;
  readonly failed: string;
  readonly running: readonly string[];
  readonly waiting: string;
  readonly skipped: string;
  readonly warning: string;
  readonly success: string;
  readonly same: string;
  readonly dot: string;
  readonly dash: string;
  readonly arrow: string;
  readonly pointer: string;
  readonly bar: string;
  readonly up: string;
  readonly down: string;
  readonly more: string;
}

const unicodeSymbols: Symbols = {
  done: "✓",
  failed: "✖",
  running: ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
  waiting: "○",
  skipped: "–",
  warning: "▲",
  success: "✔",
  same: "=",
  dot: "·",
  dash: "–",
  arrow: "→",
  pointer: "❯",
  bar: "│",
  up: "▲",
  down: "▼",
  more: "…",
};

const asciiSymbols: Symbols = {
  done: "+",
  failed: "x",
  running: ["|", "/", "-", "\\"],
  waiting: "o",
  skipped: "-",
  warning: "!",
  success: "+",
  same: "=",
  dot: "-",
  dash: "-",
  arrow: "->",
  pointer: ">",
  bar: "|",
  up: "^",
  down: "v",
  more: "...",
};

export interface Printer {
  readonly terminal: Terminal;
  readonly symbols: Symbols;
  /** The text in a style, or the text itself where colour is off. */
  style(style: Style, text: string): string;
  /** Prints a line. */
  line(text?: string): void;
}

export function createPrinter(terminal: Terminal): Printer {
  return {
    terminal,
    symbols: terminal.unicode ? unicodeSymbols : asciiSymbols,
    style: (style, text) => (terminal.color && text !== "" ? styleText(style, text, { validateStream: false }) : text),
    line: (text = "") => terminal.write(`${terminal.unicode ? text : toAscii(text)}\n`),
  };
}

const asciiFor: Readonly<Record<string, string>> = {
  "·": "-",
  "→": "->",
  "–": "-",
  "—": "-",
  "…": "...",
  "✓": "+",
  "✔": "+",
  "✖": "x",
  "▲": "^",
  "▼": "v",
  "│": "|",
  "├": "|",
  "└": "`",
  "─": "-",
  "○": "o",
  "❯": ">",
};

/** The signs that we print, in ASCII; every other character is left as it is. */
function toAscii(text: string): string {
  return text.replace(/[·→–—…✓✔✖▲▼│├└─○❯]/gu, (sign) => asciiFor[sign] ?? sign);
}

/** What a terminal cannot do harm with: no escape sequences, no control characters but tabs and line ends. */
export function cleanText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is removed
  return stripVTControlCharacters(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f]/gu, "");
}

/** Columns that a text takes: escape codes none, wide characters two. */
export function textWidth(text: string): number {
  if (/^[ -~]*$/u.test(text)) return text.length;
  let width = 0;
  for (const char of stripVTControlCharacters(text)) {
    if (/\p{Mark}|\u200d/u.test(char)) continue;
    width += isWide(char.codePointAt(0) ?? 0) ? 2 : 1;
  }
  return width;
}

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff)
  );
}

/** Cuts an unstyled text to a width, marking the cut. */
export function cutText(text: string, width: number, more = "…"): string {
  if (textWidth(text) <= width) return text;
  const room = width - textWidth(more);
  if (room <= 0) return more.slice(0, Math.max(0, width));
  let cut = "";
  let used = 0;
  for (const char of text) {
    const next = textWidth(char);
    if (used + next > room) break;
    cut += char;
    used += next;
  }
  return cut + more;
}

export function padText(text: string, width: number, side: "left" | "right" = "right"): string {
  const space = " ".repeat(Math.max(0, width - textWidth(text)));
  return side === "right" ? text + space : space + text;
}

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: "left" | "right";
  readonly style?: (row: Row) => Style | undefined;
  /** May be cut when the terminal is narrow. */
  readonly flexible?: boolean;
}

/** Rows under titles. On a narrow terminal the flexible columns are cut first, then the last columns are left out. Empty columns always are. */
export function printTable<Row>(printer: Printer, rows: readonly Row[], columns: readonly Column<Row>[]): void {
  const cells = rows.map((row) => columns.map((column) => cleanText(column.value(row)).replaceAll("\n", " ")));
  const widths = columns.map((column, at) =>
    Math.max(textWidth(column.title), ...cells.map((row) => textWidth(row[at] ?? ""))),
  );
  // A column without a single cell says nothing.
  const filled = columns.flatMap((_, at) => (cells.length === 0 || cells.some((row) => row[at] !== "") ? [at] : []));
  const shown = fitColumns(columns, filled, widths, printer.terminal.columns);
  const last = shown.at(-1);
  const render = (texts: readonly string[], style: (at: number, text: string) => string): void => {
    const parts = shown.map((at) => {
      const width = widths[at] ?? 0;
      const text = cutText(texts[at] ?? "", width, printer.symbols.more);
      const padded =
        columns[at]?.align === "right" ? padText(text, width, "left") : at === last ? text : padText(text, width);
      return style(at, padded);
    });
    printer.line(`  ${parts.join("  ")}`.trimEnd());
  };
  render(
    columns.map((column) => column.title),
    (_, text) => printer.style("dim", text),
  );
  for (const [index, row] of rows.entries()) {
    render(cells[index] ?? [], (at, text) => {
      const style = columns[at]?.style?.(row);
      return style === undefined ? text : printer.style(style, text);
    });
  }
}

/** Which columns are shown; narrows the widths of the flexible ones in place. */
function fitColumns<Row>(
  columns: readonly Column<Row>[],
  filled: readonly number[],
  widths: number[],
  room: number,
): number[] {
  const shown = [...filled];
  const total = (): number => shown.reduce((sum, at) => sum + (widths[at] ?? 0) + 2, 0);
  const natural = [...widths];
  for (;;) {
    const excess = total() - room;
    if (excess <= 0) return shown;
    const flexible = shown.filter((at) => columns[at]?.flexible === true && (widths[at] ?? 0) > 12);
    const widest = flexible.sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))[0];
    if (widest !== undefined) widths[widest] = Math.max(12, (widths[widest] ?? 0) - excess);
    else if (shown.length === 1) return shown;
    else {
      shown.pop();
      // The others have the room of the one that is left out.
      for (const at of shown) widths[at] = natural[at] ?? 0;
    }
  }
}

/** Breaks a text at spaces so that no line is wider than asked; longer words stand alone. */
export function wrapText(text: string, width: number): string[] {
  if (!Number.isFinite(width)) return text.split("\n");
  return text.split("\n").flatMap((paragraph) => {
    const lines: string[] = [];
    let current = "";
    for (const word of paragraph.split(" ")) {
      const joined = current === "" ? word : `${current} ${word}`;
      if (current !== "" && textWidth(joined) > width) {
        lines.push(current);
        current = word;
      } else current = joined;
    }
    return [...lines, current];
  });
}
