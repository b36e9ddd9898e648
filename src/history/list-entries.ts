/** Stored results as a list shows them. */
import type { CacheEntry } from "../record/cache-entry.ts";
import type { MetadataStore, Reuse } from "../store/metadata-store.ts";

/** `expired`: older than the `expires` option that its step had when it was made. A step of today may say otherwise. */
export type EntryState = "valid" | "expired" | "invalidated";

export interface CacheEntrySummary {
  readonly entry: CacheEntry;
  readonly state: EntryState;
  /** Of its outputs, in bytes; each blob counts once. Other entries may hold the same blobs. */
  readonly size: number;
  /** Step runs that reused it, as far as their runs are still in the store. */
  readonly hits: number;
  /** When it was made or last reused. */
  readonly usedAt: number;
  /** How many files, directories, variables and URLs its step read. Undefined when its trace is gone: it cannot be reused. */
  readonly reads: number | undefined;
}

export interface EntryQuery {
  readonly step?: string;
  readonly pinned?: boolean;
  /** Only those that are expired or invalidated. */
  readonly invalid?: boolean;
  /** Milliseconds since 1970. */
  readonly createdBefore?: number;
  /** What comes first: the newest (the default), the largest, that which takes longest, the most reused, the last used. */
  readonly sort?: "age" | "size" | "saves" | "hits" | "used";
  readonly limit?: number;
}

/** The entries that a query asks for. */
export async function listEntries(
  metadata: MetadataStore,
  query: EntryQuery,
  now: number,
): Promise<readonly CacheEntrySummary[]> {
  const { step, limit, sort = "age" } = query;
  const entries = await metadata.cacheEntriesOf(step === undefined ? {} : { step });
  const reuses = await metadata.reuses(step === undefined ? {} : { step });
  const found = entries
    .filter((entry) => fits(entry, query, now))
    .map((entry) => summarize(entry, reuses.get(entry.origin), now));
  // The order of entries that are alike in this is that of their age.
  const listed = sort === "age" ? found : found.toSorted((a, b) => rank(b, sort) - rank(a, sort));
  return await countReads(metadata, listed.slice(0, limit));
}

/** Entries with what is known of them, in the order given. */
export async function summarizeEntries(
  metadata: MetadataStore,
  entries: readonly CacheEntry[],
  now: number,
): Promise<readonly CacheEntrySummary[]> {
  const steps = new Set(entries.map(({ step }) => step));
  const [only] = steps;
  const reuses = await metadata.reuses(steps.size === 1 && only !== undefined ? { step: only } : {});
  return await countReads(
    metadata,
    entries.map((entry) => summarize(entry, reuses.get(entry.origin), now)),
  );
}

/** When an entry was made or last reused. */
export function lastUse(entry: CacheEntry, reuse: Reuse | undefined): number {
  return Math.max(entry.createdAt, reuse?.lastAt ?? 0);
}

export function stateOf(entry: CacheEntry, now: number): EntryState {
  if (entry.invalidatedAt !== undefined) return "invalidated";
  return entry.expiresAt !== undefined && entry.expiresAt <= now ? "expired" : "valid";
}

/** The bytes of some entries; a blob that several hold counts once. */
export function sizeOf(...entries: readonly CacheEntry[]): number {
  const sizes = new Map(entries.flatMap(({ blobs }) => blobs.map(({ digest, size }) => [digest, size])));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

function summarize(entry: CacheEntry, reuse: Reuse | undefined, now: number): CacheEntrySummary {
  return {
    entry,
    state: stateOf(entry, now),
    size: sizeOf(entry),
    hits: reuse?.count ?? 0,
    usedAt: lastUse(entry, reuse),
    reads: 0,
  };
}

function fits(entry: CacheEntry, { pinned, invalid, createdBefore }: EntryQuery, now: number): boolean {
  if (pinned === true && entry.pinnedAt === undefined) return false;
  if (invalid === true && stateOf(entry, now) === "valid") return false;
  return createdBefore === undefined || entry.createdAt < createdBefore;
}

function rank({ entry, size, hits, usedAt }: CacheEntrySummary, sort: NonNullable<EntryQuery["sort"]>): number {
  switch (sort) {
    case "age":
      return entry.createdAt;
    case "size":
      return size;
    case "saves":
      return entry.durationMs;
    case "hits":
      return hits;
    case "used":
      return usedAt;
  }
}

async function countReads(
  metadata: MetadataStore,
  summaries: readonly CacheEntrySummary[],
): Promise<readonly CacheEntrySummary[]> {
  const digests = [...new Set(summaries.flatMap(({ entry }) => entry.trace ?? []))];
  if (digests.length === 0) return summaries;
  const traces = await metadata.traces(digests);
  return summaries.map((summary) => {
    const { trace } = summary.entry;
    return trace === undefined ? summary : { ...summary, reads: traces.get(trace)?.reads.length };
  });
}
