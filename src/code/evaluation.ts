/** The order in which modules are evaluated, and the effects on the way. */
import type { GraphNode, SourceFile } from "./graph.ts";
import type { Judge } from "./judge.ts";
import type { Linker } from "./link.ts";

export interface Evaluation {
  /** In order; empty when nothing on the way does anything. */
  readonly files: readonly SourceFile[];
  /** In order. */
  readonly effects: readonly GraphNode[];
  /** How many effects come before a unit whose value may depend on them. */
  before(node: GraphNode): number;
}

/** What one file adds to an evaluation. */
interface Part {
  /** Files and packages that are evaluated before the file's own text. */
  readonly first: readonly (SourceFile | GraphNode)[];
  /** The file's own text: effects, units whose value depends on when, and files that are required on the way. */
  readonly text: readonly (SourceFile | GraphNode)[];
  readonly effects: ReadonlySet<GraphNode>;
  readonly quiet: boolean;
}

const nothing: Evaluation = { files: [], effects: [], before: () => 0 };

export class Evaluations {
  readonly #linker: Linker;
  readonly #judge: Judge;
  readonly #known = new Map<string, Evaluation>();
  readonly #parts = new Map<SourceFile, Part>();
  readonly #quiet = new Map<SourceFile, boolean>();

  constructor(linker: Linker, judge: Judge) {
    this.#linker = linker;
    this.#judge = judge;
  }

  clear(): void {
    this.#known.clear();
    this.#parts.clear();
    this.#quiet.clear();
  }

  /** What evaluating these files, one after the other, evaluates. */
  of(roots: readonly SourceFile[]): Evaluation {
    if (roots.every((root) => this.#isQuiet(root))) return nothing;
    const key = roots.map((file) => file.name).join("\n");
    let known = this.#known.get(key);
    if (known === undefined) {
      known = this.#evaluate(roots);
      this.#known.set(key, known);
    }
    return known;
  }

  /** Every file that evaluating a file evaluates. */
  filesOf(root: SourceFile): ReadonlySet<SourceFile> {
    const files = new Set<SourceFile>([root]);
    for (const file of files) for (const next of this.#nextFiles(file)) files.add(next);
    return files;
  }

  #evaluate(roots: readonly SourceFile[]): Evaluation {
    const files = new Set<SourceFile>();
    const effects: GraphNode[] = [];
    const positions = new Map<GraphNode, number>();
    const enter = (file: SourceFile): void => {
      if (files.has(file)) return;
      files.add(file);
      const part = this.#part(file);
      for (const item of part.first) {
        if (isFile(item)) enter(item);
        else effects.push(item);
      }
      for (const item of part.text) {
        if (isFile(item)) enter(item);
        else if (part.effects.has(item)) effects.push(item);
        else if (effects.length > 0) positions.set(item, effects.length);
      }
    };
    for (const root of roots) enter(root);
    return { files: [...files], effects, before: (node) => positions.get(node) ?? 0 };
  }

  /** Whether nothing that evaluating a file evaluates does anything. Marks everything on the way at once. */
  #isQuiet(root: SourceFile): boolean {
    const known = this.#quiet.get(root);
    if (known !== undefined) return known;
    const files = this.filesOf(root);
    const loud = new Set<SourceFile>();
    const users = new Map<SourceFile, SourceFile[]>();
    for (const file of files) {
      if (!this.#part(file).quiet || this.#quiet.get(file) === false) loud.add(file);
      for (const next of this.#nextFiles(file)) {
        const list = users.get(next);
        if (list === undefined) users.set(next, [file]);
        else list.push(file);
      }
    }
    for (const file of loud) for (const user of users.get(file) ?? []) loud.add(user);
    for (const file of files) this.#quiet.set(file, !loud.has(file));
    return !loud.has(root);
  }

  #nextFiles(file: SourceFile): SourceFile[] {
    const { first, text } = this.#part(file);
    return [...first, ...text].filter(isFile);
  }

  #part(file: SourceFile): Part {
    let part = this.#parts.get(file);
    if (part === undefined) {
      part = this.#makePart(file);
      this.#parts.set(file, part);
    }
    return part;
  }

  #makePart(file: SourceFile): Part {
    const first = this.#hoisted(file).flatMap((request) => this.#loaded(file, request));
    const text: (SourceFile | GraphNode)[] = [];
    const effects = new Set<GraphNode>();
    const drivers = this.#judge.drivers(file);
    for (const node of this.#linker.units(file)) {
      if (drivers.has(node)) continue;
      for (const request of node.unit!.eval.requests) text.push(...this.#loaded(file, request).filter(isFile));
      const effect = this.#judge.isEffect(node);
      if (effect) effects.add(node);
      if (effect || node.unit!.sensitive) text.push(node);
    }
    const quiet = effects.size === 0 && first.every(isFile) && drivers.size === 0;
    return { first, text, effects, quiet };
  }

  #loaded(file: SourceFile, request: number): (SourceFile | GraphNode)[] {
    const destination = this.#linker.destination(file, request);
    if (destination.kind === "file") return [destination.file];
    const bare = destination.kind === "package" && file.record.requests[request]!.bare;
    return bare ? [this.#linker.packageNode(destination.folder)] : [];
  }

  /** Requests that are evaluated before the file's own text, in order. */
  #hoisted(file: SourceFile): number[] {
    const required = new Set(Object.values(file.record.imports).map((entry) => entry.request));
    return file.record.requests.flatMap((request, index) =>
      request.kind === "import" || (request.kind === "require" && required.has(index)) ? [index] : [],
    );
  }
}

function isFile(item: SourceFile | GraphNode): item is SourceFile {
  return "stamp" in item;
}
