/**
 * What the index keeps on disk between processes. Every file is whole or absent (written aside, then renamed), and
 * nothing in it is trusted that does not fit: then it is as if it were not there.
 */
import { hash } from "node:crypto";
import { appendFileSync, closeSync, mkdirSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CodeNote, CodeUnit } from "./identity.ts";
import type { Place } from "../error.ts";
import type { Digest } from "../hash/digest.ts";
import { packRecord } from "./packed-record.ts";
import { codeScheme, stateScheme, type FileRecord, type UnitRecord } from "./record.ts";
import type { Stamp } from "./stamp.ts";

/** A unit as the state keeps it: its text is cut from its file when asked for. */
export interface StoredUnit extends Omit<CodeUnit, "text"> {
  /** Index into the state's files, and the offsets of the text. */
  readonly span?: readonly [file: number, start: number, end: number];
}

/** What is known of a step apart from the process that asks. */
export interface StepRecord {
  /** Without the environment. */
  readonly digest: Digest;
  readonly notes: readonly CodeNote[];
  readonly environment: readonly string[];
  readonly place: Place | undefined;
  readonly own: readonly string[];
  readonly memos: readonly string[];
  /** Whether its function uses values of a function or loop around it. */
  readonly captures: boolean;
  /** Names of all files in its closure. */
  readonly files: readonly string[];
}

export interface StoredFile {
  readonly name: string;
  readonly stamp: Stamp;
  readonly readAtMs: number;
  readonly content: string;
}

export interface StoredFolder {
  readonly name: string;
  readonly mtimeMs: number;
  readonly readAtMs: number;
  readonly listing: string;
}

/** Where a specifier of a folder's files led: a file by its name, a package by its folder, a built-in module by its own. */
export type StoredDestination = readonly [
  folder: string,
  way: string,
  specifier: string,
  kind: "file" | "package" | "builtin" | "framework" | "missing",
  name: string,
];

/** All that must be unchanged for an answer to hold. */
export interface Observed {
  readonly files: readonly StoredFile[];
  readonly folders: readonly StoredFolder[];
  /** Manifests and locks; a null stamp: it was not there. */
  readonly watched: readonly (readonly [name: string, stamp: Stamp | null])[];
  /** Hold as long as folders and manifests are unchanged, whatever is in the files. */
  readonly destinations: readonly StoredDestination[];
}

/** Identities of steps. */
export interface WarmState extends Observed {
  /** By name and call sites. */
  readonly steps: Readonly<Record<string, Omit<StepRecord, "files"> & { readonly files: readonly number[] }>>;
  /** Name of the file with the units. */
  readonly units: string;
}

/** A file of the project and the statements in it that run pipelines and that nothing else needs. */
export interface DrivenFile {
  readonly name: string;
  /** Digest of the bytes that the offsets are of. */
  readonly content: string;
  readonly commonJs: boolean;
  readonly drivers: readonly Pick<UnitRecord, "kind" | "names" | "start" | "end">[];
}

export interface DriversState extends Observed {
  readonly drivers: readonly DrivenFile[];
}

export interface UnitsState {
  readonly units: readonly StoredUnit[];
  readonly steps: Readonly<Record<string, readonly number[]>>;
}

/** A record as text: few of them are needed when little has changed. */
export interface StoredRecord {
  readonly content: string;
  readonly record: string;
}

/** Records of past contents pile up: beyond this size they are dropped, and made again as needed. */
const maxRecordBytes = 64 * 1024 * 1024;

/** How many sets of steps are remembered. */
/** How the names of files end that are being written. */
const unfinished = ".tmp";
const keptStates = 8;

export class StateFolder {
  readonly #folder: string | undefined;
  /** State of another parser or scheme is not ours to read. */
  readonly #tag: string;

  /** Without a folder nothing is kept, and nothing is known. */
  constructor(folder: string | undefined, parserVersion: string) {
    this.#folder = folder;
    this.#tag = `code ${codeScheme}.${stateScheme} parser ${parserVersion}`;
  }

  /** Records by the name of the file, as lines; a later line of a name takes the place of an earlier one. */
  readRecords(): Map<string, StoredRecord> {
    const records = new Map<string, StoredRecord>();
    for (const line of this.#readLines("records.jsonl")) {
      const [name, content, record] = line.split("\t", 3);
      if (name !== undefined && content !== undefined && record !== undefined) records.set(name, { content, record });
    }
    return records;
  }

