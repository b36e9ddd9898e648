/** Blobs that a store refused to take: kept in memory for the run that made them, and read as if they were in the store. */
import type { BlobRef, BlobWriter } from "../define/materializer.ts";
import { StoreError } from "../error.ts";
import type { Digest } from "../hash/digest.ts";
import type { BlobStat, BlobStore, BlobUpload, UploadOptions } from "./blob-store.ts";
import { openContentStore } from "./content-store.ts";
import { openMemoryBlobStore } from "./memory-blob-store.ts";

export interface Overflow {
  /** The store's own blobs, and behind them those in memory. What is written goes to the store. */
  readonly blobs: BlobStore;
  /** Writes to memory. */
  readonly writer: BlobWriter;
  /** Whether one of these is in memory alone. */
  holds(refs: readonly BlobRef[]): Promise<boolean>;
  /** Writes to the store what is in memory, as far as it takes it now. */
  settle(): Promise<void>;
}

/** So much is kept at most: more could take the memory that the steps need. */
const defaultLimitBytes = 512 * 1024 * 1024;

export function openOverflow(store: BlobStore, limitBytes: number = defaultLimitBytes): Overflow {
  const memory = openMemoryBlobStore({ limitBytes });
  const content = openContentStore(memory);
  let isUsed = false;
  return {
    blobs: new OverflowingBlobStore(store, memory, () => isUsed),
    writer: {
      put(source) {
        isUsed = true;
        return content.put(source);
      },
    },
    async holds(refs) {
      if (!isUsed) return false;
      const held = [...(await memory.stat(refs.map(({ digest }) => digest))).keys()];
      return held.length > 0 && (await store.stat(held)).size < held.length;
    },
    async settle() {
      if (!isUsed) return;
      const own = openContentStore(store);
      for await (const { digest } of memory.list()) {
        const bytes = await memory.stream(digest);
        if (bytes === undefined) continue;
        try {
          await own.put(bytes);
        } catch (error) {
          // It refuses still, and would refuse the others.
          if (error instanceof StoreError && error.code === "RPS4005") return;
          throw error;
        }
        // From here on it is read from the store.
        await memory.remove([digest]);
      }
    },
  };
}

class OverflowingBlobStore implements BlobStore {
  readonly #store: BlobStore;
  readonly #memory: BlobStore;
  readonly #isUsed: () => boolean;

  constructor(store: BlobStore, memory: BlobStore, isUsed: () => boolean) {
    this.#store = store;
    this.#memory = memory;
    this.#isUsed = isUsed;
  }

  upload(options?: UploadOptions): Promise<BlobUpload> {
    return this.#store.upload(options);
  }

  async read(digest: Digest): Promise<Uint8Array | undefined> {
    return (await this.#store.read(digest)) ?? (await this.#memory.read(digest));
  }

  async stream(digest: Digest): Promise<AsyncIterable<Uint8Array> | undefined> {
    return (await this.#store.stream(digest)) ?? (await this.#memory.stream(digest));
  }

  localPath(...given: Parameters<BlobStore["localPath"]>): Promise<string | undefined> {
    return this.#store.localPath(...given);
  }

  async stat(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, BlobStat>> {
    return await this.#withHeld(digests, await this.#store.stat(digests));
  }

  /** Of the store alone: what is in memory is to be written when the store takes it. */
  touch(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, BlobStat>> {
    return this.#store.touch(digests);
  }

  seal(digests: readonly Digest[]): Promise<void> {
    return this.#store.seal(digests);
  }

  unseal(digests: readonly Digest[]): Promise<void> {
    return this.#store.unseal(digests);
  }

  list(): AsyncIterable<BlobStat> {
    return this.#store.list();
  }

  remove(digests: readonly Digest[]): Promise<void> {
    return this.#store.remove(digests);
  }

  collect(blobs: readonly BlobStat[]): Promise<readonly BlobStat[]> {
    return this.#store.collect(blobs);
  }

  sweep(...given: Parameters<BlobStore["sweep"]>): Promise<number> {
    return this.#store.sweep(...given);
  }

  /** The store is its opener's to close. */
  async [Symbol.asyncDispose](): Promise<void> {}

  async #withHeld(
    digests: readonly Digest[],
    stats: ReadonlyMap<Digest, BlobStat>,
  ): Promise<ReadonlyMap<Digest, BlobStat>> {
    const missing = !this.#isUsed() ? [] : digests.filter((digest) => !stats.has(digest));
    return missing.length === 0 ? stats : new Map([...stats, ...(await this.#memory.stat(missing))]);
  }
}
