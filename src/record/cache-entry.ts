/** A cache entry: under this key, and in this state of the world, a step run gave these outputs. */
import type { BlobRef } from "../define/materializer.ts";
import type { Digest } from "../hash/digest.ts";
import type { ArtifactUse } from "./run.ts";
import type { StepRunId } from "./id.ts";
import type { KeyDigest } from "./key.ts";

export interface CacheEntry {
  readonly key: KeyDigest;
  /** Of the trace that must hold; undefined when the step read nothing outside. One entry per key and trace. */
  readonly trace: Digest | undefined;
  readonly step: string;
  readonly outputs: readonly ArtifactUse[];
  /** Every blob of the outputs, so that a hit can be checked without reading the artifacts' records. */
  readonly blobs: readonly BlobRef[];
  /** The step run that executed. */
  readonly origin: StepRunId;
  readonly durationMs: number;
  readonly createdAt: number;
  /** When it may be collected, by the `expires` option of when it was made. Whether it is reused is for the option of today. */
  readonly expiresAt: number | undefined;
  /** Set when somebody invalidated the entry; it is kept so that the reason can be told. */
  readonly invalidatedAt: number | undefined;
  /** Set when somebody pinned the entry: it is not collected. */
  readonly pinnedAt: number | undefined;
  /** Where it was executed again and gave another output: which, as a sentence fragment that follows the step's name. */
  readonly unsteady?: string;
}
