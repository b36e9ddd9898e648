/** The world as it is now, in the words of traces. Files are told by `stat` where what was remembered of them allows it. */
import { createHmac } from "node:crypto";
import { createReadStream } from "node:fs";
import { isNowhere, isRacy, sameStamp, stampOf, type Stamp } from "../code/stamp.ts";
import { digestBytes, Digester } from "../hash/digest.ts";
import type { ObservedRead } from "../record/trace.ts";
import { lstatSync, readFileSync, realpathSync, statSync } from "./disk.ts";
import { listDirectory, listMatches, showNames } from "./listing.ts";
import type { FileMemory, RememberedFile } from "./observer.ts";
import { absent, levelOf, refused, showStat, toStatDetail, stampQuietly } from "./stat-text.ts";
import type { Territory } from "./territory.ts";

/** Larger files are read in pieces, so that other work goes on meanwhile. */
const wholeBytes = 4 * 1024 * 1024;
const clock = Date.now;

export class World {
  readonly territory: Territory;
  readonly #files: FileMemory;
  readonly #remembered = new Map<string, RememberedFile | undefined>();

  constructor(territory: Territory, files: FileMemory) {
    this.territory = territory;
    this.#files = files;
  }

  /** Fetches at once what is remembered of many files. */
  async prepare(paths: Iterable<string>): Promise<void> {
    const unknown = [...new Set(paths)].filter((path) => !this.#remembered.has(path));
    if (unknown.length === 0) return;
    const found = await this.#files.find(unknown);
    for (const path of unknown) this.#remembered.set(path, found.get(path));
  }

  /** What is found now of a thing that was read; not for `http`. */
  look({ kind, name, found }: ObservedRead, salt: () => string): string | Promise<string> {
    const { territory } = this;
    const path = (): string => territory.pathOf(name);
    switch (kind) {
      case "file":
        return this.file(path());
      case "stat":
      case "link":
        return lookAt(path(), kind, found);
      case "realpath":
        return resolveLinks(path(), territory);
      case "directory":
      case "tree":
        return listDirectory(path(), {
          kinds: found.includes(" entries "),
          recursive: kind === "tree",
          without: territory.storePath,
        });
      case "glob":
        return this.glob(name);
      case "env":
        return found === isSetText && process.env[name] !== undefined ? found : keyVariable(process.env[name], salt());
      case "variables":
        return showNames(Object.keys(process.env), "names");
      case "folder":
        return territory.folder();
      case "http":
        throw new TypeError("what a URL answers is asked elsewhere");
    }
  }

  glob(name: string): string {
    const { folder, pattern } = parseGlobName(name);
    return showNames(listMatches(this.territory.pathOf(folder), pattern, this.territory.storePath), "names");
  }

  /** The digest of a file's bytes, or that there is none. */
  file(path: string): string | Promise<string> {
    let stamp: Stamp | undefined;
    try {
      stamp = stampOf(path);
    } catch {
      return refused;
    }
    // SQLite leaves a log empty as long as somebody has the database open.
    if (stamp === undefined || (stamp[2] === 0 && path.endsWith("-wal"))) return absent;
    const known = this.#remembered.get(path);
    if (known !== undefined && known.stamp === showStamp(stamp)) return known.digest;
    return this.#read(path, stamp);
  }

  /** Remembers that a file had a digest when `stat` said this of it. */
  remember(path: string, stamp: Stamp, readAtMs: number, found: string): void {
    if (isRacy(stamp, readAtMs) || !found.startsWith("sha256:")) return;
    const file = { path, stamp: showStamp(stamp), digest: found } as RememberedFile;
    const known = this.#remembered.get(path);
    if (known?.stamp === file.stamp && known.digest === file.digest) return;
    this.#remembered.set(path, file);
    this.#files.keep([file]);
  }

  #read(path: string, stamp: Stamp): string | Promise<string> {
    const readAtMs = clock();
    try {
      const stats = statSync(path);
      if (!stats.isFile()) return stats.isDirectory() ? "directory" : "other";
      if (stats.size > wholeBytes) return this.#readInPieces(path, stamp, readAtMs);
      const found = digestBytes(readFileSync(path));
      if (sameStamp(stampOf(path), stamp)) this.remember(path, stamp, readAtMs, found);
      return found;
    } catch (error) {
      return isNowhere(error) ? absent : refused;
    }
  }

  async #readInPieces(path: string, stamp: Stamp, readAtMs: number): Promise<string> {
    const digester = new Digester();
    try {
      for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
        digester.update(chunk as Uint8Array);
      }
    } catch (error) {
      return isNowhere(error) ? absent : refused;
    }
    const found = digester.digest();
    if (sameStamp(stampQuietly(path), stamp)) this.remember(path, stamp, readAtMs, found);
    return found;
  }
}

/** What is found of a variable that is only asked to be there. */
export const isSetText = "set";

/** A variable's value by a keyed digest: a trace is no place to look a secret up. */
export function keyVariable(value: string | undefined, salt: string): string {
  return value === undefined ? "unset" : `keyed ${createHmac("sha256", salt).update(value).digest("hex").slice(0, 32)}`;
}

/** The name of a glob: the folder it starts from, without spaces, and the pattern. */
export function toGlobName(folder: string, pattern: string): string {
  return `${encodeURI(folder)} ${pattern}`;
}

export function parseGlobName(name: string): { readonly folder: string; readonly pattern: string } {
  const at = name.indexOf(" ");
  return { folder: decodeURI(name.slice(0, at)), pattern: name.slice(at + 1) };
}

function lookAt(path: string, kind: "stat" | "link", found: string): string {
  try {
    const stats = kind === "stat" ? statSync(path) : lstatSync(path);
    return showStat(toStatDetail(stats, path), levelOf(found));
  } catch (error) {
    return isNowhere(error) ? absent : refused;
  }
}

function resolveLinks(path: string, territory: Territory): string {
  try {
    return territory.nameOf(realpathSync(path));
  } catch (error) {
    return isNowhere(error) ? absent : refused;
  }
}

function showStamp(stamp: Stamp): string {
  return stamp.join(":");
}
