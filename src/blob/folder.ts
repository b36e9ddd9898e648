/**
 * Blobs in a folder: `objects/sha256/ab/cdef…`, read-only files named by their digest.
 *
 * A blob is written under a name of its own in `tmp`, and gets its place by a rename: whenever a process is killed,
 * each blob is there whole or not at all. With `durability: "fsync"` the bytes reach the disk before the rename does,
 * so that a power loss cannot leave a blob with other bytes; the folder itself is not flushed, so the latest blobs may
 * be missing after it. With `"none"` they may also be cut off. Either is found when the blob is verified, and mended
 * by writing it again.
 *
 * The modification time of a blob's file is its seal: a second that follows from the digest. Whoever writes to the file
 * sets another time, so one `stat` tells that the bytes must be looked at; only a disk that loses bits goes unnoticed
 * until they are read. The access time says when the blob was last written or touched.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fsync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeSync,
  type Dirent,
  type Stats,
} from "node:fs";
import { lstat, mkdir, open, opendir, readFile, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { assertInternal, InternalError, StoreError } from "../error.ts";
import { isDigest, type Digest } from "../hash/digest.ts";
import type { BlobStat, BlobStore, BlobUpload } from "../store/blob-store.ts";

export interface FolderOptions {
  readonly path: string;
  /** Whether bytes reach the disk before a blob becomes visible. Default: `fsync`. */
  readonly durability?: "fsync" | "none";
}

/** Opens a folder of blobs, and makes it where it is not there yet. */
export async function openFolder({ path, durability = "fsync" }: FolderOptions): Promise<BlobStore> {
  const root = resolve(path);
  const objects = join(root, "objects", "sha256");
  const temporary = join(root, "tmp");
  try {
    for (const folder of [objects, temporary]) if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  } catch (cause) {
    // Where nothing can be made, what is there can still be read; whoever writes is told.
    if (isRefusal(cause)) return new FolderBlobStore(objects, temporary, durability === "fsync");
    throw new StoreError("RPS4001", `The blob folder ${root} cannot be opened: ${toText(cause)}.`, {
      hint: "Check that the path is a folder in which you may write.",
      data: { path: root },
      cause,
    });
  }
  return new FolderBlobStore(objects, temporary, durability === "fsync");
}

/** Up to here, one blocking call costs less than a trip through the thread pool. */
const smallBytes = 64 * 1024;
/** How many blocking calls in a row, before others get their turn. */
const batchSize = 256;
const chunkBytes = 1024 * 1024;

class FolderBlobStore implements BlobStore {
  readonly #objects: string;
  readonly #temporary: string;
  readonly #fsync: boolean;

  constructor(objects: string, temporary: string, fsync: boolean) {
    this.#objects = objects;
    this.#temporary = temporary;
    this.#fsync = fsync;
  }

