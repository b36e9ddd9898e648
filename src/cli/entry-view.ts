/** Stored results in words. */
import type { CacheEntrySummary } from "../history/list-entries.ts";

/** `valid`, `expired, pinned`, `valid, nondeterministic`. */
export function describeEntryState({ entry, state }: CacheEntrySummary): string {
  const pinned = entry.pinnedAt === undefined ? [] : ["pinned"];
  const unsteady = entry.unsteady === undefined ? [] : ["nondeterministic"];
  return [state, ...pinned, ...unsteady].join(", ");
}
