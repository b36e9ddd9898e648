import { createReadStream, statSync, type Stats } from "node:fs";
import { copyFile, chmod, mkdir, readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { BlobReader, BlobRef } from "../define/materializer.ts";
import { outsideStep } from "../define/step-scope.ts";
import { ValueError } from "../error.ts";
import { tagged } from "./tagged.ts";
import { decodeText } from "./text.ts";

/** A file on its way into the store, or out of it: the step that gets one uses it as the step that made it. */
export interface StoredFile {
  /** The last part of its path, as `model.onnx`. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** May be run. */
  readonly executable: boolean;
  /**
   * Where its bytes lie, to hand to a program that wants a path. Belongs to the store once stored: read it, do not change
   * it, and do not rely on its name.
   */
  path(): Promise<string>;
  stream(): AsyncIterable<Uint8Array>;
  bytes(): Promise<Uint8Array>;
  /** The bytes as UTF-8. */
  text(): Promise<string>;
  /** Writes a copy that is yours, and answers with its absolute path. A file that is there is replaced. */
  copyTo(path: string): Promise<string>;
}

/** Where the bytes of a {@link StoredFile} are: on disk, not stored yet, or in a store. */
export type FileSource =
  | { readonly kind: "disk"; readonly path: string }
  | { readonly kind: "blob"; readonly blob: BlobRef; readonly blobs: BlobReader };

/** Kept apart from the file that users see. */
const sources = new WeakMap<StoredFile, FileSource>();

export function sourceOf(file: StoredFile): FileSource | undefined {
  return sources.get(file);
}

/** A file on disk. Throws a ValueError when there is none at the path. */
export function diskFile(path: string, name: string | undefined): StoredFile {
  const absolute = resolve(path);
  const stats = statOf(absolute, path);
  const file: StoredFile = tagged("file", {
    name: name ?? basename(absolute),
    size: stats.size,
    executable: isExecutable(stats),
    path: async () => absolute,
    stream: () => createReadStream(absolute) as AsyncIterable<Uint8Array>,
    bytes: async () => toPlainBytes(await readFile(absolute)),
    text: async () => decodeText(await readFile(absolute)),
    copyTo: async (target: string) => copyOut(absolute, target, isExecutable(stats)),
  });
  sources.set(file, { kind: "disk", path: absolute });
  return file;
}

/** A file in a store. */
export function blobFile(
  { name, executable }: { readonly name: string; readonly executable: boolean },
  blob: BlobRef,
  blobs: BlobReader,
): StoredFile {
  const file: StoredFile = tagged("file", {
    name,
    size: blob.size,
    executable,
    path: () => blobs.path(blob.digest),
    stream: () => blobs.stream(blob.digest),
    bytes: () => blobs.bytes(blob.digest),
    text: async () => decodeText(await blobs.bytes(blob.digest)),
    copyTo: async (target: string) => copyOut(await blobs.path(blob.digest), target, executable),
  });
  sources.set(file, { kind: "blob", blob, blobs });
  return file;
}

/** Whether the owner of a file may run it. */
export function isExecutable(stats: Pick<Stats, "mode">): boolean {
  return (stats.mode & 0o100) !== 0;
}

function statOf(absolute: string, path: string): Stats {
  let stats: Stats;
  try {
    stats = outsideStep(() => statSync(absolute));
  } catch (error) {
    throw new ValueError("RPS2104", `file("${path}"): there is no file at this path.`, {
      hint: "Write the file first; relative paths start at the working directory.",
      data: { path },
      cause: error,
    });
  }
  if (stats.isFile()) return stats;
  throw new ValueError(
    "RPS2104",
    `file("${path}"): this is ${stats.isDirectory() ? "a directory" : "no regular file"}.`,
    {
      hint: stats.isDirectory() ? "Return directory(path) instead." : "Return a regular file.",
      data: { path },
    },
  );
}

async function copyOut(from: string, target: string, executable: boolean): Promise<string> {
  const absolute = resolve(target);
  await mkdir(dirname(absolute), { recursive: true });
  await copyFile(from, absolute);
  // What lies in a store is read-only, and a copy would be as well.
  await chmod(absolute, executable ? 0o755 : 0o644);
  return absolute;
}

function toPlainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
