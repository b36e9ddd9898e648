/** One sequence: a random project, edited and run again and again, each run compared with the model and with a run from nothing. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import process from "node:process";
import { seededRandom, type Random } from "../code-identity/fuzz-program.ts";
import type { CacheEntry } from "../../src/record/cache-entry.ts";
import type { KeyDigest } from "../../src/record/key.ts";
import { openStack } from "../../src/stack/stack.ts";
import { byNamespace, editProject, type Deed, type Edit } from "./edits.ts";
import { ProjectFolder } from "./folder.ts";
import { Model, type Outputs, type Prediction } from "./model.ts";
import { nodeName } from "./print-project.ts";
import { dataPaths, makeProject, randomText, stepOf, type Project, type Worlds } from "./project.ts";
import { runFromNothing } from "./run-project.ts";
import type { Interrupt, Runner, RunResult, RunWay } from "./tally.ts";

export interface SequenceOptions {
  readonly folder: string;
  readonly seed: number;
  readonly worlds: Worlds;
  readonly run: Runner;
  /** Whether runs are interrupted from within the process, or by killing theirs. */
  readonly interrupts: "within" | "kill";
  /** Numbers of edits that are left out, to see which ones a failure needs. */
  readonly without?: ReadonlySet<number>;
}

export interface SequenceReport {
  runs: number;
  interrupted: number;
  /** Nodes that ended in a way that the model can be asked about. */
  decisions: number;
  executed: number;
  reused: number;
  /** Decisions that the model leaves open. */
  open: number;
  falseMisses: number;
  /** What had been edited before a false miss, and the reason that Reprise gave: how often. */
  readonly causes: Record<string, number>;
  /** What was done, a line each. */
  readonly story: string[];
  /** False hits and wrong results; the sequence ends with the first. */
  readonly failures: string[];
  edits: number;
}

/** Plays a sequence to its end, or to the first run that is wrong. */
export async function playSequence(options: SequenceOptions): Promise<SequenceReport> {
  const sequence = new Sequence(options);
  return await sequence.play();
}

