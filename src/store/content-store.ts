/**
 * The content-addressed layer: hashes bytes while they are written, and verifies them before they are believed. The
 * blob store below it only moves bytes.
 */
import { createReadStream } from "node:fs";
import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BlobReader, BlobRef, BlobSource, BlobWriter } from "../define/materializer.ts";
import { StoreError } from "../error.ts";
import { digestBytes, Digester, type Digest } from "../hash/digest.ts";
import type { BlobStore, UploadOptions } from "./blob-store.ts";

export type BlobHealth = "ok" | "missing" | "corrupt";

export interface PutOptions {
  /** Writes the bytes even when a blob of the same digest and size is there: it may have been altered. */
  readonly heal?: boolean;
}

export interface VerifyOptions {
  /** How closely to look: at what `stat` says, and at the bytes of blobs that are not sealed (the default), or at every byte. */
  readonly level?: "stat" | "bytes";
}

export function openContentStore(blobs: BlobStore): ContentStore {
  return new ContentStore(blobs);
}

/** Blobs under the digest of their bytes. Disposing of it removes its temporary files; the blob store is the caller's. */
export class ContentStore implements BlobWriter, BlobReader, AsyncDisposable {
  readonly #blobs: BlobStore;
  /** Found altered: the next put of the same bytes replaces them. */
  readonly #suspects = new Set<Digest>();
  /** Files whose bytes were seen to be right, by what `stat` said then. */
  readonly #verifiedFiles = new Map<Digest, string>();
  #temporary: Promise<string> | undefined;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  async put(source: BlobSource, options: PutOptions = {}): Promise<BlobRef> {
    const bytes = typeof source === "string" ? Buffer.from(source, "utf8") : source;
    if (bytes instanceof Uint8Array) return this.#putBytes(bytes, options);
    return "path" in bytes
      ? this.#putChunks(readChunks(bytes.path), { ...options, asFile: true })
      : this.#putChunks(bytes, options);
  }

  /** The bytes, verified. Throws a StoreError: RPS4003 when they are missing, RPS4004 when they are not what they were. */
  async bytes(digest: Digest): Promise<Uint8Array> {
    const bytes = await this.#blobs.read(digest);
    if (bytes === undefined) throw missing(digest);
    const found = digestBytes(bytes);
    if (found !== digest) throw await this.#altered(digest, found, bytes.byteLength);
    return bytes;
  }

  async text(digest: Digest): Promise<string> {
    const bytes = await this.bytes(digest);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  }

  /**
   * The bytes in pieces. The last piece comes only after all of them were found to be right; else it throws RPS4004. So it
   * does for who stops early and has seen a part of them: the rest is read all the same.
   */
  async *stream(digest: Digest): AsyncGenerator<Uint8Array, void, undefined> {
    const chunks = await this.#blobs.stream(digest);
    if (chunks === undefined) throw missing(digest);
    const pieces = chunks[Symbol.asyncIterator]();
    const digester = new Digester();
    let isRead = false;
    const next = async (): Promise<Uint8Array | undefined> => {
      isRead = true;
      for (let step = await pieces.next(); step.done !== true; step = await pieces.next()) {
        if (step.value.byteLength === 0) continue;
        digester.update(step.value);
        isRead = false;
        return step.value;
      }
      return undefined;
    };
    try {
      let held = await next();
      for (let piece = await next(); held !== undefined && piece !== undefined; piece = await next()) {
        yield held;
        held = piece;
      }
      await this.#compare(digest, digester);
      if (held !== undefined) yield held;
    } finally {
      if (!isRead) {
        while ((await next()) !== undefined);
        await this.#compare(digest, digester);
      }
    }
  }

  /**
   * A file with these bytes, verified. A file that was found right is not read again while `stat` gives the same
   * answer; a blob store without files gets a copy that lives as long as this object.
   */
  async path(digest: Digest): Promise<string> {
    const local = await this.#blobs.localPath(digest, { make: true });
    if (local === undefined) return this.#copyToFile(digest);
    const before = await fingerprintFile(local);
    if (before !== undefined && this.#verifiedFiles.get(digest) === before) return local;
    await this.#readThrough(digest);
    // The state from before the reading: a file altered meanwhile is read again next time.
    if (before !== undefined) this.#verifiedFiles.set(digest, before);
    return local;
  }

  /**
   * Those of these blobs whose file was handed out, and does not have its bytes any more: whoever got its path has written
   * to it, or somebody else has. Costs a `stat` for each that was handed out.
   */
  async findChanged(digests: Iterable<Digest>): Promise<readonly StoreError[]> {
    const errors: StoreError[] = [];
    for (const digest of digests) {
      if (!this.#verifiedFiles.has(digest)) continue;
      try {
        await this.path(digest);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        errors.push(error);
      }
    }
    return errors;
  }

  /** How blobs are, each in one answer. Those found altered are replaced when the same bytes are put again. */
  async verify(refs: readonly BlobRef[], options: VerifyOptions = {}): Promise<ReadonlyMap<Digest, BlobHealth>> {
    const stats = await this.#blobs.stat(refs.map((ref) => ref.digest));
    const health = new Map<Digest, BlobHealth>();
    const unsealed: Digest[] = [];
    const suspects: Digest[] = [];
    for (const { digest, size } of refs) {
      const found = stats.get(digest);
      if (found === undefined) {
        health.set(digest, "missing");
      } else if (found.size !== size) {
        this.#suspects.add(digest);
        health.set(digest, "corrupt");
      } else if (!health.has(digest)) {
        health.set(digest, "ok");
        if (!found.sealed) unsealed.push(digest);
        // Another process may have mended it since.
        else if (this.#suspects.has(digest)) suspects.push(digest);
      }
    }
    const doubtful = options.level === "bytes" ? [...health.keys()] : [...unsealed, ...suspects];
    for (const digest of doubtful)
      if (health.get(digest) !== "missing") health.set(digest, await this.#verifyBytes(digest));
    await this.#blobs.seal(unsealed.filter((digest) => health.get(digest) === "ok"));
    return health;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const temporary = this.#temporary;
    this.#temporary = undefined;
    this.#verifiedFiles.clear();
    if (temporary !== undefined) await rm(await temporary, { recursive: true, force: true });
  }

  async #putBytes(bytes: Uint8Array, options: PutOptions): Promise<BlobRef> {
    const ref: BlobRef = { digest: digestBytes(bytes), size: bytes.byteLength };
    const plan = await this.#planCommit(ref, options);
    if (plan === "keep") return ref;
    const upload = await this.#blobs.upload();
    try {
      await upload.write(bytes);
      await upload.commit(ref.digest, { replace: plan === "replace" });
    } catch (error) {
      await upload.abort();
      throw error;
    }
    this.#suspects.delete(ref.digest);
    return ref;
  }

  async #putChunks(chunks: AsyncIterable<Uint8Array>, options: PutOptions & UploadOptions): Promise<BlobRef> {
    const upload = await this.#blobs.upload(options);
    try {
      const digester = new Digester();
      for await (const chunk of chunks) {
        // Hashed while the bytes are on their way to the disk.
        const written = upload.write(chunk);
        digester.update(chunk);
        await written;
      }
      const { size } = digester;
      const ref: BlobRef = { digest: digester.digest(), size };
      const plan = await this.#planCommit(ref, options);
      if (plan === "keep") {
        await upload.abort();
        return ref;
      }
      await upload.commit(ref.digest, { replace: plan === "replace" });
      this.#suspects.delete(ref.digest);
      await this.#rememberFile(ref.digest);
      return ref;
    } catch (error) {
      await upload.abort();
      throw error;
    }
  }

  async #planCommit({ digest, size }: BlobRef, options: PutOptions): Promise<"write" | "replace" | "keep"> {
    const there = (await this.#blobs.touch([digest])).get(digest);
    if (there === undefined) return "write";
    return options.heal === true || there.size !== size || !there.sealed || this.#suspects.has(digest)
      ? "replace"
      : "keep";
  }

  /** What was hashed on its way in need not be read again to be handed out. */
  async #rememberFile(digest: Digest): Promise<void> {
    const local = await this.#blobs.localPath(digest);
    const fingerprint = local === undefined ? undefined : await fingerprintFile(local);
    if (fingerprint !== undefined) this.#verifiedFiles.set(digest, fingerprint);
  }

  async #verifyBytes(digest: Digest): Promise<BlobHealth> {
    try {
      await this.#readThrough(digest);
      this.#suspects.delete(digest);
      return "ok";
    } catch (error) {
      if (error instanceof StoreError && error.code === "RPS4003") return "missing";
      if (error instanceof StoreError && error.code === "RPS4004") return "corrupt";
      throw error;
    }
  }

  async #readThrough(digest: Digest): Promise<void> {
    for await (const _ of this.stream(digest));
  }

  async #copyToFile(digest: Digest): Promise<string> {
    this.#temporary ??= mkdtemp(join(tmpdir(), "reprise-artifact-"));
    const file = join(await this.#temporary, digest.slice("sha256:".length));
    const fingerprint = await fingerprintFile(file);
    if (fingerprint !== undefined && this.#verifiedFiles.get(digest) === fingerprint) return file;
    await rm(file, { force: true });
    const handle = await open(file, "w", 0o444);
    try {
      for await (const chunk of this.stream(digest)) await handle.writeFile(chunk);
    } finally {
      await handle.close();
    }
    this.#verifiedFiles.set(digest, (await fingerprintFile(file)) ?? "");
    return file;
  }

  async #compare(digest: Digest, digester: Digester): Promise<void> {
    const { size } = digester;
    const found = digester.digest();
    if (found !== digest) throw await this.#altered(digest, found, size);
  }

  async #altered(digest: Digest, found: Digest, size: number): Promise<StoreError> {
    this.#suspects.add(digest);
    this.#verifiedFiles.delete(digest);
    // For other processes, and for the next run. A store that may only be read keeps its seal.
    await this.#blobs.unseal([digest]).catch(() => {});
    return new StoreError("RPS4004", `Blob ${digest} was altered: its ${size} bytes have the digest ${found}.`, {
      hint: "Run the step that made it again: it replaces the bytes.",
      data: { digest, found, size },
    });
  }
}

function missing(digest: Digest): StoreError {
  return new StoreError("RPS4003", `Blob ${digest} is not in the store.`, {
    hint: "Run the step that made it again: it writes the bytes.",
    data: { digest },
  });
}

const chunkBytes = 1024 * 1024;

function readChunks(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: chunkBytes });
}

/** What changes whenever a file's bytes do, short of somebody who sets the clock back. */
async function fingerprintFile(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
