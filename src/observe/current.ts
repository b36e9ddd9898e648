/** Whose reads these are: the recording of the step in whose asynchronous context the code at work runs. */
import { inStep, stepScope } from "../define/step-scope.ts";
import type { Recording } from "./recording.ts";

let suspended = 0;

/** The recording that a read belongs to; undefined outside of steps, and when the step has ended. */
export function currentRecording(): Recording | undefined {
  if (suspended > 0) return undefined;
  const recording = stepScope() as Recording | undefined;
  return recording === undefined || recording.isClosed ? undefined : recording;
}

export function runRecorded<T>(recording: Recording, work: () => T): T {
  return inStep(recording, work);
}

/** Runs a function of the user's that Node's own code calls back, such as a filter: what that reads is the step's. */
export function backInStep<T>(recording: Recording, work: () => T): T {
  const before = suspended;
  suspended = 0;
  try {
    return inStep(recording, work);
  } finally {
    suspended = before;
  }
}

/** Runs Node's own code, which may call what is watched to do what was asked of it. Holds until it returns. */
export function insideNode<T>(work: () => T): T {
  suspended += 1;
  try {
    return work();
  } finally {
    suspended -= 1;
  }
}
