/** What the functions in a unit change when they are called, whoever calls them. */
import type { AstNode } from "./ast.ts";
import { asNode, asNodes, isFunction, isNode, isTypeOnly, memberName, unwrap, unwrapChain } from "./ast.ts";
import { assignedTargets } from "./scope.ts";
import { marks } from "./mark.ts";
import { mutatingMethods } from "./method.ts";
import { originOf } from "./origin.ts";
import { mutatingStatics } from "./pure.ts";
import type { LateWrite } from "./record.ts";

/** Names from outside of the unit that its functions assign to, or whose value they change. */
export function lateWritesOf(node: AstNode): LateWrite[] {
  const assigned = new Set<number>();
  const called = new Set<number>();
  visit(node, isFunction(node));
  return [
    ...[...assigned].map((ref): LateWrite => ({ ref })),
    ...[...called].filter((ref) => !assigned.has(ref)).map((ref): LateWrite => ({ ref, method: true })),
  ];

  function visit(at: AstNode, inside: boolean): void {
    if (isTypeOnly(at)) return;
    if (inside) collect(at);
    for (const field in at) {
      if (field === "bound" || field === "typeAnnotation" || field === "typeArguments") continue;
      const value = at[field];
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
        if (isNode(child)) visit(child, inside || isFunction(child));
      }
    }
  }

  function collect(at: AstNode): void {
    switch (at.type) {
      case "AssignmentExpression":
        return assign(asNode(at.left));
      case "UpdateExpression":
        return assign(asNode(at.argument));
      case "UnaryExpression":
        return at.operator === "delete" ? assign(unwrapChain(asNode(at.argument))) : undefined;
      case "ForInStatement":
      case "ForOfStatement":
        return assign(asNode(at.left));
      case "CallExpression":
        return collectCall(at);
      default:
    }
  }

  function assign(target: AstNode): void {
    for (const each of assignedTargets(target)) {
      const node = unwrap(each);
      if (node.type === "MemberExpression") change(asNode(node.object), assigned);
      const { bound, ref } = marks(node);
      if (node.type === "Identifier" && bound === undefined && ref !== undefined) assigned.add(ref);
    }
  }

  function change(value: AstNode, into: Set<number>): void {
    const origin = originOf(value);
    if (origin.kind === "ref") into.add(origin.ref);
  }

  function collectCall(call: AstNode): void {
    const callee = unwrapChain(asNode(call.callee));
    if (callee.type !== "MemberExpression") return;
    const object = unwrapChain(asNode(callee.object));
    const name = memberName(callee) ?? "";
    const { bound, ref } = marks(object);
    const isGlobal = object.type === "Identifier" && bound === undefined && ref === undefined;
    if (isGlobal && mutatingStatics.has(`${object.name as string}.${name}`)) {
      const [first] = asNodes(call.arguments);
      if (first !== undefined) change(first, assigned);
    } else if (mutatingMethods.has(name)) change(object, called);
  }
}
