/** The analysis of a project in memory: its graph, kept current, and what each step reaches in it. */
import { realpathSync } from "node:fs";
import type { StepDefinition } from "../define/plan.ts";
import type { Place } from "../error.ts";
import { digestBytes } from "../hash/digest.ts";
import { assessClosure, isFile } from "./assess.ts";
import { takeClosure, type Closure, type Root } from "./closure.ts";
import { Evaluations } from "./evaluation.ts";
import type { GraphNode, SourceFile } from "./graph.ts";
import type { CodeNote } from "./identity.ts";
import { Judge } from "./judge.ts";
import { Linker } from "./link.ts";
import { relativePath } from "./lock-file.ts";
import { packageFolder } from "./packages.ts";
import { isFramework, Project, type RecordCache } from "./project.ts";
import { LoadReads } from "./load-reads.ts";
import { Memos } from "./memos.ts";
import type { FileRecord } from "./record.ts";
import { noteSharedState } from "./shared-state.ts";
import { findCall, toSourcePosition, type FoundCall } from "./site.ts";
import type { DrivenFile, StepRecord } from "./state.ts";

/** A step's record, and the nodes of its closure. */
export interface StepAnalysis {
  readonly record: StepRecord;
  readonly nodes: readonly GraphNode[];
}

/** A step's frames, as they were found when it was first asked about: the text may change under its feet. */
interface Mapping {
  readonly frames: readonly { readonly path: string; readonly found?: FoundCall; readonly folder?: string }[];
  readonly place: Place | undefined;
  readonly problem?: CodeNote;
}

export class Analysis {
  readonly project: Project;
  readonly #linker: Linker;
  readonly #judge: Judge;
  readonly #evaluations: Evaluations;
  readonly #memos: Memos;
  readonly #loadReads: LoadReads;
  readonly #entries = new Set<string>();
  readonly #mappings = new WeakMap<StepDefinition, Mapping>();
  readonly #closures = new WeakMap<StepDefinition, { readonly closure: Closure; readonly roots: readonly Root[] }>();

  constructor(root: string, cache: RecordCache) {
    this.project = new Project(root, cache);
    this.#linker = new Linker(this.project);
    this.#judge = new Judge(this.#linker);
    this.#evaluations = new Evaluations(this.#linker, this.#judge);
    this.#memos = new Memos(this.#linker, this.#judge);
    this.#loadReads = new LoadReads(this.#linker, this.#judge);
  }

  /** Adds files that the process evaluates. */
  addEntries(paths: Iterable<string>): void {
    for (const path of paths) this.#entries.add(path);
  }

