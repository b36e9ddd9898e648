/**
 * One blob store out of two: small blobs go to the one that keeps many of them cheaply, the others to the one that has files.
 * A blob may be in either, whatever its size: an earlier version put all of them in files, and one whose path is asked
 * for is moved to a file. The small ones are asked first.
 */
import { outsideStep } from "../define/step-scope.ts";
import { StoreError } from "../error.ts";
import { digestBytes, type Digest } from "../hash/digest.ts";
import type { BlobStat, BlobStore, BlobUpload, UploadOptions } from "./blob-store.ts";

export interface SizedParts {
  readonly small: BlobStore;
  readonly large: BlobStore;
  /** Blobs of at most so many bytes are small. Default: 8 KiB. */
  readonly smallBytes?: number;
}

/** Up to here a row is read faster than a file, and written in a fraction of the time. */
const defaultSmallBytes = 8 * 1024;

/** Both are closed with it. */
export function openSizedBlobStore({ small, large, smallBytes = defaultSmallBytes }: SizedParts): BlobStore {
  return new SizedBlobStore(small, large, smallBytes);
}

class SizedBlobStore implements BlobStore {
  readonly #small: BlobStore;
  readonly #large: BlobStore;
  readonly #smallBytes: number;
  readonly #listedBy = new WeakMap<BlobStat, BlobStore>();

  constructor(small: BlobStore, large: BlobStore, smallBytes: number) {
    this.#small = small;
    this.#large = large;
    this.#smallBytes = smallBytes;
  }

  async upload({ asFile = false }: UploadOptions = {}): Promise<BlobUpload> {
    const upload = asFile ? await this.#large.upload({ asFile }) : undefined;
    return new SizedUpload(this.#small, this.#large, this.#smallBytes, upload);
  }

  async read(digest: Digest): Promise<Uint8Array | undefined> {
    return (await this.#small.read(digest)) ?? (await this.#large.read(digest));
  }

  async stream(digest: Digest): Promise<AsyncIterable<Uint8Array> | undefined> {
    return (await this.#small.stream(digest)) ?? (await this.#large.stream(digest));
  }

  async localPath(digest: Digest, { make = false }: { readonly make?: boolean } = {}): Promise<string | undefined> {
    const bytes = await this.#small.read(digest);
    if (bytes === undefined) return await this.#large.localPath(digest);
    // Wrong bytes stay where they are: whoever reads them finds out.
    if (!make || digestBytes(bytes) !== digest) return undefined;
    // A step that asks for a path does not read and write what is done for that.
    return await outsideStep(() => this.#moveToFile(digest, bytes));
  }

  stat(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, BlobStat>> {
    return this.#ask("stat", digests);
  }

  touch(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, BlobStat>> {
    return this.#ask("touch", digests);
  }

  seal(digests: readonly Digest[]): Promise<void> {
    return this.#mark("seal", digests);
  }

  unseal(digests: readonly Digest[]): Promise<void> {
    return this.#mark("unseal", digests);
  }

  /** One that is in both is listed twice. */
  async *list(): AsyncGenerator<BlobStat, void, undefined> {
    for (const store of [this.#small, this.#large]) {
      for await (const stat of store.list()) {
        this.#listedBy.set(stat, store);
        yield stat;
      }
    }
  }

  async remove(digests: readonly Digest[]): Promise<void> {
    await this.#small.remove(digests);
    await this.#large.remove(digests);
  }

  /** Of one that is in both, each goes by when it was written or touched there. */
  async collect(blobs: readonly BlobStat[]): Promise<readonly BlobStat[]> {
    const of = (store: BlobStore): readonly BlobStat[] =>
      blobs.filter((blob) => (this.#listedBy.get(blob) ?? store) === store);
    const removed = await this.#small.collect(of(this.#small));
    const gone = new Set(removed);
    return [...removed, ...(await this.#large.collect(of(this.#large).filter((blob) => !gone.has(blob))))];
  }

  async sweep(...given: Parameters<BlobStore["sweep"]>): Promise<number> {
    return (await this.#small.sweep(...given)) + (await this.#large.sweep(...given));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#small[Symbol.asyncDispose]();
    await this.#large[Symbol.asyncDispose]();
  }

  async #ask(what: "stat" | "touch", digests: readonly Digest[]): Promise<ReadonlyMap<Digest, BlobStat>> {
    const stats = await this.#small[what](digests);
    const others = digests.filter((digest) => !stats.has(digest));
    if (others.length === 0) return stats;
    const found = await this.#large[what](others);
    return stats.size === 0 ? found : new Map([...stats, ...found]);
  }

  async #mark(what: "seal" | "unseal", digests: readonly Digest[]): Promise<void> {
    if (digests.length === 0) return;
    const stats = await this.#small.stat(digests);
    await this.#small[what](digests.filter((digest) => stats.has(digest)));
    await this.#large[what](digests.filter((digest) => !stats.has(digest)));
  }

  /** Whoever reads meanwhile finds it in one place or in both. Undefined where the store refuses to be written. */
  async #moveToFile(digest: Digest, bytes: Uint8Array): Promise<string | undefined> {
    try {
      const upload = await this.#large.upload({ asFile: true });
      await upload.write(bytes);
      await upload.commit(digest, { replace: true });
      await this.#small.remove([digest]);
    } catch (error) {
      if (error instanceof StoreError && error.code === "RPS4005") return undefined;
      throw error;
    }
    return await this.#large.localPath(digest);
  }
}

/** Holds what may be small until it is known to be all. */
class SizedUpload implements BlobUpload {
  readonly #small: BlobStore;
  readonly #large: BlobStore;
  readonly #smallBytes: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** To the store of large ones, once it is known that it goes there. */
  #upload: BlobUpload | undefined;

  constructor(small: BlobStore, large: BlobStore, smallBytes: number, upload: BlobUpload | undefined) {
    this.#small = small;
    this.#large = large;
    this.#smallBytes = smallBytes;
    this.#upload = upload;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#upload === undefined && this.#heldBytes + chunk.byteLength <= this.#smallBytes) {
      // A copy: the caller may use its buffer again.
      this.#held.push(new Uint8Array(chunk));
      this.#heldBytes += chunk.byteLength;
      return;
    }
    this.#upload ??= await this.#handOver(this.#large);
    await this.#upload.write(chunk);
  }

  async commit(digest: Digest, options: { readonly replace?: boolean } = {}): Promise<void> {
    const isSmall = this.#upload === undefined;
    const other = isSmall ? this.#large : this.#small;
    if (options.replace !== true && (await other.touch([digest])).size > 0) {
      await this.abort();
      return;
    }
    this.#upload ??= await this.#handOver(this.#small);
    await this.#upload.commit(digest, options);
    // What it replaces may be in the other store, which is asked first or would be listed.
    if (options.replace === true && (await other.stat([digest])).size > 0) await other.remove([digest]);
  }

  async abort(): Promise<void> {
    this.#held = [];
    await this.#upload?.abort();
  }

  async #handOver(store: BlobStore): Promise<BlobUpload> {
    const upload = await store.upload();
    try {
      for (const chunk of this.#held) await upload.write(chunk);
    } catch (error) {
      await upload.abort();
      throw error;
    }
    this.#held = [];
    return upload;
  }
}
