/** What the walk finds out about a node and the pass over effects needs. */
import type { AstNode } from "./ast.ts";
import type { Binding } from "./scope.ts";

/** What the walk leaves on a node, for the pass over effects. */
export interface Marked {
  bound?: Binding;
  ref?: number;
  request?: number;
}

export function marks(node: AstNode): Marked {
  return node as unknown as Marked;
}
