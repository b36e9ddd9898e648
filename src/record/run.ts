/** A run, its step runs, and what they left behind. Times are milliseconds since 1970. */
import type { Place } from "../error.ts";
import type { Digest } from "../hash/digest.ts";
import type { JsonObject, JsonValue } from "../hash/json.ts";
import type { CacheMode } from "../define/options.ts";
import type { ArtifactName } from "./artifact.ts";
import type { RunId, StepRunId } from "./id.ts";
import type { KeyDigest } from "./key.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import type { Reason } from "./reason.ts";
import type { Notice, Obstacle } from "./trace.ts";

export type RunStatus = "running" | "completed" | "failed" | "cancelled" | "interrupted";
export type StepRunStatus = "running" | "completed" | "cached" | "failed" | "skipped" | "cancelled" | "interrupted";

/** An error as it is kept: nothing of it is a live object. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly hint?: string;
  readonly stack?: string;
  /** The user's own line that threw. */
  readonly place?: Place;
  readonly cause?: ErrorRecord;
}

/** A parameter as it is kept. */
export interface ParamRecord {
  readonly digest: Digest;
  /** The value where JSON can hold it exactly and it is short; else undefined. Never of a secret. */
  readonly value: JsonValue | undefined;
  /** For people. */
  readonly shown: string;
  readonly secret?: boolean;
}

export interface PlanRecord {
  readonly nodes: readonly NodeRecord[];
  readonly outputs: Readonly<Record<string, ArgumentRecord>>;
}

export interface NodeRecord {
  readonly id: string;
  readonly step: string;
  readonly arguments: Readonly<Record<string, ArgumentRecord>>;
  readonly after: readonly string[];
}

/** An argument without its value: what the topology of a pipeline is made of. */
export type ArgumentRecord =
  | { readonly kind: "value" }
  | { readonly kind: "ref"; readonly node: string; readonly output: string }
  | { readonly kind: "list"; readonly items: readonly ArgumentRecord[] };

/** A version of a pipeline: its topology and the code of its steps. Parameters, comments and cache settings are no part of it. */
export interface PipelineVersion {
  readonly pipeline: string;
  /** From 1; old code gets its old number back. */
  readonly version: number;
  readonly digest: Digest;
  readonly plan: PlanRecord;
  /** Node → digest of its step's code. */
  readonly code: Readonly<Record<string, Digest>>;
  readonly createdAt: number;
}

export interface GitRecord {
  readonly commit: string;
  readonly branch: string | undefined;
  readonly dirty: boolean;
}

/** Where a run happened, and in which process, to tell a run that goes on from one whose process died. */
export interface EnvironmentRecord extends ProcessIdentity {
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  readonly reprise: string;
}

export interface Run {
  readonly id: RunId;
  /** Readable and unique: `first_pipeline-22_Nov_26-22_41_07_573248`, or as the user said. */
  readonly name: string;
  readonly pipeline: string;
  /** Where the pipeline is defined, relative to the project, with `/`; undefined when that is outside of it. */
  readonly file?: string;
  readonly version: number;
  readonly status: RunStatus;
  readonly params: Readonly<Record<string, ParamRecord>>;
  readonly stack: string;
  /** As the run was asked for; undefined when it was not. */
  readonly cache: CacheMode | undefined;
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
  readonly git: GitRecord | undefined;
  readonly environment: EnvironmentRecord;
  /** A key, and a value that may be empty. */
  readonly tags: Readonly<Record<string, string>>;
  /** When it was brought in from another store, with those of its steps whose results came with it; left out of a run of this store. */
  readonly imported?: number;
  readonly error: ErrorRecord | undefined;
  /** Which argument each of the build's outputs is. */
  readonly outputs: Readonly<Record<string, ArgumentRecord>>;
}

/** Which artifact an input or output of a step run was. */
export interface ArtifactUse {
  /** The argument's or output's name; an element of a fan-in is `models[0]`. */
  readonly slot: string;
  readonly artifact: ArtifactName;
  readonly version: number;
  readonly digest: Digest;
}

export interface AttemptRecord {
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly error: ErrorRecord | undefined;
}

export interface StepRun {
  readonly id: StepRunId;
  readonly run: RunId;
  readonly node: string;
  readonly step: string;
  readonly status: StepRunStatus;
  /** Undefined while it is not known yet. */
  readonly reason: Reason | undefined;
  readonly key: KeyDigest | undefined;
  readonly cache: CacheMode;
  /** How much was known of the step's code; left out when all of it was. */
  readonly verdict?: "assumed" | "opaque";
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
  readonly attempts: readonly AttemptRecord[];
  readonly inputs: readonly ArtifactUse[];
  readonly outputs: readonly ArtifactUse[];
  /** Of a reused step: the step run that executed. Its logs, metrics, metadata and tags are this one's too. */
  readonly origin: StepRunId | undefined;
  /** Of a reused step: how long the origin took. */
  readonly savedMs: number | undefined;
  /** Of a reused step: when the origin had ended. */
  readonly originAt?: number;
  readonly error: ErrorRecord | undefined;
  /** Of the trace of what it read while it executed; left out when it read nothing outside, and of a reused step. */
  readonly trace?: Digest;
  /** Why its result is not reused, though it ended well. */
  readonly obstacle?: Obstacle;
  readonly notices?: readonly Notice[];
  readonly metadata: JsonObject;
  readonly tags: readonly string[];
}

export interface LogLine {
  readonly stepRun: StepRunId;
  /** From 0 within the step run. */
  readonly seq: number;
  readonly time: number;
  readonly stream: "stdout" | "stderr" | "log";
  readonly level: "debug" | "info" | "warn" | "error" | undefined;
  readonly text: string;
  /** What was passed to `log` besides the text. */
  readonly data?: JsonObject;
}

export interface MetricPoint {
  readonly stepRun: StepRunId;
  readonly name: string;
  /** Position in a series; undefined for a scalar. */
  readonly step: number | undefined;
  readonly value: number;
  readonly time: number;
}
