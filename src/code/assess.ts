/** The verdict on a closure: what in it is known, assumed, or out of sight. */
import { statSync } from "node:fs";
import type { Closure } from "./closure.ts";
import type { GraphNode, SourceFile } from "./graph.ts";
import type { CodeNote, Verdict } from "./identity.ts";
import type { Judge } from "./judge.ts";
import type { LoadRead, LoadReads } from "./load-reads.ts";

export interface Assessment {
  readonly notes: readonly CodeNote[];
  /** Names of environment variables whose values the code took when it was loaded. */
  readonly environment: readonly string[];
}

const worldWords: Readonly<Record<string, string>> = {
  argv: "the command line",
  clock: "the time",
  random: "a random number",
  network: "the network",
  cwd: "the working directory",
  env: "the environment",
};

/** Collects everything in a closure that keeps its code from being known for certain. */
export function assessClosure(closure: Closure, judge: Judge, loadReads: LoadReads): Assessment {
  const notes: CodeNote[] = [];
  const environment = new Set<string>();
  const files = new Set<SourceFile>();
  const reached = new Set<unknown>(closure.nodes);
  for (const node of closure.nodes) {
    const { file, unit } = node;
    if (file !== undefined && !files.has(file)) {
      files.add(file);
      notes.push(...assessFile(file));
    }
    if (node.kind === "builtin" && node.module === "vm") {
      notes.push({ verdict: "opaque", kind: "eval", message: "node:vm runs code that is not in the source" });
    }
    if (unit === undefined || file === undefined) continue;
    for (const { kind, message, line, column } of unit.notes ?? []) {
      notes.push({
        verdict: "opaque",
        kind: kind === "loose-require" ? "dynamic-import" : kind,
        message,
        place: { file: file.name, line, column },
      });
    }
    if (judge.isDriver(node)) notes.push(driverNote(node));
    else {
      // An effect that changes what the step reads makes it a value of what the effect read.
      const flows = unit.kind !== "statement" || isSeen(node, judge, reached);
      noteReads(node, loadReads.of(node), flows, notes, environment);
    }
  }
  for (const { node, from } of closure.missing) {
    const note = missingNote(node, from);
    if (note !== undefined) notes.push(note);
  }
  return { notes: unique(notes), environment: [...environment].sort() };
}

/** The verdict that notes amount to. */
export function verdictOf(notes: readonly CodeNote[]): Verdict {
  if (notes.some((note) => note.verdict === "opaque")) return "opaque";
  return notes.length > 0 ? "assumed" : "proved";
}

function assessFile(file: SourceFile): CodeNote[] {
  if (file.record.format !== "broken") return [];
  const message = `${file.name} cannot be parsed`;
  return [{ verdict: "opaque", kind: "syntax-error", message, place: { file: file.name, line: 1 } }];
}

/** That what runs may not be what was fingerprinted. */
export function editedNote(file: string): CodeNote {
  const message = `${file} was edited after this process loaded it`;
  return { verdict: "opaque", kind: "edited-since-load", message, place: { file, line: 1 } };
}

function driverNote(node: GraphNode): CodeNote {
  const message = `${node.id} takes part in running a pipeline, and the step reaches it`;
  return {
    verdict: "opaque",
    kind: "captured-value",
    message,
    place: { file: node.file!.name, line: node.unit!.lines[0] },
  };
}

/** Whether a statement changes something else that the step reaches, at once or later. */
function isSeen(node: GraphNode, judge: Judge, reached: ReadonlySet<unknown>): boolean {
  return [...judge.writes(node), ...judge.lateWrites(node), ...judge.givenValues(node)].some(
    (written) => written !== node && reached.has(written),
  );
}

/** What a module took from outside when it was loaded; the variables of the environment are known by value. */
function noteReads(
  node: GraphNode,
  reads: readonly LoadRead[],
  flows: boolean,
  notes: CodeNote[],
  environment: Set<string>,
): void {
  for (const read of reads) {
    const file = read.node.file!;
    const place = { file: file.name, line: read.line };
    if (read.kind.startsWith("env ")) {
      environment.add(read.kind.slice(4));
      continue;
    }
    if (read.kind === "await") {
      const message = `${node.id} waits for something when its module is loaded`;
      notes.push({ verdict: "assumed", kind: "captured-value", message, place });
      continue;
    }
    const isFile = read.kind === "node:fs" || read.kind === "node:fs/promises";
    const what = worldWords[read.kind] ?? `what ${read.kind} answers`;
    const message = isFile
      ? `${node.id} reads files when its module is loaded: read them in the step, or by new URL("…", import.meta.url)`
      : `${node.id} depends on ${what} when its module is loaded`;
    notes.push({ verdict: flows ? "opaque" : "assumed", kind: "captured-value", message, place });
  }
}

function missingNote(node: GraphNode, from: GraphNode): CodeNote | undefined {
  const unit = from.unit;
  if (unit === undefined || from.file === undefined) return undefined;
  const name = node.own.slice("missing ".length);
  const message = `${from.id} refers to ${name}, which cannot be found`;
  return { verdict: "opaque", kind: "unresolved", message, place: { file: from.file.name, line: unit.lines[0] } };
}

function unique(notes: readonly CodeNote[]): CodeNote[] {
  const seen = new Map<string, CodeNote>();
  for (const note of notes) seen.set(JSON.stringify([note.kind, note.message, note.place]), note);
  return [...seen.values()];
}

/** Whether there is a file at a path. */
export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
