/**
 * What modules take from outside of the code while they are loaded: files, the clock, the network. A value that was made of
 * it is not known by its code. Where the text does not tell what is called, everything that is used there may be.
 */
import type { GraphNode, Target } from "./graph.ts";
import type { Judge } from "./judge.ts";
import type { Linker } from "./link.ts";
import { readsWorld } from "./pure.ts";
import type { Summary } from "./record.ts";

/** A read of the world outside the code, and the line of the unit that does it. */
export interface LoadRead {
  readonly kind: string;
  readonly node: GraphNode;
  readonly line: number;
}

export class LoadReads {
  readonly #linker: Linker;
  readonly #judge: Judge;
  readonly #known = new Map<GraphNode, readonly LoadRead[]>();

  constructor(linker: Linker, judge: Judge) {
    this.#linker = linker;
    this.#judge = judge;
  }

  clear(): void {
    this.#known.clear();
  }

  /** What evaluating a unit reads, also through the functions that it calls meanwhile. */
  of(node: GraphNode): readonly LoadRead[] {
    let reads = this.#known.get(node);
    if (reads === undefined) {
      const walk = new Walk(this.#linker, this.#judge);
      if (node.unit !== undefined) walk.evaluate(node, node.unit.eval);
      reads = walk.reads;
      this.#known.set(node, reads);
    }
    return reads;
  }
}

class Walk {
  readonly reads: LoadRead[] = [];
  readonly #linker: Linker;
  readonly #judge: Judge;
  readonly #evaluated = new Set<Summary>();
  readonly #searched = new Set<GraphNode>();

  constructor(linker: Linker, judge: Judge) {
    this.#linker = linker;
    this.#judge = judge;
  }

  evaluate(node: GraphNode, summary: Summary): void {
    if (this.#evaluated.has(summary)) return;
    this.#evaluated.add(summary);
    for (const { kind, line } of summary.world) this.reads.push({ kind, node, line });
    for (const ref of summary.uses) this.#useProcess(node, ref);
    for (const ref of summary.calls) for (const target of this.#targets(node, ref)) this.#call(node, target);
    for (const { ref, known, stores, inner } of summary.chains) {
      if (known === true) continue;
      for (const target of this.#targets(node, ref)) {
        if (this.#judge.isDeferring(target.node)) continue;
        this.#call(node, target);
        // A method of something of the project's own: any function in it.
        if (target.node.kind === "unit" && target.node.unit?.kind !== "function") this.#search(target.node);
        if (inner !== undefined && stores !== true) this.evaluate(node, inner);
      }
    }
    for (const { ref, inner, named = [] } of summary.given ?? []) {
      // A function that calls what it is given: a parameter is nothing that its text tells.
      if (!this.#targets(node, ref).some(({ node: to }) => to.unit?.body?.unknown)) continue;
      if (inner !== undefined) this.evaluate(node, inner);
      for (const each of named) for (const target of this.#targets(node, each)) this.#call(node, target);
    }
    if (summary.unknown)
      for (const ref of summary.uses) for (const target of this.#targets(node, ref)) this.#find(node, target);
  }

  #call(from: GraphNode, target: Target): void {
    const { node } = target;
    if (node.kind === "builtin") return this.#find(from, target);
    const body = node.unit?.body;
    if (body !== undefined) this.evaluate(node, body);
    else if (node.kind === "whole" || (node.kind === "unit" && !this.#judge.isDeferring(node))) this.#search(node);
  }

  /** Something that may be called, or hold what is called. */
  #find(from: GraphNode, { node, binding }: Target): void {
    if (node.kind === "builtin" && readsWorld(node.module ?? "", binding)) {
      this.reads.push({ kind: `node:${node.module}`, node: from, line: from.unit!.lines[0] });
    } else if (node.kind === "unit" || node.kind === "whole") this.#search(node);
  }

  /** Everything that the text of a unit refers to, wherever in it. */
  #search(node: GraphNode): void {
    if (this.#searched.has(node) || this.#judge.isDeferring(node)) return;
    this.#searched.add(node);
    const { unit } = node;
    for (const { kind, line } of unit?.body?.world ?? []) this.reads.push({ kind, node, line });
    if (node.kind === "whole" && node.file?.record.format !== "commonjs") return;
    for (const { targets } of this.#linker.edges(node)) {
      for (const target of targets) this.#find(unit === undefined ? target.node : node, target);
    }
  }

  /** `import { env } from "node:process"`, under any name. */
  #useProcess(node: GraphNode, ref: number): void {
    const isProcess = this.#targets(node, ref).find(({ node: to }) => to.kind === "builtin" && to.module === "process");
    if (isProcess === undefined) return;
    const [, ...members] = node.unit!.refs[ref]!.split(".");
    const whole = isProcess.binding === "default" || isProcess.binding === "*" || isProcess.binding === members[0];
    const [first, second] = whole ? members : [isProcess.binding, ...members];
    const line = node.unit!.lines[0];
    if (first === "env") this.reads.push({ kind: second === undefined ? "env" : `env ${second}`, node, line });
    else if (first === "argv" || first === "stdin") this.reads.push({ kind: "argv", node, line });
    else if (first === "cwd") this.reads.push({ kind: "cwd", node, line });
    else if (first === "hrtime" || first === "uptime") this.reads.push({ kind: "clock", node, line });
  }

  #targets(node: GraphNode, ref: number): readonly Target[] {
    return this.#linker.edges(node)[ref]?.targets ?? [];
  }
}
