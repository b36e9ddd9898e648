/** What one step does to the world while it runs, noted by those who watch. */
import type { Dirent } from "node:fs";
import { dirname } from "node:path";
import { isNowhere, isRacy, stampOf, type Stamp } from "../code/stamp.ts";
import type { Place } from "../error.ts";
import { digestBytes } from "../hash/digest.ts";
import type { HttpPolicy } from "../define/options.ts";
import { nameRead } from "../record/read-difference.ts";
import type { Notice, Trace } from "../record/trace.ts";
import { readFileSync, statSync } from "./disk.ts";
import { hasCredentials, hostAndPort, noAnswer, showAnswer, showFresh, type Answer } from "./http-resource.ts";
import { isWithin, listDirectory, listMatches, showListing, showNames } from "./listing.ts";
import { Reads } from "./reads.ts";
import { absent, type StatDetail, type StatLevel, stampQuietly } from "./stat-text.ts";
import { toPath, type Territory } from "./territory.ts";
import { isSetText, keyVariable, toGlobName } from "./world.ts";

const clock = Date.now;

export interface RecordingParts {
  readonly territory: Territory;
  readonly salt: () => string;
  readonly http: HttpPolicy;
  /** Where in the project the code at work stands. */
  readonly findPlace: (stack: string | undefined) => Place | undefined;
  /** Whether a text has a secret in it. */
  readonly isSecret: (text: string) => boolean;
}

/** Gathers while a step runs. What its methods take as a path is absolute, as {@link locate} gives it. */
export class Recording {
  readonly reads = new Reads();
  /** Paths that the step wrote; of directories that went or came as a whole, all below them too. */
  readonly written = new Map<string, "alone" | "whole">();
  /** Of files that are open for reading: their paths. */
  readonly descriptors = new Map<number, string>();
  /** Paths of databases that the step may have changed; whether it has, their end tells. */
  readonly changes = new Set<string>();
  /** What went on where nobody sees it: a sentence fragment each. */
  readonly blind = new Set<string>();
  /** It touched the store's own files. */
  touchedStore = false;
  isClosed = false;
  readonly #parts: RecordingParts;
  readonly #notices = new Map<string, Notice>();
  /** Whom it talks to, by host and port, and whom of them it asked in a way that tells more. */
  readonly #talks = new Map<string, Notice>();
  readonly #asked = new Set<string>();
  readonly #noticed = new Set<Notice["kind"]>();
  readonly #private: string[] = [];
  readonly #setVariables = new Set<string>();
  readonly nameOf: (path: string) => string;

  constructor(parts: RecordingParts) {
    this.#parts = parts;
    this.nameOf = (path) => parts.territory.nameOf(path);
  }

