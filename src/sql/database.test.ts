import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { StoreError } from "../error.ts";
import { sampleDigest, sampleEntry, sampleRun } from "../testing/sample-records.ts";
import { openDatabase } from "./database.ts";
import { migrations } from "./schema.ts";
import { openSqlite } from "./sqlite.ts";

const temporary = mkdtempSync(join(tmpdir(), "reprise-database-"));
after(() => rmSync(temporary, { recursive: true }));

let files = 0;
function newPath(): string {
  return join(temporary, `store-${files++}`, "store.db");
}

function isStoreError(code: string, words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof StoreError && error.code === code && words.test(error.message) && !!error.hint;
}

test("a store that a newer Reprise wrote is refused, and loses nothing", async () => {
  const path = newPath();
  const run = sampleRun("r-1");
  {
    await using store = await openSqlite({ path });
    await store.write([{ kind: "run", run }]);
  }
  const newer = [...migrations, "CREATE TABLE of_the_future (a TEXT)"];
  openDatabase(path, newer).connection.close();
  const before = readFileSync(path);
  await assert.rejects(openSqlite({ path }), isStoreError("RPS4002", /written by a newer Reprise/u));
  assert.deepEqual(readFileSync(path), before);
  const { connection } = openDatabase(path, newer);
  assert.equal(connection.prepare("SELECT id FROM runs").get()?.["id"], run.id);
  connection.close();
});

test("an older store is migrated step by step, and keeps what it holds", () => {
  const path = newPath();
  const steps = [
    "CREATE TABLE a (x TEXT); INSERT INTO a VALUES ('kept')",
    "ALTER TABLE a ADD COLUMN y TEXT",
    "UPDATE a SET y = x",
  ];
  openDatabase(path, steps.slice(0, 1)).connection.close();
  const { connection } = openDatabase(path, steps);
  assert.deepEqual({ ...connection.prepare("SELECT * FROM a").get() }, { x: "kept", y: "kept" });
  assert.equal(connection.prepare("PRAGMA user_version").get()?.["user_version"], 3);
  connection.close();
});

test("a store of the first schema keeps its runs, what they reused, and its results", async () => {
  const path = newPath();
  const { connection } = openDatabase(path, migrations.slice(0, 1));
  const { id, name, pipeline, version, status, startedAt, finishedAt, tags: _tags, ...rest } = sampleRun("r-1");
  connection
    .prepare("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
    .run(id, name, pipeline, version, status, startedAt, finishedAt ?? null, JSON.stringify(rest));
  const record = JSON.stringify({ cache: "use", key: sampleDigest("key"), origin: "r-0/train", savedMs: 5 });
  connection
    .prepare("INSERT INTO step_runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
    .run(id, "train", "train", "cached", startedAt, 7, 8, record);
  const { blobs, outputs } = sampleEntry("key");
  const entry = JSON.stringify({
    durationMs: 5,
    outputs: outputs.map((use) => [use.slot, use.artifact, use.version, use.digest]),
    blobs: blobs.map(({ digest, size }) => [digest, size]),
  });
  connection
    .prepare("INSERT INTO cache_entries VALUES (?, ?, ?, ?, ?, ?, ?)")
    .run(sampleDigest("key"), "train", "r-0/train", 9, null, null, entry);
  connection.close();
  await using store = await openSqlite({ path });
  assert.deepEqual(await store.runs({}), [sampleRun("r-1")]);
  const [stepRun] = await store.stepRuns({ runs: [id] });
  assert.deepEqual([stepRun?.status, stepRun?.origin, stepRun?.savedMs], ["cached", "r-0/train", 5]);
  assert.deepEqual(await store.reuses({}), new Map([["r-0/train", { count: 1, lastAt: 7 }]]));
  const [found] = await store.cacheEntriesOf({});
  assert.deepEqual(
    { ...found },
    {
      ...sampleEntry("key"),
      step: "train",
      origin: "r-0/train",
      durationMs: 5,
      createdAt: 9,
      expiresAt: undefined,
    },
  );
});

test("a migration that fails leaves the store as it was", () => {
  const path = newPath();
  const first = "CREATE TABLE a (x TEXT)";
  openDatabase(path, [first]).connection.close();
  assert.throws(
    () => openDatabase(path, [first, "CREATE TABLE b (x TEXT)", "CREATE TABLE a (x TEXT)"]),
    /already exists/u,
  );
  const { connection } = openDatabase(path, [first]);
  const tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  assert.deepEqual(
    tables.map((table) => table["name"]),
    ["a"],
  );
  connection.close();
});

test("a file that is no database is refused", async () => {
  const path = join(temporary, "text.db");
  writeFileSync(path, "this is a text, and long enough to be told from a database".repeat(100));
  await assert.rejects(openSqlite({ path }), isStoreError("RPS4001", /not a database/u));
});

test("a database of another program is refused, and stays as it is", async () => {
  const path = join(temporary, "other.db");
  const other = new DatabaseSync(path);
  other.exec("CREATE TABLE theirs (a TEXT)");
  other.close();
  const before = readFileSync(path);
  await assert.rejects(openSqlite({ path }), isStoreError("RPS4001", /another program/u));
  assert.deepEqual(readFileSync(path), before);
});

test("a place where no file can be is refused", async () => {
  const file = join(temporary, "a-file");
  writeFileSync(file, "");
  await assert.rejects(openSqlite({ path: join(file, "store.db") }), isStoreError("RPS4001", /a-file/u));
});

test("a write waits while another process writes, and gives up with what to do", async () => {
  const path = newPath();
  await using store = await openSqlite({ path, busyTimeoutMs: 0 });
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  const write = [{ kind: "run", run: sampleRun("r-1") }] as const;
  await assert.rejects(store.write(write), isStoreError("RPS4005", /locked/u));
  // Whoever reads does not wait.
  assert.deepEqual(await store.runs({}), []);

  await using patient = await openSqlite({ path });
  const written = patient.write(write);
  // The writer blocks this process only for moments: this line is reached while it waits.
  other.exec("ROLLBACK");
  other.close();
  await written;
  assert.equal((await store.runs({})).length, 1);
});

test("loading the database prints no warning", () => {
  const script = `import { openSqlite } from ${JSON.stringify(import.meta.resolve("./sqlite.ts"))};
    await using store = await openSqlite({ path: process.argv[1] });`;
  const arguments_ = ["--input-type=module", "--eval", script, newPath()];
  const { status, stdout, stderr } = spawnSync(process.execPath, arguments_, { encoding: "utf8" });
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
});
