/** The stored results of a store, for programs. */
import { countCache, type CacheStats, type StatsQuery } from "./cache-stats.ts";
import { explainEntries, type EntryExplanation } from "./explain-entries.ts";
import { listEntries, type CacheEntrySummary, type EntryQuery } from "./list-entries.ts";
import type { HistoryPorts } from "./ports.ts";

export interface CacheHistory {
  /** Stored results, newest first if not said otherwise. */
  entries(query?: EntryQuery): Promise<readonly CacheEntrySummary[]>;
  /** What is stored, how often it is reused, and why steps miss it. */
  stats(query?: StatsQuery): Promise<CacheStats>;
  /** What the results of a step, a key or a run stand for, and whether each would be reused now. Newest first. */
  why(selector: string, options?: { readonly limit?: number }): Promise<readonly EntryExplanation[]>;
}

export function openCacheHistory(ports: HistoryPorts): CacheHistory {
  return {
    entries: async (query = {}) => await listEntries(ports.metadata, query, Date.now()),
    stats: async (query = {}) => await countCache(ports, query, Date.now()),
    why: async (selector, options = {}) => await explainEntries(ports, selector, options, Date.now()),
  };
}
