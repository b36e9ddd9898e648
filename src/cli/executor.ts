/** Runs a pipeline for a script: `await firstPipeline.run({ … })`. */
import process from "node:process";
import { planPipeline } from "../define/plan-pipeline.ts";
import type { AnyPipeline } from "../define/pipeline-definition.ts";
import type { OutputHandle, RunHandle, RunOptions } from "../define/run-handle.ts";
import { outsideStep } from "../define/step-scope.ts";
import { RunError } from "../error.ts";
import type { RunEvent } from "../record/event.ts";
import { runPlan } from "../runner/run.ts";
import { toRunHandle } from "../stack/run-handle.ts";
import { openSharedStack } from "../stack/shared-stack.ts";
import type { Stack } from "../stack/stack.ts";
import { describeError } from "./error-view.ts";
import { findPreviousRun } from "./previous-run.ts";
import { announceCancel } from "./reporter/cancel-notice.ts";
import { chooseReporter, createReporter } from "./reporter/index.ts";
import type { Reporter } from "./reporter/reporter.ts";
import { processIo } from "./terminal.ts";

/** Plans, runs and reports. Throws a RunError for a run that did not complete, unless `throwOnFailure` is false. */
export async function runFromScript(
  pipeline: AnyPipeline,
  params: Readonly<Record<string, unknown>>,
  options: RunOptions,
): Promise<RunHandle<Readonly<Record<string, OutputHandle<unknown>>>>> {
  const plan = planPipeline(pipeline, params);
  const { store, stack: stackName } = options;
  // What is read and written to open the store is no doing of a step that runs this pipeline.
  const stack = await outsideStep(() =>
    openSharedStack({
      ...(store === undefined ? {} : { store }),
      ...(stackName === undefined ? {} : { stack: stackName }),
    }),
  );
  const reporter = await outsideStep(() => openReporter(options, stack, plan.pipeline));
  using interrupt = listenForInterrupt();
  const signal = options.signal === undefined ? interrupt.signal : AbortSignal.any([options.signal, interrupt.signal]);
  using _notice = reporter === undefined ? undefined : announceCancel(reporter, interrupt.signal);
  try {
    const told = reporter === undefined ? {} : { onEvent: (event: RunEvent) => reporter.report(event) };
    const outcome = await runPlan(plan, stack, { ...options, signal, ...told });
    if (outcome.run.status !== "completed" && options.throwOnFailure !== false) throw toRunError(outcome);
    return toRunHandle(plan, outcome, stack);
  } finally {
    reporter?.close();
  }
}

async function openReporter(
  { reporter = "auto" }: RunOptions,
  stack: Stack,
  pipeline: string,
): Promise<Reporter | undefined> {
  if (reporter === "silent") return undefined;
  const io = processIo();
  const kind = chooseReporter(reporter, io);
  const previous = kind === "pretty" ? await findPreviousRun(stack, pipeline) : undefined;
  return createReporter(kind, io, { root: stack.root, previous });
}

/** The error that a script gets. The step's own error is its cause, and its text comes first. */
function toRunError({ run, steps, error }: Awaited<ReturnType<typeof runPlan>>): RunError {
  if (run.status === "cancelled") {
    return new RunError("RPS3002", `Run ${run.id} of "${run.pipeline}" was cancelled`, { cause: error });
  }
  const failed = steps.find((step) => step.status === "failed");
  const what = failed?.error === undefined ? "" : `: ${describeError(failed.error)}`;
  return new RunError("RPS3001", `Step "${failed?.node}" of pipeline "${run.pipeline}" failed${what}`, {
    hint: `Finished steps are kept: the next run goes on from here. Look at the run: reprise show ${run.id}`,
    ...(failed?.error?.place === undefined ? {} : { place: failed.error.place }),
    data: { run: run.id, node: failed?.node },
    cause: error,
  });
}

interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
}

/** The runs of this process that a Ctrl-C cancels: any number, with one listener, since Node warns of many. */
const interruptible = new Set<AbortController>();
let isInterrupted = false;

/** The first Ctrl-C cancels all runs, and the end of the last one ends the process as Ctrl-C does; the second ends it at once. */
function listenForInterrupt(): Interrupt {
  const abort = new AbortController();
  if (interruptible.size === 0) process.on("SIGINT", onInterrupt);
  interruptible.add(abort);
  if (isInterrupted) abort.abort(cancelledByInterrupt());
  return {
    signal: abort.signal,
    [Symbol.dispose]() {
      interruptible.delete(abort);
      if (interruptible.size > 0) return;
      process.off("SIGINT", onInterrupt);
      if (isInterrupted) process.exit(130);
    },
  };
}

function onInterrupt(): void {
  if (isInterrupted) process.exit(130);
  isInterrupted = true;
  for (const abort of interruptible) abort.abort(cancelledByInterrupt());
}

function cancelledByInterrupt(): RunError {
  return new RunError("RPS3002", "The run was cancelled by Ctrl-C");
}
