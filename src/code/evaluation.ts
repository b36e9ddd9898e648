/** The order in which modules are evaluated, and the effects on the way. */
import type { GraphNode } from "./graph.ts";
import type { Judge } from "./judge.ts";
import type { Linker } from "./link.ts";
import type { SourceFile } from "./source-file.ts";

export interface Evaluation {
  readonly files: readonly SourceFile[];
  /** In order. */
  readonly effects: readonly GraphNode[];
  /** How many effects come before a unit whose value may depend on them. */
  readonly before: ReadonlyMap<GraphNode, number>;
}

export class Evaluations {
  readonly #linker: Linker;
  readonly #judge: Judge;
  readonly #known = new Map<string, Evaluation>();

  constructor(linker: Linker, judge: Judge) {
    this.#linker = linker;
    this.#judge = judge;
  }

  clear(): void {
    this.#known.clear();
  }

  /** What evaluating these files, one after the other, evaluates. */
  of(roots: readonly SourceFile[]): Evaluation {
    const key = roots.map((file) => file.name).join("\n");
    let known = this.#known.get(key);
    if (known === undefined) {
      known = this.#evaluate(roots);
      this.#known.set(key, known);
    }
    return known;
  }

  #evaluate(roots: readonly SourceFile[]): Evaluation {
    const files = new Set<SourceFile>();
    const effects: GraphNode[] = [];
    const before = new Map<GraphNode, number>();
    const enter = (file: SourceFile): void => {
      if (files.has(file)) return;
      files.add(file);
      for (const request of this.#hoisted(file)) load(file, request);
      const drivers = this.#judge.drivers(file);
      for (const node of this.#linker.units(file)) {
        if (drivers.has(node)) continue;
        for (const request of node.unit!.eval.requests) load(file, request);
        if (this.#judge.isEffect(node)) effects.push(node);
        else if (node.unit!.sensitive) before.set(node, effects.length);
      }
    };
    const load = (file: SourceFile, request: number): void => {
      const destination = this.#linker.destination(file, request);
      if (destination.kind === "file") enter(destination.file);
      else if (destination.kind === "package" && file.record.requests[request]!.bare) {
        effects.push(this.#linker.packageNode(destination.folder));
      }
    };
    for (const root of roots) enter(root);
    return { files: [...files], effects, before };
  }

  /** Requests that are evaluated before the file's own text, in order. */
  #hoisted(file: SourceFile): number[] {
    const required = new Set(Object.values(file.record.imports).map((entry) => entry.request));
    return file.record.requests.flatMap((request, index) =>
      request.kind === "import" || (request.kind === "require" && required.has(index)) ? [index] : [],
    );
  }
}
