/** Whether a stored result may be taken: asked for many nodes at once, answered with the entry or the reason why not. */
import type { CodeIdentity } from "../code/identity.ts";
import type { CacheMode } from "../define/options.ts";
import type { OptionLevel } from "../define/resolve-options.ts";
import type { BlobRef } from "../define/materializer.ts";
import type { Digest } from "../hash/digest.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { StepRunId } from "../record/id.ts";
import type { Difference, MissCode } from "../record/reason.ts";
import type { Trace, TraceCheck } from "../record/trace.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { describeDifference } from "./describe-difference.ts";
import type { Key } from "./key.ts";

export type BlobHealth = "ok" | "missing" | "corrupt";

export interface CachePorts {
  readonly metadata: MetadataStore;
  /** Whether blobs are there and unaltered, as far as a stat can tell. */
  checkBlobs(refs: readonly BlobRef[]): Promise<ReadonlyMap<Digest, BlobHealth>>;
  /** Whether what was read of the world is still so. */
  checkTraces(traces: ReadonlyMap<Digest, Trace>): Promise<ReadonlyMap<Digest, TraceCheck>>;
}

/** How a node wants to be cached, all levels of options merged. */
export interface CachePolicy {
  readonly mode: CacheMode;
  /** Which level said so, for the reason. */
  readonly modeFrom: OptionLevel;
  readonly expiresMs: number | undefined;
  /** Named by `--force`. */
  readonly forced: boolean;
  /** The run reuses only results whose code identity is proved. */
  readonly requireProved: boolean;
  /** The user gave a `version`, which vouches for code that cannot be told. */
  readonly hasVersion: boolean;
}

/** A miss that needs no comparison with an earlier key is `told`; the others are `unknown`: nothing is stored under the key. */
export type LookUp =
  | {
      readonly kind: "hit";
      readonly entry: CacheEntry;
      /** What could not be asked, and was taken to be as it was. */
      readonly warnings: readonly string[];
      /** Whether no newer one stands under the key. */
      readonly isNewest: boolean;
    }
  | { readonly kind: "miss"; readonly told: ToldMiss; readonly entry?: CacheEntry; readonly seen: Seen }
  | { readonly kind: "unknown"; readonly seen: Seen };

/** The step runs that made the entries which stood under the key. */
export type Seen = readonly StepRunId[];

export interface ToldMiss {
  readonly code: MissCode;
  readonly text: string;
  /** What is not as it was, where the world is the reason. */
  readonly differences?: readonly Difference[];
}

/** Whether bytes that were stored are the reason. */
export function isDamage({ code }: ToldMiss): boolean {
  return code === "missing-output" || code === "corrupt-output";
}

/** What is known without asking the store: the node's policy or its code rules a hit out. */
export function ruleOut(policy: CachePolicy, code: CodeIdentity): ToldMiss | undefined {
  if (policy.forced) return { code: "forced", text: "it was forced" };
  if (policy.mode === "off" || policy.mode === "refresh") {
    const what = policy.mode === "off" ? "caching is off" : "its cached result is not to be used";
    return { code: "cache-off", text: `${what} (set on the ${policy.modeFrom})` };
  }
  if (code.verdict === "opaque" && !policy.hasVersion) {
    const note = code.notes.find((each) => each.verdict === "opaque");
    return { code: "opaque-code", text: note?.message ?? "its code cannot be told" };
  }
  if (code.verdict !== "proved" && policy.requireProved) {
    return { code: "opaque-code", text: `the run asks for proved code: ${code.notes[0]?.message ?? code.verdict}` };
  }
  return undefined;
}

export interface LookUpRequest {
  readonly key: Key;
  readonly policy: CachePolicy;
}

/** Looks all of them up with one question each to the store, the world and the blobs. In the order asked. */
export async function lookUp(
  ports: CachePorts,
  requests: readonly LookUpRequest[],
  now: number,
): Promise<readonly LookUp[]> {
  const entries = await ports.metadata.cacheEntries(requests.map(({ key }) => key.digest));
  const checks = await checkTraces(ports, requests, entries, now);
  const judged = await demandProof(
    ports,
    requests,
    requests.map(({ key, policy }) => judge(entries.get(key.digest) ?? [], checks, policy, now)),
  );
  const blobs = judged.flatMap((each) => (each.kind === "hit" ? each.entry.blobs : []));
  if (blobs.length === 0) return judged;
  const health = await ports.checkBlobs(blobs);
  return judged.map((each, index) =>
    each.kind === "hit"
      ? judgeBlobs(each, health, entries.get((requests[index] as LookUpRequest).key.digest) ?? [])
      : each,
  );
}

