import { rmSync, statSync } from "node:fs";
import { chmod, copyFile, cp, mkdir, mkdtemp, opendir, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { outsideStep } from "../define/step-scope.ts";
import { UsageError, ValueError } from "../error.ts";
import { isInside } from "./manifest.ts";
import { diskFile, type StoredFile } from "./stored-file.ts";
import { tagged } from "./tagged.ts";

/** A directory on its way into the store, or out of it. */
export interface StoredDirectory {
  /** Paths of all files below it, with `/` between their parts, in code-unit order. */
  paths(): Promise<readonly string[]>;
  /** The file at a path below it. Throws a UsageError when there is none, or when the path leads outside. */
  file(path: string): StoredFile;
  /**
   * Where the directory lies, to hand to a program that wants a path. Out of a store it is a read-only copy, made on the
   * first call and removed when the process ends.
   */
  path(): Promise<string>;
  /**
   * Writes a copy that is yours, and answers with its absolute path. Of files that are there, those of the same name are
   * replaced, and the others stay.
   */
  copyTo(path: string): Promise<string>;
}

/** Where the files of a {@link StoredDirectory} are. */
export type DirectorySource =
  | { readonly kind: "disk"; readonly path: string }
  | {
      readonly kind: "blob";
      readonly files: ReadonlyMap<string, StoredFile>;
      readonly emptyDirectories: readonly string[];
    };

/** Kept apart from the directory that users see. */
const sources = new WeakMap<StoredDirectory, DirectorySource>();

export function directorySourceOf(directory: StoredDirectory): DirectorySource | undefined {
  return sources.get(directory);
}

export function diskDirectory(path: string): StoredDirectory {
  const absolute = resolve(path);
  if (outsideStep(() => statSync(absolute, { throwIfNoEntry: false }))?.isDirectory() !== true) {
    throw new ValueError("RPS2104", `directory("${path}"): there is no directory at this path.`, {
      hint: "Make the directory first; relative paths start at the working directory.",
      data: { path },
    });
  }
  const directory: StoredDirectory = tagged("directory", {
    paths: () => listPaths(absolute),
    file: (below: string) => {
      const found = join(absolute, below);
      if (!isInside(below)) throw nothingAt(below);
      if (statSync(found, { throwIfNoEntry: false })?.isFile() !== true) throw nothingAt(below);
      return diskFile(found, undefined);
    },
    path: async () => absolute,
    copyTo: async (target: string) => {
      await cp(absolute, resolve(target), { recursive: true });
      return resolve(target);
    },
  });
  sources.set(directory, { kind: "disk", path: absolute });
  return directory;
}

export function blobDirectory(
  files: ReadonlyMap<string, StoredFile>,
  emptyDirectories: readonly string[],
): StoredDirectory {
  let copy: Promise<string> | undefined;
  const directory: StoredDirectory = tagged("directory", {
    paths: async () => [...files.keys()],
    file: (path: string) => files.get(path) ?? fail(nothingAt(path)),
    path: () => (copy ??= makeCopy(files, emptyDirectories)),
    copyTo: async (target: string) => {
      await writeFiles(files, emptyDirectories, resolve(target), { file: 0o644, executable: 0o755 });
      return resolve(target);
    },
  });
  sources.set(directory, { kind: "blob", files, emptyDirectories });
  return directory;
}

async function listPaths(root: string): Promise<readonly string[]> {
  const paths: string[] = [];
  for await (const entry of await opendir(root, { recursive: true })) {
    if (!entry.isFile()) continue;
    const below = entry.parentPath === root ? [] : entry.parentPath.slice(root.length + 1).split(/[\\/]/u);
    paths.push([...below, entry.name].join("/"));
  }
  return paths.sort();
}

function nothingAt(path: string): UsageError {
  return new UsageError("RPS6002", `The directory has no file "${path}".`, {
    hint: "Call paths() to see which files there are.",
    data: { path },
  });
}

function fail(error: Error): never {
  throw error;
}

const copies = new Set<string>();

async function makeCopy(files: ReadonlyMap<string, StoredFile>, emptyDirectories: readonly string[]): Promise<string> {
  const root = await mkdtemp(join(await realpath(tmpdir()), "reprise-artifact-"));
  if (copies.size === 0) process.once("exit", removeCopies);
  copies.add(root);
  // Files alone are made read-only: whoever may not write to a directory cannot remove it either.
  await writeFiles(files, emptyDirectories, root, { file: 0o444, executable: 0o555 });
  return root;
}

function removeCopies(): void {
  for (const root of copies) rmSync(root, { recursive: true, force: true });
}

async function writeFiles(
  files: ReadonlyMap<string, StoredFile>,
  emptyDirectories: readonly string[],
  root: string,
  modes: { readonly file: number; readonly executable: number },
): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const path of emptyDirectories) await mkdir(join(root, path), { recursive: true });
  for (const [path, file] of files) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(await file.path(), target);
    await chmod(target, file.executable ? modes.executable : modes.file);
  }
}
