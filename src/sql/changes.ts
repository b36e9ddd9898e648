/** What each kind of change does to the tables. */
import { assertInternal } from "../error.ts";
import { toStepRunId, type RunId } from "../record/id.ts";
import type { LeaseToken } from "../record/lease.ts";
import type { Artifact } from "../record/artifact.ts";
import type { LogLine, MetricPoint, Run, StepRun } from "../record/run.ts";
import type { ArtifactUseRow, Change, CodeRecord } from "../store/metadata-store.ts";
import { runsNeededBy, splitStepRunId, unexpectedRun, unknownRun } from "../store/needed-runs.ts";
import { toUseRows } from "../store/use-rows.ts";
import { fromCacheEntry, fromLogLine, fromMetricPoint, fromRun, fromStepRun, fromText, toStepRun } from "./rows.ts";
import { fromTrace, fromTraceName } from "./rows.ts";
import { beatLeases, endLease } from "./leases.ts";
import { nameContent, numberArtifact, numberUses } from "./numbering.ts";
import { bequeath, writeRepeat, writeRepeatable } from "./repeats.ts";
import { change, execute, type Query, type Row } from "./statement.ts";

/** What is known while one transaction lasts. */
export interface Scratch {
  /** Start of each run that was looked for; undefined: there is no such run. */
  readonly runs: Map<RunId, number | undefined>;
  /** Numbers of code units that are committed: units are never removed. */
  readonly units: ReadonlyMap<string, number>;
  /** Those that this transaction looked up or gave out. */
  readonly addedUnits: Map<string, number>;
  /** Leases that turned out to be lost. */
  readonly lost: Set<LeaseToken>;
  /** Artifacts that were recorded, as they are numbered. */
  readonly artifacts: Artifact[];
  /** Numbers of artifacts that are known by now. */
  readonly numbers: Map<string, number>;
}

/** Applies changes in order. Throws when one cannot be applied; the caller rolls back. */
export function* applyChanges(changes: readonly Change[], scratch: Scratch): Query<void> {
  for (const asked of changes) {
    for (const run of runsNeededBy(asked)) {
      if ((yield* findRunStart(run, scratch)) === undefined) throw unknownRun(asked, run);
    }
    yield* applyChange(asked, scratch);
  }
}

function* applyChange(asked: Change, scratch: Scratch): Query<void> {
  switch (asked.kind) {
    case "run":
      return yield* writeRun(asked.run, scratch);
    case "repeatable":
      return yield* writeRepeatable(asked.repeatable, asked.entries);
    case "repeat":
      return yield* writeRepeat(asked, () => writeRun(asked.run, scratch));
    case "artifact": {
      const artifact = yield* numberArtifact(asked.artifact);
      scratch.artifacts.push(artifact);
      scratch.numbers.set(nameContent(artifact.name, artifact.digest), artifact.version);
      return;
    }
    case "step-run":
      return yield* writeStepRun(asked.stepRun, scratch);
    case "cache-entry":
      yield* change(
        `INSERT INTO cache_entries
           (key, trace, step, origin, created_at, expires_at, invalidated_at, pinned_at, record)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (key, trace) DO UPDATE SET step = excluded.step, origin = excluded.origin,
           created_at = excluded.created_at, expires_at = excluded.expires_at,
           invalidated_at = excluded.invalidated_at,
           pinned_at = coalesce(excluded.pinned_at, cache_entries.pinned_at), record = excluded.record`,
        ...fromCacheEntry({ ...asked.entry, outputs: yield* numberUses(asked.entry.outputs, scratch.numbers) }),
      );
      return;
    case "key":
      yield* change(
        "INSERT INTO keys (digest, record) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING",
        asked.digest,
        JSON.stringify(asked.key),
      );
      return;
    case "trace":
      yield* change(
        "INSERT INTO traces (digest, record) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING",
        asked.digest,
        fromTrace(asked.trace),
      );
      return;
    case "file-digests":
      for (const { path, stamp, digest } of asked.files) {
        yield* change(
          `INSERT INTO file_digests (path, stamp, digest) VALUES (?, ?, ?)
           ON CONFLICT (path) DO UPDATE SET stamp = excluded.stamp, digest = excluded.digest`,
          path,
          stamp,
          digest,
        );
      }
      return;
    case "code":
      return yield* writeCode(asked.code, scratch);
    case "source":
      yield* change(
        "INSERT INTO sources (digest, text) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING",
        asked.digest,
        fromText(asked.text),
      );
      return;
    case "log":
      return yield* writeLines(asked.lines);
    case "metric":
      return yield* writePoints(asked.points);
    case "invalidate":
      for (const key of asked.keys) {
        yield* change("UPDATE cache_entries SET invalidated_at = ? WHERE key = ?", asked.at, key);
      }
      return;
    case "tag-run":
      return yield* tagRun(asked.run, asked.tags);
    case "remove-runs":
      return yield* removeRuns(asked.runs, scratch);
    case "pin":
      for (const key of asked.keys) {
        yield* change("UPDATE cache_entries SET pinned_at = ? WHERE key = ?", asked.at, key);
      }
      return;
    case "remove-cache-entries":
      for (const { key, trace } of asked.entries) {
        yield* change("DELETE FROM cache_entries WHERE key = ? AND trace = ?", key, fromTraceName(trace));
      }
      return;
    case "remove-traces":
      for (const digest of asked.digests) yield* change("DELETE FROM traces WHERE digest = ?", digest);
      return;
    case "remove-keys":
      for (const digest of asked.digests) yield* change("DELETE FROM keys WHERE digest = ?", digest);
      return;
    case "remove-file-digests":
      for (const path of asked.paths) yield* change("DELETE FROM file_digests WHERE path = ?", path);
      return;
    case "expect-runs": {
      const known = new Set<unknown>(asked.known);
      const found = yield* execute("SELECT id FROM runs");
      const other = found.find(({ id }) => !known.has(id));
      if (other !== undefined) throw unexpectedRun(other["id"] as RunId);
      return;
    }
    case "remove-artifacts":
      for (const { name, version } of asked.artifacts) {
        yield* change("DELETE FROM artifacts WHERE name = ? AND version = ?", name, version);
      }
      scratch.numbers.clear();
      return;
    case "end-lease": {
      const isHeld = yield* endLease(asked.lease, scratch.lost);
      for (const each of isHeld ? asked.changes : asked.otherwise) yield* applyChange(each, scratch);
      return;
    }
    case "beat-leases":
      return yield* beatLeases(asked.leases, scratch.lost);
  }
}