/** Where a run takes proved results only: what a native add-on may have read besides is not known. */
async function demandProof(
  { metadata }: CachePorts,
  requests: readonly LookUpRequest[],
  judged: readonly LookUp[],
): Promise<readonly LookUp[]> {
  const origins = judged.flatMap((each, index) =>
    each.kind === "hit" && requests[index]?.policy.requireProved === true ? [each.entry.origin] : [],
  );
  if (origins.length === 0) return judged;
  const notices = new Map((await metadata.stepRuns({ ids: origins })).map((each) => [each.id, each.notices ?? []]));
  return judged.map((each) => {
    if (each.kind !== "hit") return each;
    const addOn = notices.get(each.entry.origin)?.find(({ kind }) => kind === "add-on");
    if (addOn === undefined) return each;
    const told: ToldMiss = { code: "opaque-code", text: `the run asks for proved results: it ${addOn.text}` };
    return { kind: "miss", told, entry: each.entry, seen: [each.entry.origin] };
  });
}

/** In turns, newest entries first: most hold, and then older ones need not be looked at. */
async function checkTraces(
  { metadata, checkTraces: check }: CachePorts,
  requests: readonly LookUpRequest[],
  entries: ReadonlyMap<Digest, readonly CacheEntry[]>,
  now: number,
): Promise<ReadonlyMap<Digest, TraceCheck>> {
  const checks = new Map<Digest, TraceCheck>();
  let open = requests;
  for (let turn = 0; open.length > 0; turn += 1) {
    const traces = open.flatMap(({ key }) => entries.get(key.digest)?.[turn]?.trace ?? []);
    const wanted = [...new Set(traces)].filter((trace) => !checks.has(trace));
    if (wanted.length > 0) {
      for (const [trace, found] of await check(await metadata.traces(wanted))) checks.set(trace, found);
    }
    open = open.filter(({ key, policy }) => {
      const own = entries.get(key.digest) ?? [];
      return turn + 1 < own.length && judge(own.slice(0, turn + 1), checks, policy, now).kind !== "hit";
    });
  }
  return checks;
}

/** The newest entry that may be taken, else the reason why none may: what differs from the nearest, or what a person said. */
function judge(
  entries: readonly CacheEntry[],
  checks: ReadonlyMap<Digest, TraceCheck>,
  policy: CachePolicy,
  now: number,
): LookUp {
  let nearest: { entry: CacheEntry; differences: readonly Difference[] } | undefined;
  let barred: LookUp | undefined;
  for (const entry of entries) {
    const told = judgeAge(entry, policy, now);
    if (told !== undefined) {
      barred ??= { kind: "miss", told, entry, seen: toSeen(entries) };
      continue;
    }
    if (entry.trace === undefined) return { kind: "hit", entry, warnings: [], isNewest: entry === entries[0] };
    const check = checks.get(entry.trace);
    // A trace that is not there cannot hold.
    if (check === undefined) continue;
    const { differences, warnings } = check;
    if (differences.length === 0) return { kind: "hit", entry, warnings, isNewest: entry === entries[0] };
    if (nearest === undefined || differences.length < nearest.differences.length) nearest = { entry, differences };
  }
  const seen = toSeen(entries);
  if (nearest === undefined) return barred ?? { kind: "unknown", seen };
  const { entry, differences } = nearest;
  const [first] = differences as [Difference, ...Difference[]];
  const told = { code: first.code, text: describeDifference(first, differences.length - 1), differences };
  return { kind: "miss", told, entry, seen };
}

function toSeen(entries: readonly CacheEntry[]): Seen {
  return entries.map(({ origin }) => origin);
}

function judgeAge(entry: CacheEntry, policy: CachePolicy, now: number): ToldMiss | undefined {
  if (entry.invalidatedAt !== undefined) return { code: "invalidated", text: "its cached result was invalidated" };
  if (policy.expiresMs === undefined || now - entry.createdAt < policy.expiresMs) return undefined;
  return { code: "expired", text: `its cached result is older than ${showDuration(policy.expiresMs)}` };
}

function judgeBlobs(
  hit: Extract<LookUp, { kind: "hit" }>,
  health: ReadonlyMap<Digest, BlobHealth>,
  entries: readonly CacheEntry[],
): LookUp {
  const { entry } = hit;
  for (const blob of entry.blobs) {
    const state = health.get(blob.digest) ?? "missing";
    if (state === "ok") continue;
    const slot = entry.outputs.length === 1 ? entry.outputs[0]?.slot : undefined;
    const what = slot === undefined ? "a stored output" : `its stored output "${slot}"`;
    const told: ToldMiss =
      state === "missing"
        ? { code: "missing-output", text: `${what} is missing from the store` }
        : { code: "corrupt-output", text: `${what} was altered in the store` };
    return { kind: "miss", told, entry, seen: toSeen(entries) };
  }
  return hit;
}

function showDuration(durationMs: number): string {
  const units: readonly [name: string, ms: number][] = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1000],
  ];
  const [name, size] = units.find(([, ms]) => durationMs >= ms && durationMs % ms === 0) ?? ["ms", 1];
  return `${durationMs / size}${name}`;
}
