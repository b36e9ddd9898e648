/**
 * The model: says of every node of a project whether it must execute, knowing how the project was made and nothing of how
 * Reprise tells. A node need not execute where an earlier execution of a step of that name is remembered with the same
 * meaning of the code, the same arguments, and reads that would find today what they found then.
 */
import { compareFound, isUnseen, lookAround, lookForStep, type Found, type Written } from "./look.ts";
import { nodeName } from "./print-project.ts";
import {
  stepOf,
  type CacheOption,
  type Declaration,
  type Nested,
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
  /** What another run makes of the same may be taken, and others may take what this one makes. */
  readonly isShared: boolean;
  /** When what may be reused was made, as it was told to {@link Model.remember}. */
  readonly madeAt?: number;
  /** Outputs of what may be taken to hold because nobody can be asked. Several, where Reprise tells codes apart that mean the same. */
  readonly assumed?: readonly Outputs[];
  /** Steps that this one runs in pipelines of their own, in the order of its code. */
  readonly inner: readonly InnerPrediction[];
  /** Other nodes of the same run have the same key and find the same, and nothing is remembered of it: one executes. */
  readonly twins?: Twins;
}

export interface InnerPrediction extends Pick<Prediction, "verdict" | "key" | "found" | "keeps" | "madeAt"> {
  readonly call: Nested;
}

