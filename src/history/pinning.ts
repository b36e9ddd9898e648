/** Pins: stored results that no collection takes. */
import type { CacheEntry } from "../record/cache-entry.ts";
import { newestEntryFirst } from "../store/entry-order.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { findEntries } from "./find-entries.ts";

/**
 * Pins what is named by step, key, step run or run, or takes the pins off when no time is given; all entries under a key
 * together. Answers with the entries that were not so before, newest first.
 */
export async function pinEntries(
  metadata: MetadataStore,
  selectors: readonly string[],
  at: number | undefined,
): Promise<readonly CacheEntry[]> {
  const named: CacheEntry[] = [];
  for (const selector of selectors) named.push(...(await findEntries(metadata, selector)));
  const keys = [...new Set(named.map(({ key }) => key))];
  const all = [...(await metadata.cacheEntries(keys)).values()].flat();
  const changing = all.filter(({ pinnedAt }) => (pinnedAt === undefined) !== (at === undefined));
  const changed = [...new Set(changing.map(({ key }) => key))];
  if (changed.length > 0) await metadata.write([{ kind: "pin", keys: changed, at: at ?? null }]);
  return changing.sort(newestEntryFirst).map((entry) => ({ ...entry, pinnedAt: at }));
}