function* findRunStart(run: RunId, { runs }: Scratch): Query<number | undefined> {
  if (!runs.has(run)) {
    const [row] = yield* execute("SELECT started_at FROM runs WHERE id = ?", run);
    runs.set(run, row === undefined ? undefined : (row["started_at"] as number));
  }
  return runs.get(run);
}

function* writeRun(run: Run, scratch: Scratch): Query<void> {
  const before = yield* findRunStart(run.id, scratch);
  yield* change(
    `INSERT INTO runs (id, name, pipeline, version, status, started_at, finished_at, imported_at, record)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, pipeline = excluded.pipeline, version = excluded.version,
       status = excluded.status, started_at = excluded.started_at, finished_at = excluded.finished_at,
       imported_at = excluded.imported_at, record = excluded.record`,
    ...fromRun(run),
  );
  scratch.runs.set(run.id, run.startedAt);
  if (before === undefined) {
    yield* tagRun(run.id, run.tags);
  } else if (before !== run.startedAt) {
    yield* change("UPDATE step_runs SET run_started_at = ? WHERE run = ?", run.startedAt, run.id);
  }
}

function* tagRun(run: RunId, tags: Readonly<Record<string, string | null>>): Query<void> {
  for (const [key, value] of Object.entries(tags)) {
    if (value === null) {
      yield* change("DELETE FROM run_tags WHERE run = ? AND key = ?", run, key);
    } else {
      yield* change(
        `INSERT INTO run_tags (run, key, value) VALUES (?, ?, ?)
         ON CONFLICT (run, key) DO UPDATE SET value = excluded.value`,
        run,
        key,
        value,
      );
    }
  }
}

