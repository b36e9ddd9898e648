/** What evaluating or calling a unit does once its names are known: effect, driver, or nothing that could be told. */
import type { Edge, GraphNode, Target, SourceFile } from "./graph.ts";
import type { Linker } from "./link.ts";
import { isPureBuiltin, isPurePackage } from "./pure.ts";
import type { Summary } from "./record.ts";

/** What a statement changes: a unit, something that Node made, or a global of the program's own. */
export type Written = GraphNode | "built-in" | "global";

export class Judge {
  readonly #linker: Linker;
  readonly #effects = new Map<GraphNode, boolean>();
  readonly #calls = new Map<GraphNode, boolean>();
  readonly #runners = new Map<GraphNode, boolean>();
  readonly #running = new Map<GraphNode, boolean>();
  readonly #drivers = new Map<SourceFile, ReadonlySet<GraphNode>>();
  readonly #writes = new Map<GraphNode, ReadonlySet<Written>>();

  constructor(linker: Linker) {
    this.#linker = linker;
  }

  clear(): void {
    for (const memo of [this.#effects, this.#calls, this.#runners, this.#running, this.#drivers, this.#writes])
      memo.clear();
  }

  /** Whether evaluating the unit does something that others could see. */
  isEffect(node: GraphNode): boolean {
    const known = this.#effects.get(node);
    if (known !== undefined) return known;
    this.#effects.set(node, false);
    const { unit } = node;
    if (unit?.kind === "function") return false;
    const loadsPackage = (): boolean =>
      unit!.kind === "statement" && this.#edges(node, unit!.eval.requests.length > 0 ? unit!.eval.uses : []).length > 0;
    const effect = unit !== undefined && (!this.#isPure(node, unit.eval) || loadsPackage());
    this.#effects.set(node, effect);
    return effect;
  }

  /**
   * A file's driver statements: those that run a pipeline or a step, directly or through a function of the project, that
   * use what such a statement made, or that only the main script evaluates.
   */
  drivers(file: SourceFile): ReadonlySet<GraphNode> {
    const known = this.#drivers.get(file);
    if (known !== undefined) return known;
    const drivers = new Set<GraphNode>();
    this.#drivers.set(file, drivers);
    for (const node of this.#linker.units(file)) if (this.#drives(node, drivers)) drivers.add(node);
    return drivers;
  }

  isDriver(node: GraphNode): boolean {
    return node.file !== undefined && node.kind === "unit" && this.drivers(node.file).has(node);
  }

  /** Whether a value only takes functions, and calls none of them while modules are loaded: a step, a pipeline, a schema. */
  isDeferring(node: GraphNode): boolean {
    if (node.kind === "framework" || node.kind === "package") return true;
    return node.kind === "unit" && (this.#isRunnable(node) || this.#isSchema(node) || this.#isOfPackage(node));
  }

  /** What a statement changes: units that it assigns to or hands to a method that may, or something global. */
  writes(node: GraphNode): ReadonlySet<Written> {
    let found = this.#writes.get(node);
    if (found === undefined) {
      const written = new Set<Written>();
      if (node.unit !== undefined) this.#collectWrites(node, node.unit.eval, written, new Set());
      this.#writes.set(node, written);
      found = written;
    }
    return found;
  }

  /** Values that a statement gives to functions of the program, which may change them. */
  givenValues(node: GraphNode): readonly GraphNode[] {
    const named = (node.unit?.eval.given ?? []).flatMap((given) => given.named ?? []);
    return named.flatMap((ref) =>
      this.#targets(node, ref).flatMap(({ node: { unit }, node: to }) => {
        const isValue = unit?.kind === "variable" && unit.body === undefined;
        return isValue && (unit.plain !== true || unit.state?.empty) ? [to] : [];
      }),
    );
  }

  /** What the functions in a unit change when they are called: variables, and containers that are the language's own. */
  lateWrites(node: GraphNode): readonly GraphNode[] {
    return (node.unit?.lateWrites ?? []).flatMap(({ ref, method }) =>
      this.#targets(node, ref).flatMap(({ node: to }) =>
        to !== node && to.kind === "unit" && (method !== true || isContainer(to)) ? [to] : [],
      ),
    );
  }

  #edges(node: GraphNode, refs: readonly number[]): Edge[] {
    const edges = this.#linker.edges(node);
    return refs.map((ref) => edges[ref]!).filter((edge) => edge !== undefined);
  }

  #targets(node: GraphNode, ref: number): readonly Target[] {
    return this.#linker.edges(node)[ref]?.targets ?? [];
  }

