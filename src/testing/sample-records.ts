/** Records to test stores with: every field filled in, unlike each other, and equal whenever they are made. */
import { digestBytes, type Digest } from "../hash/digest.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import { toStepRunId, type RunId, type StepRunId } from "../record/id.ts";
import type { KeyRecord } from "../record/key.ts";
import type { LogLine, MetricPoint, PipelineVersion, Run, StepRun } from "../record/run.ts";
import type { CodeRecord, NewArtifact } from "../store/metadata-store.ts";

/** 2026-01-01, in milliseconds since 1970; samples count from here. */
export const sampleTime = Date.UTC(2026, 0, 1);

export function sampleDigest(text: string): Digest {
  return digestBytes(text);
}

export function sampleRun(id: string, changes: Partial<Run> = {}): Run {
  return {
    id: id as RunId,
    name: `name of ${id}`,
    pipeline: "first_pipeline",
    version: 1,
    status: "completed",
    params: {
      gamma: { digest: sampleDigest("0.02"), value: 0.02, shown: "0.02" },
      token: { digest: sampleDigest("secret"), value: undefined, shown: "***", secret: true },
    },
    stack: "default",
    cache: "use",
    startedAt: sampleTime,
    finishedAt: sampleTime + 1500,
    git: { commit: "4bf8e8d", branch: "main", dirty: true },
    environment: { node: "24.21.0", platform: "linux", arch: "x64", reprise: "0.1.0", host: "here", pid: 12 },
    tags: {},
    error: undefined,
    outputs: { model: { kind: "ref", node: "trainer", output: "model" } },
    ...changes,
  };
}

/** A run as sparse as one can be. */
export function sparseRun(id: string, changes: Partial<Run> = {}): Run {
  return sampleRun(id, {
    status: "running",
    params: {},
    cache: undefined,
    finishedAt: undefined,
    git: { commit: "4bf8e8d", branch: undefined, dirty: false },
    outputs: {},
    ...changes,
  });
}

export function sampleStepRun(run: string, node: string, changes: Partial<StepRun> = {}): StepRun {
  return {
    id: toStepRunId(run as RunId, node),
    run: run as RunId,
    node,
    step: node,
    status: "failed",
    reason: {
      code: "param",
      text: "a parameter changed",
      differences: [
        { code: "param", part: "gamma", from: "0.01", to: "0.02", place: "src/train.ts:12", detail: "by hand" },
        { code: "import", part: "src/score.ts#cosine", from: undefined, to: undefined },
      ],
      against: "r-0/trainer",
    },
    key: sampleDigest(`key of ${node}`),
    cache: "refresh",
    startedAt: sampleTime + 10,
    finishedAt: sampleTime + 20,
    attempts: [
      { startedAt: sampleTime + 10, finishedAt: sampleTime + 12, error: { name: "Error", message: "no" } },
      { startedAt: sampleTime + 13, finishedAt: sampleTime + 20, error: undefined },
    ],
    inputs: [
      { slot: "trainSet", artifact: "splitter.trainSet", version: 1, digest: sampleDigest("train set") },
      { slot: "more[0]", artifact: "splitter.trainSet", version: 1, digest: sampleDigest("train set") },
    ],
    outputs: [{ slot: "model", artifact: `${node}.model`, version: 1, digest: sampleDigest("model") }],
    origin: toStepRunId("r-0" as RunId, node),
    savedMs: 12.5,
    error: {
      name: "TypeError",
      message: "it failed",
      code: "E1",
      hint: "mend it",
      stack: "at train (src/train.ts:12:3)",
      place: { file: "src/train.ts", line: 12, column: 3 },
      cause: { name: "Error", message: "deeper" },
    },
    metadata: { rows: 178, nested: { list: [1, "two", null, true] }, constructor: "a word like any other" },
    tags: ["good", "ünïcode 😀"],
    ...changes,
  };
}

