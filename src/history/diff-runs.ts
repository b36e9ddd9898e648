/** What differs between two runs. */
import { hiddenSecret } from "../define/secret-mask.ts";
import type { ArtifactUse, ParamRecord, Run, StepRun } from "../record/run.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { diffVersions, type VersionDiff } from "./diff-versions.ts";
import { loadRunDetails, type RunDetails, type StepDetails } from "./run-details.ts";
import { lastMetrics } from "./step-results.ts";

/** A fact in both runs; undefined where one has it not. */
export interface FactDiff {
  readonly name: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly same: boolean;
}

export interface MetricDiff {
  readonly name: string;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly delta: number | undefined;
}

export interface StepRunDiff {
  readonly node: string;
  readonly from: (Pick<StepRun, "status"> & { readonly durationMs: number | undefined }) | undefined;
  readonly to: (Pick<StepRun, "status" | "reason"> & { readonly durationMs: number | undefined }) | undefined;
}

export interface RunDiff {
  readonly from: Run;
  readonly to: Run;
  /** Status, version, commit, environment, stack. */
  readonly facts: readonly FactDiff[];
  readonly params: readonly FactDiff[];
  readonly metrics: readonly MetricDiff[];
  /** By `node.output`, as `name@v3`. */
  readonly outputs: readonly FactDiff[];
  readonly steps: readonly StepRunDiff[];
  /** Undefined where both are runs of the same version. */
  readonly versions: VersionDiff | undefined;
}

/** Compares two runs, equal parts included. */
export async function diffRuns(metadata: MetadataStore, from: Run, to: Run): Promise<RunDiff> {
  const before = await loadRunDetails(metadata, from);
  const after = await loadRunDetails(metadata, to);
  const isOtherVersion = from.pipeline !== to.pipeline || from.version !== to.version;
  return {
    from,
    to,
    facts: diffRecords(toFacts(from), toFacts(to)),
    params: diffParams(from, to),
    metrics: diffMetrics(before, after),
    outputs: diffRecords(toOutputs(before), toOutputs(after)),
    steps: diffSteps(before.steps, after.steps),
    versions:
      isOtherVersion && before.version !== undefined && after.version !== undefined
        ? await diffVersions(metadata, before.version, after.version)
        : undefined,
  };
}

function toFacts(run: Run): Record<string, string | undefined> {
  return {
    pipeline: run.pipeline,
    version: `v${run.version}`,
    status: run.status,
    commit: run.git && `${run.git.commit.slice(0, 10)}${run.git.dirty ? "+dirty" : ""}`,
    branch: run.git?.branch,
    node: run.environment.node,
    platform: `${run.environment.platform} ${run.environment.arch}`,
    reprise: run.environment.reprise,
    stack: run.stack,
    cache: run.cache,
  };
}

function diffParams(from: Run, to: Run): readonly FactDiff[] {
  return unionOf(from.params, to.params).map((name) => {
    const old = from.params[name];
    const now = to.params[name];
    // What is secret in one run may stand in clear in an earlier one.
    const isSecret = old?.secret === true || now?.secret === true;
    const show = (param: ParamRecord | undefined): string | undefined =>
      param && (isSecret ? hiddenSecret : param.shown);
    return { name, from: show(old), to: show(now), same: old?.digest === now?.digest };
  });
}

function diffMetrics(from: RunDetails, to: RunDetails): readonly MetricDiff[] {
  const before = Object.fromEntries(metricsOf(from));
  const after = Object.fromEntries(metricsOf(to));
  return unionOf(before, after).map((name) => {
    const old = before[name];
    const now = after[name];
    return { name, from: old, to: now, delta: old === undefined || now === undefined ? undefined : now - old };
  });
}

function metricsOf({ steps }: RunDetails): ReadonlyMap<string, number> {
  return lastMetrics(
    steps.map((step) => step.stepRun),
    new Map(steps.map((step) => [step.stepRun.id, step])),
  );
}

function toOutputs({ steps }: RunDetails): Record<string, string> {
  const show = (use: ArtifactUse): string => `${use.artifact}@v${use.version}`;
  return Object.fromEntries(
    steps.flatMap(({ stepRun }) => stepRun.outputs.map((use) => [`${stepRun.node}.${use.slot}`, show(use)] as const)),
  );
}

function diffSteps(from: readonly StepDetails[], to: readonly StepDetails[]): readonly StepRunDiff[] {
  const before = new Map(from.map((step) => [step.stepRun.node, step]));
  const after = new Map(to.map((step) => [step.stepRun.node, step]));
  return [...new Set([...after.keys(), ...before.keys()])].map((node) => {
    const old = before.get(node);
    const now = after.get(node);
    return {
      node,
      from: old && { status: old.stepRun.status, durationMs: old.durationMs },
      to: now && { status: now.stepRun.status, reason: now.stepRun.reason, durationMs: now.durationMs },
    };
  });
}

function diffRecords(
  from: Readonly<Record<string, string | undefined>>,
  to: Readonly<Record<string, string | undefined>>,
): readonly FactDiff[] {
  return unionOf(from, to)
    .map((name) => ({ name, from: from[name], to: to[name], same: from[name] === to[name] }))
    .filter((fact) => fact.from !== undefined || fact.to !== undefined);
}

function unionOf(from: Readonly<Record<string, unknown>>, to: Readonly<Record<string, unknown>>): readonly string[] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])];
}