  /** Adds records to those on disk. */
  addRecords(added: Iterable<readonly [name: string, content: string, record: FileRecord]>): void {
    const lines = [...added].map(([name, content, record]) => `${name}\t${content}\t${packRecord(record)}\n`);
    try {
      const path = this.#path("records.jsonl");
      mkdirSync(dirname(path), { recursive: true });
      if (!this.#isOurs(path)) this.#replace("records.jsonl", `${this.#tag}\n`);
      appendFileSync(path, lines.join(""));
      if (statSync(path).size > maxRecordBytes) rmSync(path, { force: true });
    } catch {
      // A state that cannot be written costs time in the next process, nothing else.
    }
  }

  readWarm(subject: string): WarmState | undefined {
    return this.#read<WarmState>(`warm-${subject}.json`);
  }

  readUnits(name: string): UnitsState | undefined {
    return /^units-[\w-]+\.json$/u.test(name) ? this.#read<UnitsState>(name) : undefined;
  }

  writeWarm(subject: string, state: Omit<WarmState, "units">, units: UnitsState): void {
    const text = this.#toText(units);
    const name = `units-${hash("sha256", text, "base64url").slice(0, 22)}.json`;
    this.#write(name, text);
    this.#write(`warm-${subject}.json`, this.#toText({ ...state, units: name }));
    this.#prune();
  }

  readDrivers(subject: string): DriversState | undefined {
    return this.#read<DriversState>(`drivers-${subject}.json`);
  }

  writeDrivers(subject: string, state: DriversState): void {
    this.#write(`drivers-${subject}.json`, this.#toText(state));
    this.#prune();
  }

  /** Removes what writers that were killed left unfinished, older than the given age. Answers with the bytes freed, or to be freed. */
  sweep(olderThanMs: number, { dryRun = false }: { readonly dryRun?: boolean } = {}): number {
    const before = Date.now() - olderThanMs;
    let freed = 0;
    for (const name of this.#names()) {
      if (!name.endsWith(unfinished)) continue;
      const path = this.#path(name);
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats === undefined || stats.mtimeMs > before) continue;
      if (!dryRun) rmSync(path, { force: true });
      freed += stats.size;
    }
    return freed;
  }

  #path(name: string): string {
    if (this.#folder === undefined) throw new Error("there is no state");
    return join(this.#folder, name);
  }

  #names(): readonly string[] {
    try {
      return readdirSync(this.#path(""));
    } catch {
      return [];
    }
  }

  #read<T>(name: string): T | undefined {
    try {
      const { tag, data } = JSON.parse(readFileSync(this.#path(name), "utf8")) as { tag: string; data: T };
      return tag === this.#tag ? data : undefined;
    } catch {
      return undefined;
    }
  }

  #toText(data: unknown): string {
    return JSON.stringify({ tag: this.#tag, data });
  }

  #write(name: string, text: string): void {
    try {
      mkdirSync(this.#path(""), { recursive: true });
      this.#replace(name, text);
    } catch {
      // As above.
    }
  }

  #replace(name: string, text: string): void {
    const target = this.#path(name);
    const aside = `${target}.${process.pid}${unfinished}`;
    try {
      writeFileSync(aside, text);
      renameSync(aside, target);
    } finally {
      rmSync(aside, { force: true });
    }
  }

  /** Lines after the first, which must be ours. */
  #readLines(name: string): string[] {
    try {
      const [tag, ...lines] = readFileSync(this.#path(name), "utf8").split("\n");
      return tag === this.#tag ? lines : [];
    } catch {
      return [];
    }
  }

  #isOurs(path: string): boolean {
    const length = this.#tag.length + 1;
    const buffer = Buffer.alloc(length);
    try {
      const file = openSync(path, "r");
      try {
        readSync(file, buffer, 0, length, 0);
      } finally {
        closeSync(file);
      }
      return buffer.toString("latin1") === `${this.#tag}\n`;
    } catch {
      return false;
    }
  }

  #prune(): void {
    for (const prefix of ["warm-", "units-", "drivers-"]) {
      try {
        const old = readdirSync(this.#path(""))
          .filter((name) => name.startsWith(prefix) && name.endsWith(".json"))
          .map((name) => ({ name, mtimeMs: statSync(this.#path(name)).mtimeMs }))
          .sort((a, b) => b.mtimeMs - a.mtimeMs)
          .slice(keptStates);
        for (const { name } of old) rmSync(this.#path(name), { force: true });
      } catch {
        // Another process prunes too.
      }
    }
  }
}
