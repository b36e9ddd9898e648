/** Runs as a list shows them. */
import type { Run } from "../record/run.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { withLiveStatus } from "./live-status.ts";
import { matchesRun, type RunFilter } from "./run-filter.ts";
import { lastMetrics, loadStepResults } from "./step-results.ts";

export interface RunSummary {
  readonly run: Run;
  /** Undefined while it runs, and of an interrupted run. */
  readonly durationMs: number | undefined;
  /** What its reused steps took when they were executed. */
  readonly savedMs: number;
  readonly steps: {
    readonly total: number;
    readonly cached: number;
    readonly completed: number;
    readonly failed: number;
  };
  /** Last values by `node.name`. */
  readonly metrics: Readonly<Record<string, number>>;
}

const pageSize = 200;

/** The newest runs that a filter lets through. */
export async function listRuns(
  metadata: MetadataStore,
  filter: RunFilter,
  limit = Number.POSITIVE_INFINITY,
): Promise<readonly RunSummary[]> {
  const { conditions, words, status, ...stored } = filter;
  const asksMore = conditions !== undefined || words !== undefined || status !== undefined;
  const found: RunSummary[] = [];
  const size = asksMore || !Number.isFinite(limit) ? pageSize : Math.max(1, limit);
  for (let offset = 0; found.length < limit; offset += size) {
    const query = { ...stored, ...storedStatus(status), limit: size, offset };
    const page = (await metadata.runs(query)).map(withLiveStatus);
    const fitting = status === undefined ? page : page.filter((run) => status.includes(run.status));
    for (const summary of await summarizeRuns(metadata, fitting)) {
      if (found.length < limit && matchesRun(filter, summary.run, new Map(Object.entries(summary.metrics)))) {
        found.push(summary);
      }
    }
    if (page.length < size) break;
  }
  return found;
}

/** Counts and metrics of runs, in their order. */
export async function summarizeRuns(metadata: MetadataStore, runs: readonly Run[]): Promise<readonly RunSummary[]> {
  if (runs.length === 0) return [];
  const stepRuns = await metadata.stepRuns({ runs: runs.map((run) => run.id) });
  const results = await loadStepResults(metadata, stepRuns);
  const byRun = Map.groupBy(stepRuns, (stepRun) => stepRun.run);
  return runs.map((run) => {
    const steps = byRun.get(run.id) ?? [];
    const count = (status: string): number => steps.filter((step) => step.status === status).length;
    return {
      run,
      durationMs: run.finishedAt === undefined ? undefined : run.finishedAt - run.startedAt,
      savedMs: steps.reduce((sum, step) => sum + (step.savedMs ?? 0), 0),
      steps: {
        total: steps.length,
        cached: count("cached"),
        completed: count("completed"),
        failed: count("failed"),
      },
      metrics: Object.fromEntries(lastMetrics(steps, results)),
    };
  });
}

/** A run that is shown as interrupted may still be stored as running. */
function storedStatus(status: RunFilter["status"]): Pick<RunFilter, "status"> {
  if (status === undefined) return {};
  return { status: status.includes("interrupted") ? [...new Set([...status, "running" as const])] : status };
}
