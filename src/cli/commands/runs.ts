/** `reprise runs`. */
import { UsageError } from "../../error.ts";
import { listRuns, type RunSummary } from "../../history/list-runs.ts";
import { parseRunFilter, type RunFilter } from "../../history/run-filter.ts";
import type { Handler } from "../context.ts";
import { formatAgo, formatDuration, formatNumber, shortenDigests } from "../format.ts";
import { printTable } from "../print.ts";
import { styleOfStatus } from "../status-style.ts";

export const runs: Handler<"runs"> = async (context) => {
  const { flags, args, printer } = context;
  const now = Date.now();
  const filter: RunFilter = {
    ...parseRunFilter(args.join(" "), now),
    ...(flags.pipeline === undefined ? {} : { pipeline: flags.pipeline }),
    ...(flags.status === undefined ? {} : { status: [flags.status] }),
    ...(flags.tag === undefined ? {} : { tag: flags.tag }),
  };
  if (flags.limit < 1) throw new UsageError("RPS6001", "--limit is 0", { hint: "Ask for one run at least" });
  const stack = await context.openStack();
  const found = await listRuns(stack.metadata, filter, flags.limit);
  context.answer(found, () => {
    if (found.length === 0) {
      printer.line("  No run fits. Run a pipeline: reprise run FILE");
      return;
    }
    printTable(printer, found, [
      { title: "id", value: ({ run }) => run.id },
      { title: "status", value: ({ run }) => run.status, style: ({ run }) => styleOfStatus(run.status) },
      { title: "pipeline", value: ({ run }) => `${run.pipeline}@v${run.version}`, flexible: true },
      { title: "started", value: ({ run }) => formatAgo(run.startedAt, now) },
      {
        title: "took",
        value: ({ durationMs }) => (durationMs === undefined ? "" : formatDuration(durationMs)),
        align: "right",
      },
      { title: "cached", value: ({ steps }) => `${steps.cached}/${steps.total}`, align: "right" },
      { title: "saved", value: ({ savedMs }) => (savedMs === 0 ? "" : formatDuration(savedMs)), align: "right" },
      { title: "metrics", value: showMetrics, flexible: true },
      { title: "params", value: showParams, flexible: true },
      { title: "tags", value: showTags, flexible: true },
      { title: "name", value: ({ run }) => run.name, flexible: true },
      { title: "from", value: ({ run }) => (run.imported === undefined ? "" : run.environment.host), flexible: true },
    ]);
  });
};

function showMetrics({ metrics }: RunSummary): string {
  const shown = Object.entries(metrics).slice(0, 2);
  return shown.map(([name, value]) => `${name.slice(name.lastIndexOf(".") + 1)}=${formatNumber(value)}`).join(" ");
}

function showParams({ run }: RunSummary): string {
  return Object.entries(run.params)
    .map(([name, param]) => `${name}=${shortenDigests(param.shown)}`)
    .join(" ");
}

function showTags({ run }: RunSummary): string {
  return Object.entries(run.tags)
    .map(([key, value]) => (value === "" ? key : `${key}=${value}`))
    .join(" ");
}
