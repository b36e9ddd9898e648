/** The files of a project, the nodes that a step can reach in them, and the edges between these. */
import type { CodeUnit } from "./identity.ts";
import type { FileRecord, UnitRecord } from "./record.ts";
import type { Stamp } from "./stamp.ts";

/** What an edge leads to: a node, and which of the names in it. */
export interface Target {
  readonly node: GraphNode;
  readonly binding: string;
}

/** What one reference of a unit stands for. Several targets: a merged declaration, or candidates. */
export interface Edge {
  readonly targets: readonly Target[];
  /** Files that are evaluated when the reference is: `import("…")`, `require("…")`, a worker's script. */
  readonly evaluates?: readonly SourceFile[];
}

export interface GraphNode {
  /** Readable and unique: `src/score.ts#cosine`. */
  readonly id: string;
  /**
   * - `unit`: a declaration or statement. `whole`: a file as one: CommonJS, JSON, an asset. `key`: one key of a JSON file.
   * - `namespace`: all exports of a module. `package`, `builtin`, `framework`. `missing`: a name that nothing exports.
   */
  readonly kind: "unit" | "whole" | "key" | "namespace" | "package" | "builtin" | "framework" | "missing";
  /** Of itself, apart from where it stands and what it reaches. */
  own: string;
  readonly file?: SourceFile;
  unit?: UnitRecord;
  /** Of a package. */
  readonly version?: string;
  /** The module or package that its names belong to. */
  readonly module?: string;
  /** Computed when first asked for. */
  edges: readonly Edge[] | undefined;
}

/** Where a specifier leads. */
export type Destination =
  | { readonly kind: "file"; readonly file: SourceFile }
  | { readonly kind: "files"; readonly files: readonly SourceFile[] }
  | { readonly kind: "package"; readonly folder: string }
  | { readonly kind: "builtin"; readonly module: string }
  | { readonly kind: "framework" }
  | { readonly kind: "missing" };

/** A source file of the project as it is on disk now. */
export interface SourceFile {
  readonly path: string;
  /** Relative to the project, with `/`. */
  readonly name: string;
  stamp: Stamp;
  /** When it was read, by the clock. */
  readAtMs: number;
  /** Digest of its bytes. */
  content: string;
  record: FileRecord;
  /** By the index of the request, once asked for. */
  destinations: (Destination | undefined)[];
  /** By the key of the unit. */
  readonly units: Map<string, GraphNode>;
  readonly byName: Map<string, { readonly node: GraphNode; readonly binding: number }[]>;
  /** Files whose references were followed through this one. */
  readonly consumers: Set<SourceFile>;
}

/** How a node is called in the answer; undefined for what is only a means (a namespace, a built-in module). */
export function unitKind(node: GraphNode): CodeUnit["kind"] | undefined {
  switch (node.kind) {
    case "unit":
      return node.unit?.kind === "statement" ? "effect" : "declaration";
    case "whole":
    case "key":
      return "file";
    case "package":
      return "package";
    case "missing":
      return "file";
    default:
      return undefined;
  }
}
