/** Puts the step runs of some runs into the order of their plans. */
import type { RunId } from "../record/id.ts";
import type { PlanRecord, StepRun } from "../record/run.ts";

/**
 * Run by run as asked, in plan order; a node that its plan does not have comes last, earliest start first.
 *
 * @param plans - The plan of each run; a run without one counts as a run with an empty plan.
 */
export function inPlanOrder(
  stepRuns: readonly StepRun[],
  runs: readonly RunId[],
  plans: ReadonlyMap<RunId, PlanRecord>,
): StepRun[] {
  const places = new Map<RunId, number>();
  for (const [place, run] of runs.entries()) if (!places.has(run)) places.set(run, place);
  const positionsOf = new Map<PlanRecord, Map<string, number>>();
  for (const plan of plans.values()) {
    if (positionsOf.has(plan)) continue;
    positionsOf.set(plan, new Map(plan.nodes.map((node, position) => [node.id, position])));
  }
  const placed = stepRuns.map((stepRun) => {
    const plan = plans.get(stepRun.run);
    const position = plan === undefined ? undefined : positionsOf.get(plan)?.get(stepRun.node);
    return { stepRun, place: places.get(stepRun.run) ?? Infinity, position: position ?? Infinity };
  });
  placed.sort(
    (left, right) =>
      ascending(left.place, right.place) ||
      ascending(left.position, right.position) ||
      ascending(left.stepRun.startedAt, right.stepRun.startedAt) ||
      ascending(left.stepRun.node, right.stepRun.node),
  );
  return placed.map(({ stepRun }) => stepRun);
}

/** The order of numbers, and of strings by code unit: the same on every machine. */
export function ascending<T extends number | string>(left: T, right: T): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
