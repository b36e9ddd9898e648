/** Where a value comes from, as far as the text tells. */
import type { AstNode } from "./ast.ts";
import { asNode, asNodes, isClass, isFunction, memberName, unwrapChain } from "./ast.ts";
import { isPlain } from "./literal.ts";
import { marks } from "./mark.ts";
import { derivingMethods } from "./method.ts";
import { pureConstructors, pureFunctions, pureNamespaces } from "./pure.ts";
import type { Binding } from "./scope.ts";

/** Where a value comes from: what decides whether using it can run the user's code. */
export type Origin =
  | { readonly kind: "builtin" | "object" | "this" | "global" | "unknown" }
  | { readonly kind: "ref"; readonly ref: number; readonly direct: boolean };

const builtin: Origin = { kind: "builtin" };
const unknown: Origin = { kind: "unknown" };

/** Chains of initialisers longer than this are not followed. */
const maxDepth = 40;

/** The origin of an expression's value. */
export function originOf(value: AstNode, depth = 0): Origin {
  return depth > maxDepth ? unknown : findOrigin(unwrapChain(value), depth + 1);
}

function findOrigin(node: AstNode, depth: number): Origin {
  const { request, ref, bound } = marks(node);
  if (request !== undefined) return node.type === "NewExpression" ? builtin : unknown;
  switch (node.type) {
    case "Literal":
    case "TemplateLiteral":
    case "ArrayExpression":
    case "UnaryExpression":
    case "BinaryExpression":
      return builtin;
    case "ObjectExpression":
      // Reading from it, or writing into it, may run an accessor.
      return asNodes(node.properties).some((property) => property.kind === "get" || property.kind === "set")
        ? unknown
        : { kind: "object" };
    case "MetaProperty":
      return builtin;
    case "ThisExpression":
      return { kind: "this" };
    case "Identifier":
      if (ref !== undefined) return { kind: "ref", ref, direct: false };
      if (bound === undefined) return { kind: "global" };
      if (bound.plain) return builtin;
      return bound.value === undefined || bound.value === node ? unknown : boundOrigin(bound, depth);
    case "MemberExpression": {
      const object = unwrapChain(asNode(node.object));
      const inner = originOf(object, depth);
      if (inner.kind === "ref" || inner.kind === "global") return inner;
      if (object.type === "MetaProperty") return builtin;
      if (inner.kind === "builtin" && (isPlain(object) || marks(object).bound?.plain)) return builtin;
      return unknown;
    }
    case "CallExpression":
    case "NewExpression":
      return callOrigin(node, depth);
    case "ConditionalExpression": {
      const left = originOf(asNode(node.consequent), depth);
      const right = originOf(asNode(node.alternate), depth);
      return left.kind === "builtin" && right.kind === "builtin" ? builtin : unknown;
    }
    case "LogicalExpression": {
      const left = originOf(asNode(node.left), depth);
      const right = originOf(asNode(node.right), depth);
      return left.kind === "builtin" && right.kind === "builtin" ? builtin : unknown;
    }
    default:
      return isFunction(node) || isClass(node) ? { kind: "object" } : unknown;
  }
}

function boundOrigin(binding: Binding, depth: number): Origin {
  const value = binding.value!;
  if (isFunction(value) || isClass(value)) return { kind: "object" };
  return originOf(value, depth);
}

function callOrigin(node: AstNode, depth: number): Origin {
  const callee = unwrapChain(asNode(node.callee));
  if (callee.type === "Identifier" && marks(callee).bound === undefined && marks(callee).ref === undefined) {
    const name = callee.name as string;
    if (node.type === "NewExpression") return pureConstructors.has(name) && name !== "Object" ? builtin : unknown;
    return pureFunctions.has(name) && name !== "structuredClone" ? builtin : unknown;
  }
  if (callee.type === "Identifier") {
    const { ref } = marks(callee);
    return ref !== undefined && node.type === "CallExpression" ? { kind: "ref", ref, direct: false } : unknown;
  }
  if (callee.type !== "MemberExpression") return unknown;
  const object = unwrapChain(asNode(callee.object));
  const origin = originOf(object, depth);
  if (origin.kind === "ref") return origin;
  if (origin.kind === "builtin") return derivingMethods.has(memberName(callee) ?? "") ? builtin : unknown;
  const global = origin.kind === "global" && object.type === "Identifier" && pureNamespaces.has(object.name as string);
  return global && object.name !== "JSON" && object.name !== "Reflect" ? builtin : unknown;
}
