/** A cache entry: under this key, a step run gave these outputs. */
import type { ArtifactUse } from "./run.ts";
import type { StepRunId } from "./id.ts";
import type { KeyDigest } from "./key.ts";

export interface CacheEntry {
  readonly key: KeyDigest;
  readonly step: string;
  readonly outputs: readonly ArtifactUse[];
  /** The step run that executed. */
  readonly origin: StepRunId;
  readonly durationMs: number;
  readonly createdAt: number;
  /** Not reused from this moment on. Set by the `expires` option when the entry was made. */
  readonly expiresAt: number | undefined;
  /** Set when somebody invalidated the entry; it is kept so that the reason can be told. */
  readonly invalidatedAt: number | undefined;
}
