/**
 * A run that is as an earlier one that reused every step: where nothing that was taken then has changed since, the same
 * is taken again, without a look-up of each step, and recorded as one row.
 */
import type { CodeIdentity } from "../code/identity.ts";
import type { Argument, NodeId, OutputName, Plan, PlanNode } from "../define/plan.ts";
import { ConflictError, StoreError } from "../error.ts";
import type { Digest } from "../hash/digest.ts";
import type { Observer } from "../observe/observer.ts";
import type { Repeatable } from "../record/repeatable.ts";
import type { Run, StepRun } from "../record/run.ts";
import type { Change, RepeatableAnswer } from "../store/metadata-store.ts";
import type { NodeState } from "./node-state.ts";
import type { PlanPorts } from "./plan-ports.ts";
import type { PlayedRun, RunOutcome, RunPlanOptions } from "./played-run.ts";
import { makeRepeatKey } from "./repeat-key.ts";
import { packSteps, unpackSteps } from "./repeated-steps.ts";

export interface Repeat {
  readonly digest: Digest;
  /** As of now: what is found out from here on can be repeated while it stays so. */
  readonly entries: number;
  readonly found: RepeatableAnswer["found"];
}

/** Asks for an earlier run of just the same; undefined where each step has to be looked up whatever there was. */
export async function findRepeat(
  plan: Plan,
  identities: ReadonlyMap<PlanNode["step"], CodeIdentity>,
  options: RunPlanOptions,
  ports: PlanPorts,
): Promise<Repeat | undefined> {
  const digest = makeRepeatKey({ plan, identities, options, ports });
  return digest && { digest, ...(await ports.metadata.repeatable(digest)) };
}

/** Whether what the earlier run took may be taken at this moment, as far as the world and the blobs can tell. */
export async function isStillSo(
  { expiresAt, traces, blobs }: Repeatable,
  { metadata, content }: Pick<PlanPorts, "metadata" | "content">,
  observer: Observer,
  now: number,
): Promise<boolean> {
  if (expiresAt !== undefined && now >= expiresAt) return false;
  if (traces.length > 0) {
    const known = await metadata.traces(traces);
    if (known.size < traces.length) return false;
    // What could not be asked is warned of, step by step.
    for (const { differences, warnings } of (await observer.check(known)).values()) {
      if (differences.length > 0 || warnings.length > 0) return false;
    }
  }
  const health = await content.verify(blobs);
  return blobs.every(({ digest }) => health.get(digest) === "ok");
}

/** Records the run as a repetition. Answers whether the store took it: if not, each step has to be looked up. */
export async function recordRepeat(repeat: Extract<Change, { kind: "repeat" }>, ports: PlanPorts): Promise<boolean> {
  try {
    await ports.metadata.write([repeat]);
    return true;
  } catch (error) {
    // It changed meanwhile, or the store refuses to be written: the run goes on, and says so.
    if (error instanceof ConflictError || (error instanceof StoreError && error.code === "RPS4005")) return false;
    throw error;
  }
}

/** What a repeated run has to offer. Its steps are unpacked when somebody asks for them. */
export class RepeatedRun implements RunOutcome {
  readonly run: Run;
  readonly outputs: Readonly<Record<OutputName, Argument>>;
  readonly savedMs: number;
  readonly contents: PlayedRun["contents"] = new Map();
  readonly error = undefined;
  readonly recorded = "yes";
  readonly #unpack: () => readonly StepRun[];
  #steps: readonly StepRun[] | undefined;
  #artifacts: PlayedRun["artifacts"] | undefined;

  constructor(
    run: Run,
    { savedMs, steps }: Repeatable,
    plan: Plan,
    identities: ReadonlyMap<PlanNode["step"], CodeIdentity>,
  ) {
    this.run = run;
    this.savedMs = savedMs;
    this.outputs = toOutputs(plan, run.outputs);
    this.#unpack = () => unpackSteps(steps, plan, identities, run);
  }

  get steps(): readonly StepRun[] {
    return (this.#steps ??= this.#unpack());
  }

  get artifacts(): PlayedRun["artifacts"] {
    return (this.#artifacts ??= new Map(
      this.steps.map(({ node, outputs }) => [node as NodeId, new Map(outputs.map((use) => [use.slot, use]))]),
    ));
  }
}

/** The build's outputs as the earlier run had them: a whole result that turned out to be a record stands as its outputs. */
function toOutputs(plan: Plan, records: Run["outputs"]): Record<OutputName, Argument> {
  return Object.fromEntries(
    Object.entries(records).map(([name, record]): [string, Argument] =>
      record.kind === "ref"
        ? [name, { kind: "ref", node: record.node as NodeId, output: record.output }]
        : [name, plan.outputs[name] as Argument],
    ),
  );
}

/** What a run leaves for the next one of just the same: nothing, unless every step was reused and will be again. */
export function toRepeatable({ digest, entries }: Repeat, run: Run, states: readonly NodeState[]): readonly Change[] {
  const blobs = new Map<Digest, Repeatable["blobs"][number]>();
  const traces = new Set<Digest>();
  let expiresAt = Infinity;
  let savedMs = 0;
  for (const { taken, stepRun, policy } of states) {
    const isRepeatable =
      taken !== undefined && stepRun.status === "cached" && stepRun.reason?.code === "same-fingerprint";
    if (!isRepeatable || taken.origin !== stepRun.origin) return [];
    for (const blob of taken.blobs) blobs.set(blob.digest, blob);
    if (taken.trace !== undefined) traces.add(taken.trace);
    if (policy.expiresMs !== undefined) expiresAt = Math.min(expiresAt, taken.createdAt + policy.expiresMs);
    savedMs += taken.durationMs;
  }
  const repeatable: Repeatable = {
    digest,
    run: run.id,
    expiresAt: expiresAt === Infinity ? undefined : expiresAt,
    savedMs,
    traces: [...traces],
    blobs: [...blobs.values()],
    steps: packSteps(states.map(({ stepRun }) => stepRun)),
  };
  return [{ kind: "repeatable", repeatable, entries }];
}
