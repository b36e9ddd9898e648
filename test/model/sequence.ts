/** One sequence: a random project, edited and run again and again, each run compared with the model and with a run from nothing. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import process from "node:process";
import { seededRandom, type Random } from "../code-identity/fuzz-program.ts";
import { moveToFiles } from "../rig/stored-blobs.ts";
import type { CacheEntry } from "../../src/record/cache-entry.ts";
import type { KeyDigest } from "../../src/record/key.ts";
import { openStack } from "../../src/stack/stack.ts";
import { byNamespace, type Deed, type Edit, type FileChange } from "./edit.ts";
import { editProject } from "./edits.ts";
import { ProjectFolder } from "./folder.ts";
import { Judge, type Predictions, type Run, type SequenceReport } from "./judge.ts";
import { Model, type Outputs, type Prediction } from "./model.ts";
import { nodeName } from "./print-project.ts";
import { dataPaths, makeProject, randomText, setFile, type Project, type Worlds } from "./project.ts";
import { runFromNothing } from "./run-project.ts";
import type { ResourceServer } from "./server.ts";
import { plainWay, type Interrupt, type Runner, type RunResult, type RunWay } from "./tally.ts";

export interface SequenceOptions {
  readonly folder: string;
  readonly seed: number;
  readonly worlds: Worlds;
  readonly run: Runner;
  readonly server: ResourceServer;
  /** Whether runs are interrupted from within the process, or by killing theirs. */
  readonly interrupts: "within" | "kill";
  /** Numbers of edits that are left out, to see which ones a failure needs. */
  readonly without?: ReadonlySet<number>;
}

/** Plays a sequence to its end, or to the first run that is wrong. */
export async function playSequence(options: SequenceOptions): Promise<SequenceReport> {
  const sequence = new Sequence(options);
  return await sequence.play();
}

interface ChosenWay {
  readonly way: RunWay;
  /** The project as it is edited in the middle. */
  readonly after?: Project;
  /** A run that goes on at the same time. */
  readonly another?: RunWay;
}

class Sequence {
  readonly #options: SequenceOptions;
  readonly #folder: ProjectFolder;
  readonly #model = new Model();
  readonly #past: Project[] = [];
  readonly #blobs = new Map<string, readonly string[]>();
  readonly #keys = new Map<string, Set<KeyDigest>>();
  readonly #judge = new Judge();
  #project: Project;

  constructor(options: SequenceOptions) {
    this.#options = options;
    this.#folder = new ProjectFolder(join(options.folder, `sequence-${options.seed}`), options.server.origin);
    this.#project = makeProject(seededRandom(options.seed), options.worlds);
  }

