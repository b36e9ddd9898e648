/** The questions of the metadata port, in SQL. */
import type { Digest } from "../hash/digest.ts";
import type { Artifact } from "../record/artifact.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { RunId, StepRunId } from "../record/id.ts";
import type { KeyDigest, KeyRecord } from "../record/key.ts";
import type { Trace } from "../record/trace.ts";
import type { LogLine, MetricPoint, PipelineVersion, Run } from "../record/run.ts";
import type {
  ArtifactQuery,
  ArtifactUseRow,
  CodeRecord,
  CodeUnitRecord,
  FileDigest,
  MetadataStore,
  PipelineSummary,
  RunQuery,
} from "../store/metadata-store.ts";
import { newestEntryFirst } from "../store/entry-order.ts";
import { splitStepRunId } from "../store/needed-runs.ts";
import { ascending } from "../store/plan-order.ts";
import { toUseRows } from "../store/use-rows.ts";
import { parseTagQuery } from "../store/tag-query.ts";
import {
  toArtifact,
  toCacheEntry,
  toCode,
  toKey,
  toLogLine,
  toMetricPoint,
  toParts,
  toRun,
  toText,
  toTrace,
  toUseRow,
  toVersion,
} from "./rows.ts";
import { selectStepRuns } from "./select-step-runs.ts";
import { selectAmong, selectPage } from "./select.ts";
import { Conditions, execute, type Query, type Row } from "./statement.ts";

export function* selectCacheEntries(keys: readonly KeyDigest[]): Query<ReadonlyMap<KeyDigest, readonly CacheEntry[]>> {
  const entries = (yield* selectAmong("SELECT * FROM cache_entries", "key", keys)).map(toCacheEntry);
  const byKey = Map.groupBy(entries, (entry) => entry.key);
  for (const own of byKey.values()) if (own.length > 1) own.sort(newestEntryFirst);
  return byKey;
}

export function* selectTraces(digests: readonly Digest[]): Query<ReadonlyMap<Digest, Trace>> {
  const rows = yield* selectAmong("SELECT * FROM traces", "digest", digests);
  return new Map(rows.map((row) => [row["digest"] as Digest, toTrace(row)]));
}

const pageOfKeys = 1000;

/** The next keys after a digest, in the order of digests. */
export function* selectKeysAfter(after: string): Query<readonly KeyDigest[]> {
  const sql = "SELECT digest FROM keys WHERE digest > ? ORDER BY digest LIMIT ?";
  return (yield* execute(sql, after, pageOfKeys)).map((row) => row["digest"] as KeyDigest);
}

const pageOfTraces = 200;

/** The next traces after a digest, in the order of digests. */
export function* selectTracesAfter(after: string): Query<readonly (readonly [Digest, Trace])[]> {
  const rows = yield* execute("SELECT * FROM traces WHERE digest > ? ORDER BY digest LIMIT ?", after, pageOfTraces);
  return rows.map((row) => [row["digest"] as Digest, toTrace(row)] as const);
}

export function* selectFileDigests(paths: readonly string[] | undefined): Query<ReadonlyMap<string, FileDigest>> {
  const rows =
    paths === undefined
      ? yield* execute("SELECT * FROM file_digests")
      : yield* selectAmong("SELECT * FROM file_digests", "path", paths);
  return new Map(rows.map((row) => [row["path"] as string, { ...row } as unknown as FileDigest]));
}

export function* selectCacheEntriesOf(
  query: Parameters<MetadataStore["cacheEntriesOf"]>[0],
): Query<readonly CacheEntry[]> {
  const order = ["created_at DESC", "key", "trace"];
  const rows = yield* selectPage(query.origins, { order, limit: query.limit }, (origins) => {
    const conditions = new Conditions().where("step = ?", query.step).among("origin", origins);
    return { sql: `SELECT * FROM cache_entries ${conditions} ORDER BY ${order.join(", ")}`, conditions };
  });
  return rows.map(toCacheEntry);
}

export function* selectKeys(digests: readonly KeyDigest[]): Query<ReadonlyMap<KeyDigest, KeyRecord>> {
  const rows = yield* selectAmong("SELECT * FROM keys", "digest", digests);
  return new Map(rows.map((row) => [row["digest"] as KeyDigest, toKey(row)]));
}

