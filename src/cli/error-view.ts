/** The one rendering of an error in a terminal, and its form in JSON. */
import { isAbsolute, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { DefinitionError, RepriseError, type Place } from "../error.ts";
import type { ErrorRecord } from "../record/run.ts";
import { renderCodeFrame } from "./code-frame.ts";
import { cleanText, wrapText, type Printer } from "./print.ts";

export interface ErrorViewOptions {
  /** The project, to find sources and to shorten paths. */
  readonly root: string;
  readonly indent?: string;
  /** With the stack. */
  readonly verbose?: boolean;
}

/** Prints an error: code, sentence, place, the user's line, hint. */
export function printError(printer: Printer, error: unknown, options: ErrorViewOptions): void {
  const { symbols } = printer;
  const record = toRecord(error, options.root);
  const problems = error instanceof DefinitionError && error.problems.length > 1 ? error.problems : undefined;
  const title = record.code ?? record.name;
  const sentence = problems === undefined ? record.message : `${problems.length} problems in the definition`;
  printer.line(
    `${options.indent ?? ""}${printer.style("red", symbols.failed)} ${printer.style("bold", title)}  ${cleanText(sentence)}`,
  );
  // Where neither a place nor a code tells what to do, the stack is all there is.
  const isLost = record.code === undefined && record.place === undefined;
  const verbose = options.verbose === true || isLost;
  const inner: ErrorViewOptions = { ...options, verbose, indent: `${options.indent ?? ""}  ` };
  if (problems === undefined) printBody(printer, record, inner);
  for (const problem of problems ?? []) {
    printer.line(`${inner.indent}${printer.style("bold", problem.code)}  ${cleanText(problem.message)}`);
    printBody(printer, { name: "", ...problem }, { ...inner, indent: `${inner.indent}  `, verbose: false });
  }
}

/** `TypeError: k is too large`; what Reprise itself says has its code instead of a class. */
export function describeError(error: ErrorRecord | undefined): string {
  if (error === undefined) return "unknown error";
  return cleanText(`${error.code ?? error.name}: ${error.message}`);
}

/** Prints what stands below the sentence of a kept error: place, line, causes, hint. */
export function printBody(printer: Printer, record: ErrorRecord, options: ErrorViewOptions): void {
  const { root, indent = "  ", verbose = false } = options;
  if (record.place !== undefined) {
    printer.line(`${indent}at ${printer.style("cyan", showPlace(record.place))}`);
    for (const line of renderCodeFrame(printer, record.place, root)) printer.line(`${indent}${line}`);
  }
  for (let cause = record.cause; cause !== undefined; cause = cause.cause) {
    printer.line(`${indent}caused by ${describeError(cause)}`);
    if (cause.place !== undefined) {
      printer.line(`${indent}  at ${printer.style("cyan", showPlace(cause.place))}`);
      if (record.place === undefined) {
        for (const line of renderCodeFrame(printer, cause.place, root)) printer.line(`${indent}  ${line}`);
      }
    }
  }
  if (record.hint !== undefined) {
    for (const line of wrapText(cleanText(record.hint), printer.terminal.columns - indent.length)) {
      printer.line(`${indent}${line}`);
    }
  }
  if (verbose && record.stack !== undefined) {
    for (const line of cleanText(record.stack).split("\n").slice(1)) {
      printer.line(`${indent}${printer.style("dim", line.trim())}`);
    }
  }
}

/** An error as data: what `--json` prints under `error`. */
export function toErrorJson(error: unknown, root: string): Readonly<Record<string, unknown>> {
  const record = toRecord(error, root);
  return {
    code: record.code ?? "UNEXPECTED",
    name: record.name,
    message: record.message,
    ...(record.hint === undefined ? {} : { hint: record.hint }),
    ...(record.place === undefined ? {} : { place: record.place }),
    ...(error instanceof DefinitionError ? { problems: error.problems } : {}),
    ...(error instanceof RepriseError && Object.keys(error.data).length > 0 ? { data: error.data } : {}),
    ...(record.cause === undefined ? {} : { cause: record.cause }),
  };
}

function showPlace(place: Place): string {
  return `${place.file}:${place.line}${place.column === undefined ? "" : `:${place.column}`}`;
}

function toRecord(error: unknown, root: string, depth = 0): ErrorRecord {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const place = (error instanceof RepriseError ? error.place : undefined) ?? placeOf(error, root);
  return {
    name: error.name,
    message: error.message,
    ...(error instanceof RepriseError ? { code: error.code } : {}),
    ...(error instanceof RepriseError && error.hint !== undefined ? { hint: error.hint } : {}),
    ...(place === undefined ? {} : { place: shortenPlace(place, root) }),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined || depth > 4 ? {} : { cause: toRecord(error.cause, root, depth + 1) }),
  };
}

/** The first frame in the project's own files; a syntax error names its place in the first line of its stack. */
function placeOf(error: Error, root: string): Place | undefined {
  if (error instanceof RepriseError) return undefined;
  for (const line of error.stack?.split("\n") ?? []) {
    const match = /(?:\(|at (?:async )?|^)((?:file:\/\/)?(?:\/|[A-Za-z]:\\)[^()]*?):(\d+)(?::(\d+))?\)?$/u.exec(line);
    if (match === null) continue;
    const script = match[1] ?? "";
    const file = script.startsWith("file:") ? fileURLToPath(script.split("?")[0] ?? script) : script;
    const path = relative(root, file);
    if (path.startsWith("..") || isAbsolute(path) || path.split(sep).includes("node_modules")) continue;
    return { file, line: Number(match[2]), ...(match[3] === undefined ? {} : { column: Number(match[3]) }) };
  }
  return undefined;
}

function shortenPlace(place: Place, root: string): Place {
  if (!isAbsolute(place.file)) return place;
  const path = relative(root, place.file);
  return path.startsWith("..") ? place : { ...place, file: path.split(sep).join("/") };
}
