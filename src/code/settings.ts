/** Options of a step that are no part of its code. */
import type { AstNode } from "./ast.ts";
import { asNode, asNodes, unwrap } from "./ast.ts";

/** How a step is to be cached and tried again is no part of what it computes; its `version` has a place of its own in the key. */
const settings = new Set(["cache", "expires", "http", "retry", "timeout", "version"]);

/** What defines a step, without settings whose value is written out; a setting that is computed stays, with what it reaches. */
export function withoutSettings(source: AstNode): AstNode {
  const object = unwrap(source);
  if (object.type !== "ObjectExpression") return source;
  const properties = asNodes(object.properties).filter((property) => {
    if (property.type !== "Property" || property.computed === true) return true;
    const key = asNode(property.key);
    const name = key.type === "Identifier" ? key.name : key.value;
    return !settings.has(name as string) || !isWrittenOut(asNode(property.value));
  });
  return { ...object, properties } as AstNode;
}

/** A literal, or an object of these: `{ ttl: "1h" }`. */
function isWrittenOut(value: AstNode): boolean {
  const plain = unwrap(value);
  if (plain.type !== "ObjectExpression") return plain.type === "Literal";
  return asNodes(plain.properties).every(
    (property) => property.type === "Property" && property.computed !== true && isWrittenOut(asNode(property.value)),
  );
}
