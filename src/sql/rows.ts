/**
 * Records to rows and back. What is searched by or shown in a list has a column; all else of a record is JSON in its
 * `record` column, so that a new field needs no migration. JSON has no undefined: where a record's type says
 * `| undefined`, reading fills it in.
 */
import type { BlobRef } from "../define/materializer.ts";
import type { Digest } from "../hash/digest.ts";
import type { JsonObject } from "../hash/json.ts";
import type { Artifact } from "../record/artifact.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import { toStepRunId, type RunId } from "../record/id.ts";
import type { KeyRecord } from "../record/key.ts";
import { packUse, unpackUse, type PackedUse } from "../record/packed-use.ts";
import type { Difference, Reason } from "../record/reason.ts";
import type {
  AttemptRecord,
  GitRecord,
  LogLine,
  MetricPoint,
  ParamRecord,
  PipelineVersion,
  Run,
  StepRun,
} from "../record/run.ts";
import type { ObservedRead, Trace } from "../record/trace.ts";
import type { ArtifactUseRow, CodeRecord } from "../store/metadata-store.ts";
import type { Row, SqlValue } from "./statement.ts";

/** As JSON holds a record: what may be undefined may be left out. */
type Stored<T> = { readonly [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key] } & {
  readonly [Key in keyof T as undefined extends T[Key] ? Key : never]?: T[Key];
};

/** The columns `id, name, pipeline, version, status, started_at, finished_at, imported_at, record`. */
export function fromRun(run: Run): SqlValue[] {
  const { id, name, pipeline, version, status, startedAt, finishedAt, imported, tags: _, ...rest } = run;
  const times = [startedAt, finishedAt ?? null, imported ?? null];
  return [id, name, pipeline, version, status, ...times, JSON.stringify(rest)];
}

type RunColumn = "id" | "name" | "pipeline" | "version" | "status" | "startedAt" | "finishedAt" | "imported" | "tags";

export function toRun(row: Row, tags: Readonly<Record<string, string>>): Run {
  const rest = parse<Stored<Omit<Run, RunColumn>>>(row["record"]);
  return {
    cache: undefined,
    error: undefined,
    ...rest,
    id: row["id"] as RunId,
    name: row["name"] as string,
    pipeline: row["pipeline"] as string,
    version: row["version"] as number,
    status: row["status"] as Run["status"],
    params: mapValues(rest.params, toParam),
    startedAt: row["started_at"] as number,
    finishedAt: toOptional<number>(row["finished_at"]),
    ...(row["imported_at"] === null ? {} : { imported: row["imported_at"] as number }),
    git: rest.git === undefined ? undefined : toGit(rest.git),
    tags,
  };
}

function toParam(param: Stored<ParamRecord>): ParamRecord {
  return { value: undefined, ...param };
}

function toGit(git: Stored<GitRecord>): GitRecord {
  return { branch: undefined, ...git };
}

