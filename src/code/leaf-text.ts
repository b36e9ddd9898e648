/** The canonical text of nodes that hold no others. */
import type { AstNode } from "./ast.ts";
import { asNode, isNode } from "./ast.ts";

/** Distinct leaves give distinct texts; the way that a literal is spelled leaves no trace. */
export function leafText(node: AstNode): string {
  switch (node.type) {
    case "TemplateElement":
      return `T${JSON.stringify((node.value as { cooked: unknown }).cooked ?? null)}`;
    case "MetaProperty":
      return `Meta(${asNode(node.meta).name as string}.${asNode(node.property).name as string})`;
    case "BreakStatement":
    case "ContinueStatement":
      return `${node.type}(${isNode(node.label) ? JSON.stringify(node.label.name) : ""})`;
    default:
      return literalText(node);
  }
}

function literalText(node: AstNode): string {
  const regex = node.regex as { pattern: string; flags: string } | undefined;
  if (regex) return `R${JSON.stringify([regex.pattern, regex.flags])}`;
  if (typeof node.bigint === "string") return `B${node.bigint}`;
  return typeof node.value === "string" ? JSON.stringify(node.value) : `N${String(node.value)}`;
}
