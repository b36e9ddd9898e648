import { opendir } from "node:fs/promises";
import { join } from "node:path";
import type { BlobRef, BlobWriter, Materializer } from "../define/materializer.ts";
import { isDigest } from "../hash/digest.ts";
import { storeFile } from "./file.ts";
import { isInside, readManifest, unreadable } from "./manifest.ts";
import { maxPreviewLength, maxPreviewRows } from "./preview.ts";
import { cannotStore } from "./storable.ts";
import { blobDirectory, directorySourceOf, diskDirectory, type StoredDirectory } from "./stored-directory.ts";
import { blobFile, diskFile, type StoredFile } from "./stored-file.ts";
import { isTagged } from "./tagged.ts";

/** A directory that the step has filled, to return from it, with all that is below it. Stored as streams. */
export function directory(path: string): StoredDirectory;
/** Declares an output to be a directory. */
export function directory(): Materializer<StoredDirectory>;
export function directory(path?: string): StoredDirectory | Materializer<StoredDirectory> {
  return path === undefined ? directoryMaterializer : diskDirectory(path);
}

interface ManifestFile {
  readonly path: string;
  readonly size: number;
  readonly digest: BlobRef["digest"];
  readonly executable: boolean;
}

/**
 * Root: a manifest of files by path, in code-unit order, and of directories with nothing in them. Parts: the files' bytes.
 * Times, owners and absolute paths are not kept, so that equal content is equal. Symbolic links are refused: what one
 * points at may not be there on another machine.
 */
export const directoryMaterializer: Materializer<StoredDirectory> = {
  name: "directory",
  version: 1,
  mediaType: "application/vnd.reprise.directory+json",
  extension: "directory.json",
  accepts: (value) => isTagged(value, "directory"),
  async write(value, blobs) {
    if (!isTagged(value, "directory")) throw cannotStore([], { what: "no directory", hint: "Return directory(path)." });
    const found = await filesOf(value);
    const files: ManifestFile[] = [];
    for (const [path, file] of found.files) files.push(await storeEntry(path, file, blobs));
    const root = await blobs.put(JSON.stringify({ files, emptyDirectories: found.emptyDirectories }));
    return { root, parts: toParts(files) };
  },
  async read(root, blobs) {
    const { files, emptyDirectories } = readManifest(await blobs.text(root.digest));
    if (!Array.isArray(files) || !files.every(isManifestFile)) throw unreadable("directory");
    if (!Array.isArray(emptyDirectories) || !emptyDirectories.every(isInside)) throw unreadable("directory");
    const stored = files.map((entry): [string, StoredFile] => {
      const name = entry.path.slice(entry.path.lastIndexOf("/") + 1);
      return [entry.path, blobFile({ name, executable: entry.executable }, entry, blobs)];
    });
    return blobDirectory(new Map(stored), emptyDirectories);
  },
  async describe(value) {
    const { files } = await filesOf(value);
    const entries: { path: string; size: number }[] = [];
    let left = maxPreviewLength;
    for (const [path, { size }] of files) {
      if (entries.length === maxPreviewRows || left < path.length) break;
      left -= path.length + 30;
      entries.push({ path, size });
    }
    const bytes = files.reduce((sum, [, { size }]) => sum + size, 0);
    return {
      preview: { kind: "files", entries, count: files.length, truncated: entries.length < files.length },
      metadata: { files: files.length, bytes },
    };
  },
};

interface Found {
  /** In code-unit order of their paths. */
  readonly files: readonly (readonly [path: string, file: StoredFile])[];
  readonly emptyDirectories: readonly string[];
}

async function filesOf(value: StoredDirectory): Promise<Found> {
  const source = directorySourceOf(value);
  if (source === undefined) {
    throw cannotStore([], {
      what: "a directory made by another copy of this package",
      hint: "Install one copy only, or return directory(await it.path()).",
    });
  }
  if (source.kind === "blob") return { files: [...source.files], emptyDirectories: source.emptyDirectories };
  const files: [string, StoredFile][] = [];
  const emptyDirectories: string[] = [];
  await list(source.path, "", files, emptyDirectories);
  return {
    files: files.sort(([one], [other]) => (one < other ? -1 : 1)),
    emptyDirectories: emptyDirectories.sort(),
  };
}

async function list(root: string, below: string, files: [string, StoredFile][], empty: string[]): Promise<void> {
  let count = 0;
  for await (const entry of await opendir(join(root, below))) {
    count++;
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) await list(root, path, files, empty);
    else if (!isInside(path)) throw refuseEntry(path, "a name that not every system allows", "Rename the file.");
    else if (entry.isFile()) files.push([path, diskFile(join(root, path), undefined)]);
    else if (entry.isSymbolicLink()) {
      throw refuseEntry(path, "a symbolic link", "Copy what it points at, or remove the link.");
    } else throw refuseEntry(path, "neither a file nor a directory", "Remove it before returning the directory.");
  }
  if (count === 0 && below !== "") empty.push(below);
}

function refuseEntry(path: string, what: string, hint: string): Error {
  return cannotStore([path], { what, hint });
}

async function storeEntry(path: string, file: StoredFile, blobs: BlobWriter): Promise<ManifestFile> {
  const { blob, executable } = await storeFile(file, blobs);
  return { path, size: blob.size, digest: blob.digest, executable };
}

/** Equal files are one part. */
function toParts(files: readonly ManifestFile[]): readonly BlobRef[] {
  return [...new Map(files.map(({ digest, size }) => [digest, { digest, size }])).values()];
}

function isManifestFile(entry: unknown): entry is ManifestFile {
  const { path, size, digest, executable } = (entry ?? {}) as Partial<Record<keyof ManifestFile, unknown>>;
  return (
    isInside(path) &&
    typeof size === "number" &&
    typeof digest === "string" &&
    isDigest(digest) &&
    typeof executable === "boolean"
  );
}