  async play(): Promise<SequenceReport> {
    const { seed, without } = this.#options;
    const before = process.cwd();
    process.chdir(this.#folder.root);
    try {
      return await this.#play(seed, without);
    } finally {
      process.chdir(before);
      rmSync(this.#folder.root, { recursive: true, force: true });
    }
  }

  async #play(seed: number, without: SequenceOptions["without"]): Promise<SequenceReport> {
    this.#place("write");
    await this.#run(seededRandom(seed + 7919), undefined);
    this.#judge.report.edits = 4 + (seed % 5);
    for (let number = 1; number <= this.#judge.report.edits; number++) {
      if (this.#judge.report.failures.length > 0) break;
      if (without?.has(number) === true) continue;
      // Random of its own, so that an edit is much the same when others before it are left out.
      const random = seededRandom(seed * 131 + number);
      for (let count = random.chance(0.25) ? 2 : 1; count > 0; count--) await this.#edit(random, number);
      await this.#run(random, number);
    }
    return this.#judge.report;
  }

  #place(change: FileChange): void {
    this.#folder.place(this.#project, change);
    this.#options.server.serve(this.#project);
  }

  async #edit(random: Random, number: number): Promise<void> {
    this.#past.push(structuredClone(this.#project));
    const edit = editProject(this.#project, { random, worlds: this.#options.worlds, past: this.#past });
    this.#judge.edits.push(edit.name);
    // Going back to old code may change it as well.
    if (this.#project.namespaces !== this.#past.at(-1)!.namespaces) this.#judge.edits.push(byNamespace);
    this.#place(edit.change);
    await this.#do(edit);
    this.#judge.report.story.push(`${number}. ${describe(edit)}`);
  }

  async #do({ deed }: Edit): Promise<void> {
    const model = this.#model;
    const folder = this.#folder;
    switch (deed.kind) {
      case "none":
        return;
      case "touch":
        return folder.touch(deed.path);
      case "rewrite":
        return folder.rewrite(deed.path);
      case "damage":
        return this.#damage(deed);
      case "empty-blobs":
        folder.removeBlobs();
        for (const digest of model.digests()) model.damaged.set(digest, "seen");
        return;
      case "remove-store":
        folder.removeStore();
        this.#keys.clear();
        return model.forget();
      case "remove-code-state":
        return folder.removeCodeState();
      case "spoil-code-state":
        return folder.spoilCodeState(deed.pick);
      case "move-project":
        return folder.move();
      case "spoil-written":
        return folder.spoilWritten(deed.pick);
      case "invalidate":
        await this.#change(deed.step, (entry) => ({ ...entry, invalidatedAt: entry.invalidatedAt ?? Date.now() }));
        return model.invalidate(deed.step);
      case "hours-pass":
        // Entries grow old instead of the clock going on, which files and code would notice.
        await this.#change(undefined, (entry) => ({ ...entry, createdAt: entry.createdAt - deed.hours * 3_600_000 }));
        return model.hoursPass(deed.hours);
    }
  }

  async #damage({ way, pick }: Extract<Deed, { kind: "damage" }>): Promise<void> {
    const digests = this.#model.digests().filter((digest) => !this.#model.damaged.has(digest));
    const digest = digests[pick % digests.length];
    const blobs = digest === undefined ? [] : (this.#blobs.get(digest) ?? []);
    const blob = blobs[pick % blobs.length];
    const others = digests.flatMap((other) => this.#blobs.get(other) ?? []).filter((other) => other !== blob);
    const other = others[pick % others.length];
    if (blob === undefined || (way === "swap" && other === undefined)) return;
    // What the store refused is not there to be damaged.
    if (![blob, other ?? blob].every((each) => this.#folder.hasBlob(each))) return;
    // Small ones lie in rows; an earlier version kept them in files.
    if (pick % 2 === 0) await moveToFiles(this.#folder.store, [blob]);
    this.#folder.damageBlob(blob, way, other ?? blob);
    for (const [owner, its] of this.#blobs) {
      if (its.includes(blob)) this.#model.damaged.set(owner, way === "flip-silently" ? "silent" : "seen");
    }
  }

  /** Changes the entries of a step, or of all. */
  async #change(step: string | undefined, change: (entry: CacheEntry) => CacheEntry): Promise<void> {
    await using stack = await openStack({ cwd: this.#folder.root });
    const keys = step === undefined ? [...this.#keys.values()] : [this.#keys.get(step) ?? new Set()];
    const entries = await stack.metadata.cacheEntries(keys.flatMap((some) => [...some]));
    const changed = [...entries.values()].flat().map(change);
    await stack.metadata.write(changed.map((entry) => ({ kind: "cache-entry", entry })));
  }

  async #run(random: Random, number: number | undefined): Promise<void> {
    // What steps share in memory is told by the folder; in a new one it is as empty as in a new process.
    const { worlds, interrupts } = this.#options;
    if (worlds.memos && interrupts === "within") this.#folder.move();
    const { way, after, another } = this.#chooseWay(random, number);
    const ways = another === undefined ? [way] : [way, another];
    const { report } = this.#judge;
    report.runs += ways.length;
    report.interrupted += ways.filter(({ interrupt }) => interrupt !== undefined).length;
    report.together += ways.length - 1;
    report.story.push(`   ${ways.map(describeWay).join(" | at once ")}`);
    // The run from nothing comes first: a step must not find what another run left in memory or on disk.
    const reference = after === undefined ? await this.#runFromNothing() : undefined;
    const results = await this.#options.run(this.#folder.root, ways);
    for (const result of results) {
      if (worlds.writes) result.written = this.#folder.written();
      for (const [digest, blobs] of result.blobs) this.#blobs.set(digest, blobs);
      for (const [step, keys] of result.keys) this.#keys.set(step, (this.#keys.get(step) ?? new Set()).union(keys));
    }
    if (reference !== undefined) return this.#judgeRuns(ways, results, reference);
    this.#rememberEdited(after!, results[0]!, way);
    this.#project = after!;
    this.#judge.edits.push("a file edited in the middle of a run");
  }

  async #runFromNothing(): Promise<RunResult> {
    const play = async (): Promise<RunResult> => await runFromNothing(this.#folder.root);
    return this.#options.worlds.writes ? await this.#folder.withEmptyOut(play) : await play();
  }

  #judgeRuns(ways: readonly RunWay[], results: readonly RunResult[], reference: RunResult): void {
    const project = this.#project;
    this.#judge.expectWhole(project, reference);
    const runs = ways.map((way, index): Run => {
      const result = results[index]!;
      const expectations = this.#predict(project, reference, way);
      const predictions = this.#isHandedOther ? this.#predict(project, result, way) : expectations;
      return { project, way, result, reference, expectations, predictions };
    });
    this.#judge.compare(runs, () => [...this.#model.damaged.values()].includes("silent"));
    if (this.#judge.report.failures.length > 0) return;
    for (const { way, result, predictions } of runs) {
      this.#remember(project, result, way, () => predictions);
      this.#rememberInner(result, way, predictions);
      if (way.interrupt?.kind === "refuse") this.#model.perhapsMend(brokenOff(result, reference));
      if (way.interrupt?.kind === "kill") this.#rememberUnfinished(result, reference, predictions);
    }
  }

  /** Whether nodes may be handed what a run from nothing does not hand them: where something is assumed or not done again. */
  get #isHandedOther(): boolean {
    return this.#options.worlds.http || this.#options.worlds.writes;
  }

  #predict(project: Project, { nodes, written }: RunResult, way: RunWay): Map<string, Prediction> {
    const outputs = new Map<string, Outputs>();
    const failed = new Set<string>();
    for (const [name, node] of nodes) {
      if (node.status === "completed" || node.status === "cached") outputs.set(name, node.outputs);
      if (node.status === "failed") failed.add(name);
    }
    return this.#model.predict(project, outputs, failed, written, {
      ...way,
      cache: way.cache === "refresh" ? false : undefined,
    });
  }

  /** What executed to its end is remembered, by what it was made from. */
  #remember(
    project: Project,
    result: RunResult,
    way: RunWay,
    predictionsOf: (name: string) => ReadonlyMap<string, Prediction>,
  ): void {
    // A run goes on where its disk is full, and what it could not record is recorded later, if it can be.
    const isCertain = way.interrupt?.kind !== "refuse";
    const madeAt = this.#judge.edits.length;
    for (const node of project.nodes) {
      const name = nodeName(node);
      const outcome = result.nodes.get(name);
      const prediction = predictionsOf(name).get(name);
      if (outcome === undefined || (outcome.status !== "completed" && outcome.status !== "cached")) continue;
      if (!outcome.executed) continue;
      if (prediction === undefined) {
        // Not to be reused, and stored all the same: an older result with these bytes is whole again.
        this.#model.perhapsMend(Object.values(outcome.outputs));
        continue;
      }
      this.#model.remember(project, node, prediction, outcome.outputs, { isCertain, madeAt });
    }
  }

  #rememberInner({ inner }: RunResult, { interrupt }: RunWay, predictions: Predictions): void {
    const all = [...predictions.values()].flatMap((prediction) => prediction.inner);
    for (const { pipeline, param, outcome } of inner) {
      const prediction = all.find(({ call }) => `inner_${call.step}` === pipeline && call.param === param);
      if (prediction === undefined || !outcome.executed || outcome.status !== "completed") continue;
      const isCertain = interrupt?.kind !== "refuse";
      this.#model.rememberInner(this.#project, prediction, outcome.outputs, {
        isCertain,
        madeAt: this.#judge.edits.length,
      });
    }
  }

  /** What was executing when the process was killed may have been recorded just before. */
  #rememberUnfinished(
    { unfinished }: RunResult,
    reference: RunResult,
    predictions: ReadonlyMap<string, Prediction>,
  ): void {
    const madeAt = this.#judge.edits.length;
    for (const node of this.#project.nodes.filter((each) => unfinished.has(nodeName(each)))) {
      const truth = reference.nodes.get(nodeName(node));
      const prediction = predictions.get(nodeName(node));
      if (truth?.status !== "completed" || prediction === undefined) continue;
      this.#model.remember(this.#project, node, prediction, truth.outputs, { isCertain: false, madeAt });
    }
  }

  /** A file was edited in the middle: a step that read it before and ended after must not be remembered by either. */
  #rememberEdited(after: Project, result: RunResult, way: RunWay): void {
    const early = this.#predict(this.#project, result, way);
    const late = this.#predict(after, result, way);
    const none = new Map<string, Prediction>();
    this.#remember(after, result, way, (name) => {
      const { when } = result.nodes.get(name)!;
      if (when !== "during") return when === "before" ? early : late;
      return isDeepStrictEqual(early.get(name)?.found, late.get(name)?.found) ? late : none;
    });
  }

  #chooseWay(random: Random, number: number | undefined): ChosenWay {
    const jobs = 1 + random.below(3);
    const way: RunWay = { jobs, cache: undefined, forced: new Set(), interrupt: undefined };
    const after = 1 + random.below(4);
    const roll = random.below(100);
    const mayBeTogether = !this.#isHandedOther && !this.#options.worlds.memos && random.chance(0.25);
    const choose = (chosen: RunWay): ChosenWay => (mayBeTogether ? this.#together(random, chosen) : { way: chosen });
    if (this.#options.interrupts === "kill") {
      return choose(roll < 40 ? { ...way, interrupt: { kind: "kill", after: 1 + random.below(20) } } : way);
    }
    if (roll < 8) return choose({ ...way, interrupt: { kind: "cancel", after } });
    if (roll < 14) {
      const what = random.pick(["records", "bytes"] as const);
      return { way: { ...way, interrupt: { kind: "refuse", after: what === "records" ? after * 2 : after, what } } };
    }
    if (roll < 18 && number !== undefined) return { way: { ...way, cache: "refresh" } };
    if (roll < 22) return { way: { ...way, forced: new Set([nodeName(random.pick(this.#project.nodes))]) } };
    if (roll < 30 && this.#options.worlds.files) return this.#editMeanwhile(random, way);
    return choose(way);
  }

  /** With another run at the same time, which asks for nothing. */
  #together(random: Random, way: RunWay): ChosenWay {
    const another = { ...plainWay, jobs: random.pick([1, 2, 4]) };
    return { way: { ...way, jobs: random.pick([1, 2, 4]) }, another };
  }

  #editMeanwhile(random: Random, way: RunWay): ChosenWay {
    const path = random.pick(dataPaths);
    const text = randomText(random);
    // What a memo keeps is of the time when it was filled: which step saw what is more than the model can tell.
    if (JSON.stringify(this.#project.steps).includes(`"memo","path":"${path}"`)) return { way };
    // What is read after the edit by a step that began before it is not told by when it began.
    if (this.#options.worlds.nesting || path in this.#project.links) return { way };
    const after = structuredClone(this.#project);
    setFile(after, path, text);
    const deed = (): void => this.#folder.write(path, text, "write");
    const interrupt: Interrupt = { kind: "meanwhile", after: 1 + random.below(3), deed };
    return { way: { ...way, jobs: 1, interrupt }, after };
  }
}

/** What nodes that executed and failed were about to leave. */
function brokenOff({ nodes }: RunResult, reference: RunResult): string[] {
  const broken = [...nodes].filter(([, { executed, status }]) => executed && status !== "completed");
  return broken.flatMap(([name]) => Object.values(reference.nodes.get(name)!.outputs));
}

function describe({ name, deed, change }: Edit): string {
  return deed.kind === "none" ? `${name} (${change})` : `${name}: ${JSON.stringify(deed)}`;
}

function describeWay({ jobs, cache, forced, interrupt }: RunWay): string {
  const parts = [`run, jobs ${jobs}`];
  if (cache !== undefined) parts.push(`cache ${cache}`);
  if (forced.size > 0) parts.push(`forced ${[...forced].join()}`);
  if (interrupt !== undefined) parts.push(`interrupted: ${JSON.stringify(interrupt)}`);
  return parts.join(", ");
}
