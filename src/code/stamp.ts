/** How to tell cheaply that a file or folder has changed. */
import { statSync, type Stats } from "node:fs";

/** What `stat` says: if all of it is as it was, the content is taken to be so too. */
export type Stamp = readonly [mtimeMs: number, ctimeMs: number, size: number, inode: number];

/** The stamp of a path now; undefined when there is nothing. */
export function stampOf(path: string): Stamp | undefined {
  const stats: Stats | undefined = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? undefined : [stats.mtimeMs, stats.ctimeMs, stats.size, stats.ino];
}

/** Whether an error says that a path leads nowhere. Where links lead in a circle, who looks is told something else. */
export function isNowhere(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
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

/** How long it takes from a moment on until an edit cannot leave the stamp as it is; never longer than a moment. */
export function racyForMs(stamp: Stamp, nowMs: number): number {
  return Math.min(stamp[1] + racyMs - nowMs, racyMs) + 1;
}

/** Whether a folder's listing, read at a time, is the one that a modification time now stands for. */
export function isSameMoment(read: { readonly mtimeMs: number; readonly readAtMs: number }, mtimeMs: number): boolean {
  return mtimeMs === read.mtimeMs && mtimeMs < read.readAtMs - racyMs;
}
