/** A SQLite file as this project opens one: by node:sqlite, with a write-ahead log, migrated, its statements prepared once. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { outsideStep, stepScope } from "../define/step-scope.ts";
import { StoreError } from "../error.ts";
import { readFileHeader } from "./file-header.ts";
import { isUnwritable, openUnwritable } from "./open-unwritable.ts";
import { hasLog, refuseForeignLog } from "./refuse-foreign-log.ts";
import { applicationId } from "./schema.ts";
import type { Query, Row, SqlValue } from "./statement.ts";

export interface Database {
  readonly connection: DatabaseSync;
  readonly statements: Map<string, StatementSync>;
}

/** How long one call may block this process before it lets others run and tries again. */
const blockingMs = 100;
/**
 * Up to 16 MiB of pages are kept, and as many of the log before it is copied into the file: a run of 10,000 steps
 * writes about that, and pages that several runs change are copied once.
 */
const perConnection = "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4096;";

/**
 * Opens a file, and makes it where it is not there yet; one that may only be read is opened for reading. Throws what
 * SQLite throws, or a StoreError about what the file is: then nothing of it was changed.
 */
export function openDatabase(path: string, migrations: readonly string[]): Database {
  const { DatabaseSync } = loadSqlite();
  refuseByHeader(path, migrations, DatabaseSync);
  if (isUnwritable(path)) return openReadable(path, migrations, DatabaseSync);
  mkdirSync(dirname(path), { recursive: true });
  try {
    return openWritable(path, migrations, DatabaseSync);
  } catch (error) {
    // A disk without room for the log: what is in the file can be read all the same.
    if (!(isFull(error) && sizeOfFiles(path) > 0)) throw error;
    return openReadable(path, migrations, DatabaseSync);
  }
}

function openReadable(path: string, migrations: readonly string[], Connection: typeof DatabaseSync): Database {
  const isCurrent = (connection: DatabaseSync): boolean => isMigrated(connection, path, migrations);
  const migrateCopy = (connection: DatabaseSync): void => migrate(connection, path, migrations);
  const connection = openUnwritable({ path, Connection, isCurrent, migrate: migrateCopy });
  return { connection, statements: new Map() };
}

function openWritable(path: string, migrations: readonly string[], Connection: typeof DatabaseSync): Database {
  const isLogged = hasLog(path);
  const connection = new Connection(path, { timeout: blockingMs });
  try {
    if (isLogged) refuseForeignLog(connection, path, Connection);
    if (!isMigrated(connection, path, migrations)) migrate(connection, path, migrations);
    connection.exec(perConnection);
    return { connection, statements: new Map() };
  } catch (error) {
    if (connection.isOpen) connection.close();
    throw error;
  }
}

/** Runs a query to its end. */
function runQuery<T>({ connection, statements }: Database, query: Query<T>): T {
  let step = query.next([]);
  while (step.done !== true) {
    const { wants, sql, parameters } = step.value;
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = connection.prepare(sql);
      statements.set(sql, statement);
    }
    const values = parameters as SqlValue[];
    step = query.next(
      wants === "rows" ? (statement.all(...values) as Row[]) : [{ changes: Number(statement.run(...values).changes) }],
    );
  }
  return step.value;
}

/**
 * Runs a query in a transaction: all of it or nothing. A reading one sees one moment; a writing one waits its turn.
 *
 * @param mode - `"statement"` for a query that reads with a single statement, which sees one moment by itself.
 */
export function transact<T>(database: Database, mode: "read" | "statement" | "write", query: () => Query<T>): T {
  // A step that runs a pipeline has it recorded, which is not its own doing.
  if (stepScope() !== undefined) return outsideStep(() => transact(database, mode, query));
  if (mode === "statement") return runQuery(database, query());
  const { connection } = database;
  connection.exec(mode === "write" ? "BEGIN IMMEDIATE" : "BEGIN");
  try {
    const result = runQuery(database, query());
    connection.exec("COMMIT");
    return result;
  } catch (error) {
    // SQLite may have rolled back by itself, when the disk is full for instance.
    if (connection.isTransaction) connection.exec("ROLLBACK");
    throw error;
  }
}

/** Pages are given back when one of so many is free: writing the file anew costs its size. */
const worthwhileShare = 8;

/** Gives free pages and the log back to the disk. */
export function compactDatabase({ connection }: Database): void {
  const isWorthwhile =
    readPragma(connection, "freelist_count") * worthwhileShare >= readPragma(connection, "page_count");
  try {
    if (isWorthwhile) connection.exec("VACUUM");
  } catch (error) {
    // A full disk has no room for the new file; free pages are used by the next records.
    if (!isSqliteError(error, 13)) throw error;
  }
  // Where somebody reads at this moment, the log stays until later.
  connection.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}

