import { copyValue } from "./copy-value.ts";
import type { Argument, PlanNode } from "./plan.ts";

/** The plain values among a node's arguments, for the caller to keep; a list counts when it holds no reference. */
export function plainArguments(node: PlanNode): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [name, argument] of Object.entries(node.arguments)) {
    if (isPlain(argument)) plain[name] = plainValue(argument);
  }
  return plain;
}

function isPlain(argument: Argument): boolean {
  return argument.kind === "value" || (argument.kind === "list" && argument.items.every(isPlain));
}

function plainValue(argument: Argument): unknown {
  if (argument.kind === "value") return copyValue(argument.value);
  return argument.kind === "list" ? argument.items.map(plainValue) : undefined;
}
