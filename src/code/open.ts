/** The index: steps in, identities out. */
import { readFileSync, realpathSync } from "node:fs";
import { hash } from "node:crypto";
import type { StepDefinition } from "../define/plan.ts";
import type { Place } from "../error.ts";
import { digestBytes, type Digest } from "../hash/digest.ts";
import { assessClosure, isFile, processStartMs, verdictOf, type Loaded } from "./assess.ts";
import { takeClosure, type Closure, type Root } from "./closure.ts";
import { Evaluations } from "./evaluation.ts";
import { unitKind, type GraphNode } from "./graph.ts";
import type { CodeIdentity, CodeIndex, CodeNote, CodeUnit } from "./identity.ts";
import { Judge } from "./judge.ts";
import { Linker } from "./link.ts";
import { relativePath } from "./lock-file.ts";
import { packageFolder } from "./packages.ts";
import { isFramework, Project } from "./project.ts";
import type { FileRecord } from "./record.ts";
import { findCall, toSourcePosition, type FoundCall } from "./site.ts";
import type { SourceFile } from "./source-file.ts";

export interface CodeIndexOptions {
  /** The folder of the project: ids and places are relative to it. */
  readonly root: string;
  /** Where the index keeps what it knows between processes; may be removed at any time. */
  readonly stateDir: string;
}

/** A file of the project and the statements in it that run pipelines and nothing else needs. */
export interface DrivenFile {
  readonly file: SourceFile;
  readonly drivers: readonly GraphNode[];
}

/** A step's frames, as they were found when it was first asked about. */
interface Mapping {
  readonly frames: readonly { readonly path: string; readonly found?: FoundCall; readonly folder?: string }[];
  readonly place: Place | undefined;
  readonly problem?: CodeNote;
}

interface Known {
  readonly closure: Closure;
  readonly roots: readonly Root[];
}

/** Opens the index of a project's code. Nothing is read before the first question. */
export function openCodeIndex(options: CodeIndexOptions): ProjectIndex {
  return new ProjectIndex(options);
}

