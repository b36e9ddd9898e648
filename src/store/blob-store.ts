/** The blob port: dumb bytes under their digest. The content-addressed layer above it hashes and verifies. */
import type { Digest } from "../hash/digest.ts";

export interface BlobStat {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** When it was last written or touched, in milliseconds since 1970. */
  readonly modifiedAt: number;
  /** False when somebody else than the store has written to it since, or may have: its bytes are to be verified. */
  readonly sealed: boolean;
}

export interface UploadOptions {
  /** The bytes are those of a file, and will be asked for as one: a store that has files keeps them in one. */
  readonly asFile?: boolean;
}

/** Bytes being written: nothing is visible under a digest before `commit`. */
export interface BlobUpload {
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Makes the bytes visible under the digest, whole or not at all. Keeps what is there unless `replace`. How much of a
   * power loss it survives is the adapter's to say; what does not survive is found when it is verified.
   */
  commit(digest: Digest, options?: { readonly replace?: boolean }): Promise<void>;
  /** Forgets the bytes. Does nothing after `commit`. */
  abort(): Promise<void>;
}

export interface BlobStore extends AsyncDisposable {
  upload(options?: UploadOptions): Promise<BlobUpload>;
  /** All of it, in one go, in memory that nobody else uses: no Buffer, whose slices share it. Undefined when missing. Not verified. */
  read(digest: Digest): Promise<Uint8Array | undefined>;
  /** Undefined when missing. Not verified. */
  stream(digest: Digest): Promise<AsyncIterable<Uint8Array> | undefined>;
  /**
   * A local file with these bytes, where the adapter has one. Not verified. `make`: an adapter that has files, and these
   * bytes elsewhere, moves them to a file if it can.
   */
  localPath(digest: Digest, options?: { readonly make?: boolean }): Promise<string | undefined>;
  stat(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, BlobStat>>;
  /** As {@link stat}, and counts what is there as written now, so that nobody collects it. */
  touch(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, BlobStat>>;
  /** Marks blobs whose bytes were verified as sealed. */
  seal(digests: readonly Digest[]): Promise<void>;
  /** Marks blobs whose bytes were found to be wrong as not sealed, so that nobody, here or elsewhere, takes them for right. */
  unseal(digests: readonly Digest[]): Promise<void>;
  /** In no order. What is written or removed meanwhile may be left out. */
  list(): AsyncIterable<BlobStat>;
  /** Leaves alone what is not there. */
  remove(digests: readonly Digest[]): Promise<void>;
  /**
   * Removes blobs that were not written or touched since these stats were taken, also while others write and touch: who
   * was told that a blob is there keeps it. Answers with what was removed.
   */
  collect(blobs: readonly BlobStat[]): Promise<readonly BlobStat[]>;
  /** Removes what interrupted writers left behind, older than the given age. Answers with the bytes freed, or to be freed. */
  sweep(olderThanMs: number, options?: { readonly dryRun?: boolean }): Promise<number>;
}
