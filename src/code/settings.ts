/** Options of a step that are no part of its code. */
import type { AstNode } from "./ast.ts";
import { asNode, asNodes, unwrap } from "./ast.ts";

/** How a step is to be cached and tried again is no part of what it computes; its `version` has a place of its own in the key. */
const settings = new Set(["cache", "expires", "retry", "timeout", "version"]);

/** What defines a step, without settings whose value is written out; a setting that is computed stays, with what it reaches. */
export function withoutSettings(source: AstNode): AstNode {
  const object = unwrap(source);
  if (object.type !== "ObjectExpression") return source;
  const properties = asNodes(object.properties).filter((property) => {
    if (property.type !== "Property" || property.computed === true) return true;
    const key = asNode(property.key);
    const name = key.type === "Identifier" ? key.name : key.value;
    return !settings.has(name as string) || unwrap(asNode(property.value)).type !== "Literal";
  });
  return { ...object, properties } as AstNode;
}
