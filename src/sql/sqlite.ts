/** The metadata port on one SQLite file, safe with several processes at once. */
import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { RepriseError, StoreError } from "../error.ts";
import type { Digest } from "../hash/digest.ts";
import type { Artifact } from "../record/artifact.ts";
import type { StepRunId } from "../record/id.ts";
import type { KeyDigest } from "../record/key.ts";
import type { PipelineVersion } from "../record/run.ts";
import type { Trace } from "../record/trace.ts";
import type {
  ArtifactQuery,
  AskedLease,
  Change,
  LeaseAnswer,
  MetadataStore,
  NewArtifact,
  RunQuery,
  StepRunQuery,
  Written,
} from "../store/metadata-store.ts";
import type { BlobStore } from "../store/blob-store.ts";
import { openBlobTable, sumBlobs } from "./blob-table.ts";
import { applyChanges, type Scratch } from "./changes.ts";
import {
  afterCorruption,
  compactDatabase,
  isBusy,
  isCorrupt,
  isReadOnly,
  openDatabase,
  sizeOfFiles,
  transact,
  type Database,
} from "./database.ts";
import { acquireLease, selectLeases } from "./leases.ts";
import { findArtifacts, findVersion, numberVersion } from "./numbering.ts";
import {
  selectArtifacts,
  selectBlobs,
  selectCacheEntries,
  selectCacheEntriesOf,
  selectCode,
  selectFileDigests,
  selectKeys,
  selectKeysAfter,
  selectLogs,
  selectMetrics,
  selectPipelines,
  selectRuns,
  selectSources,
  selectTraces,
  selectTracesAfter,
  selectUses,
  selectVersions,
  type ArtifactPlace,
} from "./queries.ts";
import { migrations } from "./schema.ts";
import { selectRepeatable } from "./repeats.ts";
import { selectReuses, selectStepRuns } from "./select-step-runs.ts";
import { isOnePiece } from "./select.ts";
import type { Query } from "./statement.ts";

export interface SqliteOptions {
  /** The file; it and its folder are made where they are not there yet. */
  readonly path: string;
  /** How long to wait for other processes that write. Default: 30,000. */
  readonly busyTimeoutMs?: number;
}

export interface SqliteStore extends MetadataStore {
  /** Small blobs, in the same file. They are closed with it. */
  readonly blobs: BlobStore;
}

/**
 * Opens a SQLite file as a metadata store. A commit outlives the process, however it ends; a power loss may take the
 * last commits away, and never leaves half of one. Throws a StoreError: RPS4001 when it is no store or cannot be
 * opened, RPS4002 when a newer Reprise wrote it. A file that may only be read is opened all the same: it answers
 * questions, and refuses writes.
 */
export async function openSqlite({ path, busyTimeoutMs = 30_000 }: SqliteOptions): Promise<SqliteStore> {
  const file = resolve(path);
  const database = await patiently(busyTimeoutMs, () => openDatabase(file, migrations)).catch((cause: unknown) => {
    if (cause instanceof RepriseError) throw cause;
    throw new StoreError("RPS4001", `The store ${file} cannot be opened: ${toText(cause)}.`, {
      hint: isCorrupt(cause)
        ? afterCorruption
        : "Check that the path is a Reprise store, and that you may read it and its folder.",
      data: { path: file, isCorrupt: isCorrupt(cause) },
      cause,
    });
  });
  return new SqliteMetadataStore(file, database, busyTimeoutMs);
}

/** Changes that somebody waits for. */
interface Asked {
  readonly query: (scratch: Scratch) => Query<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

class SqliteMetadataStore implements SqliteStore {
  readonly blobs: BlobStore;
  readonly #path: string;
  readonly #database: Database;
  readonly #busyTimeoutMs: number;
  /** Numbers of code units that are committed. */
  readonly #units = new Map<string, number>();
  /** The last write that was asked for: writes of one process keep their order, even while they wait for others. */
  #lastWrite: Promise<unknown> = Promise.resolve();
  /** What was asked for last, as long as it can be added to. */
  #gathering: Asked[] | undefined;

