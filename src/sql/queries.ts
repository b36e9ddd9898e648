/** The questions of the metadata port, in SQL. */
import type { Digest } from "../hash/digest.ts";
import type { Artifact } from "../record/artifact.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { RunId, StepRunId } from "../record/id.ts";
import type { KeyDigest, KeyRecord } from "../record/key.ts";
import type { LogLine, MetricPoint, PipelineVersion, PlanRecord, Run, StepRun } from "../record/run.ts";
import type {
  ArtifactQuery,
  ArtifactUseRow,
  CodeRecord,
  CodeUnitRecord,
  MetadataStore,
  PipelineSummary,
  RunQuery,
  StepRunQuery,
} from "../store/metadata-store.ts";
import { ascending, inPlanOrder } from "../store/plan-order.ts";
import { parseTagQuery } from "../store/tag-query.ts";
import { splitStepRunId } from "./changes.ts";
import {
  toArtifact,
  toCacheEntry,
  toCode,
  toKey,
  toLogLine,
  toMetricPoint,
  toParts,
  toRun,
  toStepRun,
  toText,
  toUseRow,
  toVersion,
} from "./rows.ts";
import { Conditions, execute, toPieces, type Query, type Row, type SqlValue } from "./statement.ts";

export function* selectCacheEntries(keys: readonly KeyDigest[]): Query<ReadonlyMap<KeyDigest, CacheEntry>> {
  const rows = yield* selectAmong("SELECT * FROM cache_entries", "key", keys);
  return new Map(rows.map((row) => [row["key"] as KeyDigest, toCacheEntry(row)]));
}

