/** Which runs a change needs: what belongs to a run cannot be written without it. */
import { ConflictError, StoreError } from "../error.ts";
import type { RunId, StepRunId } from "../record/id.ts";
import type { Change } from "./metadata-store.ts";

export function runsNeededBy(change: Change): ReadonlySet<RunId> {
  switch (change.kind) {
    case "step-run":
      return new Set([change.stepRun.run]);
    case "log":
      return new Set(change.lines.map((line) => toRunId(line.stepRun)));
    case "metric":
      return new Set(change.points.map((point) => toRunId(point.stepRun)));
    case "tag-run":
      return new Set([change.run]);
    case "repeatable":
      return new Set([change.repeatable.run]);
    case "end-lease":
      return new Set([...change.changes, ...change.otherwise].flatMap((each) => [...runsNeededBy(each)]));
    default:
      return new Set();
  }
}

/** What a store throws for a change that needs a run which is not there. */
export function unknownRun(change: Change, run: RunId): StoreError {
  return new StoreError("RPS4005", `The store refused a change of kind "${change.kind}": there is no run "${run}".`, {
    hint: "Write the run before what belongs to it.",
    data: { kind: change.kind, run },
  });
}

/** What a store throws when a run has come that a write did not expect. */
export function unexpectedRun(run: RunId): ConflictError {
  return new ConflictError("RPS5001", `Run ${run} began meanwhile, and may need what would be removed`, {
    hint: "Look again at what there is to remove",
    data: { run },
  });
}

/** What a store throws when a run is to be repeated, and what it took is not what it was. */
export function notRepeatable(run: RunId): ConflictError {
  return new ConflictError("RPS5001", `What run ${run} reused was changed meanwhile`, {
    hint: "Look each step up",
    data: { run },
  });
}

export function toRunId(stepRun: StepRunId): RunId {
  return stepRun.slice(0, stepRun.indexOf("/")) as RunId;
}

/** A run's id has no slash; a node's may have some. */
export function splitStepRunId(id: StepRunId): [run: RunId, node: string] {
  const run = toRunId(id);
  return [run, id.slice(run.length + 1)];
}