export interface Twins {
  /** Those that may take what another one makes. */
  readonly names: readonly string[];
  /** Another one executes in any case, and they may come before or after it. */
  readonly isMadeAnyway: boolean;
}

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
    written: Written,
    run: { readonly cache: CacheOption; readonly forced: ReadonlySet<string> },
  ): Map<string, Prediction> {
    const predictions = new Map<string, Prediction>();
    const makers = new Map<string, { readonly willing: string[]; isMadeAnyway: boolean }>();
    for (const node of project.nodes) {
      const name = nodeName(node);
      const own = outputs.get(name);
      const step = stepOf(project, node);
      const inputs = inputsOf(node, outputs);
      const inner = step.nested.flatMap((call) => (call.way === "pipeline" ? this.#predictInner(project, call) : []));
      if (inputs === undefined || (own === undefined && !failed.has(name))) {
        predictions.set(name, { verdict: "skip", key: "", found: [], keeps: false, isShared: false, inner });
        continue;
      }
      const mode = run.cache ?? node.cache ?? step.cache ?? project.pipelineCache ?? true;
      const key = JSON.stringify([meaningOf(project, step), argumentsOf(node), inputs]);
      const found = lookAround(project, node, written);
      const keeps = mode !== "off" && own !== undefined && !isUnseen(step, found);
      const moment = `${key} ${JSON.stringify(found)}`;
      const mayReuse = mode === true && !run.forced.has(name);
      const judged = mayReuse ? this.#judge(project, key, found, step) : { verdict: "run" as const };
      predictions.set(name, { ...judged, key, found, keeps, isShared: mayReuse && keeps, inner });
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

  #predictInner(project: Project, call: Nested): InnerPrediction {
    const step = project.steps.find(({ id }) => id === call.step)!;
    const mode = step.cache ?? true;
    const key = innerKey(project, call);
    const found = lookForStep(project, step);
    const judged = mode === true ? this.#judge(project, key, found, step) : { verdict: "run" as const };
    // Whatever else in the run makes the same bytes may have mended them.
    const isDamaged = (this.#executions.get(key) ?? []).some(({ outputs }) =>
      Object.values(outputs).some((digest) => this.damaged.has(digest)),
    );
    const verdict = isDamaged && mode === true ? "either" : judged.verdict;
    return { ...judged, verdict, call, key, found, keeps: mode !== "off" };
  }

  #judge(
    project: Project,
    key: string,
    found: readonly Found[],
    step: StepSource,
  ): Pick<Prediction, "verdict" | "madeAt" | "assumed"> {
    const holding = (this.#executions.get(key) ?? [])
      .filter(({ invalidated, ageHours }) => !invalidated && !(step.expires && ageHours >= 1))
      .map((execution) => ({ execution, held: compareFound(project, execution.found, found) }))
      .filter(({ held }) => held !== "other");
    const newest = holding.at(-1);
    if (newest === undefined) return { verdict: "run" };
    const { outputs, madeAt, isCertain } = newest.execution;
    const damage = new Set(Object.values(outputs).map((digest) => this.damaged.get(digest)));
    const isAssumed = holding.some(({ held }) => held === "assumed");
    if (damage.has("seen") && !(isAssumed && holding.length > 1)) return { verdict: "run" };
    const verdict = damage.size > 1 || !damage.has(undefined) || !isCertain ? "either" : "hit";
    return { verdict, madeAt, ...(isAssumed ? { assumed: holding.map((each) => each.execution.outputs) } : {}) };
  }

  /** Bytes that several nodes share are mended by whichever comes first. */
  #settleDamage(project: Project, predictions: Map<string, Prediction>, outputs: ReadonlyMap<string, Outputs>): void {
    if (this.damaged.size === 0) return;
    const makers = new Map<string, Set<string>>();
    const isMadeInside = [...predictions.values()].some(({ inner }) => inner.length > 0);
    for (const [name, own] of outputs) {
      for (const digest of Object.values(own)) makers.set(digest, (makers.get(digest) ?? new Set()).add(name));
    }
    for (const node of project.nodes) {
      const name = nodeName(node);
      const prediction = predictions.get(name)!;
      const shared = Object.values(outputs.get(name) ?? {}).some(
        (digest) => this.damaged.has(digest) && (isMadeInside || makers.get(digest)!.size > 1),
      );
      if (!shared || prediction.verdict === "skip") continue;
      const { key, found, keeps, isShared, inner, assumed } = prediction;
      predictions.set(name, { verdict: "either", key, found, keeps, isShared, inner, ...(assumed && { assumed }) });
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
    if (keeps) this.#keep(stepOf(project, node).name, { key, found, outputs, isCertain, madeAt });
  }

  /** Remembers what a step that runs a pipeline made there. */
  rememberInner(
    project: Project,
    { call, key, found, keeps }: InnerPrediction,
    outputs: Outputs,
    { isCertain, madeAt }: Pick<Execution, "isCertain" | "madeAt">,
  ): void {
    for (const digest of Object.values(outputs)) if (this.damaged.has(digest)) this.damaged.set(digest, "silent");
    const { name } = project.steps.find(({ id }) => id === call.step)!;
    if (keeps) this.#keep(name, { key, found, outputs, isCertain, madeAt });
  }

  #keep(step: string, made: Pick<Execution, "found" | "outputs" | "isCertain" | "madeAt"> & { key: string }): void {
    const { key, ...execution } = made;
    const now = JSON.stringify(execution.found);
    const others = (this.#executions.get(key) ?? []).filter((each) => JSON.stringify(each.found) !== now);
    this.#executions.set(key, [...others, { ...execution, step, ageHours: 0, invalidated: false }]);
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
  const { name, value, uses, packages, reads, coarse, fragile, wide, late, version, exchanges, nested } = step;
  const used = uses.map((id) => meaningOfDeclaration(project, id));
  const called = nested.map(({ step: id, way, param }) => {
    return [
      way,
      param,
      meaningOf(
        project,
        project.steps.find((each) => each.id === id)!,
      ),
    ];
  });
  return [
    [name, value, used, meaningOfPackages(project, packages)],
    [reads.map(meaningOfRead), coarse, fragile, wide, late, version ?? null, exchanges ?? null, called],
  ];
}

/** Of a step that runs in a pipeline inside of another one: by the equation, a key as any other. */
function innerKey(project: Project, { step: id, param }: Nested): string {
  const step = project.steps.find((each) => each.id === id)!;
  return JSON.stringify([meaningOf(project, step), [["n", showPlain(param)]], []]);
}

/** Who asks for all variables asks for none by its name. */
function meaningOfRead(read: Read): unknown {
  if (read.kind === "choice") {
    return { ...read, begins: meaningOfRead(read.begins), otherwise: meaningOfRead(read.otherwise) };
  }
  return read.kind === "environment" && (read.way === "spread" || read.way === "names") ? [read.way] : read;
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
