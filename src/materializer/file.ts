import { stat } from "node:fs/promises";
import type { BlobRef, BlobWriter, Materializer } from "../define/materializer.ts";
import { isDigest } from "../hash/digest.ts";
import { readManifest, unreadable } from "./manifest.ts";
import { cannotStore } from "./storable.ts";
import { blobFile, diskFile, isExecutable, sourceOf, type StoredFile } from "./stored-file.ts";
import { isTagged } from "./tagged.ts";

/** A file that the step has written, to return from it. It is stored as a stream, whatever its size. */
export function file(path: string, options?: { readonly name?: string }): StoredFile;
/** Declares an output to be a file. */
export function file(): Materializer<StoredFile>;
export function file(path?: string, options: { readonly name?: string } = {}): StoredFile | Materializer<StoredFile> {
  return path === undefined ? fileMaterializer : diskFile(path, options.name);
}

/** Root: the file's name and its blob. Part: its bytes. */
export const fileMaterializer: Materializer<StoredFile> = {
  name: "file",
  version: 1,
  mediaType: "application/vnd.reprise.file+json",
  extension: "file.json",
  accepts: (value) => isTagged(value, "file"),
  async write(value, blobs) {
    if (!isTagged(value, "file")) throw cannotStore([], { what: "no file", hint: "Return file(path)." });
    const { blob, executable } = await storeFile(value, blobs);
    const manifest = { name: value.name, executable, digest: blob.digest, size: blob.size };
    return { root: await blobs.put(JSON.stringify(manifest)), parts: [blob] };
  },
  async read(root, blobs) {
    const manifest = readManifest(await blobs.text(root.digest));
    const { name, executable, digest, size } = manifest;
    if (typeof name !== "string" || typeof executable !== "boolean" || typeof size !== "number")
      throw unreadable("file");
    if (typeof digest !== "string" || !isDigest(digest)) throw unreadable("file");
    return blobFile({ name, executable }, { digest, size }, blobs);
  },
  describe: (value) => ({
    preview: {
      kind: "files",
      entries: [{ path: value.name.slice(0, 500), size: value.size }],
      count: 1,
      truncated: false,
    },
    metadata: { name: value.name.slice(0, 500), bytes: value.size },
  }),
};

/** Stores a file's bytes; those that came from this very store stay where they are. */
export async function storeFile(
  file: StoredFile,
  blobs: BlobWriter,
): Promise<{ readonly blob: BlobRef; readonly executable: boolean }> {
  const source = sourceOf(file);
  if (source === undefined) {
    throw cannotStore([], {
      what: "a file made by another copy of this package",
      hint: "Install one copy only, or return file(await it.path()).",
    });
  }
  if (source.kind === "disk") {
    // Asked again: it may have been written on since the value was made.
    const before = await stat(source.path);
    const blob = await blobs.put({ path: source.path });
    const after = await stat(source.path);
    if (before.mtimeMs !== after.mtimeMs || before.size !== after.size || after.size !== blob.size) {
      throw cannotStore([], {
        what: "a file that was written to while it was stored",
        hint: "Write it to its end, and close it, before returning it.",
      });
    }
    return { blob, executable: isExecutable(before) };
  }
  if ((source.blobs as unknown) !== blobs) {
    return { blob: await blobs.put(source.blobs.stream(source.blob.digest)), executable: file.executable };
  }
  // Asking for the path proves that the bytes are there and right, and writes nothing.
  await source.blobs.path(source.blob.digest);
  return { blob: source.blob, executable: file.executable };
}
