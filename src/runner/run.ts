/** One run from start to end: what is cached is taken, what is not is executed, and all of it is remembered. */
import { AsyncResource } from "node:async_hooks";
import { hideInError } from "../define/hide-in-error.ts";
import { resolveOptions } from "../define/resolve-options.ts";
import type { Plan, StepDefinition } from "../define/plan.ts";
import { assertInternal, type StoreError } from "../error.ts";
import type { CodeIdentity } from "../code/identity.ts";
import type { Observer } from "../observe/observer.ts";
import type { PipelineVersion, Run } from "../record/run.ts";
import { describeEnvironment, describeGit, makeRunId, makeRunName } from "./environment.ts";
import { toPlanPorts, type PlanPorts } from "./plan-ports.ts";
import { mapRecord, toArgumentRecord, toParamRecords, toVersion } from "./plan-record.ts";
import { outsideStep } from "../define/step-scope.ts";
import { unnumbered } from "../record/artifact.ts";
import type { RunnerPorts } from "./ports.ts";
import { Recorder } from "./recorder.ts";
import { Records } from "./records.ts";
import { selectNodes } from "./selection.ts";

import { toProjectPath } from "../define/user-place.ts";
import { tellReusedMetrics } from "./tell-reused-metrics.ts";
import { watchExit } from "./watch-exit.ts";
import type { RunOutcome, RunPlanOptions } from "./played-run.ts";
import { Progress } from "./progress.ts";
import { findRepeat, isStillSo, recordRepeat, RepeatedRun, type Repeat } from "./repeat.ts";

export type { RunOutcome, RunPlanOptions };

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
  await using recorder = new Recorder(records, options.onEvent);
  const observer = openObserver(plan, ports, recorder);
  const repeat = await findRepeat(plan, identities, options, ports);
  const begun = describeRun(plan, ports, options, now);
  const repeated = await repeatRun({ plan, ports, identities, recorder, observer, repeat, begun, git });
  if (repeated !== undefined) return repeated;
  const version = await records.numberVersion(toVersion(plan, identities, now));
  const run: Run = { ...begun, version: version.version };
  recorder.add({ kind: "run", run });
  // Before anything is looked up: whoever collects garbage must see the run, or the run finds nothing of what went.
  await recorder.flush();
  tellStart(recorder, plan, ports, run, version);
  records.onRefusal((refusal) =>
    recorder.emit({ kind: "warning", time: Date.now(), step: undefined, message: describeRefusal(refusal) }),
  );
  const progress = new Progress({ plan, ports, options, run, selection, identities, recorder, observer, repeat });
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

/** The run as it begins; the store has not numbered its version. */
function describeRun(plan: Plan, ports: PlanPorts, options: RunPlanOptions, now: number): Run {
  const file = plan.place && toProjectPath(plan.place.file, ports.root);
  return {
    id: makeRunId(now),
    name: options.name ?? makeRunName(plan.pipeline, now),
    pipeline: plan.pipeline,
    ...(file === undefined ? {} : { file }),
    version: unnumbered,
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
    outputs: mapRecord(plan.outputs, toArgumentRecord),
  };
}

function openObserver(plan: Plan, ports: PlanPorts, recorder: Recorder): Observer {
  return ports.openObserver({
    find: (paths) => ports.metadata.fileDigests(paths),
    keep: (files) => {
      const { mask } = plan.secrets ?? {};
      recorder.add({ kind: "file-digests", files: mask ? files.filter(({ path }) => !mask.holds(path)) : files });
    },
  });
}

interface RepeatParts {
  readonly plan: Plan;
  readonly ports: PlanPorts;
  readonly identities: Identities;
  readonly recorder: Recorder;
  readonly observer: Observer;
  readonly repeat: Repeat | undefined;
  readonly begun: Run;
  readonly git: Promise<Run["git"]>;
}

/** Repeats an earlier run of just the same; undefined where there is none, or where something is not as it was. */
async function repeatRun(parts: RepeatParts): Promise<RunOutcome | undefined> {
  const { plan, ports, identities, recorder, observer, repeat, begun } = parts;
  if (repeat?.found === undefined) return undefined;
  const { repeatable, run: earlier } = repeat.found;
  if (!(await isStillSo(repeatable, ports, observer, begun.startedAt))) return undefined;
  const { version, outputs } = earlier;
  const run: Run = { ...begun, version, outputs, status: "completed", git: await parts.git, finishedAt: Date.now() };
  const { entries } = repeat;
  if (!(await recordRepeat({ kind: "repeat", run, of: earlier.id, entries }, ports))) return undefined;
  for (const trace of repeatable.traces) observer.reused(trace);
  await recorder.flush();
  const repeated = new RepeatedRun(run, repeatable, plan, identities);
  if (recorder.isHeard) await tellRepeated(repeated, { ...parts, begun: { ...begun, version } });
  return repeated;
}

async function tellRepeated({ run, steps, savedMs }: RunOutcome, parts: RepeatParts): Promise<void> {
  const { plan, ports, recorder, begun } = parts;
  const [version] = await ports.metadata.versions(run.pipeline, run.version);
  assertInternal(version, `version ${run.version} of pipeline "${run.pipeline}" is not recorded`);
  tellStart(recorder, plan, ports, begun, version);
  const time = run.finishedAt ?? Date.now();
  for (const step of steps) recorder.emit({ kind: "step-ended", time, step });
  await tellReusedMetrics(steps, ports.metadata, recorder);
  recorder.emit({ kind: "run-ended", time, run, savedMs });
}

function tellStart(recorder: Recorder, plan: Plan, ports: PlanPorts, run: Run, version: PipelineVersion): void {
  const pipelineCache = resolveOptions({ pipelines: [plan.options], defaults: ports.defaults }).cache;
  recorder.emit({ kind: "run-started", time: run.startedAt, run, version, steps: plan.nodes.length, pipelineCache });
}

type Identities = ReadonlyMap<StepDefinition, CodeIdentity>;

function describeRefusal({ message }: StoreError): string {
  return `the store refuses to be written. The run goes on; what is not recorded in the end can be neither looked at nor reused: ${message}`;
}
