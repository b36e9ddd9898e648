/** What `stat` said, as far as a step has looked: a step that asks whether a file is there does not depend on its size. */
import type { BigIntStats, Stats } from "node:fs";
import { stampOf, type Stamp } from "../code/stamp.ts";
import { readlinkSync } from "./disk.ts";

export interface StatDetail {
  /** `file`, `directory`, `other`; of a link that was not followed, `link` and where it leads. */
  readonly kind: string;
  readonly size: number;
  /** Who may do what. */
  readonly mode: number;
  readonly modifiedMs: number;
  readonly changedMs: number;
  readonly bornMs: number;
}

/** Something is there, of a kind; what else, nobody asked. */
export function bareDetail(kind: string): StatDetail {
  return { kind, size: 0, mode: 0, modifiedMs: 0, changedMs: 0, bornMs: 0 };
}

export const something = bareDetail("there");

/** How closely a step looked: a sum of {@link facts}. */
export type StatLevel = number;

/** What may be taken from `stat`; without any of it, that there is something. */
export const facts = { kind: 1, size: 2, modified: 4, mode: 8, changed: 16, born: 32 } as const;

export const absent = "absent";
/** There is something, and the system does not let it be looked at. */
export const refused = "refused";

export function toStatDetail(stats: Stats | BigIntStats, path: string): StatDetail {
  const { size, mode } = stats;
  const kind = kindOf(stats, path);
  if (typeof size === "bigint") {
    const { mtimeNs, ctimeNs, birthtimeNs } = stats as BigIntStats;
    const times = { modifiedMs: toMs(mtimeNs), changedMs: toMs(ctimeNs), bornMs: toMs(birthtimeNs) };
    return { kind, size: Number(size), mode: Number(mode), ...times };
  }
  const { mtimeMs, ctimeMs, birthtimeMs } = stats as Stats;
  return { kind, size, mode: Number(mode), modifiedMs: mtimeMs, changedMs: ctimeMs, bornMs: birthtimeMs };
}

/** To the same fraction as Node gives it where nobody asks for large integers. */
function toMs(ns: bigint): number {
  return Number(ns / 1_000_000_000n) * 1000 + Number(ns % 1_000_000_000n) / 1_000_000;
}

/** Undefined: there is nothing. */
export function showStat(detail: StatDetail | undefined, level: StatLevel): string {
  if (detail === undefined) return absent;
  if (level === 0) return "there";
  const isSized = (level & (facts.size | facts.modified)) !== 0 && detail.kind === "file";
  let text = isSized ? `file ${detail.size}` : detail.kind;
  if ((level & facts.modified) !== 0) text += ` at ${detail.modifiedMs}`;
  if ((level & facts.mode) !== 0) text += ` mode ${(detail.mode & 0o7777).toString(8)}`;
  if ((level & facts.changed) !== 0) text += ` changed ${detail.changedMs}`;
  if ((level & facts.born) !== 0) text += ` born ${detail.bornMs}`;
  return text;
}

const tail = /(?<modified> at -?[\d.]+)?(?<mode> mode [0-7]+)?(?<changed> changed -?[\d.]+)?(?<born> born -?[\d.]+)?$/u;

/** The level at which a text was made. What is absent is absent at every level. */
export function levelOf(text: string): StatLevel {
  if (text === "there" || text === absent || text === refused) return 0;
  let level: StatLevel = facts.kind | (/^file \d/u.test(text) ? facts.size : 0);
  for (const [name, found] of Object.entries(tail.exec(text)?.groups ?? {})) {
    if (found !== undefined) level |= facts[name as keyof typeof facts];
  }
  return level;
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
