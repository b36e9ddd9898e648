/** The project of a sequence on disk: its sources, its data files, its variables, and the folder of its store. */
import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { readdirSync, utimesSync, writeFileSync, type Dirent } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import type { DamageWay, FileChange } from "./edit.ts";
import { printProject } from "./print-project.ts";
import type { Written } from "./look.ts";
import { findStoredBlob, listStoredBlobs } from "../rig/stored-blobs.ts";
import { assertInternal } from "../../src/error.ts";
import { dataFolders, outFolder, variableNames, type Project } from "./project.ts";

export class ProjectFolder {
  readonly #first: string;
  readonly #origin: string;
  #root: string;
  #moves = 0;
  readonly #written = new Map<string, string>();
  readonly #links = new Map<string, string>();
  #folders: readonly string[] = [];

  /** `origin`: of the server that its resources are asked from. */
  constructor(root: string, origin: string) {
    this.#first = root;
    this.#origin = origin;
    this.#root = root;
    mkdirSync(root, { recursive: true });
    for (const folder of [...dataFolders, outFolder]) mkdirSync(join(root, folder), { recursive: true });
  }

  get root(): string {
    return this.#root;
  }

  /** To a folder of a name that no project had before, with its store. */
  move(): void {
    this.#moves += 1;
    const to = `${this.#first}-moved-${this.#moves}`;
    renameSync(this.#root, to);
    this.#root = to;
    process.chdir(to);
  }

  get store(): string {
    return join(this.root, ".reprise");
  }

  /** Makes the folder what the project says: touches nothing that is so already. */
  place(project: Project, change: FileChange): void {
    const wanted: Record<string, string> = { ...printProject(project, this.#origin), ...project.files };
    // What turns from a file into a link, or the other way round, makes room first.
    for (const path of this.#written.keys()) if (!(path in wanted)) this.#remove(path);
    for (const path of this.#links.keys()) if (project.links[path] !== this.#links.get(path)) this.#unlink(path);
    for (const folder of this.#folders) if (!project.folders.includes(folder)) rmdirSync(join(this.root, folder));
    for (const folder of project.folders) mkdirSync(join(this.root, folder), { recursive: true });
    this.#folders = [...project.folders];
    for (const [path, text] of Object.entries(wanted)) {
      if (this.#written.get(path) !== text) this.write(path, text, path in project.files ? change : "write");
    }
    for (const [path, target] of Object.entries(project.links)) if (!this.#links.has(path)) this.#link(path, target);
    for (const name of variableNames) {
      if (name in project.environment) process.env[name] = project.environment[name];
      else delete process.env[name];
    }
  }

  write(path: string, text: string, change: FileChange): void {
    const target = join(this.root, path);
    const before = statSync(target, { throwIfNoEntry: false });
    mkdirSync(dirname(target), { recursive: true });
    if (change === "replace") {
      const aside = join(this.root, `.aside-${path.replaceAll("/", "-")}`);
      writeFileSync(aside, text);
      renameSync(aside, target);
    } else writeFileSync(target, text);
    if (change === "keep-time" && before !== undefined) utimesSync(target, before.atime, before.mtime);
    this.#written.set(path, text);
  }

  touch(path: string): void {
    utimesSync(join(this.root, path), new Date(), new Date());
  }

  rewrite(path: string): void {
    writeFileSync(join(this.root, path), readFileSync(join(this.root, path)));
  }

  #remove(path: string): void {
    rmSync(join(this.root, path));
    this.#written.delete(path);
  }

  #link(path: string, target: string): void {
    symlinkSync(target, join(this.root, path));
    this.#links.set(path, target);
  }

  #unlink(path: string): void {
    rmSync(join(this.root, path));
    this.#links.delete(path);
  }

  /** What steps have written for others to read. */
  written(): Written {
    const names = readdirSync(join(this.root, outFolder)).toSorted();
    return new Map(
      names.map((name) => [`${outFolder}/${name}`, readFileSync(join(this.root, outFolder, name), "utf8")]),
    );
  }

  /** What steps write meanwhile goes with the work: those that come after find what was there before. */
  async withEmptyOut<T>(work: () => Promise<T>): Promise<T & { readonly written: Written }> {
    const aside = join(this.root, ".out-aside");
    renameSync(join(this.root, outFolder), aside);
    mkdirSync(join(this.root, outFolder));
    try {
      const result = await work();
      return Object.assign(result as object, { written: this.written() }) as T & { readonly written: Written };
    } finally {
      rmSync(join(this.root, outFolder), { recursive: true });
      renameSync(aside, join(this.root, outFolder));
    }
  }

  /** Somebody else changes or removes what a step has written. */
  spoilWritten(pick: number): void {
    const paths = [...this.written().keys()];
    const path = paths[pick % paths.length];
    if (path === undefined) return;
    if (pick % 3 === 0) rmSync(join(this.root, path));
    else writeFileSync(join(this.root, path), `spoilt ${pick % 5}`);
  }

  hasBlob(digest: string): boolean {
    return findStoredBlob(this.store, digest) !== undefined;
  }

  /** Damages a blob that is there, in a file or a row; `other` is what it is swapped with. */
  damageBlob(digest: string, way: DamageWay, other: string): void {
    const [blob, another] = [findStoredBlob(this.store, digest), findStoredBlob(this.store, other)];
    assertInternal(blob !== undefined && another !== undefined, "a blob is damaged that is not there");
    const bytes = blob.read();
    switch (way) {
      case "delete":
        return blob.remove();
      case "truncate":
        return blob.overwrite(bytes.subarray(0, bytes.length - 1));
      case "extend":
        return blob.overwrite(Buffer.concat([bytes, bytes.subarray(0, 1)]));
      case "flip":
        return blob.overwrite(flip(bytes));
      case "flip-silently":
        return blob.overwriteSilently(flip(bytes));
      case "swap":
        return blob.overwrite(another.read());
    }
  }

  removeBlobs(): void {
    for (const blob of listStoredBlobs(this.store)) blob.remove();
  }

  removeStore(): void {
    rmSync(this.store, { recursive: true, force: true });
  }

  removeCodeState(): void {
    rmSync(join(this.store, "code"), { recursive: true, force: true });
  }

  /** Cuts a file of what the store knows of code off in the middle. */
  spoilCodeState(pick: number): void {
    const files = filesBelow(join(this.store, "code"));
    const path = files[pick % files.length];
    if (path === undefined) return;
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length >> 1));
  }
}

function flip(bytes: Buffer): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[flipped.length - 1]! ^= 1;
  return flipped;
}

function filesBelow(folder: string): string[] {
  const below = (entries: readonly Dirent[]): string[] =>
    entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  try {
    return below(readdirSync(folder, { recursive: true, withFileTypes: true })).toSorted();
  } catch {
    return [];
  }
}