  #isPure(node: GraphNode, summary: Summary): boolean {
    if (summary.impure) return false;
    if (!summary.calls.every((ref) => this.#targets(node, ref).every((target) => this.#isPureCall(target))))
      return false;
    if (!summary.reads.every((ref) => this.#targets(node, ref).every((target) => isPlainTarget(target)))) return false;
    return summary.chains.every((chain) =>
      this.#targets(node, chain.ref).every((target) => this.#isPureChain(node, target, chain)),
    );
  }

  #isPureCall({ node, binding }: Target): boolean {
    switch (node.kind) {
      case "framework":
        return true;
      case "package":
        return isPurePackage(node.module ?? "");
      case "builtin":
        return isPureBuiltin(node.module ?? "", binding);
      case "unit":
        return this.#isPureFunction(node);
      default:
        return false;
    }
  }

  #isPureFunction(node: GraphNode): boolean {
    const known = this.#calls.get(node);
    if (known !== undefined) return known;
    // A function that calls itself is as pure as the rest of it.
    this.#calls.set(node, true);
    const body = node.unit?.body;
    const pure = body !== undefined && this.#isPure(node, body);
    this.#calls.set(node, pure);
    return pure;
  }

  #isPureChain(from: GraphNode, target: Target, { inner, reads }: Summary["chains"][number]): boolean {
    const { node } = target;
    if (node.kind === "framework") return true;
    if (node.kind === "package") return isPurePackage(node.module ?? "");
    if (node.kind === "builtin") {
      return isPureBuiltin(node.module ?? "", target.binding) && (inner === undefined || this.#isPure(from, inner));
    }
    if (node.kind === "namespace") return false;
    if (node.kind !== "unit" || node.unit === undefined) return false;
    if (node.unit.plain) return reads === true && (inner === undefined || this.#isPure(from, inner));
    // A schema, a pipeline or a step that another unit made; a namespace's own function is among the calls.
    if (this.#isRunnable(node) || this.#isSchema(node)) return true;
    return false;
  }

  #isSchema(node: GraphNode): boolean {
    const summary = node.unit?.eval;
    if (summary === undefined || node.unit?.kind !== "variable") return false;
    const roots = [...summary.calls, ...summary.chains.map((chain) => chain.ref)];
    const made = roots.some((ref) =>
      this.#targets(node, ref).some((to) => to.node.kind === "package" && isPurePackage(to.node.module ?? "")),
    );
    return made && !this.isEffect(node);
  }

  /** Whether a variable holds what a package made. */
  #isOfPackage(node: GraphNode): boolean {
    const { unit } = node;
    return (
      unit?.kind === "variable" &&
      unit.body === undefined &&
      this.#edges(node, [...unit.eval.calls, ...unit.eval.chains.map(({ ref }) => ref)]).some(({ targets }) =>
        targets.some((to) => to.node.kind === "package"),
      )
    );
  }

  /** Whether a value is a pipeline or a step, or holds some. */
  #isRunnable(node: GraphNode): boolean {
    const known = this.#runners.get(node);
    if (known !== undefined) return known;
    this.#runners.set(node, false);
    const { unit } = node;
    let runnable = false;
    if (unit !== undefined && unit.kind !== "statement" && unit.kind !== "function" && unit.kind !== "class") {
      const uses = this.#edges(node, [...unit.eval.uses, ...unit.eval.calls]);
      runnable = uses.some(({ targets }) =>
        targets.some((to) => to.node !== node && (makesRunnable(to) || this.#givesRunnable(to.node))),
      );
      // What a run answers with is no pipeline.
      if (unit.eval.runs.length > 0) runnable = false;
    }
    this.#runners.set(node, runnable);
    return runnable;
  }

  #givesRunnable(node: GraphNode): boolean {
    if (node.kind !== "unit" || node.unit === undefined) return false;
    if (node.unit.body === undefined) return this.#isRunnable(node);
    if (node.unit.kind === "class") return false;
    return this.#edges(node, node.unit.body.calls).some(({ targets }) => targets.some(makesRunnable));
  }