export class ProjectIndex implements CodeIndex {
  readonly #project: Project;
  readonly #linker: Linker;
  readonly #judge: Judge;
  readonly #evaluations: Evaluations;
  readonly #mappings = new WeakMap<StepDefinition, Mapping>();
  readonly #closures = new WeakMap<StepDefinition, Known>();
  readonly #definitions = new Map<string, WeakRef<StepDefinition>>();
  readonly #loadedContent = new Map<string, string>();
  #generation = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor({ root }: CodeIndexOptions) {
    this.#project = new Project(realpathSync(root), { find: () => undefined });
    this.#linker = new Linker(this.#project);
    this.#judge = new Judge(this.#linker);
    this.#evaluations = new Evaluations(this.#linker, this.#judge);
  }

  get root(): string {
    return this.#project.root;
  }

  /** Remembers which bytes of a file this process runs. */
  noteLoaded(path: string, bytes: Uint8Array | string): void {
    this.#loadedContent.set(path, hash("sha256", bytes, "base64url"));
  }

  identify(steps: readonly StepDefinition[]): Promise<ReadonlyMap<StepDefinition, CodeIdentity>> {
    // One at a time: an answer must not see files of two moments.
    const answer = this.#queue.then(() => this.#identify(steps));
    this.#queue = answer.catch(() => undefined);
    return answer;
  }

  /** Analyses a file and what it imports; answers by path with each file's driver statements. */
  async drivers(entry: string): Promise<ReadonlyMap<string, DrivenFile>> {
    await this.#project.prepare();
    this.#refresh();
    const found = new Map<string, DrivenFile>();
    const entryFile = this.#project.file(realpathSync(entry));
    if (entryFile === undefined) return found;
    const { files } = this.#evaluations.of([entryFile]);
    const needed = new Set<GraphNode>();
    for (const file of files) {
      for (const node of this.#linker.units(file)) {
        if (node.unit!.kind === "function" || this.#judge.isDriver(node)) continue;
        for (const edge of this.#linker.edges(node)) for (const target of edge.targets) needed.add(target.node);
      }
    }
    for (const file of files) {
      const drivers = [...this.#judge.drivers(file)].filter((driver) => !needed.has(driver));
      found.set(file.path, { file, drivers });
    }
    return found;
  }

  /** Whether a file's bytes are those that were analysed. */
  isCurrent(file: SourceFile, bytes: Buffer): boolean {
    return file.content.startsWith(hash("sha256", bytes, "base64url"));
  }

  async #identify(steps: readonly StepDefinition[]): Promise<ReadonlyMap<StepDefinition, CodeIdentity>> {
    await this.#project.prepare();
    const edited = this.#refresh();
    const identities = new Map<StepDefinition, CodeIdentity>();
    for (const step of new Set(steps)) identities.set(step, this.#identifyStep(step, edited));
    return identities;
  }

  /** Brings the graph up to date; answers with the nodes whose text is another, or that everything may be. */
  #refresh(): ReadonlySet<GraphNode> | "all" {
    const { edited, moved } = this.#project.refresh();
    if (moved) {
      this.#linker.clear();
      this.#forgetJudgements();
      return "all";
    }
    const changed = new Set<GraphNode>();
    let all = false;
    for (const { file, before } of edited) {
      const names = outline(before) === outline(file.record) ? "same" : "other";
      const inner = names === "same" && inside(before) === inside(file.record) ? "same" : "other";
      const own = new Map([...file.units].map(([key, node]) => [key, node.own]));
      if (names === "other") this.#linker.unlinkConsumers(file);
      this.#linker.replace(file, names);
      if (inner === "other") {
        this.#linker.unlink(file);
        this.#forgetJudgements();
        all = true;
      }
      for (const [key, node] of file.units) if (own.get(key) !== node.own) changed.add(node);
    }
    return all ? "all" : changed;
  }

  #forgetJudgements(): void {
    this.#generation += 1;
    this.#judge.clear();
    this.#evaluations.clear();
  }

  #identifyStep(step: StepDefinition, changed: ReadonlySet<GraphNode> | "all"): CodeIdentity {
    const mapping = this.#map(step);
    const notes: CodeNote[] = mapping.problem === undefined ? [] : [mapping.problem];
    const roots = mapping.problem === undefined ? this.#roots(mapping, notes) : [];
    if (roots.length === 0) {
      const digest = digestBytes(`reprise unmapped ${step.name}`);
      return { digest, verdict: "opaque", notes, place: mapping.place, own: [], units: () => Promise.resolve([]) };
    }
    const known = this.#closures.get(step);
    const reuse =
      known !== undefined &&
      changed !== "all" &&
      sameRoots(known.roots, roots) &&
      !known.closure.nodes.some((node) => changed.has(node));
    const closure = reuse
      ? known.closure
      : takeClosure(roots, { linker: this.#linker, judge: this.#judge, evaluations: this.#evaluations });
    this.#closures.set(step, { closure, roots });
    const { notes: found, environment } = assessClosure(closure, this.#judge, this.#loaded());
    notes.push(...this.#captureNotes(step, mapping), ...found);
    const values = environment.map((name) => [name, environmentDigest(name)] as const);
    const digest = values.length === 0 ? closure.digest : digestBytes(JSON.stringify([closure.digest, values]));
    const own = [...new Set(roots.map((root) => root.node.id))];
    const units = (): Promise<readonly CodeUnit[]> => Promise.resolve(toUnits(closure.nodes, values));
    return { digest, verdict: verdictOf(notes), notes, place: mapping.place, own, units };
  }

  #loaded(): Loaded {
    return { contentOf: (path) => this.#loadedContent.get(path), sinceMs: processStartMs() };
  }

  #map(step: StepDefinition): Mapping {
    let mapping = this.#mappings.get(step);
    if (mapping === undefined) {
      mapping = this.#findFrames(step);
      this.#mappings.set(step, mapping);
    }
    return mapping;
  }

  #findFrames(step: StepDefinition): Mapping {
    const frames: { path: string; found?: FoundCall; folder?: string }[] = [];
    let place: Place | undefined;
    for (const site of step.sites) {
      const position = toSourcePosition(site);
      if (position === undefined || isFramework(position.path) || !isFile(position.path)) continue;
      const path = realpathSync(position.path);
      const folder = packageFolder(path);
      if (folder?.endsWith("/node_modules/reprise")) continue;
      if (folder !== undefined) {
        frames.push({ path, folder });
        continue;
      }
      const file = this.#project.file(path);
      place ??= { file: relativePath(this.root, path), line: position.line, column: position.column };
      const found = file === undefined ? undefined : findCall(file, position);
      if (found === undefined) {
        // Further out than the step's own call, a frame adds only how it was reached.
        if (frames.length > 0) break;
        return { frames: [], place, problem: unmapped(step, place) };
      }
      if (found.record.loads) break;
      frames.push({ path, found });
    }
    return frames.length === 0 ? { frames, place, problem: unmapped(step, place) } : { frames, place };
  }

  #roots(mapping: Mapping, notes: CodeNote[]): Root[] {
    const roots: Root[] = [];
    for (const { path, found, folder } of mapping.frames) {
      if (folder !== undefined) {
        roots.push({ node: this.#linker.packageNode(folder), call: 0 });
        continue;
      }
      const file = this.#project.file(path);
      const node = file === undefined ? undefined : this.#linker.unit(file, found!.key);
      if (node === undefined) {
        const message = `the code that defined the step is gone from ${relativePath(this.root, path)}`;
        notes.push({ verdict: "opaque", kind: "edited-since-load", message });
        return [];
      }
      // Driver code runs the step; it is no part of it.
      if (roots.length > 0 && this.#judge.isDriver(node)) break;
      roots.push({ node, call: found!.call });
    }
    return roots;
  }

  /** Values that the step's function took from a function or a loop around it. */
  #captureNotes(step: StepDefinition, mapping: Mapping): CodeNote[] {
    const calls = mapping.frames.flatMap(({ found }) => (found === undefined ? [] : [found.record]));
    const captures = calls.some((call) => call.captures !== "nothing");
    if (!captures) return [];
    const place = mapping.place === undefined ? {} : { place: mapping.place };
    const notes: CodeNote[] = [];
    const outermost = calls.at(-1);
    const outside = outermost !== undefined && outermost.depth > 0;
    if (outside && calls.some((call) => call.captures === "function")) {
      const message = `step ${step.name} is defined inside a function and uses its variables, whose values are not in the code`;
      notes.push({ verdict: "opaque", kind: "captured-value", message, ...place });
    }
    const key = JSON.stringify([step.name, step.sites.map((site) => [site.script, site.line, site.column])]);
    const other = this.#definitions.get(key)?.deref();
    if (other === undefined) this.#definitions.set(key, new WeakRef(step));
    else if (other !== step) {
      const message = `another step named ${step.name} was defined by the same call with other values`;
      notes.push({ verdict: "opaque", kind: "duplicate-step", message, ...place });
    }
    return notes;
  }
}

function unmapped(step: StepDefinition, place: Place | undefined): CodeNote {
  const message = `the call that defined step ${step.name} cannot be found in its source`;
  return { verdict: "opaque", kind: "unmapped-step", message, ...(place === undefined ? {} : { place }) };
}

function sameRoots(a: readonly Root[], b: readonly Root[]): boolean {
  return a.length === b.length && a.every((root, at) => root.node === b[at]!.node && root.call === b[at]!.call);
}

/** What other files can see of a file: if this is the same, their references still hold. */
function outline(record: FileRecord): string {
  const linked = Object.values(record.exports).some((entry) => !("local" in entry) || record.imports[entry.local]);
  return JSON.stringify([
    record.format,
    record.exports,
    record.stars,
    record.units.map((unit) => [unit.key, unit.names, unit.kind]),
    linked || record.stars.length > 0 ? [record.imports, record.requests] : [],
    record.format === "json" ? record.digest : "",
  ]);
}

/** What decides edges, effects and drivers, besides the outline. */
function inside(record: FileRecord): string {
  return JSON.stringify([
    record.imports,
    record.requests,
    record.units.map(({ refs, eval: evaluation, body, plain, sensitive, nestedRuns, guard }) => [
      refs,
      { ...evaluation, world: evaluation.world.map((read) => read.kind) },
      body && { ...body, world: body.world.map((read) => read.kind) },
      [plain, sensitive, nestedRuns, guard],
    ]),
  ]);
}

function environmentDigest(name: string): Digest {
  const value = process.env[name];
  return digestBytes(value === undefined ? "unset" : `set ${value}`);
}

function toUnits(nodes: readonly GraphNode[], environment: readonly (readonly [string, Digest])[]): CodeUnit[] {
  const sources = new Map<SourceFile, string | undefined>();
  const units: CodeUnit[] = [];
  for (const node of nodes) {
    const kind = unitKind(node);
    if (kind === undefined) continue;
    const { unit, file, version } = node;
    const source = unit === undefined || file === undefined ? undefined : sourceOf(file, sources);
    units.push({
      id: node.id,
      kind,
      digest: digestOfNode(node),
      ...(version === undefined ? {} : { version }),
      ...(unit === undefined ? {} : { lines: unit.lines }),
      ...(source === undefined ? {} : { text: source.slice(unit!.start, unit!.end) }),
    });
  }
  for (const [name, digest] of environment) units.push({ id: `process.env.${name}`, kind: "file", digest });
  return units.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

function digestOfNode(node: GraphNode): Digest {
  if (node.kind === "unit") return `sha256:${Buffer.from(node.own, "base64url").toString("hex")}` as Digest;
  return digestBytes(node.own);
}

/** The file's text, as long as it is the one that was fingerprinted. */
function sourceOf(file: SourceFile, known: Map<SourceFile, string | undefined>): string | undefined {
  if (known.has(file)) return known.get(file);
  let source: string | undefined;
  try {
    const bytes = readFileSync(file.path);
    if (file.content.startsWith(hash("sha256", bytes, "base64url")))
      source = bytes.toString("utf8").replace(/^\uFEFF/u, "");
  } catch {
    source = undefined;
  }
  known.set(file, source);
  return source;
}
