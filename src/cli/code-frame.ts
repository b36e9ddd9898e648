/** A few lines of the user's source with the failing one marked. */
import { readFileSync } from "node:fs";
import { isAbsolute, relative, resolve } from "node:path";
import type { Place } from "../error.ts";
import { cleanText, cutText, padText, textWidth, type Printer } from "./print.ts";

/** The lines around a place, ready to print; none when the file is not there or lies outside the project. */
export function renderCodeFrame(printer: Printer, place: Place, root: string, context = 1): readonly string[] {
  const lines = readLines(place.file, root);
  if (lines === undefined || place.line < 1 || place.line > lines.length) return [];
  const { symbols } = printer;
  const first = Math.max(1, place.line - context);
  const last = Math.min(lines.length, place.line + (place.column === undefined ? context : 0));
  const gutter = String(last).length;
  const room = Math.max(20, printer.terminal.columns - gutter - 12);
  const frame: string[] = [];
  for (let number = first; number <= last; number += 1) {
    const failing = number === place.line;
    const text = cutText(cleanText(lines[number - 1] ?? "").replaceAll("\t", "  "), room, symbols.more);
    const head = `${failing ? symbols.pointer : " "} ${padText(String(number), gutter, "left")} ${symbols.bar} `;
    frame.push(failing ? printer.style("bold", head) + text : printer.style("dim", head) + text);
    if (failing && place.column !== undefined) {
      const before = cleanText((lines[number - 1] ?? "").slice(0, place.column - 1)).replaceAll("\t", "  ");
      if (textWidth(before) >= room) continue;
      const margin = `  ${" ".repeat(gutter)} ${symbols.bar} `;
      frame.push(printer.style("dim", margin) + " ".repeat(textWidth(before)) + printer.style("red", "^"));
    }
  }
  return frame;
}

function readLines(file: string, root: string): readonly string[] | undefined {
  const path = resolve(root, file);
  const inside = relative(root, path);
  if (inside.startsWith("..") || isAbsolute(inside)) return undefined;
  try {
    return readFileSync(path, "utf8").split(/\r?\n/u);
  } catch {
    return undefined;
  }
}
