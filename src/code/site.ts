/** From a stack frame to the unit that holds it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CallSite } from "../define/call-site.ts";
import type { CallRecord } from "./record.ts";
import { lineStartsOf } from "./line.ts";
import type { SourceFile } from "./graph.ts";

/** A frame found in its source. */
export interface FoundCall {
  readonly key: string;
  /** Its index among the unit's calls; -1 where a frame comes about without a call (a getter, a class's static part). */
  readonly call: number;
  readonly record: Pick<CallRecord, "depth" | "captures" | "loads">;
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

/** The unit at a position, and the call expression there; undefined when the text has no unit there. */
export function findCall(file: SourceFile, { line, column }: SourcePosition): FoundCall | undefined {
  const source = readFileSync(file.path, "utf8").replace(/^\uFEFF/u, "");
  const start = lineStartsOf(source)[line - 1];
  if (start === undefined) return undefined;
  const offset = start + column - 1;
  const unit = file.record.units.find((each) => offset >= each.start && offset < each.end);
  if (unit === undefined) return undefined;
  let innermost: CallRecord | undefined;
  for (const record of unit.calls) {
    if (offset < record.start || offset >= record.end) continue;
    if (innermost === undefined || record.start > innermost.start || record.end < innermost.end) innermost = record;
  }
  if (innermost === undefined) {
    return { key: unit.key, call: -1, record: { depth: 0, captures: "nothing", loads: false } };
  }
  return { key: unit.key, call: unit.calls.indexOf(innermost), record: innermost };
}
