/** Statements that mean something special: exports of CommonJS, guards of main scripts, runs of pipelines. */
import type { AstNode } from "./ast.ts";
import { asNode, asNodes, isImportMeta, isNode, memberName, stringValue, unwrap, unwrapChain } from "./ast.ts";
import { marks } from "./mark.ts";

/** `exports.x = …`, `module.exports = …`, `Object.defineProperty(exports, …)` as compilers print it. */
export function exportAssignment(node: AstNode): { key: string; target: AstNode; value?: AstNode } | undefined {
  if (node.type === "AssignmentExpression" && node.operator === "=") {
    const target = asNode(node.left);
    const key = exportKey(target);
    if (key === undefined) return undefined;
    const right = unwrap(asNode(node.right));
    // `exports.a = exports.b = void 0` announces names.
    if (right.type === "AssignmentExpression") {
      const inner = exportAssignment(right);
      return inner === undefined ? undefined : { key, target: node };
    }
    return { key, target, value: right };
  }
  if (node.type !== "CallExpression") return undefined;
  const callee = unwrap(asNode(node.callee));
  const [target, name] = asNodes(node.arguments);
  const defines = callee.type === "MemberExpression" && memberName(callee) === "defineProperty";
  if (!defines || target?.type !== "Identifier" || target.name !== "exports") return undefined;
  const key = stringValue(name);
  return key === undefined ? undefined : { key: `exports.${key}`, target, value: asNodes(node.arguments)[2]! };
}

function exportKey(node: AstNode): string | undefined {
  if (node.type !== "MemberExpression") return undefined;
  const name = memberName(node);
  const object = unwrap(asNode(node.object));
  if (object.type === "Identifier" && object.name === "exports")
    return name === undefined ? undefined : `exports.${name}`;
  if (object.type === "Identifier" && object.name === "module")
    return name === "exports" ? "module.exports" : undefined;
  return exportKey(object) === "module.exports" && name !== undefined ? `exports.${name}` : undefined;
}

/** `if (import.meta.main)`, `if (process.argv[1] === …)`, `if (require.main === module)`. */
export function isMainGuard(node: AstNode): boolean {
  if (node.type !== "IfStatement" || node.alternate) return false;
  const test = unwrap(asNode(node.test));
  if (isImportMeta(test, "main")) return true;
  if (test.type !== "BinaryExpression" || !["===", "=="].includes(test.operator as string)) return false;
  return [asNode(test.left), asNode(test.right)].some((side) => isMainPath(unwrap(side)));
}

function isMainPath(side: AstNode): boolean {
  if (side.type !== "MemberExpression") return false;
  const object = unwrap(asNode(side.object));
  if (object.type === "Identifier" && object.name === "require") return memberName(side) === "main";
  const argv = object.type === "MemberExpression" && memberName(object) === "argv";
  return argv && side.computed === true && asNode(side.property).value === 1;
}

/** References on which `.run(…)` is called anywhere in a statement; -1 for a local variable. */
export function nestedRunsOf(node: AstNode): number[] {
  const found = new Set<number>();
  const visit = (at: AstNode): void => {
    if (at.type === "CallExpression") {
      const callee = unwrapChain(asNode(at.callee));
      if (callee.type === "MemberExpression" && memberName(callee) === "run") found.add(rootRef(asNode(callee.object)));
    }
    for (const field in at) {
      if (field === "bound") continue;
      const value = at[field];
      if (Array.isArray(value)) {
        for (const item of value as unknown[]) if (isNode(item)) visit(item);
      } else if (isNode(value)) visit(value);
    }
  };
  visit(node);
  return [...found];
}

function rootRef(node: AstNode): number {
  const inner = unwrapChain(node);
  if (inner.type === "MemberExpression") return rootRef(asNode(inner.object));
  if (inner.type === "CallExpression") return rootRef(asNode(inner.callee));
  if (inner.type === "AwaitExpression") return rootRef(asNode(inner.argument));
  return marks(inner).ref ?? -1;
}
