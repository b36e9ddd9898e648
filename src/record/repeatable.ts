/** What a run leaves that reused every step, so that a run of the same need not look each of them up again. */
import type { BlobRef } from "../define/materializer.ts";
import type { Digest } from "../hash/digest.ts";
import type { RunId } from "./id.ts";

export interface Repeatable {
  /** Of all that decides which results the run's steps take: plan, code, arguments, options. */
  readonly digest: Digest;
  /** The run. Each of its steps was reused, and its results were the newest that stood under their keys. */
  readonly run: RunId;
  /** When the first of the results is too old; undefined when none ever is. */
  readonly expiresAt: number | undefined;
  /** What the reused steps took when they were executed. */
  readonly savedMs: number;
  /** What the results hold for, where they were made by steps that read something outside. */
  readonly traces: readonly Digest[];
  /** The blobs of the results, each once. A store that counts what becomes of a blob as a change of an entry may leave it out. */
  readonly blobs: readonly BlobRef[];
  /** The run's steps, packed: few ask for them. */
  readonly steps: string;
}
