/** The questions about step runs. Those of a run that repeats another one are the other one's, at its own time. */
import type { RunId, StepRunId } from "../record/id.ts";
import type { PlanRecord, StepRun } from "../record/run.ts";
import type { Reuse, StepRunQuery } from "../store/metadata-store.ts";
import { splitStepRunId } from "../store/needed-runs.ts";
import { inPlanOrder } from "../store/plan-order.ts";
import { toStepRun, toVersion } from "./rows.ts";
import { compareBy, selectAmong, selectPage } from "./select.ts";
import { Conditions, execute, type Query, type Row, type SqlValue } from "./statement.ts";

type Before = Readonly<Record<string, SqlValue>> | undefined;

export function* selectStepRuns(query: StepRunQuery): Query<readonly StepRun[]> {
  const { ids, runs, step, limit } = query;
  let before: Before;
  if (query.before !== undefined) {
    [before] = yield* execute("SELECT started_at, id FROM runs WHERE id = ?", query.before);
    if (before === undefined) return [];
  }
  if (runs !== undefined) {
    const rows = yield* selectPage(runs, { order }, (piece) => findByRun(query, before, ids, piece));
    return inPlanOrder(rows.map(toStepRun), runs, yield* selectPlans(runs)).slice(0, limit);
  }
  const rows =
    ids === undefined && step !== undefined
      ? yield* selectOfStep(query, step, before)
      : yield* selectPage(ids, { order, limit }, (piece) => findByRun(query, before, piece, undefined));
  return rows.map(toStepRun);
}

interface Found {
  readonly sql: string;
  readonly conditions: Conditions;
}

/** The runs lead the search: those that are named, or all from the newest on. */
function findByRun(
  query: StepRunQuery,
  before: Before,
  ids: readonly StepRunId[] | undefined,
  runs: readonly RunId[] | undefined,
): Found {
  const conditions = new Conditions();
  const pairs = ids?.map(splitStepRunId);
  const asked = pairs === undefined ? "" : `${conditions.table(["run", "node"], pairs)} AS asked CROSS JOIN `;
  if (pairs !== undefined) conditions.raw("runs.id = asked.run").raw("step_runs.node = asked.node");
  conditions.among("runs.id", runs).raw("step_runs.run = coalesce(runs.repeats, runs.id)");
  narrow(conditions, query, before).where("step_runs.step = ?", query.step);
  return { sql: `${select} FROM ${asked}runs CROSS JOIN step_runs ${conditions} ${inOrder}`, conditions };
}

/** The index of the step leads the search; those of runs that repeat others are looked for from the newest such run on. */
function* selectOfStep(query: StepRunQuery, step: string, before: Before): Query<readonly Row[]> {
  const { limit } = query;
  const own = yield* selectPage<never>(undefined, { order, limit }, () => {
    const conditions = new Conditions().where("step_runs.step = ?", step);
    if (before !== undefined) conditions.raw(earlier("step_runs.run_started_at", "step_runs.run"), ...values(before));
    narrow(conditions, query, undefined);
    const sorted =
      "ORDER BY step_runs.run_started_at DESC, step_runs.run DESC, step_runs.started_at DESC, step_runs.node";
    const sql = `SELECT step_runs.* FROM step_runs JOIN runs ON runs.id = step_runs.run ${conditions} ${sorted}`;
    return { sql, conditions };
  });
  // Whoever is repeated has a row of its own: without any, no run need be looked at.
  const known = new Conditions().where("step = ?", step).where("node = ?", query.node);
  const isKnown =
    own.length > 0 || (yield* execute(`SELECT 1 FROM step_runs ${known} LIMIT 1`, ...known.parameters)).length > 0;
  if (!isKnown) return own;
  const repeated = yield* selectPage<never>(undefined, { order, limit }, () => {
    const conditions = new Conditions().raw("runs.repeats IS NOT NULL").raw("step_runs.run = runs.repeats");
    narrow(conditions, query, before).where("step_runs.step = ?", step);
    return { sql: `${select} FROM runs CROSS JOIN step_runs ${conditions} ${inOrder}`, conditions };
  });
  return repeated.length === 0 ? own : [...own, ...repeated].sort(compareBy(order)).slice(0, limit);
}

const order = ["run_started_at DESC", "run DESC", "started_at DESC", "node"];

/** The columns of a step run's own row, with the times of a run that repeats it. */
const select = `SELECT runs.id AS run, step_runs.node, step_runs.step, step_runs.status,
  runs.started_at AS run_started_at,
  iif(runs.repeats IS NULL, step_runs.started_at, runs.started_at) AS started_at,
  iif(runs.repeats IS NULL, step_runs.finished_at, runs.finished_at) AS finished_at,
  step_runs.origin, step_runs.record`;

const inOrder = `ORDER BY runs.started_at DESC, runs.id DESC,
  iif(runs.repeats IS NULL, step_runs.started_at, runs.started_at) DESC, step_runs.node`;

function narrow(conditions: Conditions, { node, pipeline, status }: StepRunQuery, before: Before): Conditions {
  conditions.where("step_runs.node = ?", node).where("runs.pipeline = ?", pipeline).among("step_runs.status", status);
  return before === undefined ? conditions : conditions.raw(earlier("runs.started_at", "runs.id"), ...values(before));
}

function earlier(start: string, run: string): string {
  return `(${start}, ${run}) < (?, ?)`;
}

function values(before: NonNullable<Before>): readonly SqlValue[] {
  return [before["started_at"] as SqlValue, before["id"] as SqlValue];
}

export function* selectReuses({ step }: { readonly step?: string }): Query<ReadonlyMap<StepRunId, Reuse>> {
  const conditions = new Conditions()
    .where("step_runs.status = ?", "cached")
    .where("step_runs.step = ?", step)
    .raw("step_runs.origin IS NOT NULL");
  const rows = yield* execute(
    `SELECT origin, count(*) + coalesce(sum(times), 0) AS count, max(max(started_at, coalesce(last_at, 0))) AS last_at
     FROM step_runs LEFT JOIN (
       SELECT repeats, count(*) AS times, max(started_at) AS last_at FROM runs WHERE repeats IS NOT NULL GROUP BY repeats
     ) AS repeated ON repeated.repeats = step_runs.run ${conditions} GROUP BY origin`,
    ...conditions.parameters,
  );
  return new Map(
    rows.map((row) => [
      row["origin"] as StepRunId,
      { count: row["count"] as number, lastAt: row["last_at"] as number },
    ]),
  );
}

function* selectPlans(runs: readonly RunId[]): Query<ReadonlyMap<RunId, PlanRecord>> {
  const plans = new Map<string, PlanRecord>();
  const ofRuns = new Map<RunId, PlanRecord>();
  for (const row of yield* selectAmong("SELECT id, pipeline, version FROM runs", "id", runs)) {
    const pipeline = row["pipeline"] as string;
    const version = row["version"] as number;
    const name = `${version} ${pipeline}`;
    if (!plans.has(name)) {
      const sql = "SELECT * FROM pipeline_versions WHERE pipeline = ? AND version = ?";
      const [found] = yield* execute(sql, pipeline, version);
      if (found === undefined) continue;
      plans.set(name, toVersion(found).plan);
    }
    ofRuns.set(row["id"] as RunId, plans.get(name)!);
  }
  return ofRuns;
}