  get notices(): readonly Notice[] {
    const talks = [...this.#talks].filter(([peer]) => !this.#asked.has(peer)).map(([, notice]) => notice);
    return [...this.#notices.values(), ...talks];
  }

  /** The absolute path of what was passed to `fs`; undefined for what does not count. */
  locate(given: unknown): string | undefined {
    const found = toPath(given);
    if (found === undefined) return undefined;
    const { path, isRelative } = found;
    const region = this.#parts.territory.regionOf(path);
    if (region === "store") this.touchedStore = true;
    if (region !== "world" || this.#private.some((folder) => isWithin(path, folder))) return undefined;
    if (isRelative) this.folder();
    return path;
  }

  /** Somebody asked, openly or by a relative path, where the process stands. */
  folder(): void {
    const read = { kind: "folder", name: ".", found: this.#parts.territory.folder() } as const;
    this.reads.addOther({ read }, "the current folder");
  }

  /** The bytes of a file were read, all of them. */
  read(path: string, content: Uint8Array | string, stamp: Stamp | undefined): void {
    this.reads.addFile({ path, found: digestBytes(content), stamp, readAtMs: clock() }, this.nameOf);
  }

  /** A file was sought to be read, and there is none. */
  missed(path: string): void {
    this.reads.addFile({ path, found: absent, stamp: undefined, readAtMs: clock() }, this.nameOf);
  }

  /**
   * A file was sought to be read in vain, whatever Node says of it: a file may come where there is none, and where a
   * directory or something is that nobody may read.
   */
  failed(path: string, error: unknown, stamp: Stamp | undefined): void {
    if (isNowhere(error)) this.missed(path);
    else if (stamp !== undefined) this.reads.addFile({ path, found: undefined, stamp, readAtMs: clock() }, this.nameOf);
    else if (isNothing(path)) this.missed(path);
    else this.refused(path);
  }

  /** Who may do what is not compared: once it is allowed, nobody would notice. */
  refused(path: string): void {
    this.blind.add(`is refused access to ${this.nameOf(path)}`);
  }

  /** A file was opened for reading, or will be by somebody who reads it in one way or another. */
  opened(path: string, stamp: Stamp | undefined = stampQuietly(path)): void {
    if (stamp === undefined) return this.missed(path);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return;
    const readAtMs = clock();
    // Written a moment ago: an edit that follows at once would leave the stamp as it is.
    const found = isRacy(stamp, readAtMs) ? digestBytes(readFileSync(path)) : undefined;
    this.reads.addFile({ path, found, stamp, readAtMs }, this.nameOf);
  }

  looked(path: string, kind: "stat" | "link", detail: StatDetail | undefined, level: StatLevel): void {
    this.reads.addLook({ kind, path, detail, level }, this.nameOf);
  }

  /** `found`: what the step was given, where that is known. */
  listed(
    path: string,
    options: { readonly kinds: boolean; readonly recursive: boolean },
    found?: readonly (string | Dirent)[],
  ): void {
    const kind = options.recursive ? "tree" : "directory";
    const name = this.nameOf(path);
    const all = { ...options, without: this.#parts.territory.storePath };
    const shown = found === undefined ? listDirectory(path, all) : showListing(path, found, all);
    this.reads.addOther({ read: { kind, name, found: shown }, path }, name, options.kinds ? "entries" : "names");
  }

  /** Answers with the paths of what matched. */
  globbed(folder: string, pattern: string): readonly string[] {
    const matches = listMatches(folder, pattern, this.#parts.territory.storePath);
    const name = toGlobName(this.nameOf(folder), pattern);
    this.reads.addOther({ read: { kind: "glob", name, found: showNames(matches, "names") } }, pattern);
    return matches;
  }

  resolved(path: string, real: string | undefined): void {
    const name = this.nameOf(path);
    const found = real === undefined ? absent : this.nameOf(real);
    this.reads.addOther({ read: { kind: "realpath", name, found } }, name);
  }

  variable(name: string, value: string | undefined): void {
    const read = { kind: "env", name, found: keyVariable(value, this.#parts.salt()) } as const;
    this.reads.addOther({ read }, name);
    // That it is set, its value says too.
    if (value !== undefined) this.reads.others.delete(`env ${name}\0${isSetText}`);
  }

  /** Whether a variable is set was asked, not its value. */
  variablePresence(name: string, isSet: boolean): void {
    if (!isSet) return this.variable(name, undefined);
    this.reads.addOther({ read: { kind: "env", name, found: isSetText } }, name);
  }

  /** What a step read of a pipeline that this step runs. */
  absorb({ salt, reads }: Trace): void {
    for (const read of reads) {
      // A digest of another key says nothing beside those of this one; the value is what it was.
      if (read.kind === "env" && read.found.startsWith("keyed ") && salt !== this.#parts.salt())
        this.variable(read.name, process.env[read.name]);
      else this.reads.addOther({ read }, nameRead(read));
    }
  }

  /** Whether nothing is to be noted of it any more. */
  knowsVariable(name: string): boolean {
    return this.#setVariables.has(name) || this.reads.others.has(`env ${name}`);
  }

  variables(names: readonly string[]): void {
    const read = { kind: "variables", name: "*", found: showNames(names, "names") } as const;
    this.reads.addOther({ read }, "the names of all variables");
  }

  /** Whether the step has set a variable itself. */
  hasSet(name: string): boolean {
    return this.#setVariables.has(name);
  }

  /** What a step has set itself it does not get from outside. */
  setVariable(name: string): void {
    this.#setVariables.add(name);
  }

  wrote(path: string, extent: "alone" | "whole" = "alone"): void {
    if (this.written.get(path) !== "whole") this.written.set(path, extent);
  }

  /** As {@link wrote}, and it is told. */
  made(path: string, extent: "alone" | "whole" = "alone"): void {
    const isNew = !this.isWritten(path);
    this.wrote(path, extent);
    if (isNew) this.notice("write", `writes ${this.nameOf(path)}`);
  }

  /** A folder with a name that nobody else knows: what is in it is the step's own affair. */
  keptPrivate(path: string): void {
    this.#private.push(path);
  }

  /** Whether the step wrote this, or a directory around it as a whole. */
  isWritten(path: string): boolean {
    if (this.written.has(path)) return true;
    for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
      if (this.written.get(folder) === "whole") return true;
    }
    return false;
  }

  /** `peer`: a host and a port, or the path of a socket. Told, unless it comes out that they were asked by HTTP. */
  talked(peer: string): void {
    if (this.#talks.has(peer)) return;
    this.#talks.set(peer, this.#toNotice("network", `talks to ${peer}, and what is answered is not seen`));
  }

  answered(method: string, url: URL, headerNames: Iterable<string>, answer: Answer): void {
    this.#ask(method, url, headerNames, answer);
  }

  /** Nobody answered, or not to the end: what the step makes of that, it would not make of an answer. */
  unanswered(method: string, url: URL, headerNames: Iterable<string>): void {
    this.#ask(method, url, headerNames, undefined);
  }

  #ask(method: string, url: URL, headerNames: Iterable<string>, answer: Answer | undefined): void {
    const { http, isSecret } = this.#parts;
    this.#asked.add(hostAndPort(url));
    if (http === "ignore") return;
    const shown = `${url.origin}${url.pathname}`;
    if (method !== "GET" && method !== "HEAD") {
      return this.notice("network", `asks ${url.origin} by ${method}, and what it answers is not seen`);
    }
    if (hasCredentials(url, headerNames) || isSecret(url.href)) {
      return this.notice(
        "network",
        `gets ${shown} with credentials, so whether it still answers the same cannot be asked`,
      );
    }
    const name = `${url.origin}${url.pathname}${url.search}`;
    const id = `http ${name}`;
    const known = this.reads.others.get(id)?.read.found;
    // Who asks again, and is answered, goes by the answer; and one that breaks off in the middle is none.
    if (known === noAnswer || answer === undefined) this.reads.others.delete(id);
    // Every answer with a ttl has its own end; the first one counts.
    else if (http !== "revalidate" && known !== undefined) return;
    const found =
      answer === undefined ? noAnswer : http === "revalidate" ? showAnswer(answer) : showFresh(clock() + http.ttlMs);
    if (found === undefined) {
      return this.notice("network", `gets ${shown}, whose answers carry no validator, so a change of them is not seen`);
    }
    this.reads.addOther({ read: { kind: "http", name, found } }, name);
  }

  notice(kind: Notice["kind"], text: string): void {
    const id = `${kind} ${text}`;
    if (this.#notices.has(id)) return;
    this.#noticed.add(kind);
    this.#notices.set(id, this.#toNotice(kind, text));
  }

  #toNotice(kind: Notice["kind"], text: string): Notice {
    const place = this.#parts.findPlace(new Error("here").stack);
    return { kind, text, ...(place === undefined ? {} : { place }) };
  }

  hasNotice(kind: Notice["kind"]): boolean {
    return this.#noticed.has(kind);
  }
}

/** Whether nothing is there, as far as this process may see. */
function isNothing(path: string): boolean {
  try {
    return stampOf(path) === undefined;
  } catch {
    return false;
  }
}
