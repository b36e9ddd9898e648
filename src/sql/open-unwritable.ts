/**
 * A database that may only be read: its file, or the folder in which SQLite would keep its log, refuses to be written.
 * Nothing of it is changed.
 */
import { accessSync, constants, cpSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

/** Whether there is a file that cannot be written to, or that has no room beside it for a log. */
export function isUnwritable(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
    return false;
  } catch {
    return true;
  }
}

export interface UnwritableParts {
  readonly path: string;
  readonly Connection: typeof DatabaseSync;
  /** Whether a connection can answer questions as it is: its schema is this version's. Throws where it cannot be read. */
  readonly isCurrent: (connection: DatabaseSync) => boolean;
  /** Brings a copy to this version's schema. */
  readonly migrate: (connection: DatabaseSync) => void;
}

/**
 * Opens it as it is, where SQLite can: with the log that another process keeps, or without one where there is none. Else
 * a copy of file and log in a temporary folder, brought to this version's schema; the copy goes when the connection does.
 */
export function openUnwritable(parts: UnwritableParts): DatabaseSync {
  const { path, Connection } = parts;
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const immutable = new URL(`${pathToFileURL(path).href}?immutable=1`);
  // Without a log nobody writes, and the file does not change: so it can be read without locks.
  for (const place of log > 0 ? [path] : [path, immutable]) {
    const connection = new Connection(place, { readOnly: true });
    try {
      if (parts.isCurrent(connection)) return connection;
    } catch (error) {
      if (place === immutable) {
        connection.close();
        throw error;
      }
    }
    connection.close();
  }
  return openCopy(parts);
}

function openCopy({ path, Connection, migrate }: UnwritableParts): DatabaseSync {
  const folder = mkdtempSync(join(tmpdir(), "reprise-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.on("exit", remove);
  try {
    const copy = join(folder, basename(path));
    for (const end of ["", "-wal"]) if (existsSync(`${path}${end}`)) cpSync(`${path}${end}`, `${copy}${end}`);
    const connection = new Connection(copy);
    migrate(connection);
    // What would be written here would be lost.
    connection.exec("PRAGMA query_only = ON");
    const { close } = connection;
    connection.close = () => {
      close.call(connection);
      process.off("exit", remove);
      remove();
    };
    return connection;
  } catch (error) {
    process.off("exit", remove);
    remove();
    throw error;
  }
}
