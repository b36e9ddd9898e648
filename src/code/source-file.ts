/** A source file of the project as it is on disk now, and how to tell cheaply that it has changed. */
import { statSync, type Stats } from "node:fs";
import type { FileRecord } from "./record.ts";
import type { GraphNode } from "./graph.ts";

/** What `stat` says: if all of it is as it was, the content is taken to be so too. */
export type Stamp = readonly [mtimeMs: number, ctimeMs: number, size: number, inode: number];

/** The stamp of a path now; undefined when there is nothing. */
export function stampOf(path: string): Stamp | undefined {
  const stats: Stats | undefined = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? undefined : [stats.mtimeMs, stats.ctimeMs, stats.size, stats.ino];
}

export function sameStamp(a: Stamp | undefined, b: Stamp | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}

/** Clocks of file systems are coarse: within this time an edit may leave the stamp as it was. */
const racyMs = 50;

/** Whether a file may have been edited after it was read without its stamp showing it. */
export function isRacy(stamp: Stamp, readAtMs: number): boolean {
  return stamp[1] > readAtMs - racyMs;
}

/** Whether a folder's listing, read at a time, is the one that a modification time now stands for. */
export function isSameMoment(read: { readonly mtimeMs: number; readonly readAtMs: number }, mtimeMs: number): boolean {
  return mtimeMs === read.mtimeMs && mtimeMs < read.readAtMs - racyMs;
}

/** Where a specifier leads. */
export type Destination =
  | { readonly kind: "file"; readonly file: SourceFile }
  | { readonly kind: "files"; readonly files: readonly SourceFile[] }
  | { readonly kind: "package"; readonly folder: string }
  | { readonly kind: "builtin"; readonly module: string }
  | { readonly kind: "framework" }
  | { readonly kind: "missing" };

export interface SourceFile {
  readonly path: string;
  /** Relative to the project, with `/`. */
  readonly name: string;
  stamp: Stamp;
  /** When it was read, by the clock. */
  readAtMs: number;
  /** Digest of its bytes. */
  content: string;
  record: FileRecord;
  /** By the index of the request, once asked for. */
  destinations: (Destination | undefined)[];
  /** By the key of the unit. */
  readonly units: Map<string, GraphNode>;
  readonly byName: Map<string, { readonly node: GraphNode; readonly binding: number }[]>;
  /** Files whose references were followed through this one. */
  readonly consumers: Set<SourceFile>;
}
