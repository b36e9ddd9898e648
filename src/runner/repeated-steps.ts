/** The step runs of a run that reused every step: packed for a run that repeats it, and unpacked at that run's time. */
import type { CodeIdentity } from "../code/identity.ts";
import type { NodeId, OutputName, Plan, PlanNode } from "../define/plan.ts";
import type { CacheMode } from "../define/options.ts";
import { assertInternal } from "../error.ts";
import type { Digest } from "../hash/digest.ts";
import type { StepRunId } from "../record/id.ts";
import { packUse, unpackUse, type PackedUse } from "../record/packed-use.ts";
import type { ArtifactUse, Run, StepRun } from "../record/run.ts";
import { toHitReason } from "./hit-reason.ts";
import { emptyStepRun } from "./node-state.ts";
import { inputsOf } from "./node-states.ts";

type PackedStep = readonly [
  key: Digest,
  origin: StepRunId,
  savedMs: number,
  originAt: number,
  cache: CacheMode,
  outputs: readonly PackedUse[],
];

/** What of the step runs of a plan is not told by the plan and the code. In plan order, each reused. */
export function packSteps(stepRuns: readonly StepRun[]): string {
  const packed = stepRuns.map(({ key, origin, savedMs, originAt, cache, outputs }) => {
    const uses = outputs.map(packUse);
    return [key, origin, savedMs, originAt, cache, uses];
  });
  return JSON.stringify(packed);
}

export function unpackSteps(
  packed: string,
  plan: Plan,
  identities: ReadonlyMap<PlanNode["step"], CodeIdentity>,
  run: Run,
): readonly StepRun[] {
  const steps = JSON.parse(packed) as readonly PackedStep[];
  const made = new Map<NodeId, readonly ArtifactUse[]>();
  const outputOf = (node: NodeId, output: OutputName): ArtifactUse => {
    const use = made.get(node)?.find(({ slot }) => slot === output);
    assertInternal(use, `output "${output}" of node "${node}" is not among those of the run that is repeated`);
    return use;
  };
  return plan.nodes.map((node, index) => {
    const [key, origin, savedMs, originAt, cache, uses] = steps[index] as PackedStep;
    const outputs = uses.map(unpackUse);
    made.set(node.id, outputs);
    const verdict = identities.get(node.step)?.verdict ?? "proved";
    return {
      ...emptyStepRun(run, node, { cache }),
      ...(verdict === "proved" ? {} : { verdict }),
      status: "cached",
      reason: toHitReason({ origin }, { run: run.id }, { meanwhile: false, upstreamRan: false }),
      key,
      finishedAt: run.finishedAt,
      inputs: inputsOf(node, outputOf),
      outputs,
      origin,
      savedMs,
      originAt,
    };
  });
}
