/**
 * The model: says of every node of a project whether it must execute, knowing how the project was made and nothing of how
 * Reprise tells. A node need not execute where an earlier execution of a step of that name is remembered with the same
 * meaning of the code, the same arguments, and reads that would find today what they found then.
 */
import { nodeName } from "./print-project.ts";
import {
  dataFolders,
  stepOf,
  variableNames,
  type CacheOption,
  type Declaration,
  type Node,
  type Project,
  type Read,
  type StepSource,
} from "./project.ts";

/** Digests by output name. */
export type Outputs = Readonly<Record<string, string>>;

/**
 * What must become of a node. `either` where the model leaves it open: whether damage that `stat` does not show is found
 * depends on who reads the bytes, and one of two nodes with the same bytes mends the other's.
 */
export type Verdict = "run" | "hit" | "either" | "skip";

export interface Prediction {
  readonly verdict: Verdict;
  readonly key: string;
  readonly found: readonly Found[];
  readonly keeps: boolean;
  /** When what may be reused was made, as it was told to {@link Model.remember}. */
  readonly madeAt?: number;
  /** Other nodes of the same run have the same key and find the same, and nothing is remembered of it: one executes. */
  readonly twins?: Twins;
}

export interface Twins {
  /** Those that may take what another one makes. */
  readonly names: readonly string[];
  /** Another one executes in any case, and they may come before or after it. */
  readonly isMadeAnyway: boolean;
}

type Found = readonly [kind: string, name: string, found: string];

interface Execution {
  readonly step: string;
  readonly found: readonly Found[];
  readonly outputs: Outputs;
  /** False where the process was killed while it executed: it may have come to its end. */
  readonly isCertain: boolean;
  readonly madeAt: number;
  ageHours: number;
  invalidated: boolean;
}

export type Damage = "seen" | "silent";

export class Model {
  readonly #executions = new Map<string, Execution[]>();
  /** By artifact digest: how its stored bytes were damaged, until somebody writes them again. */
  readonly damaged = new Map<string, Damage>();

  /**
   * Predicts a run. `outputs` are what a run without a cache gave, by node; a node that is missing there failed or was
   * skipped, and `failed` names those that threw.
   */
  predict(
    project: Project,
    outputs: ReadonlyMap<string, Outputs>,
    failed: ReadonlySet<string>,
    run: { readonly cache: CacheOption; readonly forced: ReadonlySet<string> },
  ): Map<string, Prediction> {
    const predictions = new Map<string, Prediction>();
    const makers = new Map<string, { readonly willing: string[]; isMadeAnyway: boolean }>();
    for (const node of project.nodes) {
      const name = nodeName(node);
      const own = outputs.get(name);
      const step = stepOf(project, node);
      const inputs = inputsOf(node, outputs);
      if (inputs === undefined || (own === undefined && !failed.has(name))) {
        predictions.set(name, { verdict: "skip", key: "", found: [], keeps: false });
        continue;
      }
      const mode = run.cache ?? node.cache ?? step.cache ?? project.pipelineCache ?? true;
      const key = JSON.stringify([meaningOf(project, step), argumentsOf(node), inputs]);
      const found = step.reads.flatMap((read) => look(project, read));
      const keeps = mode !== "off" && own !== undefined;
      const moment = `${key} ${JSON.stringify(found)}`;
      const mayReuse = mode === true && !run.forced.has(name);
      const judged = mayReuse ? this.#judge(key, found, step) : { verdict: "run" as const };
      predictions.set(name, { ...judged, key, found, keeps });
      const { verdict } = judged;
      if (verdict !== "run" || !keeps) continue;
      const made = makers.get(moment) ?? { willing: [], isMadeAnyway: false };
      if (mayReuse) made.willing.push(name);
      else made.isMadeAnyway = true;
      makers.set(moment, made);
    }
    for (const { willing: names, isMadeAnyway } of makers.values()) {
      if (names.length + Number(isMadeAnyway) < 2) continue;
      for (const name of names) {
        predictions.set(name, { ...predictions.get(name)!, verdict: "either", twins: { names, isMadeAnyway } });
      }
    }
    this.#settleDamage(project, predictions, outputs);
    return predictions;
  }