  async upload(): Promise<BlobUpload> {
    const name = `${process.pid}-${randomBytes(9).toString("base64url")}`;
    return new FolderUpload(join(this.#temporary, name), this.#fsync, (digest) => this.#locate(digest));
  }

  async read(digest: Digest): Promise<Uint8Array | undefined> {
    const path = this.#locate(digest);
    const stats = statFile(path);
    if (stats === undefined) return undefined;
    // Small files are read into a pool that other Buffers share; large ones have memory of their own.
    return orMissing(async () =>
      stats.size <= smallBytes
        ? new Uint8Array(readFileSync(path, { flag: readOnly }))
        : toPlainBytes(await readFile(path, { flag: readOnly })),
    );
  }

  async stream(digest: Digest): Promise<AsyncIterable<Uint8Array> | undefined> {
    const path = this.#locate(digest);
    if (statFile(path) === undefined) return undefined;
    const handle = await orMissing(() => open(path, readOnly));
    return handle?.createReadStream({ highWaterMark: chunkBytes });
  }

  async localPath(digest: Digest): Promise<string | undefined> {
    const path = this.#locate(digest);
    return statFile(path) === undefined ? undefined : path;
  }

  async stat(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, BlobStat>> {
    const stats = new Map<Digest, BlobStat>();
    let asked = 0;
    for (const digest of digests) {
      const found = statFile(this.#locate(digest));
      if (found !== undefined) stats.set(digest, toStat(digest, found));
      if (++asked % batchSize === 0) await setImmediate();
    }
    return stats;
  }

  async touch(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, BlobStat>> {
    const stats = new Map<Digest, BlobStat>();
    let touched = 0;
    for (const digest of digests) {
      const found = touchFile(this.#locate(digest));
      if (found !== undefined) stats.set(digest, toStat(digest, found));
      if (++touched % batchSize === 0) await setImmediate();
    }
    return stats;
  }

  async seal(digests: readonly Digest[]): Promise<void> {
    for (const digest of digests) await orRefused(() => utimesSync(this.#locate(digest), new Date(), sealOf(digest)));
  }

  async unseal(digests: readonly Digest[]): Promise<void> {
    for (const digest of digests) await orMissing(() => utimesSync(this.#locate(digest), new Date(), new Date()));
  }

  async *list(): AsyncGenerator<BlobStat, void, undefined> {
    for await (const shelf of entriesOf(this.#objects)) {
      if (!shelf.isDirectory()) continue;
      for await (const entry of entriesOf(join(this.#objects, shelf.name))) {
        const digest = `sha256:${shelf.name}${entry.name}`;
        if (shelf.name.length !== shelfDigits || !entry.isFile() || !isDigest(digest)) continue;
        const found = statFile(this.#locate(digest));
        if (found !== undefined) yield toStat(digest, found);
      }
    }
  }

  async remove(digests: readonly Digest[]): Promise<void> {
    for (const digest of digests) await rm(this.#locate(digest), { force: true });
  }

  async collect(blobs: readonly BlobStat[]): Promise<readonly BlobStat[]> {
    const removed: BlobStat[] = [];
    let looked = 0;
    for (const blob of blobs) {
      if (this.#collectOne(blob)) removed.push(blob);
      if (++looked % batchSize === 0) await setImmediate();
    }
    return removed;
  }

  /**
   * Takes the blob away first and looks at it again then: whoever touches it later finds that it is missing, and writes
   * it; who has touched it a moment before gets it back, long before it is read.
   */
  #collectOne({ digest, modifiedAt }: BlobStat): boolean {
    const path = this.#locate(digest);
    if (statFile(path)?.atimeMs !== modifiedAt) return false;
    const aside = join(this.#temporary, `${process.pid}-${randomBytes(9).toString("base64url")}`);
    try {
      renameSync(path, aside);
      if (lstatSync(aside).atimeMs !== modifiedAt) {
        renameSync(aside, path);
        return false;
      }
      rmSync(aside);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw unreadable(path, error);
    }
  }

  async sweep(olderThanMs: number, { dryRun = false }: { readonly dryRun?: boolean } = {}): Promise<number> {
    const before = Date.now() - olderThanMs;
    let freed = 0;
    for await (const entry of entriesOf(this.#temporary)) {
      const path = join(this.#temporary, entry.name);
      const stats = await orMissing(() => lstat(path));
      if (stats === undefined || !stats.isFile() || Math.max(stats.atimeMs, stats.mtimeMs) > before) continue;
      if (!dryRun) await rm(path, { force: true });
      freed += stats.size;
    }
    return freed;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #locate(digest: Digest): string {
    // Asked for thousands at once: neither the text of an error nor a path is put together for nothing.
    if (!isDigest(digest)) throw new InternalError(`${JSON.stringify(digest)} is no digest`);
    const shelfEnd = "sha256:".length + shelfDigits;
    return this.#objects + sep + digest.slice("sha256:".length, shelfEnd) + sep + digest.slice(shelfEnd);
  }
}

/** Keeps what is small in memory, so that a blob that is there already costs no file. */
class FolderUpload implements BlobUpload {
  readonly #path: string;
  readonly #fsync: boolean;
  readonly #locate: (digest: Digest) => string;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #file: FileHandle | undefined;
  #ended = false;

  constructor(path: string, fsync: boolean, locate: (digest: Digest) => string) {
    this.#path = path;
    this.#fsync = fsync;
    this.#locate = locate;
  }

  async write(chunk: Uint8Array): Promise<void> {
    assertInternal(!this.#ended, "bytes were written to an upload that has ended");
    if (this.#file === undefined && this.#heldBytes + chunk.byteLength <= smallBytes) {
      // A copy: the caller may use its buffer again.
      this.#held.push(Uint8Array.from(chunk));
      this.#heldBytes += chunk.byteLength;
      return;
    }
    try {
      const file = await this.#openFile();
      await writeAll(file, chunk);
    } catch (cause) {
      throw unwritable(this.#path, cause);
    }
  }

  async commit(digest: Digest, options: { readonly replace?: boolean } = {}): Promise<void> {
    assertInternal(!this.#ended, "an upload was committed that has ended");
    const target = this.#locate(digest);
    try {
      if (options.replace !== true && touchFile(target) !== undefined) {
        await this.abort();
        return;
      }
      if (this.#file === undefined) {
        await writeSmallFile(this.#path, this.#held, this.#fsync);
      } else {
        const file = this.#file;
        if (this.#fsync) await flush(() => file.sync());
        await this.#file.close();
        this.#file = undefined;
      }
      utimesSync(this.#path, new Date(), sealOf(digest));
      await moveInto(this.#path, target);
      this.#ended = true;
    } catch (cause) {
      await this.abort();
      throw unwritable(target, cause);
    }
  }

  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#held = [];
    await this.#file?.close();
    this.#file = undefined;
    await rm(this.#path, { force: true });
  }

  async #openFile(): Promise<FileHandle> {
    if (this.#file !== undefined) return this.#file;
    // Opened for writing once, and never again by anybody.
    this.#file = await open(this.#path, "wx", 0o444);
    for (const chunk of this.#held) await writeAll(this.#file, chunk);
    this.#held = [];
    return this.#file;
  }
}

function unwritable(path: string, cause: unknown): StoreError {
  return new StoreError("RPS4005", `The blob store cannot write ${path}: ${toText(cause)}.`, {
    hint: "Check that the disk has room, and that you may write to the store's folder.",
    data: { path },
    cause,
  });
}

/** Blocks where that is quicker than to wait, except for the flush. */
async function writeSmallFile(path: string, chunks: readonly Uint8Array[], isFlushed: boolean): Promise<void> {
  const descriptor = openSync(path, "wx", 0o444);
  try {
    const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    for (let written = 0; written < bytes.byteLength;) written += writeSync(descriptor, bytes, written);
    if (isFlushed) await flush(() => flushFile(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

const flushFile = promisify(fsync);

/** A file system that cannot flush is as safe as it is without: that the disk lost something is found when it is read. */
async function flush(toDisk: () => Promise<void>): Promise<void> {
  try {
    await toDisk();
  } catch (error) {
    if (!["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"].includes((error as NodeJS.ErrnoException).code ?? ""))
      throw error;
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, written);
    written += bytesWritten;
  }
}

/** Two hex digits: 256 folders, so that none gets long. */
const shelfDigits = 2;

async function moveInto(path: string, target: string): Promise<void> {
  try {
    await rename(path, target);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await mkdir(dirname(target), { recursive: true });
    await rename(path, target);
  }
}

/** What is not a file of its own, such as a symbolic link that leads elsewhere, is no blob. */
const readOnly = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0);

function statFile(path: string): Stats | undefined {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats?.isFile() === true ? stats : undefined;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function toStat(digest: Digest, { size, atimeMs, mtimeMs }: Stats): BlobStat {
  return { digest, size, modifiedAt: atimeMs, sealed: mtimeMs === sealOf(digest) * 1000 };
}

/** Seconds since 1970, somewhere in the years 2001 to 2010: no time that a writer of today leaves behind. */
function sealOf(digest: Digest): number {
  return 1_000_000_000 + Number.parseInt(digest.slice("sha256:".length, "sha256:".length + 7), 16);
}

/** Leaves the seal as it is, broken or not. Answers with how the file was; undefined where there is none, or none any more. */
function touchFile(path: string): Stats | undefined {
  const stats = statFile(path);
  if (stats === undefined) return undefined;
  try {
    utimesSync(path, new Date(), stats.mtimeMs / 1000);
    return stats;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    // A store that may only be read goes without the mark.
    if (isRefusal(cause)) return stats;
    throw unreadable(path, cause);
  }
}

function toPlainBytes({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

async function* entriesOf(folder: string): AsyncGenerator<Dirent, void, undefined> {
  const entries = await orMissing(() => opendir(folder));
  if (entries !== undefined) yield* entries;
}

/** Undefined where a file went away between two looks at it. */
async function orMissing<T>(look: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unreadable((error as NodeJS.ErrnoException).path, error);
  }
}

/** As {@link orMissing}, for a mark on a blob: a store that may only be read goes without. */
async function orRefused(mark: () => void): Promise<void> {
  await orMissing(() => {
    try {
      mark();
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  });
}

/** Whether somebody may not write here, or has no room to. */
function isRefusal(error: unknown): boolean {
  return ["EROFS", "EACCES", "EPERM", "ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function unreadable(path: string | undefined, cause: unknown): StoreError {
  return new StoreError("RPS4001", `The blob store cannot be read: ${toText(cause)}.`, {
    hint: "Check the disk, and that you may read the store's folder.",
    data: { path },
    cause,
  });
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

function toText(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
