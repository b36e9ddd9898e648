/** Runs that repeat another one, and what is left for them to be told by. */
import type { Digest } from "../hash/digest.ts";
import type { RunId } from "../record/id.ts";
import type { Repeatable } from "../record/repeatable.ts";
import type { StepRun } from "../record/run.ts";
import type { Change, RepeatableAnswer } from "../store/metadata-store.ts";
import { notRepeatable } from "../store/needed-runs.ts";
import { repeatStepRun } from "../store/repeat-step-run.ts";
import { selectRuns } from "./queries.ts";
import { packBlob, toStepRun, unpackBlob, type PackedBlob } from "./rows.ts";
import { selectAmong } from "./select.ts";
import { change, execute, type Query } from "./statement.ts";

type Stored = Omit<Repeatable, "digest" | "run" | "steps" | "blobs" | "expiresAt"> & {
  readonly expiresAt?: number;
  readonly blobs: readonly PackedBlob[];
};

export function* selectRepeatable(digest: Digest): Query<RepeatableAnswer> {
  const entries = yield* countEntries();
  const [row] = yield* execute("SELECT * FROM repeatables WHERE digest = ? AND entries = ?", digest, entries);
  const [run] = row === undefined ? [] : yield* selectRuns({ ids: [row["run"] as RunId] });
  if (row === undefined || run === undefined) return { entries, found: undefined };
  const { blobs, ...rest } = JSON.parse(row["record"] as string) as Stored;
  const repeatable = {
    expiresAt: undefined,
    ...rest,
    digest,
    run: run.id,
    blobs: blobs.map(unpackBlob),
    steps: row["steps"] as string,
  };
  return { entries, found: { repeatable, run } };
}

/** Of the blobs, those in this file are left out: the count of entries tells of them too. */
export function* writeRepeatable({ digest, run, steps, ...rest }: Repeatable, entries: number): Query<void> {
  const digests = rest.blobs.map((blob) => blob.digest);
  const rows = yield* selectAmong("SELECT digest, length(bytes) AS size, sealed FROM blobs", "digest", digests);
  const own = new Map(rows.map((row) => [row["digest"], row["sealed"] === 1 ? row["size"] : undefined]));
  const blobs = rest.blobs.filter((blob) => own.get(blob.digest) !== blob.size);
  const record = { ...rest, blobs: blobs.map(packBlob) };
  yield* change(
    `INSERT INTO repeatables (digest, run, entries, record, steps) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (digest) DO UPDATE SET run = excluded.run, entries = excluded.entries, record = excluded.record,
       steps = excluded.steps`,
    digest,
    run,
    entries,
    JSON.stringify(record),
    steps,
  );
}

export function* writeRepeat(
  { run, of, entries }: Extract<Change, { kind: "repeat" }>,
  writeRun: () => Query<void>,
): Query<void> {
  const [row] = yield* execute("SELECT 1 FROM runs WHERE id = ? AND repeats IS NULL", of);
  if (row === undefined || (yield* countEntries()) !== entries) throw notRepeatable(of);
  yield* writeRun();
  yield* change("UPDATE runs SET repeats = ? WHERE id = ?", of, run.id);
}

/**
 * Before a run is removed: the first of those that repeat it, and are not removed with it, takes its place. Answers with
 * the step runs that are to be written for that one.
 */
export function* bequeath(run: RunId, removed: readonly RunId[]): Query<readonly StepRun[]> {
  const leaving = new Set<unknown>(removed);
  const repeating = yield* execute("SELECT * FROM runs WHERE repeats = ? ORDER BY started_at, id", run);
  const heirRow = repeating.find(({ id }) => !leaving.has(id));
  if (heirRow === undefined) return [];
  const heir = {
    id: heirRow["id"] as RunId,
    startedAt: heirRow["started_at"] as number,
    finishedAt: heirRow["finished_at"] as number,
  };
  yield* change("UPDATE runs SET repeats = NULL WHERE id = ?", heir.id);
  yield* change("UPDATE runs SET repeats = ? WHERE repeats = ?", heir.id, run);
  yield* change("UPDATE repeatables SET run = ? WHERE run = ?", heir.id, run);
  const rows = yield* execute("SELECT * FROM step_runs WHERE run = ?", run);
  return rows.map((row) => repeatStepRun(toStepRun(row), heir));
}

function* countEntries(): Query<number> {
  const [row] = yield* execute("SELECT value FROM entry_count");
  return row?.["value"] as number;
}
