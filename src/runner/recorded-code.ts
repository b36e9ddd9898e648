/** What a store is known to have of code, so that steps which execute again do not read their sources again to record them. */
import type { Digest } from "../hash/digest.ts";
import type { MetadataStore } from "../store/metadata-store.ts";

const recorded = new WeakMap<MetadataStore, Set<Digest>>();

/** Digests of code that runs of this process have recorded in a store. No change removes code. */
export function recordedCodeOf(metadata: MetadataStore): Set<Digest> {
  const known = recorded.get(metadata) ?? new Set<Digest>();
  recorded.set(metadata, known);
  return known;
}
