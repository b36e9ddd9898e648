/** From a node and what its references turned out to be, to its key. */
import type { CodeIdentity } from "../code/identity.ts";
import type { Argument, NodeId, OutputName, PlanNode } from "../define/plan.ts";
import { plainArguments } from "../define/plain-arguments.ts";
import { resolveIdentity, resolveReads } from "../define/resolve-options.ts";
import type { Digest } from "../hash/digest.ts";
import type { KeyArgument } from "../record/key.ts";
import { makeKey, toSecretArgument, toValueArgument, type Key, type KeySecrets } from "./key.ts";

/** The digest of what a reference turned out to be; undefined when it is not known yet. */
export type OutputLookUp = (node: NodeId, output: OutputName) => Digest | undefined;

/** The key arguments of a node by name; a name is missing where a reference in it is not known yet. */
export function toKeyArguments(
  node: PlanNode,
  outputOf: OutputLookUp,
  secrets?: KeySecrets,
): Record<string, KeyArgument> {
  const known: Record<string, KeyArgument> = {};
  for (const [name, argument] of Object.entries(node.arguments)) {
    const keyArgument = toKeyArgument(argument, name, outputOf, secrets);
    if (keyArgument !== undefined) known[name] = keyArgument;
  }
  return known;
}

/** A node's key, from all of its arguments. */
export function makeNodeKey(
  node: PlanNode,
  code: CodeIdentity,
  args: Readonly<Record<string, KeyArgument>>,
  secrets?: KeySecrets,
): Key {
  const identity = resolveIdentity(node);
  return makeKey({
    step: node.step,
    code,
    arguments: args,
    identity,
    reads: resolveReads(node),
    params: identity.cacheKey === undefined ? {} : plainArguments(node),
    secrets,
  });
}

/** Names of the nodes that a node takes data from or waits for. */
export function dependenciesOf(node: PlanNode): ReadonlySet<NodeId> {
  const found = new Set<NodeId>(node.after);
  const visit = (argument: Argument): void => {
    if (argument.kind === "ref") found.add(argument.node);
    if (argument.kind === "list") argument.items.forEach(visit);
  };
  Object.values(node.arguments).forEach(visit);
  return found;
}

function toKeyArgument(
  argument: Argument,
  name: string,
  outputOf: OutputLookUp,
  secrets: KeySecrets | undefined,
): KeyArgument | undefined {
  switch (argument.kind) {
    case "value":
      return argument.secret === undefined
        ? toValueArgument(argument.value, name)
        : toSecretArgument(argument, name, secrets);
    case "ref": {
      const digest = outputOf(argument.node, argument.output);
      return digest && { kind: "artifact", digest };
    }
    case "list": {
      const items: KeyArgument[] = [];
      for (const [index, item] of argument.items.entries()) {
        const keyArgument = toKeyArgument(item, `${name}[${index}]`, outputOf, secrets);
        if (keyArgument === undefined) return undefined;
        items.push(keyArgument);
      }
      return { kind: "list", items };
    }
  }
}
