/** What is called, where that makes a difference. */
import type { AstNode } from "./ast.ts";
import { asNode, memberName, unwrap } from "./ast.ts";
import type { FileNames } from "./file-names.ts";
import { lookUp, type Scope } from "./scope.ts";

/** Reprise's own `step`. */
export function isStep(callee: AstNode, scope: Scope | undefined, names: FileNames): boolean {
  if (!names.isStep(callee)) return false;
  const base = callee.type === "MemberExpression" ? unwrap(asNode(callee.object)) : callee;
  return lookUp(scope, base.name as string) === undefined;
}

/** `require`, or what `createRequire` returned, under any name. */
export function isRequire(callee: AstNode, scope: Scope | undefined, names: FileNames): boolean {
  if (isGetBuiltinModule(callee, scope, names)) return true;
  if (callee.type === "CallExpression") return names.isCreateRequire(unwrap(asNode(callee.callee)));
  if (callee.type !== "Identifier") return false;
  const name = callee.name as string;
  const binding = lookUp(scope, name);
  if (binding === undefined) {
    return names.isRequire(name) || (name === "require" && !names.isTopLevel(name) && !names.isImport(name));
  }
  const value = binding.value;
  return value?.type === "CallExpression" && names.isCreateRequire(unwrap(asNode(value.callee)));
}

/** `process.getBuiltinModule`, which is a `require` of Node's own modules. */
function isGetBuiltinModule(callee: AstNode, scope: Scope | undefined, names: FileNames): boolean {
  if (callee.type !== "MemberExpression" || memberName(callee) !== "getBuiltinModule") return false;
  const { type, name } = unwrap(asNode(callee.object));
  return type === "Identifier" && name === "process" && lookUp(scope, name) === undefined && !names.isTopLevel(name);
}

/** The `Worker` of Node or of the platform. */
export function isWorker(callee: AstNode, scope: Scope | undefined, names: FileNames): boolean {
  if (callee.type !== "Identifier" || callee.name !== "Worker") return false;
  return lookUp(scope, "Worker") === undefined && !names.isTopLevel("Worker");
}
