/** Stored results in words. */
import type { CacheEntrySummary } from "../history/list-entries.ts";

/** `valid`, `expired, pinned`. */
export function describeEntryState({ entry, state }: CacheEntrySummary): string {
  return entry.pinnedAt === undefined ? state : `${state}, pinned`;
}
