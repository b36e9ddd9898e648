/** From a stack frame to the unit that holds it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CallSite } from "../define/call-site.ts";
import type { CallRecord } from "./record.ts";
import { lineStartsOf } from "./line.ts";
import type { SourceFile } from "./source-file.ts";

/** A frame found in its source. */
export interface FoundCall {
  readonly key: string;
  /** Its index among the unit's calls. */
  readonly call: number;
  readonly record: CallRecord;
  readonly line: number;
  readonly column: number;
}

/** A frame's script and position, in the text that is fingerprinted. */
export interface SourcePosition {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Where a frame is in a file that can be read. A loader that transforms sources (tsx) keeps the script's name and gives
 * positions in its own text: the mapped ones hold. Compiled files are read as they are.
 */
export function toSourcePosition(site: CallSite): SourcePosition | undefined {
  const path = toPath(site.script);
  if (path === undefined) return undefined;
  const mapped = site.mapped;
  if (mapped !== undefined && toPath(mapped.script) === path) return { path, line: mapped.line, column: mapped.column };
  return { path, line: site.line, column: site.column };
}

function toPath(script: string): string | undefined {
  if (script.startsWith("file:")) {
    try {
      return fileURLToPath(script.replace(/[?#].*$/u, ""));
    } catch {
      return undefined;
    }
  }
  return script.startsWith("/") || /^[A-Za-z]:[\\/]/u.test(script) ? script : undefined;
}

/** The call expression at a position; undefined when the text has none there. */
export function findCall(file: SourceFile, { line, column }: SourcePosition): FoundCall | undefined {
  const source = readFileSync(file.path, "utf8").replace(/^\uFEFF/u, "");
  const start = lineStartsOf(source)[line - 1];
  if (start === undefined) return undefined;
  const offset = start + column - 1;
  for (const unit of file.record.units) {
    if (offset < unit.start || offset >= unit.end) continue;
    let found: FoundCall | undefined;
    for (const [call, record] of unit.calls.entries()) {
      if (offset < record.start || offset >= record.end) continue;
      const inner = found === undefined || record.start > found.record.start || record.end < found.record.end;
      if (inner) found = { key: unit.key, call, record, line, column };
    }
    return found;
  }
  return undefined;
}
