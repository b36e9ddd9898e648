/** What lies outside of the code: globals, and reads of the world. */
import type { AstNode } from "./ast.ts";
import { asNode, memberName, unwrap, unwrapChain } from "./ast.ts";
import { isGlobalObject, isKnownGlobal } from "./pure.ts";
import { marks } from "./mark.ts";

/** The name of a global, when a node is nothing else. */
export function globalName(node: AstNode): string | undefined {
  const { bound, ref } = marks(node);
  return node.type === "Identifier" && bound === undefined && ref === undefined ? (node.name as string) : undefined;
}

/** Which kind of global a name is: Node's own, or the program's. */
export function globalWrite(name: string): -1 | -2 {
  return isKnownGlobal(name) ? -1 : -2;
}

/** Which kind of global an assignment into `globalThis.x` or `Array.prototype.x` changes. */
export function globalTarget(member: AstNode): -1 | -2 {
  const root = globalName(unwrap(asNode(member.object)));
  const name = memberName(member);
  return root !== undefined && isGlobalObject(root) && name !== undefined ? globalWrite(name) : -1;
}

/** `process.env.NAME`, `process.argv`: what they read of the world. */
export function worldMember(node: AstNode): string | undefined {
  const object = unwrapChain(asNode(node.object));
  const name = memberName(node);
  if (object.type === "MemberExpression" && globalName(asNode(object.object)) === "process") {
    if (memberName(object) === "env") return name === undefined ? "env" : `env ${name}`;
  }
  if (globalName(object) !== "process") return undefined;
  if (name === "env") return "env";
  return name === "argv" || name === "stdin" ? "argv" : undefined;
}

/** `Date.now()`, `Math.random()`, `process.cwd()`: what they read of the world. */
export function worldCall(object: AstNode, method: string | undefined): string | undefined {
  const name = globalName(object);
  if (name === "Math" && method === "random") return "random";
  if (name === "crypto" && method !== "subtle") return "random";
  if ((name === "Date" || name === "performance") && method === "now") return "clock";
  if (name === "process")
    return method === "cwd" ? "cwd" : method === "hrtime" || method === "uptime" ? "clock" : undefined;
  return undefined;
}
