/** The asynchronous context of a step: what runs in it, now and from timers, promises and streams, is the step's doing. */
import { AsyncLocalStorage } from "node:async_hooks";

const storage = new AsyncLocalStorage<object>();

/** Runs a step's function; `scope` stands for the step. */
export function inStep<T>(scope: object, work: () => T): T {
  return storage.run(scope, work);
}

/** What stands for the step whose context this is. */
export function stepScope(): object | undefined {
  return storage.getStore();
}

/** Runs what is not a step's though a step called it. Holds for what it starts, too. */
export function outsideStep<T>(work: () => T): T {
  return storage.exit(work);
}
