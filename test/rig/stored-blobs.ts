/** Stored bytes as somebody else gets at them, who knows nothing of the store: each in a file, or in a row of the records. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { openFolder } from "../../src/blob/folder.ts";
import type { Digest } from "../../src/hash/digest.ts";

export interface StoredBlob {
  readonly digest: string;
  readonly place: "file" | "row";
  read(): Buffer;
  overwrite(bytes: Uint8Array): void;
  /** As a disk does it that loses bits: nothing tells of it but the bytes. */
  overwriteSilently(bytes: Uint8Array): void;
  remove(): void;
}

/** In the order of their digests. */
export function listStoredBlobs(store: string): readonly StoredBlob[] {
  const rows = ask(store, "SELECT digest FROM blobs").map(({ digest }) => toRow(store, String(digest)));
  const files = filesBelow(join(store, "objects", "sha256")).map(([digest, path]) => toFile(digest, path));
  return [...rows, ...files].toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
}

/** Undefined where it is in no place. */
export function findStoredBlob(store: string, digest: string): StoredBlob | undefined {
  return listStoredBlobs(store).find((blob) => blob.digest === digest);
}

/** As a version kept all of them that had no rows for small ones: those with these digests, or all, move to files. */
export async function moveToFiles(store: string, digests?: readonly string[]): Promise<void> {
  const folder = await openFolder({ path: store, durability: "none" });
  for (const blob of listStoredBlobs(store)) {
    if (blob.place === "file" || digests?.includes(blob.digest) === false) continue;
    const upload = await folder.upload();
    await upload.write(blob.read());
    await upload.commit(blob.digest as Digest, { replace: true });
    blob.remove();
  }
}

function filesBelow(objects: string): readonly (readonly [digest: string, path: string])[] {
  try {
    return readdirSync(objects).flatMap((shelf) =>
      readdirSync(join(objects, shelf)).map((name) => [`sha256:${shelf}${name}`, join(objects, shelf, name)] as const),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function toFile(digest: string, path: string): StoredBlob {
  const overwrite = (bytes: Uint8Array): void => {
    chmodSync(path, 0o644);
    writeFileSync(path, bytes);
    // Whatever the clock says, which may have been set: somebody has written to it now.
    utimesSync(path, new Date(), new Date());
  };
  return {
    digest,
    place: "file",
    read: () => readFileSync(path),
    overwrite,
    overwriteSilently(bytes) {
      const { atime } = lstatSync(path);
      overwrite(bytes);
      // Its seal.
      utimesSync(path, atime, 1_000_000_000 + Number.parseInt(digest.slice("sha256:".length, 14), 16));
    },
    remove: () => rmSync(path),
  };
}

function toRow(store: string, digest: string): StoredBlob {
  const overwrite = (bytes: Uint8Array): void => {
    ask(store, "UPDATE blobs SET bytes = ? WHERE digest = ?", bytes, digest);
  };
  return {
    digest,
    place: "row",
    read: () => Buffer.from(ask(store, "SELECT bytes FROM blobs WHERE digest = ?", digest)[0]?.["bytes"] as Uint8Array),
    overwrite,
    overwriteSilently(bytes) {
      overwrite(bytes);
      ask(store, "UPDATE blobs SET sealed = 1 WHERE digest = ?", digest);
    },
    remove: () => void ask(store, "DELETE FROM blobs WHERE digest = ?", digest),
  };
}

function ask(store: string, sql: string, ...values: SQLInputValue[]): readonly Readonly<Record<string, unknown>>[] {
  const path = join(store, "metadata.db");
  if (!existsSync(path)) return [];
  const database = new DatabaseSync(path, { timeout: 5000 });
  try {
    return database.prepare(sql).all(...values);
  } finally {
    database.close();
  }
}
