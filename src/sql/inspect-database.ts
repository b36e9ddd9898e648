/** What is wrong with a database, without opening it as a store: one that is refused can be looked at too. */
import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../error.ts";
import { afterCorruption, loadSqlite, refuseByHeader } from "./database.ts";
import { isUnwritable, openUnwritable } from "./open-unwritable.ts";
import { migrations } from "./schema.ts";

export interface DatabaseHealth {
  /** Empty when nothing is wrong. */
  readonly problems: readonly string[];
  /** What to do about them. */
  readonly hint: string | undefined;
  /** Version of the schema; undefined when it cannot be read. */
  readonly schema: number | undefined;
}

/** Reads every page, and changes nothing. */
export function inspectDatabase(path: string): DatabaseHealth {
  let database: DatabaseSync | undefined;
  try {
    const { DatabaseSync } = loadSqlite();
    refuseByHeader(path, migrations, DatabaseSync);
    if (isEmpty(path)) return { problems: [`${path} is empty`], hint: afterCorruption, schema: undefined };
    database = isUnwritable(path)
      ? openUnwritable({ path, Connection: DatabaseSync, isCurrent: (each) => schemaOf(each) > 0, migrate: () => {} })
      : new DatabaseSync(path, { readOnly: true, timeout: 5000 });
    const rows = database.prepare("PRAGMA integrity_check").all();
    const problems = rows.map((row) => String(row["integrity_check"])).filter((message) => message !== "ok");
    return { problems, hint: problems.length === 0 ? undefined : afterCorruption, schema: schemaOf(database) };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { problems: [problem], hint: error instanceof StoreError ? error.hint : afterCorruption, schema: undefined };
  } finally {
    database?.close();
  }
}

function schemaOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}

function isEmpty(path: string): boolean {
  return statSync(path).size + (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0;
}