/** The columns `run, node, step, status, started_at, finished_at, origin, record`. */
export function fromStepRun(stepRun: StepRun): SqlValue[] {
  const { id: _, run, node, step, status, startedAt, finishedAt, origin, ...rest } = stepRun;
  const { attempts, inputs, outputs, metadata, tags, ...more } = rest;
  // A cached step has little to say: what is empty is left out.
  const record = {
    ...more,
    ...(attempts.length === 0 ? {} : { attempts }),
    ...(inputs.length === 0 ? {} : { inputs: inputs.map(packUse) }),
    ...(outputs.length === 0 ? {} : { outputs: outputs.map(packUse) }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(tags.length === 0 ? {} : { tags }),
  };
  return [run, node, step, status, startedAt, finishedAt ?? null, origin ?? null, JSON.stringify(record)];
}

type PackedStepRun = Stored<
  Omit<
    StepRun,
    | ("id" | "run" | "node" | "step" | "status" | "startedAt" | "finishedAt" | "origin")
    | ("attempts" | "inputs" | "outputs" | "metadata" | "tags")
  >
> & {
  readonly attempts?: readonly Stored<AttemptRecord>[];
  readonly inputs?: readonly PackedUse[];
  readonly outputs?: readonly PackedUse[];
  readonly metadata?: JsonObject;
  readonly tags?: readonly string[];
};

export function toStepRun(row: Row): StepRun {
  const rest = parse<PackedStepRun>(row["record"]);
  const run = row["run"] as RunId;
  const node = row["node"] as string;
  return {
    key: undefined,
    savedMs: undefined,
    error: undefined,
    ...rest,
    id: toStepRunId(run, node),
    run,
    node,
    step: row["step"] as string,
    status: row["status"] as StepRun["status"],
    startedAt: row["started_at"] as number,
    finishedAt: toOptional<number>(row["finished_at"]),
    origin: toOptional<StepRun["origin"] & string>(row["origin"]),
    reason: rest.reason === undefined ? undefined : toReason(rest.reason),
    attempts: (rest.attempts ?? []).map((attempt) => ({ error: undefined, ...attempt })),
    inputs: (rest.inputs ?? []).map(unpackUse),
    outputs: (rest.outputs ?? []).map(unpackUse),
    metadata: rest.metadata ?? {},
    tags: rest.tags ?? [],
  };
}

function toReason(reason: Reason): Reason {
  return {
    ...reason,
    differences: reason.differences.map((each: Stored<Difference>) => ({ from: undefined, to: undefined, ...each })),
  };
}

export function toUseRow(row: Row): ArtifactUseRow {
  return {
    artifact: row["artifact"] as string,
    version: row["version"] as number,
    stepRun: toStepRunId(row["run"] as RunId, row["node"] as string),
    role: row["role"] as ArtifactUseRow["role"],
    slot: row["slot"] as string,
  };
}

/** The columns `pipeline, version, digest, created_at, record`. */
export function fromVersion(version: PipelineVersion): SqlValue[] {
  const { pipeline, version: number, digest, createdAt, ...rest } = version;
  return [pipeline, number, digest, createdAt, JSON.stringify(rest)];
}

export function toVersion(row: Row): PipelineVersion {
  return {
    ...parse<Pick<PipelineVersion, "plan" | "code">>(row["record"]),
    pipeline: row["pipeline"] as string,
    version: row["version"] as number,
    digest: row["digest"] as Digest,
    createdAt: row["created_at"] as number,
  };
}

/** The columns `name, version, digest, type, created_at, root, parts, record`. */
export function fromArtifact(artifact: Artifact): SqlValue[] {
  const { name, version, digest, type, createdAt, root, parts, ...rest } = artifact;
  const record = JSON.stringify({ ...rest, rootSize: root.size });
  return [name, version, digest, type, createdAt, root.digest, JSON.stringify(parts.map(packBlob)), record];
}

type PackedArtifact = Stored<
  Omit<Artifact, "name" | "version" | "digest" | "type" | "createdAt" | "root" | "parts">
> & { readonly rootSize: number };

export function toArtifact(row: Row): Artifact {
  const { rootSize, ...rest } = parse<PackedArtifact>(row["record"]);
  return {
    preview: undefined,
    ...rest,
    name: row["name"] as string,
    version: row["version"] as number,
    digest: row["digest"] as Digest,
    type: row["type"] as string,
    createdAt: row["created_at"] as number,
    root: { digest: row["root"] as Digest, size: rootSize },
    parts: toParts(row["parts"]),
  };
}

export function toParts(column: SqlValue | undefined): readonly BlobRef[] {
  return parse<readonly PackedBlob[]>(column).map(unpackBlob);
}

export type PackedBlob = readonly [digest: Digest, size: number];

export function packBlob({ digest, size }: BlobRef): PackedBlob {
  return [digest, size];
}

export function unpackBlob([digest, size]: PackedBlob): BlobRef {
  return { digest, size };
}

/** The columns `key, trace, step, origin, created_at, expires_at, invalidated_at, pinned_at, record`. */
export function fromCacheEntry(entry: CacheEntry): SqlValue[] {
  const { key, trace, step, origin, createdAt, expiresAt, invalidatedAt, pinnedAt, outputs, blobs, ...rest } = entry;
  const record = JSON.stringify({ ...rest, outputs: outputs.map(packUse), blobs: blobs.map(packBlob) });
  const times = [createdAt, expiresAt ?? null, invalidatedAt ?? null, pinnedAt ?? null];
  return [key, fromTraceName(trace), step, origin, ...times, record];
}

/** As a part of a primary key, a trace that is not there needs a value. */
export function fromTraceName(trace: Digest | undefined): string {
  return trace ?? "";
}

type PackedEntry = Pick<CacheEntry, "durationMs"> & {
  readonly outputs: readonly PackedUse[];
  readonly blobs: readonly PackedBlob[];
};

export function toCacheEntry(row: Row): CacheEntry {
  const { outputs, blobs, ...rest } = parse<PackedEntry>(row["record"]);
  return {
    ...rest,
    key: row["key"] as Digest,
    trace: row["trace"] === "" ? undefined : (row["trace"] as Digest),
    step: row["step"] as string,
    outputs: outputs.map(unpackUse),
    blobs: blobs.map(unpackBlob),
    origin: row["origin"] as CacheEntry["origin"],
    createdAt: row["created_at"] as number,
    expiresAt: toOptional<number>(row["expires_at"]),
    invalidatedAt: toOptional<number>(row["invalidated_at"]),
    pinnedAt: toOptional<number>(row["pinned_at"]),
  };
}

export function fromTrace({ salt, reads }: Trace): string {
  return JSON.stringify({ salt, reads: reads.map(({ kind, name, found }) => [kind, name, found]) });
}

export function toTrace(row: Row): Trace {
  const { salt, reads } = parse<{ salt: string; reads: [ObservedRead["kind"], string, string][] }>(row["record"]);
  return { salt, reads: reads.map(([kind, name, found]) => ({ kind, name, found })) };
}

export function toKey(row: Row): KeyRecord {
  return { version: undefined, cacheKey: undefined, ...parse<Stored<KeyRecord>>(row["record"]) };
}

/** A step's code without its units. */
export function toCode(row: Row, units: CodeRecord["units"]): CodeRecord {
  return { place: undefined, ...parse<Stored<Omit<CodeRecord, "units">>>(row["record"]), units };
}

/** The columns `run, node, seq, time, stream, level, text, data`. */
export function fromLogLine(run: RunId, node: string, line: LogLine): SqlValue[] {
  const { seq, time, stream, level, text, data } = line;
  return [
    run,
    node,
    seq,
    time,
    stream,
    level ?? null,
    fromText(text),
    data === undefined ? null : JSON.stringify(data),
  ];
}

export function toLogLine(row: Row): LogLine {
  return {
    stepRun: toStepRunId(row["run"] as RunId, row["node"] as string),
    seq: row["seq"] as number,
    time: row["time"] as number,
    stream: row["stream"] as LogLine["stream"],
    level: toOptional<NonNullable<LogLine["level"]>>(row["level"]),
    text: toText(row["text"] as string),
    ...(row["data"] === null ? {} : { data: parse<JsonObject>(row["data"]) }),
  };
}

/** The columns `run, node, name, step, value, time`. */
export function fromMetricPoint(run: RunId, node: string, point: MetricPoint): SqlValue[] {
  const { name, step, value, time } = point;
  return [run, node, name, step ?? null, Number.isNaN(value) ? null : value, time];
}

export function toMetricPoint(row: Row): MetricPoint {
  return {
    stepRun: toStepRunId(row["run"] as RunId, row["node"] as string),
    name: row["name"] as string,
    step: toOptional<number>(row["step"]),
    value: row["value"] === null ? NaN : (row["value"] as number),
    time: row["time"] as number,
  };
}

/**
 * Text of any shape, as what a program printed, as a text that every database takes: PostgreSQL refuses a NUL, and Node
 * before 24.15 reads a SQLite text no further than its first.
 */
export function fromText(text: string): string {
  return text.replaceAll("\x1A", "\x1A1").replaceAll("\0", "\x1A0");
}

export function toText(column: string): string {
  return column.replaceAll("\x1A0", "\0").replaceAll("\x1A1", "\x1A");
}

function parse<T>(column: SqlValue | undefined): T {
  return JSON.parse(column as string) as T;
}

function toOptional<T extends SqlValue>(column: SqlValue | undefined): T | undefined {
  return column === null || column === undefined ? undefined : (column as T);
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
