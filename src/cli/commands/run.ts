/** `reprise run`. */
import { UsageError } from "../../error.ts";
import { runPlan, type RunOutcome } from "../../runner/run.ts";
import type { Context, Handler } from "../context.ts";
import { toErrorJson } from "../error-view.ts";
import { planCommand } from "../plan-command.ts";
import { announceCancel } from "../reporter/cancel-notice.ts";
import { chooseReporter, createReporter } from "../reporter/index.ts";
import { findPreviousRun } from "../previous-run.ts";
import type { ReporterOptions } from "../reporter/reporter.ts";

export const run: Handler<"run"> = async (context) => {
  const { flags, globals, io } = context;
  if (flags.bail && flags["keep-going"]) {
    throw new UsageError("RPS6001", "--bail and --keep-going contradict each other", { hint: "Give one of them" });
  }
  if (flags.jobs === 0) {
    throw new UsageError("RPS6001", "--jobs is 0", { hint: "Let one step run at least: --jobs 1" });
  }
  const stack = await context.openStack();
  const { plan, options } = await planCommand(context, stack);
  if (flags["dry-run"]) {
    const [{ forecastPlan }, { printForecast }] = await Promise.all([
      import("../../runner/forecast.ts"),
      import("../forecast-view.ts"),
    ]);
    const forecasts = await forecastPlan(plan, stack, options);
    return context.answer({ pipeline: plan.pipeline, steps: forecasts }, () =>
      printForecast(context.printer, forecasts),
    );
  }
  const kind = chooseReporter(globals.json ? "json" : flags.reporter, io);
  const reporterOptions: ReporterOptions = {
    root: stack.root,
    color: globals["no-color"] ? "never" : "auto",
    level: globals.quiet ? "quiet" : globals.verbose ? "verbose" : "normal",
    previous: kind === "pretty" ? await findPreviousRun(stack, plan.pipeline) : undefined,
  };
  const reporter = createReporter(kind, io, reporterOptions);
  let outcome: RunOutcome;
  using _notice = announceCancel(reporter, context.signal);
  try {
    outcome = await runPlan(plan, stack, {
      ...options,
      ...(flags.name === undefined ? {} : { name: flags.name }),
      ...(flags.jobs === undefined ? {} : { jobs: flags.jobs }),
      tags: toTags(flags.tag),
      onFailure: flags.bail ? "stop-all" : "stop-dependents",
      signal: context.signal,
      onEvent: (event) => reporter.report(event),
    });
  } finally {
    reporter.close();
  }
  if (globals.json) printEnvelope(context, outcome, stack.root);
  if (outcome.run.status === "cancelled") return 130;
  if (outcome.run.status !== "completed") return 1;
  // A store that may only be read is somebody's wish; one that refuses all of a sudden is not.
  return outcome.recorded === "no" ? 5 : 0;
};

/** The last line of `run --json`; the lines before it are events. */
function printEnvelope({ io }: Context<"run">, outcome: RunOutcome, root: string): void {
  const { run: record, steps, savedMs, recorded, error } = outcome;
  const data = { run: record, steps, savedMs, recorded };
  const ok = record.status === "completed";
  const envelope = ok ? { ok, data } : { ok, error: toErrorJson(error ?? record.error, root), data };
  io.stdout.write(`${JSON.stringify(envelope)}\n`);
}

function toTags(tags: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    tags.map((tag) => {
      const at = tag.indexOf("=");
      return at === -1 ? [tag, ""] : [tag.slice(0, at), tag.slice(at + 1)];
    }),
  );
}