class Sequence {
  readonly #options: SequenceOptions;
  readonly #folder: ProjectFolder;
  readonly #model = new Model();
  readonly #past: Project[] = [];
  readonly #blobs = new Map<string, readonly string[]>();
  readonly #keys = new Map<string, Set<KeyDigest>>();
  /** Names of all edits so far. */
  readonly #edits: string[] = [];
  readonly #report: SequenceReport = {
    runs: 0,
    interrupted: 0,
    decisions: 0,
    executed: 0,
    reused: 0,
    open: 0,
    falseMisses: 0,
    causes: {},
    story: [],
    failures: [],
    edits: 0,
  };
  #project: Project;

  constructor(options: SequenceOptions) {
    this.#options = options;
    this.#folder = new ProjectFolder(join(options.folder, `sequence-${options.seed}`));
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
    this.#folder.place(this.#project, "write");
    await this.#run(seededRandom(seed + 7919), undefined);
    this.#report.edits = 4 + (seed % 5);
    for (let number = 1; number <= this.#report.edits; number++) {
      if (this.#report.failures.length > 0) break;
      if (without?.has(number) === true) continue;
      // Random of its own, so that an edit is much the same when others before it are left out.
      const random = seededRandom(seed * 131 + number);
      for (let count = random.chance(0.25) ? 2 : 1; count > 0; count--) await this.#edit(random, number);
      await this.#run(random, number);
    }
    return this.#report;
  }

  async #edit(random: Random, number: number): Promise<void> {
    this.#past.push(structuredClone(this.#project));
    const edit = editProject(this.#project, { random, worlds: this.#options.worlds, past: this.#past });
    this.#edits.push(edit.name);
    // Going back to old code may change it as well.
    if (this.#project.namespaces !== this.#past.at(-1)!.namespaces) this.#edits.push(byNamespace);
    this.#folder.place(this.#project, edit.change);
    await this.#do(edit);
    this.#report.story.push(`${number}. ${describe(edit)}`);
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
      case "invalidate":
        await this.#change(deed.step, (entry) => ({ ...entry, invalidatedAt: entry.invalidatedAt ?? Date.now() }));
        return model.invalidate(deed.step);
      case "hours-pass":
        // Entries grow old instead of the clock going on, which files and code would notice.
        await this.#change(undefined, (entry) => ({ ...entry, createdAt: entry.createdAt - deed.hours * 3_600_000 }));
        return model.hoursPass(deed.hours);
    }
  }

  #damage({ way, pick }: Extract<Deed, { kind: "damage" }>): void {
    const digests = this.#model.digests().filter((digest) => !this.#model.damaged.has(digest));
    const digest = digests[pick % digests.length];
    const blobs = digest === undefined ? [] : (this.#blobs.get(digest) ?? []);
    const blob = blobs[pick % blobs.length];
    const others = digests.flatMap((other) => this.#blobs.get(other) ?? []).filter((other) => other !== blob);
    const other = others[pick % others.length];
    if (blob === undefined || (way === "swap" && other === undefined)) return;
    // What the store refused is not there to be damaged.
    if (![blob, other ?? blob].every((each) => existsSync(this.#folder.blobPath(each)))) return;
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
    if (this.#options.worlds.memos && this.#options.interrupts === "within") this.#folder.move();
    const { way, after } = this.#chooseWay(random, number);
    this.#report.runs += 1;
    if (way.interrupt !== undefined) this.#report.interrupted += 1;
    this.#report.story.push(`   ${describeWay(way)}`);
    // The run from nothing comes first: a step must not find what another run left in memory or on disk.
    const reference = after === undefined ? await runFromNothing(this.#folder.root) : undefined;
    const result = await this.#options.run(this.#folder.root, way);
    for (const [digest, blobs] of result.blobs) this.#blobs.set(digest, blobs);
    for (const [step, keys] of result.keys) this.#keys.set(step, (this.#keys.get(step) ?? new Set()).union(keys));
    if (reference !== undefined) {
      this.#expectWhole(reference);
      const predictions = this.#predict(this.#project, reference, way);
      this.#compare(predictions, result, reference, way);
      if (this.#report.failures.length > 0) return;
      this.#remember(this.#project, result, way, () => predictions);
      if (way.interrupt?.kind === "refuse") this.#model.perhapsMend(brokenOff(result, reference));
      if (way.interrupt?.kind === "kill") this.#rememberUnfinished(result, reference, predictions);
    } else {
      this.#rememberEdited(after!, result, way);
      this.#project = after!;
      this.#edits.push("a file edited in the middle of a run");
    }
  }

  /** A step fails where it was made to; any other failure is a mistake in how projects are made, and would hide others. */
  #expectWhole(reference: RunResult): void {
    for (const node of this.#project.nodes) {
      const status = reference.nodes.get(nodeName(node))?.status;
      const isMeant = status === "completed" || status === "skipped" || stepOf(this.#project, node).fragile;
      if (!isMeant) this.#report.failures.push(`the project is broken: ${nodeName(node)} was ${status}`);
    }
  }

  #predict(project: Project, { nodes }: RunResult, way: RunWay): Map<string, Prediction> {
    const outputs = new Map<string, Outputs>();
    const failed = new Set<string>();
    for (const [name, node] of nodes) {
      if (node.status === "completed" || node.status === "cached") outputs.set(name, node.outputs);
      if (node.status === "failed") failed.add(name);
    }
    return this.#model.predict(project, outputs, failed, {
      ...way,
      cache: way.cache === "refresh" ? false : undefined,
    });
  }

  #compare(predictions: ReadonlyMap<string, Prediction>, result: RunResult, reference: RunResult, way: RunWay): void {
    const report = this.#report;
    for (const [name, { verdict, madeAt }] of predictions) {
      const node = result.nodes.get(name);
      const truth = reference.nodes.get(name)!;
      if (node === undefined || !isJudged(node.status, way)) continue;
      const facts = `${name} was ${node.status} (${node.reason}), the model says ${verdict}`;
      if (node.status === "skipped" || verdict === "skip") {
        if (node.status !== "skipped" || verdict !== "skip") report.failures.push(`wrong end: ${facts}`);
        continue;
      }
      report.decisions += 1;
      if (node.executed) report.executed += 1;
      else report.reused += 1;
      if (verdict === "either") report.open += 1;
      const isSame =
        (node.status === "failed") === (truth.status === "failed") && isDeepStrictEqual(node.outputs, truth.outputs);
      if (!isSame) report.failures.push(`${node.executed ? "wrong output" : "false hit"}: ${facts}`);
      else if (!node.executed && verdict === "run") report.failures.push(`false hit with the right output: ${facts}`);
      if (node.executed && verdict === "hit") {
        this.#countMiss(this.#causeOf(name, madeAt ?? 0, node.reason));
        report.story.push(`   false miss: ${facts}`);
      }
    }
    if (way.interrupt === undefined) this.#compareTwins(predictions, result);
    for (const [name, value] of result.values) {
      // Damage that nobody has seen before, or that could not be mended because the disk is full.
      const mayBeDamaged = way.interrupt?.kind === "refuse" || [...this.#model.damaged.values()].includes("silent");
      const isDamaged = value === undefined && mayBeDamaged;
      if (!isDamaged && value !== reference.values.get(name)) {
        report.failures.push(`wrong value of ${name}: ${value} instead of ${reference.values.get(name)}`);
      }
    }
  }

  /** Of equal nodes exactly one executes, whichever it is. */
  #compareTwins(predictions: ReadonlyMap<string, Prediction>, { nodes }: RunResult): void {
    const groups = new Set([...predictions.values()].flatMap(({ twins }) => twins ?? []));
    for (const { names, isMadeAnyway } of groups) {
      if (isMadeAnyway) continue;
      const executed = names.filter((name) => nodes.get(name)?.executed);
      if (executed.length === 0) this.#report.failures.push(`false hit: none of ${names.join()} executed`);
      for (const name of executed.slice(1)) {
        this.#countMiss("an equal node in the same run");
        this.#report.story.push(`   false miss: ${name} executed as ${executed[0]} did`);
      }
    }
  }

  #countMiss(cause: string): void {
    this.#report.falseMisses += 1;
    this.#report.causes[cause] = (this.#report.causes[cause] ?? 0) + 1;
  }

  /** What had been edited since the result was made that could have been reused, and what Reprise says. */
  #causeOf(name: string, madeAt: number, reason: string): string {
    const edits = [...new Set(this.#edits.slice(madeAt))].toSorted();
    if (edits.includes(byNamespace)) return byNamespace;
    if (this.#project.namespaces && edits.some((edit) => /declaration|as it was/u.test(edit))) {
      return "a declaration renamed, moved or exchanged for an equal one, imported as a namespace";
    }
    const node = this.#project.nodes.find((each) => nodeName(each) === name)!;
    const reads = JSON.stringify(stepOf(this.#project, node).reads);
    if (reads.includes('"memo"')) return "what another step read that shares a memo";
    if (reason === "env" && /"presence"|"names"/u.test(reads))
      return "another value of a variable of which only its presence counts";
    return `${edits.length === 0 ? "no edit" : edits.join(" + ")}: ${reason}`;
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
    const madeAt = this.#edits.length;
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

  /** What was executing when the process was killed may have been recorded just before. */
  #rememberUnfinished(
    { unfinished }: RunResult,
    reference: RunResult,
    predictions: ReadonlyMap<string, Prediction>,
  ): void {
    const madeAt = this.#edits.length;
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

  #chooseWay(random: Random, number: number | undefined): { way: RunWay; after?: Project } {
    const jobs = 1 + random.below(3);
    const way: RunWay = { jobs, cache: undefined, forced: new Set(), interrupt: undefined };
    const after = 1 + random.below(4);
    const roll = random.below(100);
    if (this.#options.interrupts === "kill") {
      return { way: roll < 40 ? { ...way, interrupt: { kind: "kill", after: 1 + random.below(20) } } : way };
    }
    if (roll < 8) return { way: { ...way, interrupt: { kind: "cancel", after } } };
    if (roll < 14) {
      const what = random.pick(["records", "bytes"] as const);
      return { way: { ...way, interrupt: { kind: "refuse", after: what === "records" ? after * 2 : after, what } } };
    }
    if (roll < 18 && number !== undefined) return { way: { ...way, cache: "refresh" } };
    if (roll < 22) return { way: { ...way, forced: new Set([nodeName(random.pick(this.#project.nodes))]) } };
    if (roll < 30 && this.#options.worlds.files) return this.#editMeanwhile(random, way);
    return { way };
  }

  #editMeanwhile(random: Random, way: RunWay): { way: RunWay; after?: Project } {
    const path = random.pick(dataPaths);
    const text = randomText(random);
    // What a memo keeps is of the time when it was filled: which step saw what is more than the model can tell.
    if (JSON.stringify(this.#project.steps).includes(`"memo","path":"${path}"`)) return { way };
    const after = structuredClone(this.#project);
    after.files[path] = text;
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

/** Where a run was interrupted, only what came to an end of its own counts. */
function isJudged(status: string, { interrupt }: RunWay): boolean {
  return interrupt === undefined || status === "completed" || status === "cached";
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
