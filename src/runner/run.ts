/** One run from start to end: what is cached is taken, what is not is executed, and all of it is remembered. */
import { AsyncResource } from "node:async_hooks";
import { hideInError } from "../define/hide-in-error.ts";
import { resolveOptions } from "../define/resolve-options.ts";
import type { Plan } from "../define/plan.ts";
import type { StoreError } from "../error.ts";
import type { Run } from "../record/run.ts";
import { describeEnvironment, describeGit, makeRunId, makeRunName } from "./environment.ts";
import { toPlanPorts } from "./plan-ports.ts";
import { mapRecord, toParamRecords, toVersion } from "./plan-record.ts";
import { outsideStep } from "../define/step-scope.ts";
import type { RunnerPorts } from "./ports.ts";
import { Recorder } from "./recorder.ts";
import { Records } from "./records.ts";
import { selectNodes } from "./selection.ts";

import { toProjectPath } from "../define/user-place.ts";
import { watchExit } from "./watch-exit.ts";
import { Progress, type PlayedRun, type RunPlanOptions } from "./progress.ts";

export type { RunPlanOptions };

export interface RunOutcome extends PlayedRun {
  /** Whether the store took all of it, results included; or may only be read, and was not asked for more. */
  readonly recorded: "yes" | "no" | "read-only";
}

/** Runs a plan. A failing step is an outcome, not an exception; exceptions are mistakes in the call, and a store that fails. */
export async function runPlan(plan: Plan, stack: RunnerPorts, options: RunPlanOptions): Promise<RunOutcome> {
  // Before the step's context is left: its observer is to know the step that runs this pipeline.
  const openObserver: RunnerPorts["openObserver"] = AsyncResource.bind(stack.openObserver);
  return await outsideStep(() => playPlan(plan, { ...stack, openObserver }, options));
}

async function playPlan(plan: Plan, stack: RunnerPorts, options: RunPlanOptions): Promise<RunOutcome> {
  const ports = toPlanPorts(plan, stack);
  const selection = selectNodes(plan, options);
  const identities = await ports.code.identify([...new Set(plan.nodes.map((node) => node.step))]);
  const git = describeGit(ports.root);
  const now = Date.now();
  const records = new Records(ports.metadata);
  const version = await records.numberVersion(toVersion(plan, identities, now));
  const file = plan.place && toProjectPath(plan.place.file, ports.root);
  const run: Run = {
    id: makeRunId(now),
    name: options.name ?? makeRunName(plan.pipeline, now),
    pipeline: plan.pipeline,
    ...(file === undefined ? {} : { file }),
    version: version.version,
    status: "running",
    params: toParamRecords(plan, ports.secrets),
    stack: ports.name,
    cache: options.cache === undefined ? undefined : resolveOptions({ run: options }).cache,
    startedAt: now,
    finishedAt: undefined,
    git: undefined,
    environment: describeEnvironment(ports.version),
    tags: mapRecord(options.tags ?? {}, (text) => plan.secrets?.mask.hide(text) ?? text),
    error: undefined,
    outputs: version.plan.outputs,
  };
  await using recorder = new Recorder(records, options.onEvent);
  recorder.add({ kind: "run", run });
  // Before anything is looked up: whoever collects garbage must see the run, or the run finds nothing of what went.
  await recorder.flush();
  const pipelineCache = resolveOptions({ pipelines: [plan.options], defaults: ports.defaults }).cache;
  recorder.emit({ kind: "run-started", time: now, run, version, steps: plan.nodes.length, pipelineCache });
  records.onRefusal((refusal) =>
    recorder.emit({ kind: "warning", time: Date.now(), step: undefined, message: describeRefusal(refusal) }),
  );
  const observer = ports.openObserver({
    find: (paths) => ports.metadata.fileDigests(paths),
    keep: (files) => {
      const { mask } = plan.secrets ?? {};
      recorder.add({ kind: "file-digests", files: mask ? files.filter(({ path }) => !mask.holds(path)) : files });
    },
  });
  const progress = new Progress({ plan, ports, options, run, selection, identities, recorder, observer });
  using _watch = watchExit({ recorder, executing: () => progress.executing });
  await progress.play();
  const { error, ...ended } = await progress.end(await git);
  const isSettled = await records.settle();
  const isKept = ended.steps.every(({ obstacle }) => obstacle?.code !== "store-refused");
  return {
    ...ended,
    error: plan.secrets === undefined ? error : hideInError(error, plan.secrets.mask),
    recorded: isSettled && isKept ? "yes" : records.isReadOnly ? "read-only" : "no",
  };
}

function describeRefusal({ message }: StoreError): string {
  return `the store refuses to be written. The run goes on; what is not recorded in the end can be neither looked at nor reused: ${message}`;
}
