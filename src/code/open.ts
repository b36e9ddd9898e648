/** The index: steps in, identities out. */
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { findPackageJSON } from "node:module";
import type { StepDefinition } from "../define/plan.ts";
import { digestBytes, type Digest } from "../hash/digest.ts";
import { sha256 } from "../hash/sha256.ts";
import type { Analysis, StepAnalysis } from "./analysis.ts";
import { editedNote, isFile, verdictOf } from "./assess.ts";
import type { CodeIdentity, CodeIndex, CodeNote, CodeUnit } from "./identity.ts";
import { packageFolder, readJson } from "./packages.ts";
import { isFramework } from "./project.ts";
import {
  StateFolder,
  type DrivenFile,
  type Observed,
  type StepRecord,
  type StoredFile,
  type StoredRecord,
  type UnitsState,
  type WarmState,
} from "./state.ts";
import { unpackRecord } from "./packed-record.ts";
import type { FileRecord } from "./record.ts";
import { packagesIn, readPackages, readUnits, toStored, toUnits, toWarmSteps, type Environment } from "./units.ts";
import { loadedSince, watchLoads } from "./watch-loads.ts";
import { isRacy, sameStamp, stampOf } from "./stamp.ts";
import { stepKey, stillHolds, subjectOf, subjectOfFile, surroundingsHold } from "./warm.ts";

export interface CodeIndexOptions {
  /** The folder of the project: ids and places are relative to it. */
  readonly root: string;
  /** Where the index keeps what it knows between processes; may be removed at any time. Undefined: nowhere. */
  readonly stateDir: string | undefined;
  /**
   * Files that this process evaluates besides those that the steps need; they may set what a step reads. The main
   * script, when it belongs to the project, unless given.
   */
  readonly entries?: readonly string[];
}

/** What a step reaches, asked for when it is needed. */
interface Reached {
  units(environment: Environment): Promise<readonly CodeUnit[]>;
  packages(): Promise<ReadonlySet<string>>;
}

/** Opens the index of a project's code. Nothing is read before the first question. */
export function openCodeIndex(options: CodeIndexOptions): ProjectIndex {
  return new ProjectIndex(options);
}

