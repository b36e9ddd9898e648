/** A lease: one step run executes a key, and whoever needs the same waits for it. */
import type { StepRunId } from "./id.ts";
import type { KeyDigest } from "./key.ts";
import type { ProcessIdentity } from "./process-identity.ts";

/** Of one acquisition of one lease, and of no other. */
export type LeaseToken = string & { readonly __brand: "LeaseToken" };

export interface LeaseHolder {
  readonly process: ProcessIdentity;
  /** A word that this copy of Reprise gave itself when it was loaded into a thread of the process. */
  readonly instance?: string;
  /** The step run that executes. */
  readonly stepRun: StepRunId;
}

export interface Lease {
  readonly key: KeyDigest;
  readonly token: LeaseToken;
  readonly holder: LeaseHolder;
  /** Grows while the holder lives. No time: clocks of machines differ, and jump. */
  readonly beat: number;
}
