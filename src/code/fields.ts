/** Which fields of a node are part of what it does. */
import type { AstNode } from "./ast.ts";

const skipped = new Set([
  ..."type start end range loc parent raw typeAnnotation typeParameters typeArguments superTypeArguments".split(" "),
  ..."returnType implements accessibility definite readonly override abstract declare importKind".split(" "),
  ..."exportKind optional decorators bound ref request".split(" "),
]);
const keptOptional = new Set(["CallExpression", "MemberExpression"]);
const fieldsByType = new Map<string, readonly string[]>();

/** The fields that count, in an order that does not depend on the parser. */
export function fieldsOf(node: AstNode): readonly string[] {
  let fields = fieldsByType.get(node.type);
  if (fields === undefined) {
    fields = Object.keys(node)
      .filter((field) => !skipped.has(field) || (field === "optional" && keptOptional.has(node.type)))
      .sort();
    fieldsByType.set(node.type, fields);
  }
  return fields;
}
