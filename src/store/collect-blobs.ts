/** Garbage collection: removes the blobs that no artifact names any more. */
import type { Digest } from "../hash/digest.ts";
import type { BlobStat, BlobStore } from "./blob-store.ts";
import type { MetadataStore } from "./metadata-store.ts";

export interface CollectOptions {
  /** Only counts what would go. */
  readonly dryRun?: boolean;
  /**
   * Blobs written or touched within this time stay: a run that goes on may be about to name them. Choose it longer
   * than a step takes to write its outputs.
   */
  readonly olderThanMs: number;
}

export interface Collected {
  readonly count: number;
  /** Exact. */
  readonly bytes: number;
}

export async function collectBlobs(
  metadata: MetadataStore,
  blobs: BlobStore,
  { dryRun = false, olderThanMs }: CollectOptions,
): Promise<Collected> {
  const before = Date.now() - olderThanMs;
  const candidates = new Map<Digest, BlobStat>();
  for await (const stat of blobs.list()) if (stat.modifiedAt <= before) candidates.set(stat.digest, stat);
  // Asked for after the list was made: what was named meanwhile stays.
  for await (const digest of metadata.referencedBlobs()) candidates.delete(digest);
  let count = 0;
  let bytes = 0;
  for (const piece of piecesOf([...candidates.keys()])) {
    // Looked at again right before: somebody may have written the same bytes meanwhile, which touches the blob.
    const stats = await blobs.stat(piece);
    const unwanted = [...stats.values()].filter((stat) => stat.modifiedAt <= before);
    if (!dryRun) await blobs.remove(unwanted.map((stat) => stat.digest));
    count += unwanted.length;
    bytes += unwanted.reduce((sum, stat) => sum + stat.size, 0);
  }
  return { count, bytes };
}

const pieceSize = 64;

function* piecesOf<T>(values: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < values.length; start += pieceSize) yield values.slice(start, start + pieceSize);
}
