/** A node of a run while it goes on. */
import type { CachePolicy, ToldMiss } from "../cache/look-up.ts";
import type { Key } from "../cache/key.ts";
import type { CodeIdentity } from "../code/identity.ts";
import type { NodeId, OutputName, PlanNode } from "../define/plan.ts";
import type { EffectiveOptions } from "../define/resolve-options.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { Digest } from "../hash/digest.ts";
import { toStepRunId } from "../record/id.ts";
import type { ArtifactUse, Run, StepRun } from "../record/run.ts";
import type { StepNotes } from "./step-context.ts";

export interface NodeState {
  readonly node: PlanNode;
  readonly code: CodeIdentity;
  readonly options: EffectiveOptions;
  readonly policy: CachePolicy;
  /** Its step run before anything becomes of it. */
  readonly blank: StepRun;
  stepRun: StepRun;
  key: Key | undefined;
  /** What the nodes that it needs had left when its key was made. */
  given: ReadonlyMap<NodeId, NodeState["outputs"]>;
  readonly notes: StepNotes;
  /** What is there of it in this run; undefined until it has ended well. */
  outputs: ReadonlyMap<OutputName, ArtifactUse> | undefined;
  /** The entry that it was reused by, where the next run would take the same one and say nothing of it. */
  taken: CacheEntry | undefined;
  /** What was read of the world when its outputs were made; undefined when nothing was. */
  trace: Digest | undefined;
  /** It was executed in this run, not reused. */
  executed: boolean;
  /** Why what is stored of it may not be taken though its key fits. */
  damage: ToldMiss | undefined;
  /** It was not in the store when it was first asked for, and somebody else may have made it since. */
  again: boolean;
  /** Somebody else's run of the step found that its results cannot be reused: it is no use to wait for another one. */
  unshared: boolean;
}

/** Whether a node that ended twice left the same both times. */
export function isSame(before: NodeState["outputs"], after: NodeState["outputs"]): boolean {
  return before === after || [...(after ?? [])].every(([slot, use]) => before?.get(slot)?.digest === use.digest);
}

export function emptyStepRun(run: Run, node: PlanNode, options: Pick<EffectiveOptions, "cache">): StepRun {
  return {
    id: toStepRunId(run.id, node.id),
    run: run.id,
    node: node.id,
    step: node.step.name,
    status: "skipped",
    reason: undefined,
    key: undefined,
    cache: options.cache,
    startedAt: run.startedAt,
    finishedAt: undefined,
    attempts: [],
    inputs: [],
    outputs: [],
    origin: undefined,
    savedMs: undefined,
    error: undefined,
    metadata: {},
    tags: [],
  };
}
