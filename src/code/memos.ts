/**
 * State in modules that lives on between steps: a memo in a helper, a client that is made once, a map of what is in flight.
 * One step fills it with what it reads, and another takes it from there without reading anything.
 *
 * Whatever is not seen to stay as it was made counts, so that a step rather inherits too much than too little.
 */
import type { Edge, GraphNode, Target } from "./graph.ts";
import type { Judge } from "./judge.ts";
import type { Linker } from "./link.ts";
import { isPurePackage } from "./pure.ts";
import { fillingFunctions, fillingMethods } from "./method.ts";
import type { Gift, KeptState, Summary } from "./record.ts";
import type { Reach } from "./shared-state.ts";

/** What stands for all globals of the program's own. */
const globals = "globalThis";

export class Memos {
  readonly #linker: Linker;
  readonly #judge: Judge;
  readonly #kept = new Map<GraphNode, boolean>();
  readonly #keepers = new Map<GraphNode, boolean>();
  readonly #touched = new Map<GraphNode, readonly GraphNode[]>();
  readonly #fillers = new Map<GraphNode, boolean>();

  constructor(linker: Linker, judge: Judge) {
    this.#linker = linker;
    this.#judge = judge;
  }

  clear(): void {
    this.#kept.clear();
    this.#keepers.clear();
    this.#touched.clear();
    this.#fillers.clear();
  }

