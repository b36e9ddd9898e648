/** Records that another version wrote, or that are damaged: they are brought up to date, or refused with a way out. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import type { Project } from "../rig/project.ts";
import { assertSound } from "./assert-sound.ts";
import { copyStore, countCached, makeFlowProject, playFlow, resultOf, stepsOfFlow } from "./flow.ts";
import { countTable, databaseOf, digestFiles, killWriter, toFirstSchema, toNewerSchema } from "./store-states.ts";

let project: Project;
/** A store with two runs. */
let healthy: string;
let expected: string;

before(async () => {
  project = await makeFlowProject();
  healthy = join(project.path, "healthy");
  assert.equal((await playFlow(project, healthy, "2")).code, 0);
  expected = resultOf(await playFlow(project, healthy, "1"));
});
after(() => project[Symbol.asyncDispose]());

test("a store of the first schema is brought to this one, also by several processes at once, and loses nothing", async () => {
  const store = copyStore(project, healthy, "first");
  await toFirstSchema(store);
  const tables = ["runs", "step_runs", "artifacts", "cache_entries", "logs", "metrics", "keys", "uses"];
  const counts = tables.map((table) => [table, countTable(store, table)]);
  assert.ok(counts.every(([, count]) => count !== 0));
  const listed = await Promise.all(
    Array.from({ length: 6 }, () => project.json<{ run: { id: string } }[]>(["runs", "--store", store])),
  );
  const ids = (await project.json<{ run: { id: string } }[]>(["runs", "--store", healthy])).map(({ run }) => run.id);
  for (const each of listed)
    assert.deepEqual(
      each.map(({ run }) => run.id),
      ids,
    );
  assert.deepEqual(
    tables.map((table) => [table, countTable(store, table)]),
    counts,
  );
  const next = await playFlow(project, store, "1");
  assert.deepEqual([resultOf(next), countCached(next)], [expected, stepsOfFlow]);
  await assertSound(project.path, store);
});

const looking = [
  ["runs"],
  ["show", "last"],
  ["artifacts"],
  ["plan", "flow.ts", "--n", "1"],
  ["doctor"],
  ["run", "flow.ts", "--n", "1"],
];

test("a store of a newer schema is refused by every command, and not a byte of it is changed", async () => {
  const closed = copyStore(project, healthy, "newer");
  toNewerSchema(closed);
  // The newer schema is in the log alone.
  const killed = copyStore(project, healthy, "newer-killed");
  killWriter(killed, "CREATE TABLE of_the_future (a TEXT); PRAGMA user_version = 99");
  for (const store of [closed, killed]) {
    const before = digestFiles(store);
    assert.equal(before.has("metadata.db-wal"), store === killed);
    for (const command of looking) {
      const { code, stdout, stderr } = await project.reprise([...command, "--store", store]);
      assert.equal(code, 1, `${command.join(" ")}: ${stdout}${stderr}`);
      assert.match(stdout + stderr, /written by a newer Reprise.*Nothing was changed/u);
      assert.match(stdout + stderr, /npm install reprise@latest/u);
    }
    assert.deepEqual(digestFiles(store), before);
  }
});

const damages: readonly { readonly name: string; readonly says: RegExp; readonly damage: (file: string) => void }[] = [
  {
    name: "that are no database",
    says: /file is not a database/u,
    damage: (file) => writeFileSync(file, "neither records nor a database\n".repeat(1000)),
  },
  {
    name: "that are cut off after a page",
    says: /is cut off: it has 4096 of \d+ bytes/u,
    damage: (file) => truncateSync(file, 4096),
  },
  {
    name: "with other bytes from the second page on",
    says: /malformed/u,
    damage: (file) => writeFileSync(file, readFileSync(file).fill(0x5a, 4096)),
  },
  { name: "without bytes", says: /is empty/u, damage: (file) => truncateSync(file, 0) },
];

