/** A process that ends in the middle of a run: a step called `process.exit`, or left nothing that the process could wait for. */
import process from "node:process";
import type { StepRun } from "../record/run.ts";
import type { Recorder } from "./recorder.ts";

export interface Watched {
  readonly recorder: Recorder;
  /** Steps that execute at this moment. */
  readonly executing: () => readonly StepRun[];
}

/** Node's exit code for a process that has nothing left to do but to wait for a promise. */
const unsettled = 13;
const interrupted = 130;

const watched = new Set<Watched>();

/** While it is not disposed of, the end of the process is told to whoever listens to the run, and is no success. */
export function watchExit(run: Watched): Disposable {
  // One listener for all runs of the process: Node warns of many.
  if (watched.size === 0) process.on("exit", tell);
  watched.add(run);
  return {
    [Symbol.dispose]() {
      watched.delete(run);
      if (watched.size === 0) process.off("exit", tell);
    },
  };
}

function tell(code: number): void {
  if (code === interrupted) return;
  if (code === 0) process.exitCode = 1;
  const message =
    code === unsettled
      ? "it waits for a promise that nothing in the process will ever settle"
      : "the process is ended while it is running, by process.exit() or by an error that nobody caught";
  for (const { recorder, executing } of watched) {
    for (const { id } of executing()) recorder.emit({ kind: "warning", time: Date.now(), step: id, message });
  }
}
