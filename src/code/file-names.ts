/** The names of a file, as its units see them. */
import type { AstNode } from "./ast.ts";
import type { RequestRecord } from "./record.ts";

/** What the walk needs to know of the file around a unit. */
export interface FileNames {
  readonly isImport: (name: string) => boolean;
  readonly isTopLevel: (name: string) => boolean;
  /** Bound to what `createRequire` returned. */
  readonly isRequire: (name: string) => boolean;
  readonly isCreateRequire: (callee: AstNode) => boolean;
  /** Whether a callee is the `step` of Reprise. */
  readonly isStep: (callee: AstNode) => boolean;
  readonly commonJs: boolean;
  addRequest(request: RequestRecord): number;
  placeOf(offset: number): { readonly line: number; readonly column: number };
}