for (const { name, says, damage } of damages) {
  test(`records ${name} are refused with a way out, by which no data is lost`, async () => {
    const store = copyStore(project, healthy, `damaged ${name}`);
    const file = databaseOf(store);
    damage(file);
    const before = digestFiles(store);
    for (const command of looking) {
      const { code, stdout, stderr } = await project.reprise([...command, "--store", store]);
      assert.equal(code, 1, `${command.join(" ")}: ${stdout}${stderr}`);
      assert.match(stdout + stderr, says, command.join(" "));
      assert.match(stdout + stderr, /what is stored as files stays/u, command.join(" "));
    }
    assert.deepEqual(digestFiles(store), before);
    // The way out.
    renameSync(file, join(project.path, `${name}.db`));
    for (const end of ["-wal", "-shm"]) rmSync(`${file}${end}`, { force: true });
    assert.equal(resultOf(await playFlow(project, store, "1")), expected);
    for (const [blob, digest] of before) {
      if (blob.startsWith("objects")) assert.equal(digestFiles(store).get(blob), digest);
    }
    await assertSound(project.path, store);
  });
}

/** A store with three other runs, whose writer was killed: its log is there. */
async function makeKilled(name: string, runs = ["3", "4", "5"]): Promise<string> {
  const store = join(project.path, name);
  for (const n of runs) assert.equal((await playFlow(project, store, n)).code, 0);
  killWriter(store, "UPDATE runs SET name = name || ' again'");
  return store;
}

const foreign: readonly {
  readonly name: string;
  readonly says: RegExp;
  readonly put: (store: string) => Promise<void>;
}[] = [
  {
    name: "a part of another store",
    says: /does not fit it: \S/u,
    async put(store) {
      cpSync(`${databaseOf(await makeKilled("part"))}-wal`, `${databaseOf(store)}-wal`);
    },
  },
  {
    name: "another store as a whole",
    says: /none of the newest runs/u,
    async put(store) {
      const other = join(project.path, "whole");
      const holding = new DatabaseSync((mkdirSync(other), databaseOf(other)));
      holding.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; BEGIN; SELECT * FROM sqlite_schema");
      // While it reads, nobody writes the log into the file.
      assert.equal((await playFlow(project, other, "7")).code, 0);
      cpSync(`${databaseOf(other)}-wal`, `${databaseOf(store)}-wal`);
      holding.close();
    },
  },
  {
    name: "what is newer than a backup",
    says: /does not fit it: \S/u,
    async put(store) {
      const later = copyStore(project, store, "later");
      for (const n of ["3", "4", "5", "6"]) assert.equal((await playFlow(project, later, n)).code, 0);
      killWriter(later, "UPDATE runs SET name = name || ' again'; DELETE FROM logs");
      cpSync(`${databaseOf(later)}-wal`, `${databaseOf(store)}-wal`);
    },
  },
];

for (const { name, says, put } of foreign) {
  test(`a log that holds ${name} is refused beside records that it does not fit, and nothing is changed`, async () => {
    const store = copyStore(project, healthy, `beside ${name}`);
    await put(store);
    const before = digestFiles(store);
    for (const command of looking) {
      const { code, stdout, stderr } = await project.reprise([...command, "--store", store]);
      assert.equal(code, 1, `${command.join(" ")}: ${stdout}${stderr}`);
      if (command[0] === "doctor") continue;
      assert.match(stdout + stderr, says, command.join(" "));
      assert.match(stdout + stderr, /RPS4001.*does not fit it/u, command.join(" "));
      assert.deepEqual(digestFiles(store), before, command.join(" "));
    }
    assert.deepEqual(digestFiles(store), before);
    // The way out.
    renameSync(`${databaseOf(store)}-wal`, join(project.path, `${name}-wal`));
    const next = await playFlow(project, store, "1");
    assert.deepEqual([resultOf(next), countCached(next)], [expected, stepsOfFlow]);
    await assertSound(project.path, store);
  });
}

test("a log that fits is taken up, also by several processes at once, whoever was killed", async () => {
  const store = await makeKilled("fits");
  const listed = await Promise.all(
    Array.from({ length: 6 }, () => project.json<{ run: { name: string } }[]>(["runs", "--store", store])),
  );
  for (const runs of listed) assert.ok(runs.length === 3 && runs.every(({ run }) => run.name.endsWith(" again")));
  assert.equal((await playFlow(project, store, "3")).code, 0);
  await assertSound(project.path, store);
});
