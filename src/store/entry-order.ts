/** The order of cache entries: newest first, the same on every machine. */
import type { CacheEntry } from "../record/cache-entry.ts";
import { ascending } from "./plan-order.ts";

export function newestEntryFirst(left: CacheEntry, right: CacheEntry): number {
  return (
    ascending(right.createdAt, left.createdAt) ||
    ascending(left.key, right.key) ||
    ascending(left.trace ?? "", right.trace ?? "")
  );
}
