/** What `stat` said, as far as a step has looked: a step that asks whether a file is there does not depend on its size. */
import type { BigIntStats, Stats } from "node:fs";
import { stampOf, type Stamp } from "../code/stamp.ts";
import { readlinkSync } from "./disk.ts";

export interface StatDetail {
  /** `file`, `directory`, `other`; of a link that was not followed, `link` and where it leads. */
  readonly kind: string;
  readonly size: number;
  readonly modifiedMs: number;
}

/** Something is there; what, nobody asked. */
export const something: StatDetail = { kind: "there", size: 0, modifiedMs: 0 };

/** How closely a step looked: that there is something, what kind of thing, how large it is, when it was modified. */
export type StatLevel = 0 | 1 | 2 | 3;

export const absent = "absent";
/** There is something, and the system does not let it be looked at. */
export const refused = "refused";

export function toStatDetail(stats: Stats | BigIntStats, path: string): StatDetail {
  return { kind: kindOf(stats, path), size: Number(stats.size), modifiedMs: Number(stats.mtimeMs) };
}

/** Undefined: there is nothing. */
export function showStat(detail: StatDetail | undefined, level: StatLevel): string {
  if (detail === undefined) return absent;
  if (level === 0) return "there";
  const size = level === 1 || detail.kind !== "file" ? detail.kind : `file ${detail.size}`;
  return level === 3 ? `${size} at ${detail.modifiedMs}` : size;
}

/** The level at which a text was made. What is absent is absent at every level. */
export function levelOf(text: string): StatLevel {
  if (text === "there" || text === absent || text === refused) return 0;
  if (/ at [\d.]+$/u.test(text)) return 3;
  return text.startsWith("file ") ? 2 : 1;
}

/** The stamp of a path: what `stat` says of a path; undefined where it says nothing. */
export function stampQuietly(path: string): Stamp | undefined {
  try {
    return stampOf(path);
  } catch {
    return undefined;
  }
}

function kindOf(stats: Stats | BigIntStats, path: string): string {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (!stats.isSymbolicLink()) return "other";
  try {
    return `link ${readlinkSync(path)}`;
  } catch {
    return "link";
  }
}
