/** Which paths count as inputs, and what they are called: names mean the same in every checkout. */
import { isAbsolute, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { isInstalled, isWithin } from "./listing.ts";

/**
 * - `world`: it counts.
 * - `store`: it is the store's own record.
 * - `ignored`: artifacts in the store, installed packages (both are in the key), and what is no file on a disk.
 */
export type Region = "world" | "store" | "ignored";

/** Artifacts that are laid out as files in the folder for temporary ones, for steps that want a path. */
const artifactCopies = "/reprise-artifact-";
const workingFolder = process.cwd.bind(process);

export class Territory {
  /** Absolute. */
  readonly root: string;
  readonly storePath: string;
  readonly #objects: string;

  constructor(root: string, storePath: string) {
    this.root = root;
    this.storePath = storePath;
    this.#objects = resolve(storePath, "objects");
  }

  regionOf(path: string): Region {
    if (isInstalled(path)) return "ignored";
    if (isWithin(path, this.storePath)) return isWithin(path, this.#objects) ? "ignored" : "store";
    if (path.includes(artifactCopies)) return "ignored";
    // Where shared memory is mounted as a disk, people keep data sets and whole projects.
    if (path.startsWith("/dev/shm/")) return "world";
    return /^\/(?:proc|sys|dev)(?:\/|$)/u.test(path) ? "ignored" : "world";
  }

  /** Relative to the project, with `/`; absolute outside of it. */
  nameOf(path: string): string {
    if (path === this.root) return ".";
    if (path.startsWith(this.root) && path[this.root.length] === sep) {
      return path.slice(this.root.length + 1).replaceAll(sep, "/");
    }
    return path;
  }

  pathOf(name: string): string {
    return resolve(this.root, name);
  }

  /** The folder that relative paths start from, relative to the project. */
  folder(): string {
    const folder = relative(this.root, workingFolder());
    return folder === "" ? "." : folder.replaceAll(sep, "/");
  }
}

/** A path as `fs` takes it, absolute; undefined for file descriptors and what is no path. */
export function toPath(given: unknown): { readonly path: string; readonly isRelative: boolean } | undefined {
  const text = toText(given);
  if (text === undefined || text.includes("\0")) return undefined;
  return isAbsolute(text)
    ? { path: resolve(text), isRelative: false }
    : { path: resolve(workingFolder(), text), isRelative: true };
}

function toText(given: unknown): string | undefined {
  if (typeof given === "string") return given;
  if (given instanceof Uint8Array) return Buffer.from(given).toString("utf8");
  if (!(given instanceof URL) || given.protocol !== "file:") return undefined;
  try {
    return fileURLToPath(given);
  } catch {
    return undefined;
  }
}
