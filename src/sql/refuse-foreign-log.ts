/**
 * A log that does not belong to the database beside which it lies: of a copy of the file alone, of a backup that was put
 * back, of another store. SQLite takes whatever log there is for its own, and writes it over the records when it closes.
 */
import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { StoreError } from "../error.ts";

/** Whether a log is there before anybody has opened the file: a writer goes on, or was killed, or somebody put it there. */
export function hasLog(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/**
 * Reads records and log as one, once after each kill: where another process has them open, that one has done so. Throws a
 * StoreError (RPS4001) and changes nothing when they do not fit.
 */
export function refuseForeignLog(connection: DatabaseSync, path: string, Connection: typeof DatabaseSync): void {
  const problem = findProblem(connection, path, Connection);
  if (problem === undefined) return;
  // Who closes it last writes the log into the file; who only reads does not.
  const reader = new Connection(path, { readOnly: true });
  try {
    readOnce(reader);
  } catch {
    // It holds the file open, whatever it finds there.
  }
  connection.close();
  reader.close();
  throw new StoreError(
    "RPS4001",
    `The log beside the store ${path} does not fit it: ${problem}. Nothing was changed.`,
    {
      hint: `Put the log that belongs to it in the place of ${path}-wal. If there is none, move that file away: what it holds is not in the records then`,
      data: { path, isCorrupt: true },
    },
  );
}

function findProblem(connection: DatabaseSync, path: string, Connection: typeof DatabaseSync): string | undefined {
  try {
    // The log is taken up before: otherwise the mode could not be left again.
    readOnce(connection);
    const { timeout } = connection.prepare("PRAGMA busy_timeout").get() as { readonly timeout: number };
    connection.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 0");
    try {
      connection.exec("BEGIN EXCLUSIVE");
      const found = String(connection.prepare("PRAGMA integrity_check(1)").get()?.["integrity_check"]);
      if (found !== "ok") return found;
      const isOther = hasLostRuns(connection, path, Connection);
      return isOther ? "none of the newest runs in the file are in what the log makes of it" : undefined;
    } finally {
      if (connection.isTransaction) connection.exec("COMMIT");
      connection.exec(`PRAGMA locking_mode = NORMAL; PRAGMA busy_timeout = ${timeout}`);
      readOnce(connection);
    }
  } catch (error) {
    const { errcode = 0, message } = error as Error & { readonly errcode?: number };
    const code = errcode & 0xff;
    // Somebody else has it open.
    if (code === busy) return undefined;
    if (code === corrupt || code === notADatabase) return message;
    throw error;
  }
}

/** Result codes of SQLite. */
const busy = 5;
const corrupt = 11;
const notADatabase = 26;

/** A log that holds another store as a whole fits any file, and nothing of what was there is left. */
function hasLostRuns(connection: DatabaseSync, path: string, Connection: typeof DatabaseSync): boolean {
  const newest = "SELECT id FROM runs ORDER BY started_at DESC LIMIT 20";
  let ids: readonly string[];
  const file = new URL(`${pathToFileURL(path).href}?immutable=1`);
  const alone = new Connection(file, { readOnly: true });
  try {
    ids = alone
      .prepare(newest)
      .all()
      .map(({ id }) => String(id));
  } catch {
    // All of it may be in the log: then the file has no tables yet, or only parts of them.
    return false;
  } finally {
    alone.close();
  }
  const find = connection.prepare("SELECT 1 FROM runs WHERE id = ?");
  return ids.length > 0 && ids.every((id) => find.get(id) === undefined);
}

function readOnce(connection: DatabaseSync): void {
  connection.prepare("SELECT count(*) FROM sqlite_schema").get();
}