  /** What each of the steps reaches in the files as they are now. */
  async analyse(steps: Iterable<StepDefinition>): Promise<ReadonlyMap<StepDefinition, StepAnalysis>> {
    await this.project.prepare();
    const changed = this.#refresh();
    const analyses = new Map<StepDefinition, StepAnalysis>();
    for (const step of steps) analyses.set(step, this.#analyseStep(step, changed));
    return this.#withSharedState(analyses);
  }

  /** Every file that evaluating a file evaluates, with the driver statements in it that nothing else needs. */
  async drivers(entry: string): Promise<readonly DrivenFile[]> {
    await this.project.prepare();
    this.#refresh();
    const entryFile = this.project.file(entry);
    if (entryFile === undefined) return [];
    const files = [...this.#evaluations.filesOf(entryFile)];
    const needed = new Set<GraphNode>();
    for (const file of files) {
      for (const node of this.#linker.units(file)) {
        if (node.unit!.kind === "function" || this.#judge.isDriver(node)) continue;
        for (const edge of this.#linker.edges(node)) for (const target of edge.targets) needed.add(target.node);
      }
    }
    return files.map((file) => ({
      name: file.name,
      content: file.content,
      commonJs: file.record.format === "commonjs",
      drivers: [...this.#judge.drivers(file)]
        .filter((driver) => !needed.has(driver))
        .map(({ unit }) => ({ kind: unit!.kind, names: unit!.names, start: unit!.start, end: unit!.end })),
    }));
  }

  /** Brings the graph up to date; answers with the nodes whose text is another, or that everything may be. */
  #refresh(): ReadonlySet<GraphNode> | "all" {
    const { edited, moved } = this.project.refresh();
    if (moved) {
      this.#linker.clear();
      this.#forgetJudgements();
      return "all";
    }
    const changed = new Set<GraphNode>();
    let all = false;
    for (const { file, before } of edited) {
      const names = outline(before) === outline(file.record) ? "same" : "other";
      const judgements = names === "same" && inside(before) === inside(file.record) ? "same" : "other";
      const own = new Map([...file.units].map(([key, node]) => [key, node.own]));
      if (names === "other") this.#linker.unlinkConsumers(file);
      this.#linker.replace(file, names);
      if (judgements === "other") {
        this.#linker.unlink(file);
        this.#forgetJudgements();
        all = true;
      }
      for (const [key, node] of file.units) if (own.get(key) !== node.own) changed.add(node);
    }
    return all ? "all" : changed;
  }

  #withSharedState(analyses: ReadonlyMap<StepDefinition, StepAnalysis>): ReadonlyMap<StepDefinition, StepAnalysis> {
    const reaches = [...analyses].map(([{ name }, { nodes, record }]) => {
      const own = new Set(record.captures ? record.own : []);
      return { name, nodes, around: new Set(nodes.filter(({ id }) => own.has(id))) };
    });
    const notes = noteSharedState(reaches, this.#judge);
    const memos = this.#memos.of(reaches);
    return new Map(
      [...analyses].map(([step, { record, nodes }], at) => [
        step,
        { record: { ...record, notes: [...record.notes, ...notes[at]!], memos: memos[at]! }, nodes },
      ]),
    );
  }

  #forgetJudgements(): void {
    this.#judge.clear();
    this.#evaluations.clear();
    this.#memos.clear();
    this.#loadReads.clear();
  }

  #analyseStep(step: StepDefinition, changed: ReadonlySet<GraphNode> | "all"): StepAnalysis {
    const mapping = this.#map(step);
    const notes: CodeNote[] = mapping.problem === undefined ? [] : [mapping.problem];
    const roots = mapping.problem === undefined ? this.#roots(mapping, notes) : [];
    const { place } = mapping;
    if (roots.length === 0) {
      const digest = digestBytes(`reprise unmapped ${step.name}`);
      return {
        record: { digest, notes, environment: [], place, own: [], memos: [], captures: false, files: [] },
        nodes: [],
      };
    }
    const calls = mapping.frames.flatMap(({ found }) => (found === undefined ? [] : [found.record]));
    const closure = this.#closureOf(step, roots, changed);
    const assessment = assessClosure(closure, this.#judge, this.#loadReads);
    const captures = calls.some((call) => call.captures !== "nothing");
    if (isCapturedOutside(calls)) {
      const message = `step ${step.name} is defined inside a function and uses its variables, whose values are not in the code`;
      notes.push({ verdict: "opaque", kind: "captured-value", message, ...(place === undefined ? {} : { place }) });
    }
    const taken =
      captures && roots.some(({ node }) => this.#loadReads.of(node).some((read) => read.kind.startsWith("env")));
    if (taken) {
      const message = `step ${step.name} uses a value that was taken from the environment when it was defined`;
      notes.push({ verdict: "opaque", kind: "captured-value", message, ...(place === undefined ? {} : { place }) });
    }
    const record: StepRecord = {
      digest: closure.digest,
      notes: [...notes, ...assessment.notes],
      environment: assessment.environment,
      place,
      own: [...new Set(roots.map((root) => root.node.id))],
      memos: [],
      captures,
      files: [
        ...new Set(closure.nodes.flatMap(({ file }) => (file === undefined || isAsset(file) ? [] : [file.name]))),
      ],
    };
    return { record, nodes: closure.nodes };
  }

  #closureOf(step: StepDefinition, roots: readonly Root[], changed: ReadonlySet<GraphNode> | "all"): Closure {
    const known = this.#closures.get(step);
    const holds =
      known !== undefined &&
      changed !== "all" &&
      sameRoots(known.roots, roots) &&
      !known.closure.nodes.some((node) => changed.has(node));
    if (holds) return known.closure;
    const context = { linker: this.#linker, judge: this.#judge, evaluations: this.#evaluations };
    const entries = [...this.#entries].flatMap((path) => this.project.file(path) ?? []);
    const closure = takeClosure(roots, { ...context, entries });
    this.#closures.set(step, { closure, roots });
    return closure;
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
      if (position === undefined || isFramework(position.path)) continue;
      const isKnown = this.project.files.has(position.path);
      if (!isKnown && !isFile(position.path)) continue;
      const path = isKnown ? position.path : realpathSync(position.path);
      const folder = packageFolder(path);
      if (folder?.endsWith("/node_modules/reprise")) continue;
      if (folder !== undefined) {
        frames.push({ path, folder });
        continue;
      }
      const file = this.project.file(path);
      place ??= { file: relativePath(this.project.root, path), line: position.line, column: position.column };
      const found = file === undefined ? undefined : findCall(file, position);
      // The innermost frame is a call of `step`, or the positions are of another text.
      const innermost = frames.every((frame) => frame.found === undefined);
      if (found === undefined || (innermost && found.call === -1)) {
        return { frames: [], place, problem: unmapped(step, place) };
      }
      // Further out is the loader of the module.
      if (found.record.loads) break;
      frames.push({ path, found });
    }
    // Packages that called the user's outermost code are loaders and runners.
    while (frames.length > 0 && frames.at(-1)!.folder !== undefined) frames.pop();
    return frames.length === 0 ? { frames, place, problem: unmapped(step, place) } : { frames, place };
  }

  #roots(mapping: Mapping, notes: CodeNote[]): Root[] {
    const roots: Root[] = [];
    for (const { path, found, folder } of mapping.frames) {
      if (folder !== undefined) {
        roots.push({ node: this.#linker.packageNode(folder), call: 0 });
        continue;
      }
      const file = this.project.file(path);
      const node = file === undefined ? undefined : this.#linker.unit(file, found!.key);
      if (node === undefined) {
        const message = `the code that defined the step is gone from ${relativePath(this.project.root, path)}`;
        notes.push({ verdict: "opaque", kind: "edited-since-load", message });
        return [];
      }
      // Driver code runs the step; it is no part of it.
      if (roots.length > 0 && this.#judge.isDriver(node)) break;
      roots.push({ node, call: found!.call });
    }
    return roots;
  }
}

/** Values of a function around the step, when nobody in the code can be seen to have called that function. */
function isCapturedOutside(calls: readonly FoundCall["record"][]): boolean {
  const outermost = calls.at(-1);
  return outermost !== undefined && outermost.depth > 0 && calls.some((call) => call.captures === "function");
}

/** Read by the step itself, when it runs; not loaded before. */
function isAsset({ record }: SourceFile): boolean {
  return record.format === "asset";
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
    record.keys ?? (record.format === "module" || record.format === "commonjs" ? "" : record.digest),
  ]);
}

/** What decides edges, effects and drivers, besides the outline. */
function inside(record: FileRecord): string {
  return JSON.stringify([
    record.imports,
    record.requests,
    record.units.map(({ refs, eval: evaluation, body, plain, sensitive, nestedRuns, lateWrites, state, guard }) => [
      refs,
      { ...evaluation, world: evaluation.world.map((read) => read.kind) },
      body && { ...body, world: body.world.map((read) => read.kind) },
      [plain, sensitive, nestedRuns, lateWrites, state, guard],
    ]),
  ]);
}
