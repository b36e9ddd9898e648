/**
 * The blob port on a table: for blobs so small that a file each costs more than their bytes.
 *
 * A blob is committed with the transaction that it is written in, before anybody is told that it is there: records that
 * name it come in a later one, so a kill leaves both, the blob alone, or neither. Its seal is a column that a trigger
 * clears when somebody writes to the bytes; only a disk that loses bits goes unnoticed until they are read.
 */
import { assertInternal, StoreError } from "../error.ts";
import { isDigest, type Digest } from "../hash/digest.ts";
import type { BlobStat, BlobStore, BlobUpload } from "../store/blob-store.ts";
import { inPieces } from "../store/in-pieces.ts";
import { selectAmong } from "./select.ts";
import { change, execute, type Query, type Row } from "./statement.ts";

/** What runs queries: each reads by itself; writes that are asked for at the same moment may share a transaction. */
interface Connection {
  read<T>(query: () => Query<T>): Promise<T>;
  write<T>(query: () => Query<T>): Promise<T>;
}

/** The connection is its opener's to close. */
export function openBlobTable(connection: Connection): BlobStore {
  return new BlobTable(connection);
}

class BlobTable implements BlobStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async upload(): Promise<BlobUpload> {
    const chunks: Uint8Array[] = [];
    let hasEnded = false;
    return {
      write: async (chunk) => {
        assertInternal(!hasEnded, "bytes were written to an upload that has ended");
        // A copy: the caller may use its buffer again.
        chunks.push(Uint8Array.from(chunk));
      },
      commit: async (digest, { replace = false } = {}) => {
        assertInternal(!hasEnded, "an upload was committed that has ended");
        assertInternal(isDigest(digest), `${JSON.stringify(digest)} is no digest`);
        hasEnded = true;
        const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
        await this.#connection.write(() => insertBlob(digest, bytes, replace));
      },
      abort: async () => {
        hasEnded = true;
      },
    };
  }

  async read(digest: Digest): Promise<Uint8Array | undefined> {
    return await this.#connection.read(() => selectBytes(digest));
  }

  async stream(digest: Digest): Promise<AsyncIterable<Uint8Array> | undefined> {
    const bytes = await this.read(digest);
    return bytes === undefined ? undefined : inPieces(bytes);
  }

  async localPath(): Promise<undefined> {
    return undefined;
  }

  async stat(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, BlobStat>> {
    return await this.#connection.read(() => selectStats(digests));
  }

  async touch(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, BlobStat>> {
    const stats = await this.stat(digests);
    if (stats.size === 0) return stats;
    try {
      return await this.#connection.write(() => touchBlobs([...stats.keys()]));
    } catch (error) {
      // A store that may only be read, or has no room, goes without the mark.
      if (!isRefusal(error)) throw error;
      return stats;
    }
  }

  async seal(digests: readonly Digest[]): Promise<void> {
    if (digests.length === 0) return;
    try {
      await this.#connection.write(() => sealBlobs(digests, 1));
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }

  async unseal(digests: readonly Digest[]): Promise<void> {
    if (digests.length > 0) await this.#connection.write(() => sealBlobs(digests, 0));
  }

  /** A page in each transaction. */
  async *list(): AsyncGenerator<BlobStat, void, undefined> {
    for (let after: string | undefined = ""; after !== undefined;) {
      const start: string = after;
      const page: readonly BlobStat[] = await this.#connection.read(() => selectStatsAfter(start));
      yield* page;
      after = page.at(-1)?.digest;
    }
  }

  async remove(digests: readonly Digest[]): Promise<void> {
    if (digests.length > 0) await this.#connection.write(() => removeBlobs(digests));
  }

  async collect(blobs: readonly BlobStat[]): Promise<readonly BlobStat[]> {
    const removed: BlobStat[] = [];
    // In pieces: whoever writes meanwhile waits for one of them only.
    for (let start = 0; start < blobs.length; start += pieceOfCollection) {
      const piece = blobs.slice(start, start + pieceOfCollection);
      removed.push(...(await this.#connection.write(() => collectBlobs(piece))));
    }
    return removed;
  }

  /** Nothing: what was not committed is gone with its upload. */
  async sweep(): Promise<number> {
    return 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

const pieceOfCollection = 1000;

function isRefusal(error: unknown): boolean {
  return error instanceof StoreError && error.code === "RPS4005" && error.data["busy"] !== true;
}

function* selectBytes(digest: Digest): Query<Uint8Array | undefined> {
  const [row] = yield* execute("SELECT bytes FROM blobs WHERE digest = ?", digest);
  return row?.["bytes"] as Uint8Array | undefined;
}

const statColumns = "digest, length(bytes) AS size, touched_at, sealed";

function* selectStats(digests: readonly Digest[]): Query<ReadonlyMap<Digest, BlobStat>> {
  const rows = yield* selectAmong(`SELECT ${statColumns} FROM blobs`, "digest", digests);
  return new Map(rows.map((row) => [row["digest"] as Digest, toStat(row)]));
}

const pageOfStats = 1000;

function* selectStatsAfter(after: string): Query<readonly BlobStat[]> {
  const sql = `SELECT ${statColumns} FROM blobs WHERE digest > ? ORDER BY digest LIMIT ?`;
  return (yield* execute(sql, after, pageOfStats)).map(toStat);
}

function toStat(row: Row): BlobStat {
  return {
    digest: row["digest"] as Digest,
    size: row["size"] as number,
    modifiedAt: row["touched_at"] as number,
    sealed: row["sealed"] === 1,
  };
}

/** So that no two touches of a blob look the same, whatever the clock says. */
const grown = "max(?, touched_at + 1)";

function* insertBlob(digest: Digest, bytes: Uint8Array, replace: boolean): Query<void> {
  if (replace) yield* removeBlobs([digest]);
  const now = Date.now();
  yield* change(
    `INSERT INTO blobs (digest, sealed, touched_at, bytes) VALUES (?, 1, ?, ?)
     ON CONFLICT (digest) DO UPDATE SET touched_at = ${grown}`,
    digest,
    now,
    bytes,
    now,
  );
}

function* touchBlobs(digests: readonly Digest[]): Query<ReadonlyMap<Digest, BlobStat>> {
  const sql = `UPDATE blobs SET touched_at = ${grown} WHERE digest = ?`;
  for (const digest of digests) yield* change(sql, Date.now(), digest);
  return yield* selectStats(digests);
}

/** Of all bytes in the table. */
export function* sumBlobs(): Query<number> {
  const [row] = yield* execute("SELECT coalesce(sum(length(bytes)), 0) AS bytes FROM blobs");
  return row?.["bytes"] as number;
}

function* sealBlobs(digests: readonly Digest[], sealed: 0 | 1): Query<void> {
  for (const digest of digests) yield* change("UPDATE blobs SET sealed = ? WHERE digest = ?", sealed, digest);
}

function* removeBlobs(digests: readonly Digest[]): Query<void> {
  for (const digest of digests) yield* change("DELETE FROM blobs WHERE digest = ?", digest);
}

/** In one transaction with the look at it: who touches it later finds that it is missing. */
function* collectBlobs(blobs: readonly BlobStat[]): Query<readonly BlobStat[]> {
  const removed: BlobStat[] = [];
  for (const blob of blobs) {
    const sql = "DELETE FROM blobs WHERE digest = ? AND touched_at = ?";
    if ((yield* change(sql, blob.digest, blob.modifiedAt)) > 0) removed.push(blob);
  }
  return removed;
}
