/** What the stored results of a step stand for, and whether each would be reused now. */
import { compareKeys } from "../cache/explain-miss.ts";
import { describeDifference } from "../cache/describe-difference.ts";
import { keyScheme, runtimeOfThisProcess } from "../cache/key.ts";
import type { CachePorts } from "../cache/look-up.ts";
import type { Digest } from "../hash/digest.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { KeyRecord } from "../record/key.ts";
import type { Difference, MissCode } from "../record/reason.ts";
import type { Trace } from "../record/trace.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { compareTraces } from "./compare-traces.ts";
import { findEntries } from "./find-entries.ts";
import { summarizeEntries, type CacheEntrySummary } from "./list-entries.ts";

/** Why an entry would not be reused now. */
export interface EntryObstacle {
  readonly code: MissCode;
  /** A sentence fragment, as in "not reused because …". */
  readonly text: string;
  /** What is not as it was, where the world is the reason. */
  readonly differences: readonly Difference[];
}

export interface EntryExplanation extends CacheEntrySummary {
  /** Undefined when the parts of its key were not kept. */
  readonly key: KeyRecord | undefined;
  /** What the newest entry has that this one has not: parts of the key, and what was read. Empty for the newest itself. */
  readonly differences: readonly Difference[];
  /** Everything that stands against its reuse, as far as it can be told without the pipeline; empty when nothing does. */
  readonly obstacles: readonly EntryObstacle[];
  /** What could not be asked, and is taken to be as it was. */
  readonly warnings: readonly string[];
}

export interface ExplainEntriesPorts extends Pick<CachePorts, "checkTraces"> {
  readonly metadata: MetadataStore;
  readonly content: { readonly verify: CachePorts["checkBlobs"] };
}

/** Explains the entries that a step, a key or a run names, newest first. Throws a UsageError (RPS6002) when there are none. */
export async function explainEntries(
  ports: ExplainEntriesPorts,
  selector: string,
  { limit }: { readonly limit?: number },
  now: number,
): Promise<readonly EntryExplanation[]> {
  const { metadata } = ports;
  const found = (await findEntries(metadata, selector)).slice(0, limit);
  const summaries = await summarizeEntries(metadata, found, now);
  const keys = await metadata.keys([...new Set(found.map(({ key }) => key))]);
  const digests = [...new Set(found.flatMap(({ trace }) => trace ?? []))];
  const traces = digests.length === 0 ? new Map<Digest, Trace>() : await metadata.traces(digests);
  const checks = traces.size === 0 ? new Map() : await ports.checkTraces(traces);
  const blobs = found.flatMap((entry) => entry.blobs);
  const health = blobs.length === 0 ? new Map() : await ports.content.verify(blobs);
  const newest = new Map<string, CacheEntry>();
  for (const entry of found) if (!newest.has(entry.step)) newest.set(entry.step, entry);
  return await Promise.all(
    summaries.map(async (summary): Promise<EntryExplanation> => {
      const { entry } = summary;
      const key = keys.get(entry.key);
      const first = newest.get(entry.step) ?? entry;
      const check = entry.trace === undefined ? undefined : checks.get(entry.trace);
      return {
        ...summary,
        key,
        differences: [
          ...(await compareEntryKeys(metadata, key, keys.get(first.key))),
          ...compareTraces(traceOf(entry, traces), traceOf(first, traces)),
        ],
        obstacles: [
          ...judgeEntry(summary),
          ...judgeKey(key),
          ...judgeBlobs(entry, health),
          ...judgeTrace(entry, check?.differences),
        ],
        warnings: check?.warnings ?? [],
      };
    }),
  );
}

async function compareEntryKeys(
  metadata: MetadataStore,
  from: KeyRecord | undefined,
  to: KeyRecord | undefined,
): Promise<readonly Difference[]> {
  if (from === undefined || to === undefined || from === to) return [];
  const code = (await metadata.code([to.code])).get(to.code);
  const texts = code === undefined ? [] : code.units.filter(({ kind }) => kind === "declaration" || kind === "effect");
  const sources = texts.length === 0 ? new Map() : await metadata.sources(texts.map(({ digest }) => digest));
  return await compareKeys(metadata, from, { key: to, code }, sources);
}

function traceOf(entry: CacheEntry, traces: ReadonlyMap<Digest, Trace>): Trace | undefined {
  return entry.trace === undefined ? { salt: "", reads: [] } : traces.get(entry.trace);
}

function judgeEntry({ entry, state }: CacheEntrySummary): readonly EntryObstacle[] {
  if (entry.invalidatedAt !== undefined) {
    return [{ code: "invalidated", text: "it was invalidated", differences: [] }];
  }
  if (state !== "expired") return [];
  return [{ code: "expired", text: "it is older than the expires option that its step had", differences: [] }];
}

function judgeKey(key: KeyRecord | undefined): readonly EntryObstacle[] {
  if (key === undefined) return [];
  if (key.runtime !== runtimeOfThisProcess) {
    const text = `it was made on ${key.runtime}, and this is ${runtimeOfThisProcess}`;
    const differences = [{ code: "runtime" as const, part: "runtime", from: key.runtime, to: runtimeOfThisProcess }];
    return [{ code: "runtime", text, differences }];
  }
  if (key.scheme === keyScheme) return [];
  return [{ code: "runtime", text: "its key was made in another way than this Reprise makes keys", differences: [] }];
}

function judgeBlobs(
  { blobs, outputs }: CacheEntry,
  health: Awaited<ReturnType<CachePorts["checkBlobs"]>>,
): readonly EntryObstacle[] {
  const what = outputs.length === 1 ? `its output "${outputs[0]?.slot}"` : "one of its outputs";
  const states = new Set(blobs.map(({ digest }) => health.get(digest) ?? "missing"));
  return [
    ...(states.has("missing")
      ? [{ code: "missing-output" as const, text: `${what} is missing from the store`, differences: [] }]
      : []),
    ...(states.has("corrupt")
      ? [{ code: "corrupt-output" as const, text: `${what} was altered in the store`, differences: [] }]
      : []),
  ];
}

function judgeTrace({ trace }: CacheEntry, differences: readonly Difference[] | undefined): readonly EntryObstacle[] {
  if (trace === undefined) return [];
  if (differences === undefined) {
    return [{ code: "unobserved", text: "what its step read is no longer known", differences: [] }];
  }
  const [first, ...others] = differences;
  return first === undefined ? [] : [{ code: first.code, text: describeDifference(first, others.length), differences }];
}
