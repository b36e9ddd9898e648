/** Everything that a store holds, read once, to tell what may go. */
import type { Digest } from "../hash/digest.ts";
import type { Artifact } from "../record/artifact.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { RunId, StepRunId } from "../record/id.ts";
import type { KeyDigest } from "../record/key.ts";
import type { Lease } from "../record/lease.ts";
import type { Run, StepRun } from "../record/run.ts";
import type { BlobStat, BlobStore } from "../store/blob-store.ts";
import type { FileDigest, MetadataStore } from "../store/metadata-store.ts";
import { findProcessState } from "../store/process.ts";
import { lastUse } from "./list-entries.ts";
import { withLiveStatus } from "./live-status.ts";

export interface RemovalPorts {
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
}

export interface Inventory {
  /** Newest first. */
  readonly runs: readonly Run[];
  readonly stepRuns: ReadonlyMap<RunId, readonly StepRun[]>;
  /** Newest first. */
  readonly entries: readonly CacheEntry[];
  /** When each entry was made or last reused. */
  readonly usedAt: ReadonlyMap<CacheEntry, number>;
  readonly artifacts: readonly Artifact[];
  readonly blobs: readonly BlobStat[];
  /** By trace, the digests of the files whose bytes it holds. */
  readonly traces: ReadonlyMap<Digest, readonly string[]>;
  readonly files: readonly FileDigest[];
  readonly keys: readonly KeyDigest[];
  /** Of processes that are gone, or whose run is over. */
  readonly leftLeases: readonly Lease[];
  readonly now: number;
}

export async function takeInventory({ metadata, blobs }: RemovalPorts, now: number): Promise<Inventory> {
  // Runs first: a run that comes while the rest is read is one that nobody knows of, and stops the removal.
  const runs = (await metadata.runs({})).map(withLiveStatus);
  const stepRuns = await metadata.stepRuns({});
  const entries = await metadata.cacheEntriesOf({});
  const reuses = await metadata.reuses({});
  const traces = new Map<Digest, readonly string[]>();
  for await (const [digest, { reads }] of metadata.allTraces()) {
    traces.set(
      digest,
      reads.flatMap(({ kind, found }) => (kind === "file" ? found : [])),
    );
  }
  const keys: KeyDigest[] = [];
  for await (const key of metadata.allKeys()) keys.push(key);
  const stored: BlobStat[] = [];
  for await (const blob of blobs.list()) stored.push(blob);
  const over = new Set(runs.flatMap(({ id, status }) => (status === "running" ? [] : id)));
  const leases = [...(await metadata.leases()).values()];
  return {
    runs,
    stepRuns: Map.groupBy(stepRuns, (stepRun) => stepRun.run),
    entries,
    usedAt: new Map(entries.map((entry) => [entry, lastUse(entry, reuses.get(entry.origin))])),
    artifacts: await metadata.artifacts({}),
    blobs: stored,
    traces,
    files: [...(await metadata.fileDigests()).values()],
    keys,
    leftLeases: leases.filter(
      ({ holder }) => over.has(runOf(holder.stepRun)) || findProcessState(holder.process) === "gone",
    ),
    now,
  };
}

/** The other runs that reuse a run's results. */
export function listUsers(inventory: Inventory): ReadonlyMap<Run, readonly Run[]> {
  const byId = new Map(inventory.runs.map((run) => [run.id, run]));
  const users = new Map<Run, Run[]>();
  for (const [id, stepRuns] of inventory.stepRuns) {
    const user = byId.get(id);
    for (const { origin } of stepRuns) {
      const owner = origin === undefined ? undefined : byId.get(runOf(origin));
      if (user === undefined || owner === undefined || owner === user) continue;
      const known = users.get(owner);
      if (known === undefined) users.set(owner, [user]);
      else known.push(user);
    }
  }
  return users;
}

export function runOf(stepRun: StepRunId): RunId {
  return stepRun.slice(0, stepRun.indexOf("/")) as RunId;
}
