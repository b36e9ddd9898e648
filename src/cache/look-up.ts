/** Whether a stored result may be taken: asked for many nodes at once, answered with the entry or the reason why not. */
import type { CodeIdentity } from "../code/identity.ts";
import type { CacheMode } from "../define/options.ts";
import type { OptionLevel } from "../define/resolve-options.ts";
import type { BlobRef } from "../define/materializer.ts";
import type { Digest } from "../hash/digest.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { MissCode } from "../record/reason.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import type { Key } from "./key.ts";

export type BlobHealth = "ok" | "missing" | "corrupt";

export interface CachePorts {
  readonly metadata: MetadataStore;
  /** Whether blobs are there and unaltered, as far as a stat can tell. */
  checkBlobs(refs: readonly BlobRef[]): Promise<ReadonlyMap<Digest, BlobHealth>>;
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
  | { readonly kind: "hit"; readonly entry: CacheEntry }
  | { readonly kind: "miss"; readonly told: ToldMiss; readonly entry?: CacheEntry }
  | { readonly kind: "unknown" };

export interface ToldMiss {
  readonly code: MissCode;
  readonly text: string;
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

/** Looks all of them up with one question to the store and one to the blobs. In the order asked. */
export async function lookUp(
  ports: CachePorts,
  requests: readonly LookUpRequest[],
  now: number,
): Promise<readonly LookUp[]> {
  const entries = await ports.metadata.cacheEntries(requests.map(({ key }) => key.digest));
  const judged = requests.map(({ key, policy }) => judge(entries.get(key.digest), policy, now));
  const blobs = judged.flatMap((each) => (each.kind === "hit" ? each.entry.blobs : []));
  if (blobs.length === 0) return judged;
  const health = await ports.checkBlobs(blobs);
  return judged.map((each) => (each.kind === "hit" ? judgeBlobs(each.entry, health) : each));
}

function judge(entry: CacheEntry | undefined, policy: CachePolicy, now: number): LookUp {
  if (entry === undefined) return { kind: "unknown" };
  if (entry.invalidatedAt !== undefined) {
    return { kind: "miss", told: { code: "invalidated", text: "its cached result was invalidated" }, entry };
  }
  if (policy.expiresMs !== undefined && now - entry.createdAt >= policy.expiresMs) {
    const text = `its cached result is older than ${showDuration(policy.expiresMs)}`;
    return { kind: "miss", told: { code: "expired", text }, entry };
  }
  return { kind: "hit", entry };
}

function judgeBlobs(entry: CacheEntry, health: ReadonlyMap<Digest, BlobHealth>): LookUp {
  for (const blob of entry.blobs) {
    const state = health.get(blob.digest) ?? "missing";
    if (state === "ok") continue;
    const slot = entry.outputs.length === 1 ? entry.outputs[0]?.slot : undefined;
    const what = slot === undefined ? "a stored output" : `its stored output "${slot}"`;
    const told: ToldMiss =
      state === "missing"
        ? { code: "missing-output", text: `${what} is missing from the store` }
        : { code: "corrupt-output", text: `${what} was altered in the store` };
    return { kind: "miss", told, entry };
  }
  return { kind: "hit", entry };
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
