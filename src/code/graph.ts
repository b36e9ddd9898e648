/** The nodes that a step can reach and the edges between them. */
import type { CodeUnit } from "./identity.ts";
import type { UnitRecord } from "./record.ts";
import type { SourceFile } from "./source-file.ts";

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