export function* selectCode(digests: readonly Digest[]): Query<ReadonlyMap<Digest, CodeRecord>> {
  const rows = yield* selectAmong("SELECT * FROM code", "digest", digests);
  const numbersOf = new Map(rows.map((row) => [row, JSON.parse(row["units"] as string) as number[]]));
  const unitRows = yield* selectAmong("SELECT * FROM code_units", "number", [...numbersOf.values()].flat());
  const units = new Map(
    unitRows.map((row) => [row["number"] as number, JSON.parse(row["record"] as string) as CodeUnitRecord]),
  );
  return new Map(
    [...numbersOf].map(([row, numbers]) => {
      const own = numbers.map((number) => units.get(number) as CodeUnitRecord);
      return [row["digest"] as Digest, toCode(row, own)];
    }),
  );
}

export function* selectSources(digests: readonly Digest[]): Query<ReadonlyMap<Digest, string>> {
  const rows = yield* selectAmong("SELECT * FROM sources", "digest", digests);
  return new Map(rows.map((row) => [row["digest"] as Digest, toText(row["text"] as string)]));
}

export function* selectPipelines(): Query<readonly PipelineSummary[]> {
  const counts = new Map<string, { versions: number; runs: number }>();
  for (const row of yield* execute("SELECT pipeline, count(*) AS versions FROM pipeline_versions GROUP BY pipeline")) {
    counts.set(row["pipeline"] as string, { versions: row["versions"] as number, runs: 0 });
  }
  for (const row of yield* execute("SELECT pipeline, count(*) AS runs FROM runs GROUP BY pipeline")) {
    const pipeline = row["pipeline"] as string;
    counts.set(pipeline, { versions: counts.get(pipeline)?.versions ?? 0, runs: row["runs"] as number });
  }
  const summaries: PipelineSummary[] = [];
  for (const pipeline of [...counts.keys()].sort(ascending)) {
    const { versions, runs } = counts.get(pipeline)!;
    const [lastRun] = runs === 0 ? [] : yield* selectRuns({ pipeline, limit: 1 });
    summaries.push({ pipeline, versions, runs, lastRun });
  }
  return summaries;
}

export function* selectVersions(pipeline: string, number: number | undefined): Query<readonly PipelineVersion[]> {
  const conditions = new Conditions().where("pipeline = ?", pipeline).where("version = ?", number);
  const sql = `SELECT * FROM pipeline_versions ${conditions} ORDER BY version`;
  const rows = yield* execute(sql, ...conditions.parameters);
  return rows.map(toVersion);
}

export function* selectRuns(query: RunQuery): Query<readonly Run[]> {
  const { offset, limit, status } = query;
  const tag = query.tag === undefined ? undefined : parseTagQuery(query.tag);
  const order = ["started_at DESC", "id DESC"];
  const page = yield* selectPage(query.ids, { order, offset, limit }, (ids) => {
    const conditions = new Conditions()
      .among("id", ids)
      .among("name", query.names)
      // Not by its index where a name or an id finds fewer.
      .where(query.names === undefined && ids === undefined ? "pipeline = ?" : "pipeline || '' = ?", query.pipeline)
      .where("version = ?", query.version)
      // One status may be rare, so its index helps; several are better filtered in the order of the start.
      .among(status?.length === 1 ? "status" : "status || ''", status)
      .where("started_at < ?", query.startedBefore)
      .where("started_at > ?", query.startedAfter);
    if (query.madeHere === true) conditions.raw("imported_at IS NULL");
    if (tag?.value !== undefined) {
      conditions.raw("id IN (SELECT run FROM run_tags WHERE key = ? AND value = ?)", tag.key, tag.value);
    } else if (tag !== undefined) {
      conditions.raw("id IN (SELECT run FROM run_tags WHERE key = ?)", tag.key);
    }
    return { sql: `SELECT * FROM runs ${conditions} ORDER BY ${order.join(", ")}`, conditions };
  });
  const tags = yield* selectTags(page.map((row) => row["id"] as RunId));
  return page.map((row) => toRun(row, tags.get(row["id"] as RunId) ?? {}));
}

function* selectTags(runs: readonly RunId[]): Query<ReadonlyMap<RunId, Record<string, string>>> {
  const tags = new Map<RunId, [string, string][]>();
  for (const row of yield* selectAmong("SELECT * FROM run_tags", "run", runs)) {
    const run = row["run"] as RunId;
    const own = tags.get(run) ?? [];
    own.push([row["key"] as string, row["value"] as string]);
    tags.set(run, own);
  }
  return new Map([...tags].map(([run, own]) => [run, Object.fromEntries(own)]));
}

