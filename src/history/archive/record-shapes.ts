/** What the records in an archive must look like: whoever wrote it need not have been Reprise. */
import type { Preview } from "../../define/materializer.ts";
import type { CacheMode } from "../../define/options.ts";
import type { Place } from "../../error.ts";
import type { BlobRef } from "../../define/materializer.ts";
import type { JsonObject, JsonValue } from "../../hash/json.ts";
import type { CacheEntry } from "../../record/cache-entry.ts";
import type { RunId, StepRunId } from "../../record/id.ts";
import type { KeyArgument, KeyRecord } from "../../record/key.ts";
import type { Difference, Reason } from "../../record/reason.ts";
import type {
  ArgumentRecord,
  ArtifactUse,
  AttemptRecord,
  EnvironmentRecord,
  ErrorRecord,
  GitRecord,
  LogLine,
  MetricPoint,
  NodeRecord,
  ParamRecord,
  PipelineVersion,
  PlanRecord,
  Run,
  RunStatus,
  StepRun,
} from "../../record/run.ts";
import type { Notice, ObservedRead, Obstacle, ReadKind, Trace } from "../../record/trace.ts";
import type { CodeRecord, CodeUnitRecord, NewArtifact } from "../../store/metadata-store.ts";
import {
  count,
  digest,
  flag,
  json,
  list,
  matching,
  misfit,
  number,
  object,
  oneOf,
  optional,
  orNothing,
  record,
  text,
  variants,
  type Shape,
} from "./shape.ts";

/** Codes grow from version to version; what is not known is shown as it is. */
const code = matching<never>(/^[a-z-]+$/u, "a code");
const runId = matching<RunId>(/^r-[0-9a-z]+$/u, "the id of a run");
const stepRunId = matching<StepRunId>(/^r-[0-9a-z]+\/./u, "the id of a step run");
const jsonObject = record(json) as Shape<JsonObject>;
const time = number;

const place = object<Place>({ file: text, line: count, column: optional(count) });
const blob = object<BlobRef>({ digest, size: count });
const use = object<ArtifactUse>({ slot: text, artifact: text, version: count, digest });

const error: Shape<ErrorRecord> = (value, path) => errorFields(value, path);
const errorFields = object<ErrorRecord>({
  name: text,
  message: text,
  code: optional(text),
  hint: optional(text),
  stack: optional(text),
  place: optional(place),
  cause: optional(error),
});

const difference = object<Difference>({
  code,
  part: text,
  from: orNothing(text),
  to: orNothing(text),
  place: optional(text),
  detail: optional(text),
});
const reason = object<Reason>({ code, text, differences: list(difference), against: optional(text) });

const argumentRecord: Shape<ArgumentRecord> = (value, path) => argumentVariants(value, path);
const argumentVariants = variants<ArgumentRecord>({
  value: {},
  ref: { node: text, output: text },
  list: { items: list(argumentRecord) },
});

const node = object<NodeRecord>({ id: text, step: text, arguments: record(argumentRecord), after: list(text) });
const plan = object<PlanRecord>({ nodes: list(node), outputs: record(argumentRecord) });

export type ArchivedVersion = Omit<PipelineVersion, "version">;

export const version: Shape<ArchivedVersion> = object<ArchivedVersion>({
  pipeline: text,
  digest,
  plan,
  code: record(digest),
  createdAt: time,
});

const param = object<ParamRecord>({ digest, value: orNothing<JsonValue>(json), shown: text, secret: optional(flag) });
const git = object<GitRecord>({ commit: text, branch: orNothing(text), dirty: flag });
const environment = object<EnvironmentRecord>({
  node: text,
  platform: text,
  arch: text,
  reprise: text,
  host: text,
  pid: count,
  boot: optional(text),
  pidNamespace: optional(text),
  started: optional(text),
  thread: optional(object<NonNullable<EnvironmentRecord["thread"]>>({ id: count, started: text })),
});
const cacheMode: Shape<CacheMode> = oneOf<CacheMode>({ use: true, refresh: true, off: true, require: true });

/** A run names its version by digest: numbers are a store's own. Tags are, too. */
export type ArchivedRun = Omit<Run, "version" | "tags" | "imported"> & {
  readonly versionDigest: PipelineVersion["digest"];
};

export const run: Shape<ArchivedRun> = object<ArchivedRun>({
  id: runId,
  name: text,
  pipeline: text,
  file: optional(text),
  versionDigest: digest,
  status: oneOf<Exclude<RunStatus, "running">>({ completed: true, failed: true, cancelled: true, interrupted: true }),
  params: record(param),
  stack: text,
  cache: orNothing(cacheMode),
  startedAt: time,
  finishedAt: orNothing(time),
  git: orNothing(git),
  environment,
  error: orNothing(error),
  outputs: record(argumentRecord),
});

const attempt = object<AttemptRecord>({ startedAt: time, finishedAt: time, error: orNothing(error) });
const obstacle = object<Obstacle>({ code, text });
const notice = object<Notice>({ kind: code, text, place: optional(place) });