  /** For each of the steps the ids of state that it reaches and that it, or another one, may change while it runs. */
  of(steps: readonly Reach[]): readonly (readonly string[])[] {
    const changed = new Set<GraphNode>();
    const filled = new Set<unknown>();
    let anyGlobal = false;
    for (const node of new Set(steps.flatMap(({ nodes }) => nodes))) {
      for (const touched of this.#touchedBy(node)) changed.add(touched);
      if (node.unit?.state?.global) anyGlobal = true;
      if (node.unit?.kind === "statement") for (const written of this.#judge.writes(node)) filled.add(written);
    }
    const isMemo = (node: GraphNode): boolean =>
      changed.has(node) || this.#isKept(node) || (node.unit?.state?.empty === true && !filled.has(node));
    return steps.map(({ nodes, around }) => {
      const ids = nodes
        .filter((node) => isMemo(node) || (around.has(node) && node.unit?.state?.keeps))
        .map(({ id }) => id);
      // Who reads a global is not told apart from who does not.
      if (anyGlobal) ids.push(globals);
      return [...new Set(ids)].sort();
    });
  }

  #touchedBy(node: GraphNode): readonly GraphNode[] {
    let touched = this.#touched.get(node);
    if (touched === undefined) {
      const { touched: changed = [], assigned = [], gives = [] } = node.unit?.state ?? {};
      const given = gives.flatMap(({ named = [], ...gift }) => (this.#isFilled(node, gift) ? named : []));
      touched = [
        ...this.#nodesOf(node, changed).filter(hasState),
        ...this.#nodesOf(node, given).filter(
          (to) => hasState(to) && to.unit?.body === undefined && to.unit?.state?.firm !== true,
        ),
        // `axios.defaults.timeout = …`: what a package or Node made, as all steps that reach it have it.
        ...this.#nodesOf(node, assigned).filter(({ kind }) => kind === "package" || kind === "builtin"),
      ];
      this.#touched.set(node, touched);
    }
    return touched;
  }

  #nodesOf(node: GraphNode, refs: readonly number[]): readonly GraphNode[] {
    return refs.flatMap((ref) => this.#targets(node, ref).map(({ node: to }) => to));
  }

  /** Whether a call changes what it is given. */
  #isFilled(node: GraphNode, { ref }: Pick<Gift, "ref">): boolean {
    if (ref === undefined) return node.unit?.state?.fills === true;
    return this.#isForeignFiller(node, ref) || this.#nodesOf(node, [ref]).some((to) => this.#isFiller(to));
  }

  #isForeignFiller(node: GraphNode, ref: number): boolean {
    const member = node.unit?.refs[ref]?.split(".").at(-1) ?? "";
    return this.#targets(node, ref).some(
      ({ node: to, binding }) =>
        (to.kind === "package" && (fillingFunctions.has(member) || fillingFunctions.has(binding))) ||
        (to.kind === "builtin" && fillingMethods.has(binding)),
    );
  }

  /** Whether a function changes what it is given, or gives it to one that does. */
  #isFiller(node: GraphNode): boolean {
    const known = this.#fillers.get(node);
    if (known !== undefined) return known;
    const reached = new Set([node]);
    let filler = false;
    for (const each of reached) {
      const { fills, passes = [] } = each.unit?.state ?? {};
      if (fills) filler = true;
      for (const ref of passes) {
        if (this.#isForeignFiller(each, ref)) filler = true;
        for (const to of this.#nodesOf(each, [ref])) reached.add(to);
      }
      if (filler) break;
    }
    this.#fillers.set(node, filler);
    return filler;
  }

  /** Whether a unit's value holds state that was there when its module was loaded, and that calls may change. */
  #isKept(node: GraphNode): boolean {
    let kept = this.#kept.get(node);
    if (kept === undefined) {
      kept = this.#holdsState(node);
      this.#kept.set(node, kept);
    }
    return kept;
  }

  #holdsState(node: GraphNode): boolean {
    const { unit } = node;
    if (unit === undefined) return false;
    if (unit.state?.statics) return true;
    if (unit.kind === "function" || unit.kind === "class" || unit.body !== undefined) return false;
    if (unit.state !== undefined && this.#keepsCalls(node, unit.state)) return true;
    return unit.kind !== "statement" && this.#isMadeByKeeper(node, unit.eval, new Set());
  }

  #isMadeByKeeper(node: GraphNode, summary: Summary, seen: Set<Summary>): boolean {
    if (seen.has(summary)) return false;
    seen.add(summary);
    const made = [...summary.calls, ...summary.chains.map(({ ref }) => ref)];
    return made.some((ref) =>
      this.#targets(node, ref).some(({ node: to }) => {
        if (this.#isKeeper(to)) return true;
        const body = to.unit?.body;
        return body !== undefined && this.#isMadeByKeeper(to, body, seen);
      }),
    );
  }

  /** Whether what a unit makes when it is called or constructed keeps state; of an object of functions, whether any of them does. */
  #isKeeper(node: GraphNode): boolean {
    const known = this.#keepers.get(node);
    if (known !== undefined) return known;
    this.#keepers.set(node, false);
    const { unit, file } = node;
    let keeper = unit?.state !== undefined && this.#keepsCalls(node, unit.state);
    if (!keeper && node.kind === "whole" && file?.record.format === "commonjs") {
      keeper = this.#linker.units(file).some((inner) => this.#isKeeper(inner));
    }
    if (!keeper && unit?.kind === "variable" && unit.body === undefined && unit.plain !== true) {
      keeper = this.#linker
        .edges(node)
        .some(({ targets }: Edge) => targets.some(({ node: to }) => to.unit?.body !== undefined && this.#isKeeper(to)));
    }
    this.#keepers.set(node, keeper);
    return keeper;
  }

  #keepsCalls(node: GraphNode, { keeps, hands = [], gives = [] }: KeptState): boolean {
    if (keeps || gives.some((gift) => gift.own === true && this.#isFilled(node, gift))) return true;
    return hands.some(({ ref, named }) => {
      const takes = this.#targets(node, ref).some(
        ({ node: to }) => to.kind === "package" && !isPurePackage(to.module ?? ""),
      );
      if (!takes) return false;
      return (
        named === undefined ||
        named.some((each) => this.#targets(node, each).some(({ node: to }) => to.unit?.body !== undefined))
      );
    });
  }

  #targets(node: GraphNode, ref: number): readonly Target[] {
    return this.#linker.edges(node)[ref]?.targets ?? [];
  }
}

/** Whether something of the project's own is changed, and not what a package or Node holds. */
function hasState({ kind }: GraphNode): boolean {
  return kind === "unit" || kind === "whole" || kind === "key";
}
