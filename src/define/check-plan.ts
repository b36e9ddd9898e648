/** A plan that was not made by a build: read from a file, or written by hand. */
import { DefinitionError, type Problem } from "../error.ts";
import { nodesOf } from "./call-step.ts";
import { checkName } from "./name.ts";
import type { Argument, NodeId, Plan } from "./plan.ts";

/** Throws a DefinitionError with everything that keeps a plan from running: names, references to nowhere, cycles. */
export function checkPlan(plan: Plan): void {
  const ids = new Set(plan.nodes.map((node) => node.id));
  const problems = [
    ...plan.nodes.flatMap((node) => checkNodeName(node.id)),
    ...findDoubles(plan),
    ...plan.nodes.flatMap((node) =>
      dependenciesOf(node.arguments, node.after).flatMap((wanted) => checkEdge(`Node "${node.id}"`, wanted, ids)),
    ),
    ...Object.entries(plan.outputs).flatMap(([name, output]) =>
      nodesOf(output).flatMap((wanted) => checkEdge(`Output "${name}"`, wanted, ids)),
    ),
    ...findCycle(plan),
  ];
  const [first, ...others] = problems;
  if (first !== undefined) throw new DefinitionError([first, ...others]);
}

function checkNodeName(id: NodeId): Problem[] {
  const [problem] = id.split("/").flatMap((part) => checkName(`The name of node "${id}"`, part) ?? []);
  return problem === undefined ? [] : [problem];
}

function findDoubles({ pipeline, nodes }: Plan): Problem[] {
  const seen = new Set<NodeId>();
  const doubles = new Set<NodeId>();
  for (const { id } of nodes) (seen.has(id) ? doubles : seen).add(id);
  return [...doubles].map((id) => ({
    code: "RPS1006",
    message: `Two nodes of the plan of "${pipeline}" are named "${id}"`,
    hint: "Give each node a name of its own",
  }));
}

function checkEdge(what: string, wanted: NodeId, ids: ReadonlySet<NodeId>): Problem[] {
  if (ids.has(wanted)) return [];
  const message = `${what} depends on "${wanted}", which is no node of the plan`;
  return [{ code: "RPS1009", message, hint: "Add the node, or take the edge out" }];
}

/** One cycle, when there is any. Walks without recursion: a plan may be a chain of thousands. */
function findCycle(plan: Plan): Problem[] {
  const edges = new Map(plan.nodes.map((node) => [node.id, dependenciesOf(node.arguments, node.after)]));
  const done = new Set<NodeId>();
  for (const start of edges.keys()) {
    const path: NodeId[] = [];
    const around = new Set<NodeId>();
    const pending: { readonly node: NodeId; readonly leave: boolean }[] = [{ node: start, leave: false }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { node, leave } = next;
      if (leave) {
        around.delete(path.pop()!);
        done.add(node);
        continue;
      }
      if (done.has(node)) continue;
      if (around.has(node)) return [cycleProblem(plan, [...path.slice(path.indexOf(node)), node])];
      path.push(node);
      around.add(node);
      pending.push({ node, leave: true });
      for (const wanted of edges.get(node) ?? []) pending.push({ node: wanted, leave: false });
    }
  }
  return [];
}

/** The path leads from a node to what it waits for; data flows the other way. */
function cycleProblem({ pipeline }: Plan, path: readonly NodeId[]): Problem {
  return {
    code: "RPS1005",
    message: `The plan of "${pipeline}" has a cycle: ${path.toReversed().join(" → ")}`,
    hint: "Take one of these edges out",
  };
}

function dependenciesOf(args: Readonly<Record<string, Argument>>, after: readonly NodeId[]): readonly NodeId[] {
  return [...Object.values(args).flatMap(nodesOf), ...after];
}
