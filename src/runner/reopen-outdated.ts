/** Nodes that ended on something in the world that is not there any more are handed out again. */
import type { Observer } from "../observe/observer.ts";
import type { NodeState } from "./node-state.ts";
import type { PlanPorts } from "./plan-ports.ts";
import type { Schedule } from "./schedule.ts";

interface Parts {
  readonly ports: Pick<PlanPorts, "metadata">;
  readonly observer: Observer;
}

/** Looks at those of the doubted nodes that are done, until none of them is; the others stay in doubt. */
export async function reopenOutdated(doubted: Set<NodeState>, schedule: Schedule, parts: Parts): Promise<void> {
  const takeDone = (): readonly NodeState[] => {
    const done = [...doubted].filter(({ node }) => schedule.isDone(node.id));
    for (const state of done) doubted.delete(state);
    return done;
  };
  for (let done = takeDone(); done.length > 0; done = takeDone()) {
    for (const { node } of await findOutdated(done, parts)) {
      if (schedule.isDone(node.id)) schedule.reopen(node.id);
    }
  }
}

async function findOutdated(states: readonly NodeState[], { ports, observer }: Parts): Promise<readonly NodeState[]> {
  const traces = states.flatMap(({ trace }) => trace ?? []);
  const checks = await observer.check(await ports.metadata.traces([...new Set(traces)]));
  return states.filter(({ trace, stepRun }) => {
    // What changed while it was read is no part of the trace.
    if (stepRun.obstacle?.code === "unstable-input") return true;
    return trace !== undefined && checks.get(trace)?.differences.length !== 0;
  });
}
