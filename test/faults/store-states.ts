/** Stores in the states in which a run can find one, each made from a store that today's Reprise wrote. */
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { openDatabase } from "../../src/sql/database.ts";
import { migrations } from "../../src/sql/schema.ts";
import { moveToFiles } from "../rig/stored-blobs.ts";

export function databaseOf(store: string): string {
  return join(store, "metadata.db");
}

/** What the first schema kept of it, as that version wrote it: with all blobs in files. */
export async function toFirstSchema(store: string): Promise<void> {
  await moveToFiles(store);
  const [path, later] = [databaseOf(store), join(store, "later.db")];
  renameSync(path, later);
  const { connection } = openDatabase(path, migrations.slice(0, 1));
  connection.exec(`ATTACH '${later}' AS later`);
  const tables = connection.prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table'").all();
  // In the order in which they refer to each other.
  connection.exec("PRAGMA foreign_keys = OFF");
  for (const { name } of tables) {
    const columns = connection.prepare(`SELECT name FROM pragma_table_info('${String(name)}', 'main')`).all();
    const names = columns.map((column) => String(column["name"])).join(", ");
    connection.exec(`INSERT INTO main.${String(name)} (${names}) SELECT ${names} FROM later.${String(name)}`);
  }
  connection.exec("DETACH later");
  connection.close();
  for (const end of ["", "-wal", "-shm"]) rmSync(`${later}${end}`, { force: true });
}

/** As a Reprise that is newer by one schema leaves it. */
export function toNewerSchema(store: string): void {
  openDatabase(databaseOf(store), [...migrations, "CREATE TABLE of_the_future (a TEXT)"]).connection.close();
}

/** As a writer leaves it that was killed: its last changes are in the log alone. */
export function killWriter(store: string, sql: string): void {
  const script = `
    const database = new (require("node:sqlite").DatabaseSync)(${JSON.stringify(databaseOf(store))});
    database.exec(${JSON.stringify(sql)});
    process.kill(process.pid, "SIGKILL");
  `;
  const { signal, stderr } = spawnSync(process.execPath, ["--eval", script], { encoding: "utf8" });
  if (signal !== "SIGKILL") throw new Error(`the writer was not killed: ${stderr}`);
}

/** Digests of all files but the index of the log, which readers share and which holds nothing. */
export function digestFiles(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !name.endsWith("-shm") && statSync(join(folder, name)).isFile())
    .toSorted();
  return new Map(
    files.map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex"),
    ]),
  );
}

export function countTable(store: string, table: string): number {
  const database = new DatabaseSync(databaseOf(store), { readOnly: true });
  try {
    return Number(database.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.["count"]);
  } finally {
    database.close();
  }
}