  #drives(node: GraphNode, drivers: ReadonlySet<GraphNode>): boolean {
    const { unit } = node;
    if (unit === undefined || unit.kind === "function" || unit.kind === "class" || unit.kind === "export") return false;
    if (unit.guard) return true;
    const usesDriver = this.#edges(node, unit.eval.uses).some(({ targets }) =>
      targets.some((to) => to.node !== node && drivers.has(to.node)),
    );
    if (usesDriver) return true;
    if (this.#runsIn(node, unit.eval, unit.eval.runs)) return true;
    return unit.nestedRuns !== undefined && this.#runsIn(node, unit.eval, unit.nestedRuns);
  }

  /** Whether code calls `.run()` on a pipeline or a step, or calls a function that does. */
  #runsIn(node: GraphNode, summary: Summary, runs: readonly number[]): boolean {
    for (const ref of runs) {
      if (ref === -1) {
        // A local variable: one of the pipelines that the code names, in a loop over them, say.
        const named = this.#edges(node, summary.uses).some(({ targets }) => targets.some((to) => this.#isRunner(to)));
        if (named) return true;
      } else if (this.#targets(node, ref).some((target) => this.#isRunner(target))) return true;
    }
    return summary.calls.some((ref) => this.#targets(node, ref).some(({ node: to }) => this.#isRunning(to)));
  }

  #isRunner(target: Target): boolean {
    const { node } = target;
    if (makesRunnable(target)) return true;
    return node.kind === "unit" && (this.#isRunnable(node) || this.#givesRunnable(node));
  }

  /** Whether calling a function runs a pipeline or a step. */
  #isRunning(node: GraphNode): boolean {
    const known = this.#running.get(node);
    if (known !== undefined) return known;
    this.#running.set(node, false);
    const body = node.unit?.body;
    const running = body !== undefined && this.#runsIn(node, body, body.runs);
    this.#running.set(node, running);
    return running;
  }

  #addWritten(node: GraphNode, into: Set<Written>): void {
    if (node.kind === "unit" ? !this.isDriver(node) : node.kind === "whole" || node.kind === "key") into.add(node);
  }

  #collectWrites(node: GraphNode, summary: Summary, into: Set<Written>, seen: Set<Summary>): void {
    if (seen.has(summary)) return;
    seen.add(summary);
    if (summary.writes.includes(-1)) into.add("built-in");
    if (summary.writes.includes(-2)) into.add("global");
    for (const ref of summary.writes) for (const { node: to } of this.#targets(node, ref)) this.#addWritten(to, into);
    for (const { ref, reads, inner } of summary.chains) {
      if (inner !== undefined) this.#collectWrites(node, inner, into, seen);
      for (const { node: to } of this.#targets(node, ref)) {
        const harmless = to.unit?.body !== undefined || (to.unit?.plain === true && reads === true);
        if (!harmless && !this.#isRunnable(to)) this.#addWritten(to, into);
      }
    }
    for (const ref of summary.calls) {
      for (const { node: to } of this.#targets(node, ref)) {
        if (to.unit?.body !== undefined) this.#collectWrites(to, to.unit.body, into, seen);
      }
    }
  }
}

/** Whether a variable is made by nothing but the language: its methods are then known by their names. */
function isContainer({ unit }: GraphNode): boolean {
  return unit?.kind === "variable" && unit.body === undefined && unit.eval.calls.length + unit.eval.chains.length === 0;
}

/** Reading members of it runs no code of the project. */
function isPlainTarget({ node }: Target): boolean {
  switch (node.kind) {
    case "unit":
      return node.unit?.plain === true || node.unit?.kind === "function" || node.unit?.kind === "class";
    case "missing":
      return false;
    case "whole":
      return node.file?.record.format !== "commonjs";
    default:
      return true;
  }
}

function makesRunnable({ node, binding }: Target): boolean {
  return node.kind === "framework" && (binding === "pipeline" || binding === "step" || binding === "default");
}
