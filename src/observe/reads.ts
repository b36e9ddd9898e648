/** What has been read so far, as one step saw it. */
import type { Stamp } from "../code/stamp.ts";
import type { ObservedRead } from "../record/trace.ts";
import { isSetText } from "./world.ts";
import { absent, facts, showStat, type StatDetail, type StatLevel } from "./stat-text.ts";

/** A file whose bytes were read. */
export interface FileRead {
  readonly path: string;
  /** The digest of what was read, or `absent`; undefined when it was read in pieces that nobody added up. */
  readonly found: string | undefined;
  /** What `stat` said right before. */
  readonly stamp: Stamp | undefined;
  readonly readAtMs: number;
}

/** A path that was looked at. */
export interface PathLook {
  readonly kind: "stat" | "link";
  readonly path: string;
  readonly detail: StatDetail | undefined;
  readonly level: StatLevel;
}

/** A thing that is compared by text alone. `path`: the directory that was listed. */
export interface OtherRead {
  readonly read: ObservedRead;
  readonly path?: string;
}

/** Each thing once. A thing that was found in two states is remembered as one that changed. */
export class Reads {
  readonly files = new Map<string, FileRead>();
  readonly looks = new Map<string, PathLook>();
  readonly others = new Map<string, OtherRead>();
  /** Names of things that did not stay the same. */
  readonly changed = new Set<string>();

  get size(): number {
    return this.files.size + this.looks.size + this.others.size;
  }

  addFile(file: FileRead, name: (path: string) => string): void {
    const known = this.files.get(file.path);
    if (known === undefined) {
      this.files.set(file.path, file);
    } else if (known.found === undefined) {
      // Whole bytes say more than that it was opened; the older state of the file counts.
      if (file.found !== undefined)
        this.files.set(file.path, { ...file, stamp: known.stamp, readAtMs: known.readAtMs });
    } else if (file.found !== undefined && file.found !== known.found) {
      this.changed.add(name(file.path));
    }
  }

  addLook(look: PathLook, name: (path: string) => string): void {
    const id = `${look.kind} ${look.path}`;
    const known = this.looks.get(id);
    if (known === undefined) {
      this.looks.set(id, look);
      return;
    }
    const isCloser = (look.level & ~known.level) !== 0;
    const isLess = (known.level & ~look.level) !== 0;
    // Of what only one of them asked, the other knows it too, unless it asked nothing but whether there is something.
    const level = isCloser && isLess ? known.level | look.level : known.level & look.level;
    if (showStat(look.detail, level) !== showStat(known.detail, level)) this.changed.add(name(look.path));
    else if (isCloser) this.looks.set(id, { ...look, level: look.level | known.level });
  }

  /** `form`: what else than its name tells a look at a thing from others that find other words for it. */
  addOther(other: OtherRead, name: string, form = formOf(other.read)): void {
    const id = `${other.read.kind} ${other.read.name}${form === "" ? "" : `\0${form}`}`;
    const known = this.others.get(id);
    if (known === undefined) this.others.set(id, other);
    else if (known.read.found !== other.read.found) this.changed.add(name);
  }

  /** Takes over what somebody else has read. */
  addAll(from: Reads, name: (path: string) => string): void {
    for (const file of from.files.values()) this.addFile(file, name);
    for (const look of from.looks.values()) this.addLook(look, name);
    for (const other of from.others.values()) this.addOther(other, other.read.name);
    for (const each of from.changed) this.changed.add(each);
  }

  /** Looks that say more than the bytes of the same file do: others need not be kept. */
  *telling(): Generator<PathLook> {
    for (const look of this.looks.values()) {
      const isPlain = (look.level & ~(facts.kind | facts.size)) === 0;
      const file = look.kind === "stat" && isPlain ? this.files.get(look.path) : undefined;
      if (file === undefined || (file.found === absent) !== (look.detail === undefined)) yield look;
    }
  }
}

/** What is asked for in two ways is found in two forms, and has not changed: a directory by names and with kinds, say. */
function formOf({ kind, found }: ObservedRead): string {
  if (kind === "env") return found === isSetText ? found : "";
  if (kind !== "directory" && kind !== "tree") return "";
  return found.includes(" entries ") ? "entries" : "names";
}