export function* selectCacheEntriesOf(
  query: Parameters<MetadataStore["cacheEntriesOf"]>[0],
): Query<readonly CacheEntry[]> {
  const order = "ORDER BY created_at DESC, key";
  const rows = yield* selectPieces(query.origins, query.limit, (origins, limit) => {
    const conditions = new Conditions().where("step = ?", query.step).among("origin", origins);
    return [`SELECT * FROM cache_entries ${conditions} ${order} ${limit}`, conditions.parameters];
  });
  const entries = rows.map(toCacheEntry);
  entries.sort((left, right) => ascending(right.createdAt, left.createdAt) || ascending(left.key, right.key));
  return entries.slice(0, query.limit);
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

export function* selectVersions(pipeline: string): Query<readonly PipelineVersion[]> {
  const rows = yield* execute("SELECT * FROM pipeline_versions WHERE pipeline = ? ORDER BY version", pipeline);
  return rows.map(toVersion);
}

export function* selectRuns(query: RunQuery): Query<readonly Run[]> {
  const { offset = 0, limit } = query;
  const end = limit === undefined ? undefined : offset + limit;
  const tag = query.tag === undefined ? undefined : parseTagQuery(query.tag);
  const rows = yield* selectPieces(query.ids, end, (ids, limited) => {
    const conditions = new Conditions()
      .among("id", ids)
      .among("name", query.names)
      .where("pipeline = ?", query.pipeline)
      .where("version = ?", query.version)
      .among("status", query.status)
      .where("started_at < ?", query.startedBefore)
      .where("started_at > ?", query.startedAfter);
    if (tag?.value !== undefined) {
      conditions.raw("id IN (SELECT run FROM run_tags WHERE key = ? AND value = ?)", tag.key, tag.value);
    } else if (tag !== undefined) {
      conditions.raw("id IN (SELECT run FROM run_tags WHERE key = ?)", tag.key);
    }
    return [`SELECT * FROM runs ${conditions} ORDER BY started_at DESC, id DESC ${limited}`, conditions.parameters];
  });
  const sorted = [...rows].sort(
    (left, right) =>
      ascending(right["started_at"] as number, left["started_at"] as number) ||
      ascending(right["id"] as string, left["id"] as string),
  );
  const page = sorted.slice(offset, end);
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

export function* selectStepRuns(query: StepRunQuery): Query<readonly StepRun[]> {
  const { ids, runs, limit } = query;
  let before: Row | undefined;
  if (query.before !== undefined) {
    [before] = yield* execute("SELECT started_at, id FROM runs WHERE id = ?", query.before);
    if (before === undefined) return [];
  }
  const finds = (piece: readonly StepRunId[] | undefined, ofRuns: readonly RunId[] | undefined, limited: string) => {
    const conditions = new Conditions()
      .amongTuples(["step_runs.run", "step_runs.node"], piece?.map(splitStepRunId))
      .among("step_runs.run", ofRuns)
      .where("step_runs.step = ?", query.step)
      .where("step_runs.node = ?", query.node)
      .where("runs.pipeline = ?", query.pipeline)
      .among("step_runs.status", query.status);
    // With a step, its index gives the order; without, that of the runs does.
    const start = query.step === undefined ? "runs.started_at" : "step_runs.run_started_at";
    const id = query.step === undefined ? "runs.id" : "step_runs.run";
    if (before !== undefined) conditions.raw(`(${start}, ${id}) < (?, ?)`, before["started_at"]!, before["id"]!);
    const order = `ORDER BY ${start} DESC, ${id} DESC, step_runs.started_at DESC, step_runs.node`;
    const sql = `SELECT step_runs.* FROM step_runs JOIN runs ON runs.id = step_runs.run ${conditions} ${order} ${limited}`;
    return [sql, conditions.parameters] as const;
  };
  if (runs !== undefined) {
    const rows = yield* selectPieces(runs, undefined, (piece, limited) => finds(ids, piece, limited));
    return inPlanOrder(rows.map(toStepRun), runs, yield* selectPlans(runs)).slice(0, limit);
  }
  const rows = yield* selectPieces(ids, limit, (piece, limited) => finds(piece, undefined, limited));
  const sorted = [...rows].sort(
    (left, right) =>
      ascending(right["run_started_at"] as number, left["run_started_at"] as number) ||
      ascending(right["run"] as string, left["run"] as string) ||
      ascending(right["started_at"] as number, left["started_at"] as number) ||
      ascending(left["node"] as string, right["node"] as string),
  );
  return sorted.slice(0, limit).map(toStepRun);
}

function* selectPlans(runs: readonly RunId[]): Query<ReadonlyMap<RunId, PlanRecord>> {
  const plans = new Map<string, PlanRecord>();
  const ofRuns = new Map<RunId, PlanRecord>();
  for (const row of yield* selectAmong("SELECT id, pipeline, version FROM runs", "id", runs)) {
    const pipeline = row["pipeline"] as string;
    const version = row["version"] as number;
    const name = `${version} ${pipeline}`;
    if (!plans.has(name)) {
      const sql = "SELECT * FROM pipeline_versions WHERE pipeline = ? AND version = ?";
      const [found] = yield* execute(sql, pipeline, version);
      if (found === undefined) continue;
      plans.set(name, toVersion(found).plan);
    }
    ofRuns.set(row["id"] as RunId, plans.get(name)!);
  }
  return ofRuns;
}

export function* selectArtifacts(query: ArtifactQuery): Query<readonly Artifact[]> {
  const end = query.nameEndsWith;
  const rows = yield* selectPieces(query.digests, query.limit, (digests, limited) => {
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
    const order = "ORDER BY created_at DESC, name, version DESC";
    return [`SELECT * FROM artifacts ${conditions} ${order} ${limited}`, conditions.parameters];
  });
  const artifacts = rows.map(toArtifact);
  artifacts.sort(
    (left, right) =>
      ascending(right.createdAt, left.createdAt) ||
      ascending(left.name, right.name) ||
      ascending(right.version, left.version),
  );
  return artifacts.slice(0, query.limit);
}

export function* selectUses(query: Parameters<MetadataStore["uses"]>[0]): Query<readonly ArtifactUseRow[]> {
  const { artifacts, stepRuns } = query;
  if (artifacts === undefined) {
    // The step runs themselves know: the table of uses is for the other direction.
    const found = yield* selectStepRuns(stepRuns === undefined ? {} : { ids: stepRuns });
    return found.flatMap((stepRun) =>
      (["input", "output"] as const).flatMap((role) =>
        stepRun[`${role}s`].map(({ artifact, version, slot }): ArtifactUseRow => {
          return { artifact, version, stepRun: stepRun.id, role, slot };
        }),
      ),
    );
  }
  const wanted = stepRuns === undefined ? undefined : new Set(stepRuns);
  const pairs = new Map(artifacts.map(({ name, version }) => [`${version} ${name}`, [name, version] as const]));
  const rows: Row[] = [];
  for (const piece of toPieces([...pairs.values()])) {
    const conditions = new Conditions().amongTuples(["artifact", "version"], piece);
    rows.push(...(yield* execute(`SELECT * FROM uses ${conditions}`, ...conditions.parameters)));
  }
  return rows.map(toUseRow).filter((use) => wanted === undefined || wanted.has(use.stepRun));
}

export function* selectLogs(query: Parameters<MetadataStore["logs"]>[0]): Query<readonly LogLine[]> {
  const rows = yield* selectPieces(query.stepRuns, query.limit, (ids, limited) => {
    const conditions = new Conditions()
      .amongTuples(["run", "node"], ids?.map(splitStepRunId))
      .where("seq > ?", query.afterSeq);
    return [`SELECT * FROM logs ${conditions} ORDER BY position ${limited}`, conditions.parameters];
  });
  return [...rows].sort(byPosition).slice(0, query.limit).map(toLogLine);
}

export function* selectMetrics(stepRuns: readonly StepRunId[]): Query<readonly MetricPoint[]> {
  const rows = yield* selectPieces(stepRuns, undefined, (ids) => {
    const conditions = new Conditions().amongTuples(["run", "node"], ids?.map(splitStepRunId));
    return [`SELECT * FROM metrics ${conditions} ORDER BY position`, conditions.parameters];
  });
  return [...rows].sort(byPosition).map(toMetricPoint);
}

function byPosition(left: Row, right: Row): number {
  return (left["position"] as number) - (right["position"] as number);
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

function* selectAmong(select: string, column: string, values: readonly SqlValue[]): Query<readonly Row[]> {
  return yield* selectPieces(values, undefined, (piece) => {
    const conditions = new Conditions().among(column, piece);
    return [`${select} ${conditions}`, conditions.parameters];
  });
}

/** Asks once a piece of a list; sorting and cutting the whole is the caller's. */
function* selectPieces<T>(
  values: readonly T[] | undefined,
  limit: number | undefined,
  select: (piece: readonly T[] | undefined, limit: string) => readonly [sql: string, parameters: readonly SqlValue[]],
): Query<readonly Row[]> {
  const all: Row[] = [];
  for (const piece of toPieces(values)) {
    const [sql, parameters] = select(piece, limit === undefined ? "" : "LIMIT ?");
    const rows = yield* execute(sql, ...parameters, ...(limit === undefined ? [] : [limit]));
    for (const row of rows) all.push(row);
  }
  return all;
}
