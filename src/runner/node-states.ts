/** The nodes of a run while it goes on, and what can be told from one to the next. */
import { toEarlier, type EarlierStep } from "../cache/recent-steps.ts";
import type { CodeIdentity } from "../code/identity.ts";
import { singleOutput, type Argument, type NodeId, type OutputName, type Plan, type PlanNode } from "../define/plan.ts";
import { assertInternal } from "../error.ts";
import type { ArtifactUse, Run, StepRun } from "../record/run.ts";
import { missingOutputError } from "./attempt.ts";
import { emptyStepRun, type NodeState } from "./node-state.ts";
import type { NodePolicy } from "./policy.ts";
import type { Selection } from "./selection.ts";
import { makeNotes } from "./step-context.ts";

export class NodeStates {
  readonly #plan: Plan;
  /** In plan order. */
  readonly #states = new Map<NodeId, NodeState>();

  constructor(
    plan: Plan,
    run: Run,
    identities: ReadonlyMap<PlanNode["step"], CodeIdentity>,
    policyOf: (node: PlanNode) => NodePolicy,
    selection: Selection,
  ) {
    this.#plan = plan;
    for (const node of plan.nodes) {
      const code = identities.get(node.step);
      assertInternal(code, `step "${node.step.name}" has no code identity`);
      const policy = policyOf(node);
      const skipped: Partial<StepRun> = selection.selected.has(node.id)
        ? {}
        : { status: "skipped", reason: { code: "not-selected", text: "it was not asked for", differences: [] } };
      const verdict = code.verdict === "proved" ? {} : { verdict: code.verdict };
      const blank = { ...emptyStepRun(run, node, policy.options), ...verdict, ...skipped };
      this.#states.set(node.id, {
        node,
        code,
        policy: policy.cache,
        options: policy.options,
        blank,
        stepRun: blank,
        key: undefined,
        given: new Map(),
        notes: makeNotes(),
        outputs: undefined,
        taken: undefined,
        trace: undefined,
        executed: false,
        damage: undefined,
        again: false,
        unshared: false,
      });
    }
  }

  get(id: NodeId): NodeState {
    const state = this.#states.get(id);
    assertInternal(state, `node "${id}" is not part of the plan`);
    return state;
  }

  /** In plan order. */
  get all(): readonly NodeState[] {
    return [...this.#states.values()];
  }

  /** In plan order. */
  get stepRuns(): readonly StepRun[] {
    return this.all.map(({ stepRun }) => stepRun);
  }

  /** Those that a later run can be compared with. */
  get endedSteps(): readonly EarlierStep[] {
    return this.all.flatMap(({ stepRun, key }) => toEarlier(stepRun, key?.record) ?? []);
  }

  /** Every output that is there: node, then output. */
  get artifacts(): ReadonlyMap<NodeId, ReadonlyMap<OutputName, ArtifactUse>> {
    const artifacts = new Map<NodeId, ReadonlyMap<OutputName, ArtifactUse>>();
    for (const [id, { outputs }] of this.#states) if (outputs !== undefined) artifacts.set(id, outputs);
    return artifacts;
  }

  outputsOfBuild(): Readonly<Record<OutputName, Argument>> {
    const outputs: Record<OutputName, Argument> = {};
    for (const [name, argument] of Object.entries(this.#plan.outputs)) {
      const made =
        argument.kind === "ref" && argument.output === singleOutput ? this.get(argument.node).outputs : undefined;
      if (argument.kind !== "ref" || made === undefined || made.has(singleOutput)) outputs[name] = argument;
      else for (const output of made.keys()) outputs[output] = { ...argument, output };
    }
    return outputs;
  }

  inputsOf(node: PlanNode): readonly ArtifactUse[] {
    return inputsOf(node, (id, output) => this.outputOf(id, output));
  }

  anyInputExecuted(node: PlanNode): boolean {
    const visit = (argument: Argument): boolean =>
      argument.kind === "ref"
        ? this.get(argument.node).executed
        : argument.kind === "list" && argument.items.some(visit);
    return Object.values(node.arguments).some(visit);
  }

  outputOf(id: NodeId, output: OutputName): ArtifactUse {
    const { outputs, node } = this.get(id);
    const use = outputs?.get(output);
    if (use === undefined) throw missingOutputError(node.step.name, output, [...(outputs?.keys() ?? [])]);
    return use;
  }
}

/** What a node is given, by what the references among its arguments turned out to be. */
export function inputsOf(
  node: PlanNode,
  outputOf: (node: NodeId, output: OutputName) => ArtifactUse,
): readonly ArtifactUse[] {
  const uses: ArtifactUse[] = [];
  const visit = (argument: Argument, slot: string): void => {
    if (argument.kind === "ref") uses.push({ ...outputOf(argument.node, argument.output), slot });
    if (argument.kind === "list")
      for (const [index, item] of argument.items.entries()) visit(item, `${slot}[${index}]`);
  };
  for (const [name, argument] of Object.entries(node.arguments)) visit(argument, name);
  return uses;
}
