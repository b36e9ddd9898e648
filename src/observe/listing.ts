/** What a directory holds, as a text that is the same while the names are. */
import type { Dirent } from "node:fs";
import { join, resolve } from "node:path";
import { digestBytes, shortDigest } from "../hash/digest.ts";
import { globSync, readdirSync } from "./disk.ts";
import { isNowhere } from "../code/stamp.ts";
import { absent, refused } from "./stat-text.ts";

export interface ListingOptions {
  /** Whether the kind of each thing counts besides its name. */
  readonly kinds: boolean;
  readonly recursive: boolean;
  /** A folder whose name and content are left out: the store. */
  readonly without: string;
}

/** Lists a directory: `3 names 1f0c…`, `3 entries 1f0c…`; `absent` or `refused` where it cannot be listed. */
export function listDirectory(path: string, options: ListingOptions): string {
  try {
    return showListing(path, readdirSync(path, { recursive: options.recursive, withFileTypes: true }), options);
  } catch (error) {
    return isNowhere(error) ? absent : refused;
  }
}

/** What was found in a directory, by names or with their kinds, as {@link listDirectory} tells it. */
export function showListing(path: string, found: readonly (string | Dirent)[], options: ListingOptions): string {
  const { kinds, without } = options;
  const names: string[] = [];
  for (const entry of found) {
    // The parent is called as it was asked for, which may be by a relative path.
    const inside = typeof entry === "string" ? join(path, entry) : resolve(entry.parentPath, entry.name);
    if (isWithin(inside, without) || isInstalled(inside)) continue;
    const name = inside.slice(path.length).replace(/^[\\/]/u, "");
    names.push(kinds && typeof entry !== "string" ? `${kindOf(entry)} ${name}` : name);
  }
  return showNames(names, kinds ? "entries" : "names");
}

/** The paths of all that is below a directory and is none itself. */
export function filesBelow(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Installed packages are no inputs: they are in the key. */
export function isInstalled(path: string): boolean {
  return path.includes("/node_modules/") || path.endsWith("/node_modules");
}

/** The files and directories that match a pattern below a folder. */
export function listMatches(folder: string, pattern: string, without: string): readonly string[] {
  return globSync(pattern, { cwd: folder }).filter((name) => {
    const path = join(folder, name);
    return !isWithin(path, without) && !isInstalled(path);
  });
}

export function showNames(names: readonly string[], what: string): string {
  const text = names.toSorted().join("\0");
  return `${names.length} ${what} ${shortDigest(digestBytes(text), 32)}`;
}

export function isWithin(path: string, folder: string): boolean {
  return path === folder || (path.startsWith(folder) && (path[folder.length] === "/" || path[folder.length] === "\\"));
}

function kindOf(entry: Dirent): string {
  if (entry.isFile()) return "f";
  if (entry.isDirectory()) return "d";
  return entry.isSymbolicLink() ? "l" : "o";
}