/** A step run as sparse as one can be. */
export function sparseStepRun(run: string, node: string, changes: Partial<StepRun> = {}): StepRun {
  return sampleStepRun(run, node, {
    status: "running",
    reason: undefined,
    key: undefined,
    cache: "use",
    finishedAt: undefined,
    attempts: [],
    inputs: [],
    outputs: [],
    origin: undefined,
    savedMs: undefined,
    error: undefined,
    metadata: {},
    tags: [],
    ...changes,
  });
}

export function sampleEntry(key: string, changes: Partial<CacheEntry> = {}): CacheEntry {
  return {
    key: sampleDigest(key),
    trace: undefined,
    step: "trainer",
    outputs: [{ slot: "model", artifact: "trainer.model", version: 2, digest: sampleDigest("model") }],
    blobs: [{ digest: sampleDigest("bytes of the model"), size: 1234 }],
    origin: toStepRunId("r-1" as RunId, "trainer"),
    durationMs: 812.25,
    createdAt: sampleTime,
    expiresAt: sampleTime + 86_400_000,
    invalidatedAt: undefined,
    pinnedAt: undefined,
    ...changes,
  };
}

export function sampleKey(changes: Partial<KeyRecord> = {}): KeyRecord {
  return {
    scheme: 1,
    step: "trainer",
    code: sampleDigest("code"),
    arguments: {
      gamma: { kind: "value", digest: sampleDigest("0.02"), shown: "0.02" },
      sets: { kind: "list", items: [{ kind: "value", digest: sampleDigest("x"), shown: '"x"' }] },
    },
    outputs: { model: "json@1" },
    version: undefined,
    cacheKey: undefined,
    runtime: "node 24",
    ...changes,
  };
}

export function sampleCode(name: string, changes: Partial<CodeRecord> = {}): CodeRecord {
  return {
    digest: sampleDigest(`code ${name}`),
    verdict: "proved",
    own: [`src/steps.ts#${name}`],
    place: "src/steps.ts:3",
    units: [
      { id: `src/steps.ts#${name}`, kind: "declaration", digest: sampleDigest(name), lines: [3, 9] },
      { id: "src/score.ts#cosine", kind: "declaration", digest: sampleDigest("cosine"), lines: [1, 4] },
      { id: "zod", kind: "package", digest: sampleDigest("zod"), version: "4.6.7" },
    ],
    ...changes,
  };
}

export function sampleVersion(text: string, changes: Partial<PipelineVersion> = {}): Omit<PipelineVersion, "version"> {
  return {
    pipeline: "first_pipeline",
    digest: sampleDigest(text),
    plan: {
      nodes: ["splitter", "trainer", "evaluator"].map((id) => ({ id, step: id, arguments: {}, after: [] })),
      outputs: { model: { kind: "ref", node: "trainer", output: "model" } },
    },
    code: { splitter: sampleDigest("code splitter") },
    createdAt: sampleTime,
    ...changes,
  };
}

export function sampleArtifact(name: string, content: string, changes: Partial<NewArtifact> = {}): NewArtifact {
  return {
    name,
    digest: sampleDigest(content),
    type: "json",
    typeVersion: 1,
    root: { digest: sampleDigest(`root of ${content}`), size: 12 },
    parts: [{ digest: sampleDigest(`part of ${content}`), size: 30 }],
    size: 42,
    mediaType: "application/json",
    extension: "json",
    preview: { kind: "json", value: { a: [1, 2, null] }, truncated: false },
    metadata: { length: 3 },
    producer: toStepRunId("r-1" as RunId, "trainer"),
    createdAt: sampleTime,
    ...changes,
  };
}

export function sampleLine(run: string, node: string, seq: number, changes: Partial<LogLine> = {}): LogLine {
  return {
    stepRun: toStepRunId(run as RunId, node),
    seq,
    time: sampleTime + seq,
    stream: "log",
    level: "info",
    text: `line ${seq}`,
    ...changes,
  };
}

export function samplePoint(stepRun: string, changes: Partial<MetricPoint> = {}): MetricPoint {
  return { stepRun: stepRun as StepRunId, name: "loss", step: 0, value: 0.5, time: sampleTime, ...changes };
}

export function toRunId(text: string): RunId {
  return text as RunId;
}
