/** Records that another version wrote, or that are damaged: they are brought up to date, or refused with a way out. */
import assert from "node:assert/strict";
import { cpSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
  toFirstSchema(store);
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
      assert.match(stdout + stderr, /what is stored as data stays/u, command.join(" "));
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

test("a log of another store's records beside records that it does not fit is found by doctor, which changes nothing", async () => {
  const [store, other] = [copyStore(project, healthy, "mixed"), join(project.path, "other")];
  for (const n of ["3", "4", "5"]) assert.equal((await playFlow(project, other, n)).code, 0);
  killWriter(other, "UPDATE runs SET name = name || ' again'");
  cpSync(`${databaseOf(other)}-wal`, `${databaseOf(store)}-wal`);
  const before = digestFiles(store);
  const { code, stdout } = await project.reprise(["doctor", "--store", store]);
  assert.equal(code, 1);
  assert.match(stdout, /missing from index/u);
  assert.match(stdout, /Move metadata\.db, and metadata\.db-wal/u);
  assert.deepEqual(digestFiles(store), before);
});