/** Of a database's file and its log, in bytes. */
export function sizeOfFiles(path: string): number {
  const sizes = [path, `${path}-wal`].map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Whether somebody else was writing: the same call may work in a moment. */
export function isBusy(error: unknown): boolean {
  return isSqliteError(error, 5) || isSqliteError(error, 6);
}

function isSqliteError(error: unknown, primaryCode: number): boolean {
  const code = (error as { readonly errcode?: unknown }).errcode;
  return typeof code === "number" && (code & 0xff) === primaryCode;
}

/** Whether the file itself does not hold what its header says, or is not what SQLite wrote. */
export function isCorrupt(error: unknown): boolean {
  return isSqliteError(error, 11) || isSqliteError(error, 26);
}

/** Whether there was no room, or whatever else lets a file not grow. */
function isFull(error: unknown): boolean {
  return isSqliteError(error, 13) || isSqliteError(error, 10) || isSqliteError(error, 14);
}

/** Whether it may only be read. */
export function isReadOnly(error: unknown): boolean {
  return isSqliteError(error, 8);
}

/** Refuses, before SQLite touches the file, what it would only find out after it changed something. */
export function refuseByHeader(path: string, migrations: readonly string[], Connection: typeof DatabaseSync): void {
  const header = readFileHeader(path);
  if (header === undefined) return;
  if (header.applicationId === applicationId) refuseNewer(header.userVersion, path, migrations);
  if (!header.hasLog) {
    if (header.bytes >= header.expectedBytes) return;
    throw new StoreError(
      "RPS4001",
      `The store ${path} is cut off: it has ${header.bytes} of ${header.expectedBytes} bytes.`,
      { hint: afterCorruption, data: { path, isCorrupt: true } },
    );
  }
  // The log may hold a newer schema than the file; whoever reads only leaves both as they are.
  if (isUnwritable(path)) return;
  const connection = new Connection(path, { readOnly: true, timeout: blockingMs });
  try {
    isMigrated(connection, path, migrations);
  } catch (error) {
    // Whatever else is wrong is told by whoever opens it for good.
    if (error instanceof StoreError) throw error;
  } finally {
    connection.close();
  }
}

/** What to do about a file whose bytes are damaged. */
export const afterCorruption =
  "Move metadata.db, and metadata.db-wal where it is there, out of the store's folder, or put a copy in their place: the next run makes new records, and what is stored as files stays";

/** Whether the schema is this version's. Refuses a newer one. */
function isMigrated(connection: DatabaseSync, path: string, migrations: readonly string[]): boolean {
  if (readPragma(connection, "application_id") !== applicationId) return false;
  const version = readPragma(connection, "user_version");
  refuseNewer(version, path, migrations);
  return version === migrations.length;
}

/** One process migrates, whoever comes first; those that come at the same time find it done. */
function migrate(connection: DatabaseSync, path: string, migrations: readonly string[]): void {
  refuseForeign(connection, path);
  refuseNewer(readPragma(connection, "user_version"), path, migrations);
  // Kept in the file. It cannot be changed in a transaction, and doing it again does nothing.
  connection.exec("PRAGMA journal_mode = WAL");
  connection.exec("BEGIN IMMEDIATE");
  try {
    const version = readPragma(connection, "user_version");
    refuseNewer(version, path, migrations);
    for (const migration of migrations.slice(version)) connection.exec(migration);
    connection.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`);
    connection.exec("COMMIT");
  } catch (error) {
    if (connection.isTransaction) connection.exec("ROLLBACK");
    throw error;
  }
}

function refuseForeign(connection: DatabaseSync, path: string): void {
  const id = readPragma(connection, "application_id");
  if (id === applicationId) return;
  const { count } = connection.prepare("SELECT count(*) AS count FROM sqlite_schema").get() as { count: number };
  // An empty file is ours to be. Tables without our mark: another process may have made them since the mark was read.
  if (count === 0 || readPragma(connection, "application_id") === applicationId) return;
  throw new StoreError("RPS4001", `The file ${path} is a database of another program, not a Reprise store.`, {
    hint: "Choose another place for the store.",
    data: { path },
  });
}

function refuseNewer(version: number, path: string, migrations: readonly string[]): void {
  if (version <= migrations.length) return;
  throw new StoreError(
    "RPS4002",
    `The store ${path} was written by a newer Reprise: its schema is version ${version}, this one knows ${migrations.length}. Nothing was changed.`,
    { hint: "Update Reprise: npm install reprise@latest", data: { path, version, known: migrations.length } },
  );
}

function readPragma(
  connection: DatabaseSync,
  name: "user_version" | "application_id" | "freelist_count" | "page_count",
): number {
  return (connection.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[name] as number;
}

/** Loads node:sqlite without the warning that Node prints before 24.15: that it is new is no news to whoever runs a step. */
export function loadSqlite(): typeof import("node:sqlite") {
  const { emitWarning } = process;
  process.emitWarning = ((warning: string | Error, ...rest: never[]) => {
    if (!String(warning).includes("SQLite")) emitWarning.call(process, warning, ...rest);
  }) as typeof process.emitWarning;
  try {
    return process.getBuiltinModule("node:sqlite");
  } finally {
    process.emitWarning = emitWarning;
  }
}
