/**
 * Everything that a step can reach, and one digest of it.
 *
 * The digest is taken over the graph itself: nodes are numbered in the order in which they are first met, and each is
 * written as its own digest and the numbers of what it refers to. So paths and names of files play no part, moving code
 * changes nothing, and two functions that share one object differ from two that have one each.
 */
import { digestBytes, type Digest } from "../hash/digest.ts";
import type { Evaluation, Evaluations } from "./evaluation.ts";
import type { GraphNode, SourceFile } from "./graph.ts";
import type { Judge } from "./judge.ts";
import type { Linker } from "./link.ts";
import { codeScheme } from "./record.ts";

/** Where a closure starts: a unit, and which of its calls made the step. */
export interface Root {
  readonly node: GraphNode;
  readonly call: number;
}

export interface Closure {
  /** Without what is outside the code: the caller adds the environment. */
  readonly digest: Digest;
  readonly nodes: readonly GraphNode[];
  /** Units that are there for their effect. */
  readonly effects: ReadonlySet<GraphNode>;
  /** References that lead nowhere, each with the unit that holds it. */
  readonly missing: readonly { readonly node: GraphNode; readonly from: GraphNode }[];
}

export interface ClosureContext {
  readonly linker: Linker;
  readonly judge: Judge;
  readonly evaluations: Evaluations;
  /** Files that the process evaluates besides those that the step needs: they may change what it reaches. */
  readonly entries: readonly SourceFile[];
}

/** Takes the closure of a step's roots, innermost first. */
export function takeClosure(roots: readonly Root[], { linker, judge, evaluations, entries }: ClosureContext): Closure {
  const numbers = new Map<GraphNode, number>();
  const nodes: GraphNode[] = [];
  const missing: { node: GraphNode; from: GraphNode }[] = [];
  const loaded: SourceFile[] = [];
  let text = `reprise code ${codeScheme}\n`;
  let next = 0;
  const own = new Set(roots.map(({ node }) => node));

  const number = (node: GraphNode): number => {
    let at = numbers.get(node);
    if (at === undefined) {
      at = nodes.length;
      numbers.set(node, at);
      nodes.push(node);
    }
    return at;
  };
  const drain = (): void => {
    for (; next < nodes.length; next++) {
      const node = nodes[next]!;
      const edges = linker.edges(node);
      // The version of a step is in its key; what calls another step depends on that one's version.
      let line = own.has(node) ? (node.unit?.unversioned ?? node.own) : node.own;
      for (const { targets, evaluates } of edges) {
        line += " ";
        for (const target of targets) {
          line += `${number(target.node)}:${target.binding},`;
          if (target.node.kind === "missing") missing.push({ node: target.node, from: node });
        }
        if (evaluates !== undefined) loaded.push(...evaluates);
      }
      text += `${line}\n`;
    }
  };

  for (const root of roots) text += `root ${number(root.node)} ${root.call}\n`;
  drain();
  const rootFiles = [...new Set(roots.flatMap(({ node }) => (node.file === undefined ? [] : [node.file])))].reverse();
  const effects = new Set<GraphNode>();
  let evaluation: Evaluation = evaluations.of(rootFiles);
  const files = new Set(rootFiles);
  for (;;) {
    for (const effect of evaluation.effects) {
      if (effects.has(effect)) continue;
      effects.add(effect);
      text += `effect ${number(effect)}\n`;
    }
    drain();
    const more = loaded.filter((file) => !files.has(file));
    if (more.length === 0) {
      if (!addWriters()) break;
      continue;
    }
    for (const file of more) files.add(file);
    evaluation = evaluations.of([...files]);
  }
  if (effects.size > 0) {
    for (const node of nodes) {
      const position = evaluation.before(node);
      if (position > 0) text += `after ${number(node)} ${position}\n`;
    }
  }
  return { digest: digestBytes(text), nodes, effects, missing };

  /** Whether something that the step reaches looks for a global that Node does not have. */
  function readsGlobals(): boolean {
    return nodes.some(({ unit }) => unit?.notes?.some((note) => note.kind === "unknown-global"));
  }

  /** Statements outside of the step that change what it reaches are part of it after all: drivers, other modules' effects. */
  function addWriters(): boolean {
    const inside = new Set(evaluation.files);
    const before = nodes.length;
    for (const file of new Set([...evaluation.files, ...evaluations.of(entries).files])) {
      const drivers = judge.drivers(file);
      const writers = inside.has(file)
        ? drivers
        : [...drivers, ...linker.units(file).filter((node) => judge.isEffect(node))];
      for (const writer of writers) {
        if (numbers.has(writer)) continue;
        for (const written of judge.writes(writer)) {
          const seen = written === "built-in" || (written === "global" ? readsGlobals() : numbers.has(written));
          if (!seen) continue;
          text += `writer ${number(writer)}\n`;
          break;
        }
      }
    }
    drain();
    return nodes.length > before;
  }
}
