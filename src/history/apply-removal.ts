/** Removes what was planned, and measures what that frees. */
import { ConflictError } from "../error.ts";
import type { Digest } from "../hash/digest.ts";
import type { Run } from "../record/run.ts";
import type { Change } from "../store/metadata-store.ts";
import type { RemovalPorts } from "./inventory.ts";
import { isElsewhere, withLiveStatus } from "./live-status.ts";
import type { Removal } from "./removal.ts";

export interface Freed {
  /** What the files of removed blobs held, in bytes. */
  readonly bytes: number;
  /** By how much the files of the records shrank, in bytes; 0 where they grew. */
  readonly recordBytes: number;
}

/**
 * Removes what was planned. A blob that somebody has written or referred to since then stays.
 *
 * Throws a ConflictError (RPS5001) and removes nothing while a run goes on that may need what goes, or when one has begun
 * since it was planned.
 */
export async function applyRemoval(ports: RemovalPorts, removal: Removal): Promise<Freed> {
  const { metadata } = ports;
  const changes = toChanges(removal);
  await refuseWhileRunning(ports, removal);
  if (changes.length === 0 && removal.blobs.length === 0) return { bytes: 0, recordBytes: 0 };
  const before = await metadata.size();
  const takesData = changes.some(({ kind }) => kind !== "remove-runs") || removal.blobs.length > 0;
  // In the same transaction: a run that begins after it finds nothing of what went, and a run that began before it stops it.
  await metadata.write([...(takesData ? [{ kind: "expect-runs" as const, known: removal.known }] : []), ...changes]);
  const bytes = await removeBlobs(ports, removal);
  // Small blobs may lie in the same file as the records.
  await metadata.compact();
  return { bytes, recordBytes: Math.max(0, before - (await metadata.size())) };
}

function toChanges({ runs, cacheEntries, artifacts, traces, keys, leases, files }: Removal): readonly Change[] {
  const changes: Change[] = [];
  if (runs.length > 0) changes.push({ kind: "remove-runs", runs: runs.map((run) => run.id) });
  if (cacheEntries.length > 0) changes.push({ kind: "remove-cache-entries", entries: cacheEntries });
  if (artifacts.length > 0) changes.push({ kind: "remove-artifacts", artifacts });
  if (traces.length > 0) changes.push({ kind: "remove-traces", digests: traces });
  if (keys.length > 0) changes.push({ kind: "remove-keys", digests: keys });
  for (const { key, token } of leases)
    changes.push({ kind: "end-lease", lease: { key, token }, changes: [], otherwise: [] });
  if (files.length > 0) changes.push({ kind: "remove-file-digests", paths: files });
  return changes;
}

async function refuseWhileRunning({ metadata }: RemovalPorts, removal: Removal): Promise<void> {
  const named = new Set(removal.runs.map((run) => run.id));
  const { cacheEntries, artifacts, blobs, traces, keys } = removal;
  const takesData = cacheEntries.length + artifacts.length + blobs.length + traces.length + keys.length > 0;
  const going = (await metadata.runs({ status: ["running"] })).map(withLiveStatus);
  // Whoever names a run of another machine knows more about it than can be told from here.
  const live = going.find((run) => run.status === "running" && !(named.has(run.id) && isElsewhere(run)));
  if (live !== undefined && (takesData || named.has(live.id))) throw stillRunning(live);
}

function stillRunning(live: Run): ConflictError {
  const where = isElsewhere(live) ? ` on ${live.environment.host}` : "";
  return new ConflictError(
    "RPS5001",
    `Run ${live.id} of "${live.pipeline}" is going on${where}, and may need what would be removed`,
    {
      hint: isElsewhere(live)
        ? `Wait until it has ended; if it was killed there, remove it: reprise rm ${live.id}`
        : "Wait until it has ended, or stop it",
    },
  );
}

async function removeBlobs({ metadata, blobs }: RemovalPorts, removal: Removal): Promise<number> {
  if (removal.blobs.length === 0) return 0;
  const referenced = new Set<Digest>();
  for await (const digest of metadata.referencedBlobs()) referenced.add(digest);
  // A writer of the same bytes touches the blob, which makes it younger than it was when the removal was planned.
  const removed = await blobs.collect(removal.blobs.filter((blob) => !referenced.has(blob.digest)));
  return removed.reduce((sum, blob) => sum + blob.size, 0);
}