export function* selectArtifacts(query: ArtifactQuery): Query<readonly Artifact[]> {
  const end = query.nameEndsWith;
  const order = ["created_at DESC", "name", "version DESC"];
  const rows = yield* selectPage(query.digests, { order, limit: query.limit }, (digests) => {
    const conditions = new Conditions()
      .where("name = ?", query.name)
      .where("version = ?", query.version)
      .among("digest", digests)
      .where("type = ?", query.type);
    if (end !== undefined) {
      // Not LIKE: its case, and what it takes for a letter, differ between databases.
      conditions.raw(
        "name IN (SELECT name FROM artifact_names WHERE name = ? OR substr(name, length(name) - length(?)) = ?)",
        end,
        end,
        `.${end}`,
      );
    }
    if (query.latest === true) {
      conditions.raw("version = (SELECT max(newer.version) FROM artifacts AS newer WHERE newer.name = artifacts.name)");
    }
    return { sql: `SELECT * FROM artifacts ${conditions} ORDER BY ${order.join(", ")}`, conditions };
  });
  return rows.map(toArtifact);
}

const usesOfRepeats = `(
  SELECT uses.artifact, uses.version, runs.id AS run, uses.node, uses.role, uses.slot
  FROM uses CROSS JOIN runs ON runs.repeats = uses.run
)`;

export function* selectUses(query: Parameters<MetadataStore["uses"]>[0]): Query<readonly ArtifactUseRow[]> {
  const { artifacts, stepRuns } = query;
  if (artifacts === undefined) {
    // The step runs themselves know: the table of uses is for the other direction.
    const found = yield* selectStepRuns(stepRuns === undefined ? {} : { ids: stepRuns });
    return found.flatMap(toUseRows);
  }
  const wanted = stepRuns === undefined ? undefined : new Set(stepRuns);
  const pairs = new Map(artifacts.map(({ name, version }) => [`${version} ${name}`, [name, version] as const]));
  const rows: Row[] = [];
  for (const table of ["uses", usesOfRepeats]) {
    const found = yield* selectPage([...pairs.values()], { order: [] }, (piece) => {
      const conditions = new Conditions().amongTuples(["artifact", "version"], piece);
      return { sql: `SELECT * FROM ${table} ${conditions}`, conditions };
    });
    for (const row of found) rows.push(row);
  }
  return rows.map(toUseRow).filter((use) => wanted === undefined || wanted.has(use.stepRun));
}

export function* selectLogs(query: Parameters<MetadataStore["logs"]>[0]): Query<readonly LogLine[]> {
  const page = { order: ["position"], limit: query.limit };
  const rows = yield* selectPage(query.stepRuns, page, (ids) => {
    const conditions = new Conditions()
      .amongTuples(["run", "node"], ids?.map(splitStepRunId))
      .where("seq > ?", query.afterSeq);
    return { sql: `SELECT * FROM logs ${conditions} ORDER BY position`, conditions };
  });
  return rows.map(toLogLine);
}

export function* selectMetrics(stepRuns: readonly StepRunId[]): Query<readonly MetricPoint[]> {
  const rows = yield* selectPage(stepRuns, { order: ["position"] }, (ids) => {
    const conditions = new Conditions().amongTuples(["run", "node"], ids?.map(splitStepRunId));
    return { sql: `SELECT * FROM metrics ${conditions} ORDER BY position`, conditions };
  });
  return rows.map(toMetricPoint);
}

export interface ArtifactPlace {
  readonly name: string;
  readonly version: number;
}

const pageOfArtifacts = 1000;

/** The blobs of the next artifacts after a place, and the place to go on from. */
export function* selectBlobs(
  after: ArtifactPlace,
): Query<{ readonly digests: readonly Digest[]; readonly last: ArtifactPlace | undefined }> {
  const rows = yield* execute(
    "SELECT name, version, root, parts FROM artifacts WHERE (name, version) > (?, ?) ORDER BY name, version LIMIT ?",
    after.name,
    after.version,
    pageOfArtifacts,
  );
  const last = rows.at(-1);
  return {
    digests: rows.flatMap((row) => [row["root"] as Digest, ...toParts(row["parts"]).map((part) => part.digest)]),
    last: last && { name: last["name"] as string, version: last["version"] as number },
  };
}