function* writeStepRun(asked: StepRun, scratch: Scratch): Query<void> {
  const { id, run, node } = asked;
  assertInternal(id === toStepRunId(run, node), `step run "${id}" is not named after run "${run}" and node "${node}"`);
  const runStart = yield* findRunStart(run, scratch);
  assertInternal(runStart !== undefined, `run "${run}" is not there`);
  const stepRun: StepRun = {
    ...asked,
    inputs: yield* numberUses(asked.inputs, scratch.numbers),
    outputs: yield* numberUses(asked.outputs, scratch.numbers),
  };
  const values = fromStepRun(stepRun);
  // One that was executed has begun before.
  const isKnown = stepRun.attempts.length > 0;
  let row = isKnown ? yield* findStepRun(run, node) : undefined;
  if (row === undefined) {
    const inserted = yield* change(
      `INSERT INTO step_runs (run, node, step, status, started_at, finished_at, origin, record, run_started_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (run, node) DO NOTHING`,
      ...values,
      runStart,
    );
    if (inserted === 0) row = yield* findStepRun(run, node);
  }
  if (row !== undefined) {
    yield* change(
      `UPDATE step_runs SET step = ?, status = ?, started_at = ?, finished_at = ?, origin = ?, record = ?
       WHERE run = ? AND node = ?`,
      ...values.slice(2),
      run,
      node,
    );
  }
  const before = row === undefined ? [] : toUseRows(toStepRun(row));
  const after = toUseRows(stepRun);
  yield* removeUses(stepRun, without(before, after));
  for (const { role, artifact, version, slot } of without(after, before)) {
    yield* change(
      `INSERT INTO uses (artifact, version, run, node, role, slot) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (artifact, version, run, node, role, slot) DO NOTHING`,
      artifact,
      version,
      run,
      node,
      role,
      slot,
    );
  }
}

function* findStepRun(run: RunId, node: string): Query<Row | undefined> {
  const [row] = yield* execute("SELECT * FROM step_runs WHERE run = ? AND node = ?", run, node);
  return row;
}

function* removeUses({ run, node }: Pick<StepRun, "run" | "node">, uses: readonly ArtifactUseRow[]): Query<void> {
  for (const { role, artifact, version, slot } of uses) {
    yield* change(
      "DELETE FROM uses WHERE artifact = ? AND version = ? AND run = ? AND node = ? AND role = ? AND slot = ?",
      artifact,
      version,
      run,
      node,
      role,
      slot,
    );
  }
}

/** Most step runs are written a second time with what they used the first time. */
function without(uses: readonly ArtifactUseRow[], others: readonly ArtifactUseRow[]): readonly ArtifactUseRow[] {
  if (others.length === 0) return uses;
  const known = new Set(others.map(nameUse));
  return uses.filter((use) => !known.has(nameUse(use)));
}

function nameUse({ role, artifact, version, slot }: ArtifactUseRow): string {
  return JSON.stringify([role, artifact, version, slot]);
}

function* writeCode(code: CodeRecord, scratch: Scratch): Query<void> {
  const known = yield* execute("SELECT 1 AS known FROM code WHERE digest = ?", code.digest);
  if (known.length > 0) return;
  const { units, ...rest } = code;
  const numbers: number[] = [];
  for (const unit of units) numbers.push(yield* numberUnit(JSON.stringify(unit), scratch));
  yield* change(
    "INSERT INTO code (digest, units, record) VALUES (?, ?, ?)",
    code.digest,
    JSON.stringify(numbers),
    JSON.stringify(rest),
  );
}

function* numberUnit(record: string, { units, addedUnits }: Scratch): Query<number> {
  const known = units.get(record) ?? addedUnits.get(record);
  if (known !== undefined) return known;
  const found = yield* execute("SELECT number FROM code_units WHERE record = ?", record);
  const [row] =
    found.length > 0 ? found : yield* execute("INSERT INTO code_units (record) VALUES (?) RETURNING number", record);
  const number = row?.["number"] as number;
  addedUnits.set(record, number);
  return number;
}

function* writeLines(lines: readonly LogLine[]): Query<void> {
  for (const line of lines) {
    yield* change(
      "INSERT INTO logs (run, node, seq, time, stream, level, text, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      ...fromLogLine(...splitStepRunId(line.stepRun), line),
    );
  }
}

function* writePoints(points: readonly MetricPoint[]): Query<void> {
  for (const point of points) {
    yield* change(
      "INSERT INTO metrics (run, node, name, step, value, time) VALUES (?, ?, ?, ?, ?, ?)",
      ...fromMetricPoint(...splitStepRunId(point.stepRun), point),
    );
  }
}

function* removeRuns(runs: readonly RunId[], scratch: Scratch): Query<void> {
  for (const run of runs) {
    for (const stepRun of yield* bequeath(run, runs)) yield* writeStepRun(stepRun, scratch);
    for (const row of yield* execute("SELECT * FROM step_runs WHERE run = ?", run)) {
      const stepRun = toStepRun(row);
      yield* removeUses(stepRun, toUseRows(stepRun));
    }
    // Step runs, logs, metrics and tags go with it.
    yield* change("DELETE FROM runs WHERE id = ?", run);
    scratch.runs.set(run, undefined);
  }
}
