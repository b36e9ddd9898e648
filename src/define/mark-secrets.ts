/** What is secret of a plan: what was declared to be, and what has a secret in it. */
import type { Argument, Plan, PlanNode } from "./plan.ts";
import type { SecretMask } from "./secret-mask.ts";

/**
 * Marks the arguments and params of a plan. A secret that is passed on is one wherever it arrives, under another name, in a
 * nested pipeline, or inside of a text or a record. `names`: the pipeline's params that were declared.
 */
export function markSecrets(plan: Plan, names: readonly string[], mask: SecretMask): Plan {
  const params = Object.entries(plan.params).filter(([name, value]) => names.includes(name) || mask.holds(value));
  return {
    ...plan,
    nodes: plan.nodes.map((node) => markNode(node, mask)),
    secrets: { params: params.map(([name]) => name), mask },
  };
}

function markNode(node: PlanNode, mask: SecretMask): PlanNode {
  const mark = (argument: Argument, name: string): Argument => {
    switch (argument.kind) {
      case "value": {
        const use = node.step.secrets?.[name] ?? (mask.holds(argument.value) ? "compare" : undefined);
        return use === undefined ? argument : { ...argument, secret: use };
      }
      case "list":
        return { ...argument, items: argument.items.map((item) => mark(item, name)) };
      case "ref":
        return argument;
    }
  };
  const marked = Object.entries(node.arguments).map(([name, argument]) => [name, mark(argument, name)] as const);
  return { ...node, arguments: Object.fromEntries(marked) };
}
