/** Values whose text says all: reading them runs no code. */
import type { AstNode } from "./ast.ts";
import { asNode, asNodes, unwrap, unwrapChain } from "./ast.ts";
import { globalName } from "./world.ts";

/** Whether an expression is made of literals only, without getters or anything that runs. */
export function isPlain(value: AstNode | undefined | null): boolean {
  if (!value) return true;
  const node = unwrap(value);
  switch (node.type) {
    case "Literal":
      return true;
    case "TemplateLiteral":
      return asNodes(node.expressions).every((part) => isPlain(part));
    case "UnaryExpression":
      return isPlain(asNode(node.argument));
    case "BinaryExpression":
      return isPlain(asNode(node.left)) && isPlain(asNode(node.right));
    case "ArrayExpression":
      return (node.elements as (AstNode | null)[]).every((item) => isPlain(item));
    case "ObjectExpression":
      return asNodes(node.properties).every(
        (property) =>
          property.type === "Property" &&
          property.kind === "init" &&
          property.computed !== true &&
          isPlain(asNode(property.value)),
      );
    default:
      return false;
  }
}

/** Whether an expression gives a number, a string or the like, whatever its parts are. */
export function isPrimitive(value: AstNode | undefined | null): boolean {
  if (!value) return false;
  const node = unwrapChain(value);
  switch (node.type) {
    case "Literal":
      return (node.regex ?? undefined) === undefined;
    case "TemplateLiteral":
    case "UnaryExpression":
    case "BinaryExpression":
      return true;
    case "ConditionalExpression":
      return isPrimitive(asNode(node.consequent)) && isPrimitive(asNode(node.alternate));
    case "LogicalExpression":
      return isPrimitive(asNode(node.left)) && isPrimitive(asNode(node.right));
    case "CallExpression": {
      const callee = unwrapChain(asNode(node.callee));
      if (callee.type === "MemberExpression") return globalName(asNode(callee.object)) === "Math";
      return ["Number", "String", "Boolean", "BigInt", "parseInt", "parseFloat"].includes(globalName(callee) ?? "");
    }
    default:
      return false;
  }
}
