/** `reprise status`, and `reprise` alone in a project. */
import { relative } from "node:path";
import { planPipeline } from "../../define/plan-pipeline.ts";
import { UsageError } from "../../error.ts";
import type { Run } from "../../record/run.ts";
import { withLiveStatus } from "../../history/live-status.ts";
import { forecastPlan, type Forecast } from "../../runner/forecast.ts";
import type { Stack } from "../../stack/stack.ts";
import type { Context, Handler } from "../context.ts";
import { toErrorJson } from "../error-view.ts";
import { findAllPipelines, findPipeline, type FoundPipeline } from "../find-pipeline.ts";
import { describeForecast } from "../forecast-view.ts";
import { formatAgo, formatDuration } from "../format.ts";
import { cleanText, cutText, padText } from "../print.ts";
import { styleOfStatus } from "../status-style.ts";

interface PipelineStatus {
  /** Its name; of a file that cannot be loaded, the path. */
  readonly pipeline: string;
  readonly lastRun: Run | undefined;
  /** `unknown`: it cannot be planned with the parameters of its last run, or its file cannot be loaded. */
  readonly state: "fresh" | "stale" | "unknown";
  readonly steps: readonly Forecast[];
  readonly error: unknown;
}

export const status: Handler<"status"> = async (context) => {
  const stack = await context.openStack();
  const [wanted] = context.args;
  const { found, broken } =
    wanted === undefined
      ? await findAllPipelines(stack)
      : { found: [await findPipeline(stack, context.cwd, wanted)], broken: [] };
  const statuses: PipelineStatus[] = [];
  for (const each of found) statuses.push(await readStatus(stack, each));
  for (const { file, error } of broken) {
    statuses.push({ pipeline: relative(stack.root, file), lastRun: undefined, state: "unknown", steps: [], error });
  }
  const data = statuses.map(({ error, ...rest }) => ({
    ...rest,
    ...(error === undefined ? {} : { error: toErrorJson(error, stack.root) }),
  }));
  context.answer(data, () => printStatuses(context, statuses));
  return context.flags["exit-code"] === true && statuses.some((each) => each.state !== "fresh") ? 3 : 0;
};

/** Plans with the parameters of the last run, as far as they were kept. */
async function readStatus(stack: Stack, { pipeline }: FoundPipeline): Promise<PipelineStatus> {
  const { name } = pipeline.definition;
  const [last] = await stack.metadata.runs({ pipeline: name, madeHere: true, limit: 1 });
  const lastRun = last && withLiveStatus(last);
  const secret = Object.entries(last?.params ?? {}).find(([, param]) => param.secret === true);
  if (secret !== undefined)
    return { pipeline: name, lastRun, state: "unknown", steps: [], error: notKept(name, secret[0]) };
  const kept = Object.entries(last?.params ?? {}).filter(([, param]) => param.value !== undefined);
  const params = Object.fromEntries(kept.map(([param, { value }]) => [param, value]));
  try {
    const steps = await forecastPlan(planPipeline(pipeline, params), stack, {});
    const isFresh = steps.every((step) => step.verdict === "cached");
    return { pipeline: name, lastRun, state: isFresh ? "fresh" : "stale", steps, error: undefined };
  } catch (error) {
    return { pipeline: name, lastRun, state: "unknown", steps: [], error };
  }
}

function notKept(pipeline: string, param: string): UsageError {
  return new UsageError("RPS6001", `Parameter "${param}" is secret, and was not kept`, {
    hint: `Give it: reprise plan ${pipeline} --param-env ${param}=VARIABLE`,
  });
}

function printStatuses({ printer, args }: Context<"status">, statuses: readonly PipelineStatus[]): void {
  const { symbols } = printer;
  if (statuses.length === 0) {
    printer.line("  No pipeline files yet: call one *.pipeline.ts, or name a file with reprise run FILE");
    return;
  }
  for (const { pipeline, lastRun, state, steps, error } of statuses) {
    const sign = state === "fresh" ? printer.style("green", symbols.done) : printer.style("yellow", symbols.waiting);
    const last =
      lastRun === undefined
        ? error === undefined
          ? "never run"
          : ""
        : `last run ${lastRun.id} ${printer.style(styleOfStatus(lastRun.status), lastRun.status)} ${formatAgo(lastRun.startedAt, Date.now())}`;
    printer.line(`  ${sign} ${printer.style("bold", pipeline)}  ${state}${last === "" ? "" : `  ${last}`}`);
    if (error !== undefined) printer.line(`      ${cleanText(error instanceof Error ? error.message : String(error))}`);
    if (error instanceof UsageError && error.hint !== undefined) printer.line(`      ${cleanText(error.hint)}`);
    const shown = args.length > 0 ? steps : steps.filter((step) => step.verdict !== "cached");
    const width = Math.min(28, Math.max(0, ...shown.map((step) => step.node.length)));
    for (const step of shown) {
      const why = describeForecast(step);
      const saved = step.savedMs === undefined ? "" : `  ${formatDuration(step.savedMs)}`;
      const text = `${padText(step.node, width)}  ${padText(step.verdict, 7)}  ${cleanText(why)}${saved}`;
      printer.line(`      ${cutText(text, printer.terminal.columns - 7, symbols.more)}`);
    }
  }
  const stale = statuses.find((each) => each.state === "stale");
  if (stale !== undefined) {
    printer.line(printer.style("dim", `  reprise run ${[stale.pipeline, ...toFlags(stale.lastRun)].join(" ")}`));
  }
}

/** The parameters of a run as flags. */
function toFlags(run: Run | undefined): readonly string[] {
  return Object.entries(run?.params ?? {}).flatMap(([name, { value }]) => {
    if (value === undefined) return [];
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return [`--${name}=${/^[\w.,:/@+-]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`}`];
  });
}
