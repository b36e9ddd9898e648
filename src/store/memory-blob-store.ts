/** Blobs in memory: for tests, and for runs that leave nothing behind. */
import { StoreError } from "../error.ts";
import type { Digest } from "../hash/digest.ts";
import { inPieces } from "./in-pieces.ts";
import type { BlobStat, BlobStore, BlobUpload } from "./blob-store.ts";

export interface MemoryBlobStoreOptions {
  /** How much it takes; more is refused. Default: as much as there is. */
  readonly limitBytes?: number;
}

export function openMemoryBlobStore({ limitBytes = Infinity }: MemoryBlobStoreOptions = {}): BlobStore {
  return new MemoryBlobStore(limitBytes);
}

interface Blob {
  readonly bytes: Uint8Array;
  readonly modifiedAt: number;
  readonly sealed: boolean;
}

class MemoryBlobStore implements BlobStore {
  readonly #blobs = new Map<Digest, Blob>();
  readonly #limitBytes: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  async upload(): Promise<BlobUpload> {
    let chunks: Uint8Array[] = [];
    let size = 0;
    let done = false;
    return {
      write: async (chunk) => {
        if (this.#bytes + chunk.byteLength > this.#limitBytes) throw isFull(this.#limitBytes);
        size += chunk.byteLength;
        // What others write meanwhile counts as well.
        this.#bytes += chunk.byteLength;
        chunks.push(Uint8Array.from(chunk));
      },
      commit: async (digest, options) => {
        done = true;
        if (this.#blobs.has(digest) && options?.replace !== true) {
          this.#bytes -= size;
          await this.touch([digest]);
        } else {
          this.#bytes -= this.#blobs.get(digest)?.bytes.byteLength ?? 0;
          this.#blobs.set(digest, {
            bytes: Uint8Array.from(Buffer.concat(chunks)),
            modifiedAt: Date.now(),
            sealed: true,
          });
        }
        chunks = [];
      },
      abort: async () => {
        if (done) return;
        done = true;
        this.#bytes -= size;
        chunks = [];
      },
    };
  }

  async read(digest: Digest): Promise<Uint8Array | undefined> {
    const blob = this.#blobs.get(digest);
    // A copy: who reads may write into what was read.
    return blob === undefined ? undefined : Uint8Array.from(blob.bytes);
  }

  async stream(digest: Digest): Promise<AsyncIterable<Uint8Array> | undefined> {
    const bytes = await this.read(digest);
    return bytes === undefined ? undefined : inPieces(bytes);
  }

  async localPath(): Promise<undefined> {
    return undefined;
  }

  async stat(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, BlobStat>> {
    const stats = new Map<Digest, BlobStat>();
    for (const digest of digests) {
      const blob = this.#blobs.get(digest);
      if (blob !== undefined) stats.set(digest, toStat(digest, blob));
    }
    return stats;
  }

  async seal(digests: readonly Digest[]): Promise<void> {
    this.#mark(digests, { sealed: true });
  }

  async unseal(digests: readonly Digest[]): Promise<void> {
    this.#mark(digests, { sealed: false });
  }

  async touch(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, BlobStat>> {
    this.#mark(digests, { modifiedAt: Date.now() });
    return this.stat(digests);
  }

  async *list(): AsyncGenerator<BlobStat, void, undefined> {
    for (const [digest, blob] of this.#blobs) yield toStat(digest, blob);
  }

  async remove(digests: readonly Digest[]): Promise<void> {
    for (const digest of digests) {
      this.#bytes -= this.#blobs.get(digest)?.bytes.byteLength ?? 0;
      this.#blobs.delete(digest);
    }
  }

  async collect(blobs: readonly BlobStat[]): Promise<readonly BlobStat[]> {
    const free = blobs.filter(({ digest, modifiedAt }) => this.#blobs.get(digest)?.modifiedAt === modifiedAt);
    await this.remove(free.map(({ digest }) => digest));
    return free;
  }

  /** Nothing: what was not committed is gone with its upload. */
  async sweep(): Promise<number> {
    return 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#blobs.clear();
  }

  #mark(digests: readonly Digest[], mark: Partial<Blob>): void {
    for (const digest of digests) {
      const blob = this.#blobs.get(digest);
      if (blob !== undefined) this.#blobs.set(digest, { ...blob, ...mark });
    }
  }
}

function toStat(digest: Digest, { bytes, modifiedAt, sealed }: Blob): BlobStat {
  return { digest, size: bytes.byteLength, modifiedAt, sealed };
}

function isFull(limitBytes: number): StoreError {
  return new StoreError("RPS4005", `What is kept in memory would be more than ${limitBytes} bytes.`, {
    hint: "Make room where the store is, so that less must be kept in memory.",
    data: { limitBytes },
  });
}
