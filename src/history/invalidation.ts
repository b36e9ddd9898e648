/** Which cache entries to drop, so that a step runs again and says why. */
import { UsageError } from "../error.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { findArtifact } from "./find-artifact.ts";
import { traceArtifacts } from "./lineage.ts";

export interface Invalidation {
  /** Entries that are valid now and would be dropped, newest first. */
  readonly entries: readonly CacheEntry[];
}

/** Plans to drop all results of a step, or the one that made an artifact; with `downstream` all that was made from them. */
export async function planInvalidation(
  metadata: MetadataStore,
  what: string,
  options: { readonly downstream?: boolean } = {},
): Promise<Invalidation> {
  const ofStep = await metadata.cacheEntriesOf({ step: what });
  const first = ofStep.length > 0 ? ofStep : await findEntriesOfArtifact(metadata, what);
  const entries = new Map(first.map((entry) => [entry.key, entry]));
  if (options.downstream === true) {
    for (const entry of await findDownstream(metadata, first)) entries.set(entry.key, entry);
  }
  return {
    entries: [...entries.values()]
      .filter((entry) => entry.invalidatedAt === undefined)
      .sort((a, b) => b.createdAt - a.createdAt),
  };
}

/** Drops the entries. They are kept, marked, so that the next run can tell the reason. */
export async function applyInvalidation(
  metadata: MetadataStore,
  { entries }: Invalidation,
  now: number,
): Promise<void> {
  if (entries.length === 0) return;
  await metadata.write([{ kind: "invalidate", keys: entries.map((entry) => entry.key), at: now }]);
}

async function findEntriesOfArtifact(metadata: MetadataStore, what: string): Promise<readonly CacheEntry[]> {
  const artifact = await findArtifact(metadata, what).catch((cause: unknown) => {
    if (!(cause instanceof UsageError)) throw cause;
    throw new UsageError("RPS6002", `No step and no artifact is named "${what}", or none with a stored result`, {
      hint: cause.hint ?? "List them: reprise artifacts",
    });
  });
  const all = await metadata.cacheEntriesOf({});
  return all.filter((entry) =>
    entry.outputs.some((use) => use.artifact === artifact.name && use.version === artifact.version),
  );
}

async function findDownstream(metadata: MetadataStore, entries: readonly CacheEntry[]): Promise<readonly CacheEntry[]> {
  const uses = entries.flatMap((entry) => entry.outputs);
  const names = new Set(uses.map((use) => `${use.artifact}@v${use.version}`));
  const digests = [...new Set(uses.map((use) => use.digest))];
  const artifacts = digests.length === 0 ? [] : await metadata.artifacts({ digests });
  const lineage = await traceArtifacts(
    metadata,
    artifacts.filter((artifact) => names.has(`${artifact.name}@v${artifact.version}`)),
    { direction: "down" },
  );
  const origins = lineage.nodes.flatMap((node) => (node.kind === "step-run" ? [node.stepRun.id] : []));
  return origins.length === 0 ? [] : await metadata.cacheEntriesOf({ origins });
}