  constructor(path: string, database: Database, busyTimeoutMs: number) {
    this.#path = path;
    this.#database = database;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.blobs = openBlobTable({
      read: (query) => this.#read(query, "statement"),
      write: (query) => this.#change(query),
    });
  }

  async write(changes: readonly Change[]): Promise<Written> {
    if (changes.length === 0) return { lost: new Set(), artifacts: [] };
    return await this.#change(function* (scratch) {
      yield* applyChanges(changes, scratch);
      return { lost: scratch.lost, artifacts: scratch.artifacts };
    });
  }

  acquireLease({ changes = [], ...asked }: AskedLease): Promise<LeaseAnswer> {
    return this.#change(function* (scratch) {
      const answer = yield* acquireLease(asked);
      if (answer.kind === "granted") yield* applyChanges(changes, scratch);
      return answer;
    });
  }

  leases(keys?: readonly KeyDigest[]): ReturnType<MetadataStore["leases"]> {
    return this.#read(() => selectLeases(keys));
  }

  async versionOf(version: Omit<PipelineVersion, "version">): Promise<PipelineVersion> {
    // Most are known: then nobody has to wait for a writer.
    const known = await this.#read(() => findVersion(version), "statement");
    return known ?? this.#write(() => transact(this.#database, "write", () => numberVersion(version)));
  }

  async recordArtifacts(artifacts: readonly NewArtifact[]): Promise<readonly Artifact[]> {
    const known = await this.#read(() => findArtifacts(artifacts));
    return known ?? (await this.write(artifacts.map((artifact) => ({ kind: "artifact", artifact })))).artifacts;
  }

  cacheEntries(keys: readonly KeyDigest[]): ReturnType<MetadataStore["cacheEntries"]> {
    return this.#read(() => selectCacheEntries(keys), isOnePiece(keys) ? "statement" : "read");
  }

  cacheEntriesOf(query: Parameters<MetadataStore["cacheEntriesOf"]>[0]): ReturnType<MetadataStore["cacheEntriesOf"]> {
    return this.#read(() => selectCacheEntriesOf(query));
  }

  repeatable(digest: Digest): ReturnType<MetadataStore["repeatable"]> {
    return this.#read(() => selectRepeatable(digest));
  }

  traces(digests: readonly Digest[]): ReturnType<MetadataStore["traces"]> {
    return this.#read(() => selectTraces(digests), isOnePiece(digests) ? "statement" : "read");
  }

  allKeys(): AsyncGenerator<KeyDigest, void, undefined> {
    return this.#pages(selectKeysAfter, (key) => key);
  }

  allTraces(): AsyncGenerator<readonly [Digest, Trace], void, undefined> {
    return this.#pages(selectTracesAfter, ([digest]) => digest);
  }

  fileDigests(paths?: readonly string[]): ReturnType<MetadataStore["fileDigests"]> {
    return this.#read(() => selectFileDigests(paths));
  }

  keys(digests: readonly KeyDigest[]): ReturnType<MetadataStore["keys"]> {
    return this.#read(() => selectKeys(digests), isOnePiece(digests) ? "statement" : "read");
  }

  code(digests: readonly Digest[]): ReturnType<MetadataStore["code"]> {
    return this.#read(() => selectCode(digests));
  }

  sources(digests: readonly Digest[]): ReturnType<MetadataStore["sources"]> {
    return this.#read(() => selectSources(digests));
  }

  pipelines(): ReturnType<MetadataStore["pipelines"]> {
    return this.#read(() => selectPipelines());
  }

  versions(pipeline: string, number?: number): ReturnType<MetadataStore["versions"]> {
    return this.#read(() => selectVersions(pipeline, number));
  }

  runs(query: RunQuery): ReturnType<MetadataStore["runs"]> {
    return this.#read(() => selectRuns(query));
  }

  stepRuns(query: StepRunQuery): ReturnType<MetadataStore["stepRuns"]> {
    return this.#read(() => selectStepRuns(query));
  }

  reuses(query: { readonly step?: string }): ReturnType<MetadataStore["reuses"]> {
    return this.#read(() => selectReuses(query));
  }

  artifacts(query: ArtifactQuery): ReturnType<MetadataStore["artifacts"]> {
    return this.#read(() => selectArtifacts(query));
  }

  uses(query: Parameters<MetadataStore["uses"]>[0]): ReturnType<MetadataStore["uses"]> {
    return this.#read(() => selectUses(query));
  }

  logs(query: Parameters<MetadataStore["logs"]>[0]): ReturnType<MetadataStore["logs"]> {
    return this.#read(() => selectLogs(query));
  }

  metrics({ stepRuns }: { readonly stepRuns: readonly StepRunId[] }): ReturnType<MetadataStore["metrics"]> {
    return this.#read(() => selectMetrics(stepRuns));
  }

  async *referencedBlobs(): AsyncGenerator<Digest, void, undefined> {
    let after: ArtifactPlace | undefined = { name: "", version: 0 };
    while (after !== undefined) {
      const place: ArtifactPlace = after;
      const { digests, last } = await this.#read(() => selectBlobs(place));
      yield* digests;
      after = last;
    }
  }

  async size(): Promise<number> {
    const blobs = await this.#read(sumBlobs, "statement");
    return Math.max(0, sizeOfFiles(this.#path) - blobs);
  }

  compact(): Promise<void> {
    return this.#write(() => compactDatabase(this.#database));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lastWrite;
    if (!this.#database.connection.isOpen) return;
    this.#database.statements.clear();
    this.#database.connection.close();
  }

  /** All rows of a table, a page in each transaction. */
  async *#pages<T>(
    select: (after: string) => Query<readonly T[]>,
    placeOf: (row: T) => string,
  ): AsyncGenerator<T, void, undefined> {
    for (let after: string | undefined = ""; after !== undefined;) {
      const start: string = after;
      const page: readonly T[] = await this.#read(() => select(start));
      yield* page;
      const last = page.at(-1);
      after = last && placeOf(last);
    }
  }

  async #read<T>(query: () => Query<T>, mode: "read" | "statement" = "read"): Promise<T> {
    try {
      return await patiently(this.#busyTimeoutMs, () => transact(this.#database, mode, query));
    } catch (cause) {
      if (cause instanceof RepriseError) throw cause;
      throw new StoreError("RPS4001", `The store ${this.#path} cannot be read: ${toText(cause)}.`, {
        hint: isCorrupt(cause) ? afterCorruption : "Check the disk and the file, and that you may read them.",
        data: { path: this.#path, isCorrupt: isCorrupt(cause) },
        cause,
      });
    }
  }

  /** Applies what a query changes, in a transaction that it may share with others that are asked for at the same moment. */
  #change<T>(query: (scratch: Scratch) => Query<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const asked: Asked = { query, resolve: resolve as Asked["resolve"], reject };
    if (this.#gathering !== undefined) {
      this.#gathering.push(asked);
      return promise;
    }
    const batch = [asked];
    void this.#inTurn(async () => {
      // What is ready at this moment to write as well comes before the next tick.
      await new Promise<void>((begin) => process.nextTick(begin));
      if (this.#gathering === batch) this.#gathering = undefined;
      await this.#applyBatch(batch);
    });
    this.#gathering = batch;
    return promise;
  }

  /** Never rejects: who asked is told. */
  async #applyBatch(batch: readonly Asked[]): Promise<void> {
    try {
      const results = await this.#writeNow(() => this.#applyTogether(batch));
      for (const [index, { resolve }] of batch.entries()) resolve(results[index]);
    } catch (error) {
      const hasWaited = error instanceof StoreError && error.data["busy"] === true;
      // One that cannot be applied does not stand in the way of the others.
      if (batch.length > 1 && !hasWaited) for (const each of batch) await this.#applyBatch([each]);
      else for (const { reject } of batch) reject(error);
    }
  }

  #applyTogether(batch: readonly Asked[]): readonly unknown[] {
    const shared = { runs: new Map(), units: this.#units, addedUnits: new Map<string, number>() };
    const results = transact(this.#database, "write", function* () {
      const found: unknown[] = [];
      for (const { query } of batch)
        found.push(yield* query({ ...shared, lost: new Set(), artifacts: [], numbers: new Map() }));
      return found;
    });
    for (const [record, number] of shared.addedUnits) this.#units.set(record, number);
    return results;
  }

  #write<T>(write: () => T): Promise<T> {
    return this.#inTurn(() => this.#writeNow(write));
  }

  #inTurn<T>(write: () => Promise<T>): Promise<T> {
    this.#gathering = undefined;
    const result = this.#lastWrite.then(write);
    this.#lastWrite = result.catch(() => undefined);
    return result;
  }

  async #writeNow<T>(write: () => T): Promise<T> {
    try {
      return await patiently(this.#busyTimeoutMs, write);
    } catch (cause) {
      if (cause instanceof RepriseError) throw cause;
      const busy = isBusy(cause);
      throw new StoreError("RPS4005", `The store ${this.#path} refused a write: ${toText(cause)}.`, {
        hint: busy
          ? "Another process has been writing for long: see which one, and try again when it is done."
          : isCorrupt(cause)
            ? afterCorruption
            : "Check that the disk has room and that the file may be written to.",
        data: { path: this.#path, busy, isReadOnly: isReadOnly(cause), isCorrupt: isCorrupt(cause) },
        cause,
      });
    }
  }
}

const longestPauseMs = 25;

/** Tries again while another process is in the way. Each try blocks for a moment only; other work goes on in between. */
async function patiently<T>(timeoutMs: number, attempt: () => T): Promise<T> {
  let deadline: number | undefined;
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      // Not the clock of the day, which may jump.
      deadline ??= performance.now() + timeoutMs;
      if (!isBusy(error) || performance.now() >= deadline) throw error;
    }
    // At random, so that two that collide do not go on colliding.
    await setTimeout(Math.random() * longestPauseMs);
  }
}

function toText(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