/** What {@link openCodeIndex} gives: besides identities, what the loader of a user's file needs to know. */
export class ProjectIndex implements CodeIndex {
  readonly root: string;
  readonly #state: StateFolder;
  /** Loaded when something has changed. */
  #analysis: Promise<Analysis> | undefined;
  readonly #definitions = new Map<string, WeakRef<StepDefinition>[]>();
  /** Digests of the bytes that this process runs, of the files that it loaded through our hook. */
  readonly #loaded = new Map<string, string>();
  #records: Map<string, StoredRecord> | undefined;
  readonly #entries: Set<string>;
  /** Files that were asked for their drivers, as they were then. */
  readonly #driven = new Map<string, StoredFile>();
  #analysed = false;
  #savedReads = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor({ root, stateDir, entries = mainScript() }: CodeIndexOptions) {
    this.root = realpathSync(root);
    const real = entries.map((path) => (isFile(path) ? realpathSync(path) : path));
    this.#entries = new Set(real.filter((path) => this.#isOurs(path)));
    this.#state = new StateFolder(stateDir, parserVersion());
  }

  identify(steps: readonly StepDefinition[]): Promise<ReadonlyMap<StepDefinition, CodeIdentity>> {
    return this.#inTurn(() => this.#identify(new Set(steps)));
  }

  /** Every project file that evaluating a file evaluates, by path, with its driver statements. */
  drivers(entry: string): Promise<ReadonlyMap<string, DrivenFile>> {
    const path = realpathSync(entry);
    if (this.#isOurs(path)) this.#entries.add(path);
    return this.#inTurn(() => this.#drivers(path));
  }

  async #drivers(entry: string): Promise<ReadonlyMap<string, DrivenFile>> {
    const subject = subjectOfFile(this.root, entry);
    const state = this.#analysed ? undefined : this.#state.readDrivers(subject);
    if (state !== undefined && stillHolds(this.root, state)) {
      for (const file of state.files) this.#driven.set(join(this.root, file.name), file);
      return new Map(state.drivers.map((file) => [join(this.root, file.name), file]));
    }
    const analysis = await this.#openAnalysis(state);
    const drivers = await analysis.drivers(entry);
    this.#saveRecords(analysis);
    this.#state.writeDrivers(subject, { ...analysis.project.toState(), drivers });
    return new Map(drivers.map((file) => [join(this.root, file.name), file]));
  }

  /** Remembers which bytes of a file this process runs, and answers with their digest. */
  noteLoaded(path: string, bytes: Uint8Array): string {
    const content = this.#knownContent(path) ?? sha256(bytes, "base64url");
    this.#loaded.set(path, content);
    return content;
  }

  /** Of a file that was read a moment ago: what is known of its content, where `stat` says that it still holds. */
  #knownContent(path: string): string | undefined {
    const known = this.#driven.get(path);
    if (known === undefined || isRacy(known.stamp, known.readAtMs)) return undefined;
    return sameStamp(stampOf(path), known.stamp) ? known.content : undefined;
  }

  /** Removes what writers that were killed left unfinished, older than the given age. Answers with the bytes freed. */
  sweep(olderThanMs: number, options?: { readonly dryRun?: boolean }): number {
    return this.#state.sweep(olderThanMs, options);
  }

  /** One question at a time: an answer must not see files of two moments. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const answer = this.#queue.then(work);
    this.#queue = answer.catch(() => undefined);
    return answer;
  }

  async #identify(steps: ReadonlySet<StepDefinition>): Promise<ReadonlyMap<StepDefinition, CodeIdentity>> {
    watchLoads();
    const subject = subjectOf(this.root, steps, this.#entries);
    this.#registerDefinitions(steps);
    const state = this.#analysed ? undefined : this.#state.readWarm(subject);
    const earlier = state && this.#answerFromState(state, steps);
    if (earlier !== undefined) return earlier;
    const analysis = await this.#openAnalysis(state);
    analysis.addEntries(this.#entries);
    const analyses = await analysis.analyse(steps);
    this.#save(subject, analysis, analyses);
    const identities = new Map<StepDefinition, CodeIdentity>();
    for (const [step, { record, nodes }] of analyses) {
      const reached: Reached = {
        units: async (environment) => toUnits(nodes, environment),
        packages: async () => packagesIn(nodes),
      };
      identities.set(
        step,
        this.#toIdentity(step, record, reached, (name) => analysis.project.byName(name)),
      );
    }
    return identities;
  }

  #answerFromState(
    state: WarmState,
    steps: ReadonlySet<StepDefinition>,
  ): ReadonlyMap<StepDefinition, CodeIdentity> | undefined {
    const known = new Map<StepDefinition, readonly [key: string, step: WarmState["steps"][string]]>();
    for (const step of steps) {
      const key = stepKey(this.root, step);
      const found = state.steps[key];
      if (found === undefined) return undefined;
      known.set(step, [key, found]);
    }
    if (!stillHolds(this.root, state)) return undefined;
    const files = new Map(state.files.map((file) => [file.name, file]));
    const identities = new Map<StepDefinition, CodeIdentity>();
    for (const [step, [key, found]] of known) {
      const record = { ...found, files: found.files.map((index) => state.files[index]!.name) };
      const stored = (): UnitsState | undefined => this.#state.readUnits(state.units);
      const nodes = async (): Promise<StepAnalysis["nodes"]> => {
        const analyses = await this.#inTurn(async () => (await this.#loadAnalysis()).analyse([step]));
        return analyses.get(step)!.nodes;
      };
      const reached: Reached = {
        units: async (environment) => {
          const known = stored();
          return known === undefined
            ? toUnits(await nodes(), environment)
            : readUnits(this.root, state, known, key, environment);
        },
        packages: async () => {
          const known = stored();
          return known === undefined ? packagesIn(await nodes()) : readPackages(known, key);
        },
      };
      identities.set(
        step,
        this.#toIdentity(step, record, reached, (name) => files.get(name)),
      );
    }
    return identities;
  }

  /** What depends on this process: its environment, when it loaded the files, which steps it has defined. */
  #toIdentity(
    step: StepDefinition,
    record: StepRecord,
    { units, packages }: Reached,
    fileOf: (name: string) => Pick<StoredFile, "stamp" | "content"> | undefined,
  ): CodeIdentity {
    const environment = record.environment.map((name) => [name, environmentDigest(name)] as const);
    const notes = [...record.notes];
    for (const name of record.files) {
      if (this.#isEdited(name, fileOf(name))) notes.push(editedNote(name));
    }
    if (record.captures && this.#isRedefined(step)) notes.push(duplicateNote(step, record));
    const digest =
      environment.length === 0 ? record.digest : digestBytes(JSON.stringify([record.digest, ...environment]));
    const { place, own, memos } = record;
    // As it is now: the index reads a file anew when it has changed.
    const files = record.files.flatMap((name) => {
      const file = fileOf(name);
      return file === undefined ? [] : [{ name, content: file.content }];
    });
    const findEdited = (): string | undefined =>
      files.find(({ name, content }) => {
        const late = loadedSince(join(this.root, name));
        return late !== undefined && !content.startsWith(late);
      })?.name;
    return {
      digest,
      verdict: verdictOf(notes),
      notes,
      place,
      own,
      memos,
      findEdited,
      units: () => units(environment),
      packages: once(packages),
    };
  }

  /** Whether a file was edited after this process loaded it: then what runs is not what was fingerprinted. */
  #isEdited(name: string, file: Pick<StoredFile, "stamp" | "content"> | undefined): boolean {
    if (file === undefined) return false;
    const path = join(this.root, name);
    const loaded = loadedSince(path) ?? this.#loaded.get(path);
    return loaded === undefined ? file.stamp[0] > performance.timeOrigin : !file.content.startsWith(loaded);
  }

  /** Steps with one name and one call site; more than one of them, and the call is not enough to tell them apart. */
  #registerDefinitions(steps: Iterable<StepDefinition>): void {
    for (const step of steps) {
      const key = stepKey(this.root, step);
      const known = (this.#definitions.get(key) ?? []).filter((other) => other.deref() !== undefined);
      if (!known.some((other) => other.deref() === step)) known.push(new WeakRef(step));
      this.#definitions.set(key, known);
    }
  }

  #isRedefined(step: StepDefinition): boolean {
    return (this.#definitions.get(stepKey(this.root, step)) ?? []).length > 1;
  }

  #isOurs(path: string): boolean {
    return path.startsWith(`${this.root}/`) && packageFolder(path) === undefined && !isFramework(path);
  }

  /** With what is known from before, if that is of use. */
  async #openAnalysis(state: Observed | undefined): Promise<Analysis> {
    this.#analysed = true;
    const analysis = await this.#loadAnalysis();
    if (state !== undefined && surroundingsHold(this.root, state)) analysis.project.recall(state);
    return analysis;
  }

  #loadAnalysis(): Promise<Analysis> {
    return (this.#analysis ??= import("./analysis.ts").then(
      ({ Analysis }) => new Analysis(this.root, { find: (name, content) => this.#findRecord(name, content) }),
    ));
  }

  #findRecord(name: string, content: string): FileRecord | undefined {
    this.#records ??= this.#state.readRecords();
    const known = this.#records.get(name);
    if (known?.content !== content) return undefined;
    try {
      return unpackRecord(known.record);
    } catch {
      return undefined;
    }
  }

  #saveRecords({ project }: Analysis): void {
    const records = (this.#records ??= this.#state.readRecords());
    const added: [string, string, FileRecord][] = [];
    for (const { name, content, record } of project.files.values()) {
      if (records.get(name)?.content === content) continue;
      records.set(name, { content, record: "" });
      added.push([name, content, record]);
    }
    if (added.length > 0) this.#state.addRecords(added);
  }

  #save(subject: string, analysis: Analysis, analyses: ReadonlyMap<StepDefinition, StepAnalysis>): void {
    const { project } = analysis;
    this.#saveRecords(analysis);
    if (this.#savedReads === project.reads) return;
    this.#savedReads = project.reads;
    const keys = new Map([...analyses].map(([step, analysis]) => [stepKey(this.root, step), analysis]));
    const state = project.toState();
    this.#state.writeWarm(subject, { ...state, steps: toWarmSteps(state.files, keys) }, toStored(state.files, keys));
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => (done ??= work());
}

function mainScript(): string[] {
  const script = process.argv[1];
  return script !== undefined && isFile(script) ? [script] : [];
}

function environmentDigest(name: string): Digest {
  const value = process.env[name];
  return digestBytes(value === undefined ? "unset" : `set ${value}`);
}

function duplicateNote(step: StepDefinition, { place }: StepRecord): CodeNote {
  const message = `another step named ${step.name} was defined by the same call with other values`;
  return { verdict: "opaque", kind: "duplicate-step", message, ...(place === undefined ? {} : { place }) };
}

function parserVersion(): string {
  const path = findPackageJSON("oxc-parser", import.meta.url);
  return String((path === undefined ? undefined : readJson(path))?.version ?? "unknown");
}