export const stepRun: Shape<StepRun> = object<StepRun>({
  id: stepRunId,
  run: runId,
  node: text,
  step: text,
  status: oneOf({ completed: true }),
  reason: orNothing(reason),
  key: orNothing(digest),
  cache: cacheMode,
  verdict: optional(oneOf<NonNullable<StepRun["verdict"]>>({ assumed: true, opaque: true })),
  startedAt: time,
  finishedAt: orNothing(time),
  attempts: list(attempt),
  inputs: list(use),
  outputs: list(use),
  origin: orNothing(stepRunId),
  savedMs: orNothing(number),
  originAt: optional(time),
  error: orNothing(error),
  trace: optional(digest),
  obstacle: optional(obstacle),
  notices: optional(list(notice)),
  metadata: jsonObject,
  tags: list(text),
});

export const logLine: Shape<LogLine> = object<LogLine>({
  stepRun: stepRunId,
  seq: count,
  time,
  stream: oneOf<LogLine["stream"]>({ stdout: true, stderr: true, log: true }),
  level: orNothing(oneOf<NonNullable<LogLine["level"]>>({ debug: true, info: true, warn: true, error: true })),
  text,
  data: optional(jsonObject),
});

/** JSON has no number that is none: it is written as null. */
const value: Shape<number> = (given, path) => (given === null ? Number.NaN : number(given, path));

export const metricPoint: Shape<MetricPoint> = object<MetricPoint>({
  stepRun: stepRunId,
  name: text,
  step: orNothing(number),
  value,
  time,
});

export const entry: Shape<CacheEntry> = object<CacheEntry>({
  key: digest,
  trace: orNothing(digest),
  step: text,
  outputs: list(use),
  blobs: list(blob),
  origin: stepRunId,
  durationMs: number,
  createdAt: time,
  expiresAt: orNothing(time),
  // Nobody exports what is invalid, and pins are a store's own.
  invalidatedAt: () => undefined,
  pinnedAt: () => undefined,
  unsteady: optional(text),
});

const keyArgument: Shape<KeyArgument> = (given, path) => keyVariants(given, path);
const keyVariants = variants<KeyArgument>({
  value: { digest, shown: text },
  artifact: { digest },
  list: { items: list(keyArgument) },
});

export const key: Shape<KeyRecord> = object<KeyRecord>({
  scheme: count,
  step: text,
  code: digest,
  arguments: record(keyArgument),
  outputs: record(text),
  version: orNothing(text),
  cacheKey: orNothing(keyArgument),
  reads: optional(list(text)),
  runtime: text,
});

const read: Shape<ObservedRead> = (value, path) => {
  const { kind, name, found } = readFields(value, path);
  if (!isReadName(kind, name)) throw misfit(`${path}.name`, "the name of something that can be read", name);
  return { kind, name, found };
};
const readFields = object<ObservedRead>({
  kind: oneOf<ReadKind>({
    file: true,
    stat: true,
    link: true,
    realpath: true,
    directory: true,
    tree: true,
    glob: true,
    env: true,
    variables: true,
    folder: true,
    http: true,
  }),
  name: text,
  found: text,
});

/** A glob's name is the folder it starts from, encoded, a space, and the pattern. */
function isReadName(kind: ReadKind, name: string): boolean {
  if (name.includes("\0")) return false;
  if (kind !== "glob") return true;
  const at = name.indexOf(" ");
  try {
    return at > 0 && decodeURI(name.slice(0, at)) !== "";
  } catch {
    return false;
  }
}

export const trace: Shape<Trace> = object<Trace>({ salt: text, reads: list(read) });

const lines: Shape<readonly [number, number]> = (given, path) => {
  const [first = 0, last = 0] = list(count)(given, path);
  return [first, last];
};
const unit = object<CodeUnitRecord>({
  id: text,
  kind: oneOf<CodeUnitRecord["kind"]>({ declaration: true, effect: true, file: true, package: true }),
  digest,
  version: optional(text),
  lines: optional(lines),
});

export const codeRecord: Shape<CodeRecord> = object<CodeRecord>({
  digest,
  verdict: text,
  notes: optional(list(text)),
  own: list(text),
  place: orNothing(text),
  units: list(unit),
});

type PreviewOf<Kind extends Preview["kind"]> = Extract<Preview, { kind: Kind }>;

const preview = variants<Preview>({
  json: { value: json, truncated: flag },
  text: { text, truncated: flag },
  markdown: { text, truncated: flag },
  table: {
    columns: list(object<PreviewOf<"table">["columns"][number]>({ name: text, type: text })),
    rows: list(list(json)),
    rowCount: count,
    truncated: flag,
  },
  image: { mediaType: text, width: optional(number), height: optional(number) },
  html: {},
  svg: {},
  files: {
    entries: list(object<PreviewOf<"files">["entries"][number]>({ path: text, size: count })),
    count,
    truncated: flag,
  },
});

export const artifact: Shape<NewArtifact> = object<NewArtifact>({
  name: text,
  digest,
  type: text,
  typeVersion: count,
  root: blob,
  parts: list(blob),
  size: count,
  mediaType: text,
  extension: text,
  preview: orNothing(preview),
  metadata: jsonObject,
  producer: stepRunId,
  createdAt: time,
});