  #judge(key: string, found: readonly Found[], step: StepSource): Pick<Prediction, "verdict" | "madeAt"> {
    const now = JSON.stringify(found);
    const execution = this.#executions.get(key)?.find((each) => JSON.stringify(each.found) === now);
    if (execution === undefined || execution.invalidated) return { verdict: "run" };
    if (step.expires && execution.ageHours >= 1) return { verdict: "run" };
    const damage = new Set(Object.values(execution.outputs).map((digest) => this.damaged.get(digest)));
    if (damage.has("seen")) return { verdict: "run" };
    return { verdict: damage.has("silent") || !execution.isCertain ? "either" : "hit", madeAt: execution.madeAt };
  }

  /** Bytes that several nodes share are mended by whichever comes first. */
  #settleDamage(project: Project, predictions: Map<string, Prediction>, outputs: ReadonlyMap<string, Outputs>): void {
    if (this.damaged.size === 0) return;
    const makers = new Map<string, Set<string>>();
    for (const [name, own] of outputs) {
      for (const digest of Object.values(own)) makers.set(digest, (makers.get(digest) ?? new Set()).add(name));
    }
    for (const node of project.nodes) {
      const name = nodeName(node);
      const prediction = predictions.get(name)!;
      const shared = Object.values(outputs.get(name) ?? {}).some(
        (digest) => this.damaged.has(digest) && makers.get(digest)!.size > 1,
      );
      if (!shared || prediction.verdict === "skip") continue;
      const { key, found, keeps } = prediction;
      predictions.set(name, { verdict: "either", key, found, keeps });
    }
  }

  /** Remembers that a node executed to its end, or that nobody knows whether it did. */
  remember(
    project: Project,
    node: Node,
    { key, found, keeps }: Prediction,
    outputs: Outputs,
    { isCertain, madeAt }: Pick<Execution, "isCertain" | "madeAt">,
  ): void {
    for (const digest of Object.values(outputs)) {
      // Bytes that look right are left as they are when the same are written again.
      if (isCertain && this.damaged.get(digest) === "seen") this.damaged.delete(digest);
      else if (this.damaged.has(digest)) this.damaged.set(digest, "silent");
    }
    if (!keeps) return;
    const now = JSON.stringify(found);
    const others = (this.#executions.get(key) ?? []).filter((each) => JSON.stringify(each.found) !== now);
    const step = stepOf(project, node).name;
    this.#executions.set(key, [
      ...others,
      { step, found, outputs, isCertain, madeAt, ageHours: 0, invalidated: false },
    ]);
  }

  /** Some of these bytes were written again, and nobody recorded that. */
  perhapsMend(digests: readonly string[]): void {
    for (const digest of digests) if (this.damaged.has(digest)) this.damaged.set(digest, "silent");
  }

  forget(): void {
    this.#executions.clear();
    this.damaged.clear();
  }

  hoursPass(hours: number): void {
    for (const execution of this.#all()) execution.ageHours += hours;
  }

  invalidate(step: string): void {
    for (const execution of this.#all()) if (execution.step === step) execution.invalidated = true;
  }

  /** Artifact digests that some execution left. */
  digests(): string[] {
    return [...new Set([...this.#all()].flatMap(({ outputs }) => Object.values(outputs)))].toSorted();
  }

  *#all(): Generator<Execution> {
    for (const executions of this.#executions.values()) yield* executions;
  }
}

/** What a step's code means, whatever its declarations are called, wherever they stand and however they look. */
function meaningOf(project: Project, step: StepSource): unknown {
  const { name, value, uses, packages, reads, coarse, fragile, wide, late, version } = step;
  const used = uses.map((id) => meaningOfDeclaration(project, id));
  return [
    [name, value, used, meaningOfPackages(project, packages)],
    [reads, coarse, fragile, wide, late, version ?? null],
  ];
}

function meaningOfDeclaration(project: Project, id: number): unknown {
  const declaration = project.declarations.find((each) => each.id === id) as Declaration;
  const { kind, value, uses, packages, environment } = declaration;
  switch (kind) {
    case "constant":
      return value;
    case "variable":
      return [value, environment, project.environment[environment] ?? null];
    case "function":
      return [value, uses.map((used) => meaningOfDeclaration(project, used)), meaningOfPackages(project, packages)];
  }
}

function meaningOfPackages({ packages }: Project, names: readonly string[]): unknown {
  return names.map((name) => [name, packages[name]]);
}

function argumentsOf(node: Node): unknown {
  return Object.entries(node.arguments)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, argument]) => [name, argument.kind === "value" ? showPlain(argument.value) : argument.kind]);
}

/** As text: equal for equal values and no others, whatever the order of an object's members. */
function showPlain(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  if (Array.isArray(value)) return `[${value.map(showPlain).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, each]) => `${name}:${showPlain(each)}`).join()}}`;
}

/** Digests of a node's inputs; undefined when one of them was not made. */
function inputsOf(node: Node, outputs: ReadonlyMap<string, Outputs>): unknown[] | undefined {
  const inputs: unknown[] = [];
  for (const [name, argument] of Object.entries(node.arguments).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (argument.kind === "value") continue;
    const items = argument.kind === "list" ? argument.items : [argument];
    for (const { node: id, output } of items) {
      const digest = outputs.get(nodeName({ id }))?.[output];
      if (digest === undefined) return undefined;
      inputs.push([name, digest]);
    }
  }
  return inputs;
}

/** What a read finds now, and what is read because of it. */
function look(project: Project, read: Read): readonly Found[] {
  const { files } = project;
  switch (read.kind) {
    case "file":
    case "optional":
    case "memo":
      return [["text", read.path, show(files[read.path])]];
    case "size":
      return [["size", read.path, show(files[read.path]?.length)]];
    case "choice": {
      const text = files[read.path];
      const next = (text ?? "missing").startsWith("x") ? read.begins : read.otherwise;
      return [["text", read.path, show(text)], ...look(project, next)];
    }
    case "folder": {
      const names = namesIn(project, read.path);
      const texts = read.deep ? names.map((name) => files[`${read.path}/${name}`]) : [];
      return [["names", read.path, JSON.stringify([names, texts.map(show)])]];
    }
    case "environment": {
      const value = project.environment[read.name];
      if (read.way === "names") return [["names", "*", Object.keys(project.environment).toSorted().join()]];
      if (read.way === "presence") return [["presence", read.name, String(value !== undefined)]];
      const names = read.way === "spread" ? variableNames : [read.name];
      return names.map((name) => ["variable", name, show(project.environment[name])]);
    }
  }
}

const show = (found: string | number | undefined): string => (found === undefined ? "nothing" : `found ${found}`);

function namesIn({ files, folders }: Project, folder: string): string[] {
  const all = [...Object.keys(files), ...dataFolders, ...folders];
  const below = all.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1));
  return [...new Set(below.map((path) => path.split("/")[0]!))].toSorted();
}
