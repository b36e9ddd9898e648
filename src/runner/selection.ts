/** Which nodes a run is about: `--only`, `--from`, `--until`. Pure. */
import { dependenciesOf } from "../cache/node-key.ts";
import { UsageError } from "../error.ts";
import type { NodeId, Plan } from "../define/plan.ts";

export interface SelectionOptions {
  /** Just these nodes; what they need is taken from the cache. */
  readonly only?: readonly string[];
  /** This node and all that depends on it; what they need is reused or run. */
  readonly from?: string;
  /** This node and all that it needs. */
  readonly until?: string;
  /** Nodes to execute whatever is stored. A step's name stands for all of its nodes. */
  readonly force?: readonly string[];
}

export interface Selection {
  /** Nodes that take part; the others are skipped. */
  readonly selected: ReadonlySet<NodeId>;
  /** Nodes that take part because chosen ones need them: a run that executes anew does not mean these. */
  readonly needed: ReadonlySet<NodeId>;
  /** Those of them that must not execute, only be reused: what `only` needs. */
  readonly reuseOnly: ReadonlySet<NodeId>;
  readonly forced: ReadonlySet<NodeId>;
}

/** Resolves names against the plan. Throws a UsageError for a name that no node or step has, and when nothing is chosen. */
export function selectNodes(plan: Plan, options: SelectionOptions): Selection {
  const all = new Set(plan.nodes.map((node) => node.id));
  const forced = new Set((options.force ?? []).flatMap((name) => nodesNamed(plan, name)));
  const { only, from, until } = options;
  if (only === undefined && from === undefined && until === undefined) {
    return { selected: all, needed: new Set(), reuseOnly: new Set(), forced };
  }
  const chosen = only === undefined ? all : new Set(only.flatMap((name) => nodesNamed(plan, name)));
  const needed = only === undefined ? chosen : upstreamOf(plan, chosen);
  const below = from === undefined ? all : downstreamOf(plan, new Set(nodesNamed(plan, from)));
  const above = until === undefined ? all : upstreamOf(plan, new Set(nodesNamed(plan, until)));
  const wanted = new Set([...needed].filter((id) => above.has(id) && (only !== undefined || below.has(id))));
  if (wanted.size === 0) throw nothingChosen(plan, options);
  const selected = upstreamOf(plan, wanted);
  const isNeeded = (id: NodeId): boolean => !wanted.has(id) || !chosen.has(id);
  return {
    selected,
    needed: new Set([...selected].filter(isNeeded)),
    reuseOnly: only === undefined ? new Set() : new Set([...needed].filter((id) => !chosen.has(id))),
    forced,
  };
}

/** The nodes that a name means: a node's own id, or every node of the step of that name. */
export function nodesNamed(plan: Plan, name: string): readonly NodeId[] {
  const exact = plan.nodes.filter((node) => node.id === name);
  const found = exact.length > 0 ? exact : plan.nodes.filter((node) => node.step.name === name);
  if (found.length === 0) {
    throw new UsageError("RPS6002", `Pipeline "${plan.pipeline}" has no step "${name}"`, {
      hint: `Its steps are: ${plan.nodes.map((node) => node.id).join(", ")}`,
      data: { name, known: plan.nodes.map((node) => node.id) },
    });
  }
  return found.map((node) => node.id);
}

function nothingChosen(plan: Plan, { only, from, until }: SelectionOptions): UsageError {
  const asked = Object.entries({ only, from, until }).filter(([, names]) => names !== undefined);
  const what = asked.map(([option, names]) => `${option} ${[names].flat().join(", ")}`).join(" and ");
  return new UsageError("RPS6002", `No step of pipeline "${plan.pipeline}" is chosen by ${what}`, {
    hint: "Leave one of them out: a step is chosen by all of them together",
  });
}

function upstreamOf(plan: Plan, roots: ReadonlySet<NodeId>): Set<NodeId> {
  const found = new Set(roots);
  for (const node of plan.nodes.toReversed()) {
    if (found.has(node.id)) for (const id of dependenciesOf(node)) found.add(id);
  }
  return found;
}

function downstreamOf(plan: Plan, roots: ReadonlySet<NodeId>): Set<NodeId> {
  const found = new Set(roots);
  for (const node of plan.nodes) {
    for (const id of dependenciesOf(node)) if (found.has(id)) found.add(node.id);
  }
  return found;
}
