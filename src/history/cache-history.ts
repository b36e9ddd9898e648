/** The stored results of a store, for programs. */
import { countCache, type CacheStats, type StatsQuery } from "./cache-stats.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import { exportEntries, type ExportReport } from "./archive/export-entries.ts";
import { importEntries, type ImportOptions, type ImportReport } from "./archive/import-entries.ts";
import { explainEntries, type EntryExplanation } from "./explain-entries.ts";
import { listEntries, type CacheEntrySummary, type EntryQuery } from "./list-entries.ts";
import { pinEntries } from "./pinning.ts";
import type { HistoryPorts } from "./ports.ts";

export interface CacheHistory {
  /** Stored results, newest first if not said otherwise. */
  entries(query?: EntryQuery): Promise<readonly CacheEntrySummary[]>;
  /** What is stored, how often it is reused, and why steps miss it. */
  stats(query?: StatsQuery): Promise<CacheStats>;
  /** What the results of a step, a key or a run stand for, and whether each would be reused now. Newest first. */
  why(selector: string, options?: { readonly limit?: number }): Promise<readonly EntryExplanation[]>;
  /** Pins what is named by step, key or run, so that no collection takes it. Answers with what was not pinned before. */
  pin(selectors: readonly string[]): Promise<readonly CacheEntry[]>;
  /** Takes pins off. Answers with what was pinned. */
  unpin(selectors: readonly string[]): Promise<readonly CacheEntry[]>;
  /** Writes results, named by step, key or run, or all of them, to a file that is not there yet. */
  export(file: string, selectors?: readonly string[]): Promise<ExportReport>;
  /**
   * Takes in what another store has exported, verified as a whole; what is here and newer stays, and what reads outside of
   * the project stays away, unless that is allowed.
   */
  import(file: string, options?: ImportOptions): Promise<ImportReport>;
}

export function openCacheHistory(ports: HistoryPorts): CacheHistory {
  return {
    entries: async (query = {}) => await listEntries(ports.metadata, query, Date.now()),
    stats: async (query = {}) => await countCache(ports, query, Date.now()),
    why: async (selector, options = {}) => await explainEntries(ports, selector, options, Date.now()),
    pin: async (selectors) => await pinEntries(ports.metadata, selectors, Date.now()),
    unpin: async (selectors) => await pinEntries(ports.metadata, selectors, undefined),
    export: async (file, selectors = []) => await exportEntries(ports, selectors, file, Date.now()),
    import: async (file, options = {}) => await importEntries(ports, file, options, Date.now()),
  };
}
