import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { observeIn, readsOf, toldOf, type Observing } from "../../test/rig/observing.ts";
import { installWatchers } from "./install.ts";

// As a module does that is loaded before the first step runs, by require or by getBuiltinModule.
const sqlite = createRequire(import.meta.url)("node:sqlite") as typeof import("node:sqlite");
const { DatabaseSync } = sqlite;
installWatchers();

let root: string;
let path: string;
let observe: Observing["observe"];
let differencesOf: Observing["differencesOf"];

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "reprise-sqlite-")));
  path = join(root, "shop.db");
  ({ observe, differencesOf } = observeIn(root));
  change(path, "create table items(name); insert into items values ('tea')");
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

/** As somebody else does, outside of the step. */
function change(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

describe("a database that a step reads", () => {
  type Database = InstanceType<typeof DatabaseSync>;
  const ways: Readonly<Record<string, (database: Database) => unknown>> = {
    "a statement": (database) => database.prepare("select * from items").all(),
    "one row": (database) => database.prepare("select * from items").get(),
    "rows one by one": (database) => [...database.prepare("select * from items").iterate()],
    "a template": (database) => (database as any).createTagStore().all`select * from items where name <> ${"x"}`,
    "its bytes": (database) => (database as any).serialize?.(),
  };
  for (const [way, read] of Object.entries(ways)) {
    it(`is seen by ${way}, with a class that was taken before, and opened by the step or before it`, async () => {
      const before = new DatabaseSync(path);
      const statements = await observe(() => read(before));
      const opened = await observe(() => {
        const own = new DatabaseSync(path);
        read(own);
        own.close();
      });
      before.close();
      for (const observed of [statements, opened]) {
        assert.deepEqual([readsOf(observed), observed.obstacle], [["file shop.db", "file shop.db-wal"], undefined]);
        assert.deepEqual(await differencesOf(observed), []);
      }
      change(path, "insert into items values ('coffee')");
      for (const observed of [statements, opened]) {
        assert.deepEqual(await differencesOf(observed), ["file shop.db"]);
      }
    });
  }

  it("is seen by a statement that was prepared before", async () => {
    const database = new DatabaseSync(path);
    const statement = database.prepare("select * from items");
    const observed = await observe(() => statement.all());
    database.close();
    change(path, "insert into items values ('coffee')");
    assert.deepEqual(await differencesOf(observed), ["file shop.db"]);
  });

  it("is seen where it is attached to another", async () => {
    const other = join(root, "other.db");
    change(other, "create table prices(price)");
    const observed = await observe(() => {
      const database = new DatabaseSync(":memory:");
      database.exec(`attach '${other}' as other`);
      database.prepare(`attach '${path}' as shop`).run();
      database.prepare("select * from shop.items").all();
      database.close();
    });
    assert.ok(["file other.db", "file shop.db"].every((each) => readsOf(observed).includes(each)));
    change(path, "insert into items values ('coffee')");
    assert.deepEqual(await differencesOf(observed), ["file shop.db"]);
  });

  it("is the same while its log is open and empty, and differs when another writes to it", async () => {
    change(path, "pragma journal_mode = wal");
    const kept = new DatabaseSync(path);
    const observed = await observe(() => kept.prepare("select * from items").all());
    assert.equal(observed.obstacle, undefined);
    assert.deepEqual(await differencesOf(observed), []);
    change(path, "insert into items values ('coffee')");
    assert.deepEqual(await differencesOf(observed), ["file shop.db-wal"]);
    kept.close();
  });

  it("bars the result where a statement of it is older than Reprise", () => {
    const rig = new URL("../../test/rig/observing.ts", import.meta.url).href;
    const script = `
      import sqlite from "node:sqlite";
      const database = new sqlite.DatabaseSync(${JSON.stringify(path)});
      const statement = database.prepare("select * from items");
      const { observeIn } = await import(${JSON.stringify(rig)});
      const { obstacle } = await observeIn(${JSON.stringify(root)}).observe(() => statement.all());
      console.log(obstacle?.text);
    `;
    const output = execFileSync(process.execPath, ["--no-warnings", "--input-type=module", "-e", script]);
    assert.match(output.toString(), /^it uses a statement of SQLite that is older/u);
  });

  it("counts where it is not there", async () => {
    const open = () => assert.throws(() => new sqlite.DatabaseSync(join(root, "none.db"), { readOnly: true }));
    const observed = await observe(open);
    change(join(root, "none.db"), "create table items(name)");
    assert.deepEqual(await differencesOf(observed), ["file none.db"]);
  });
});

describe("a database that a step makes", () => {
  it("is an output and no input", async () => {
    const observed = await observe(() => {
      const database = new DatabaseSync(join(root, "new.db"));
      database.exec("pragma journal_mode = wal; drop table if exists items; create table items(name)");
      database.prepare("insert into items values (?)").run("tea");
      assert.equal(database.prepare("select * from items").all().length, 1);
      database.close();
    });
    assert.deepEqual([readsOf(observed), observed.obstacle], [[], undefined]);
    assert.deepEqual(toldOf(observed), ["writes new.db"]);
  });

  it("bars the result where the step asks first what is there", async () => {
    const observed = await observe(() => {
      const database = new DatabaseSync(join(root, "new.db"));
      database.exec("create table if not exists items(name)");
      database.close();
    });
    assert.equal(observed.obstacle?.text, "it reads or looks for new.db, which it writes itself");
  });
});

describe("a database that a step changes", () => {
  it("bars the result as what it writes itself", async () => {
    const observed = await observe(() => {
      const database = new DatabaseSync(path);
      database.exec("insert into items values ('coffee')");
      database.close();
    });
    assert.equal(observed.obstacle?.text, "it reads or looks for shop.db, which it writes itself");
  });

  it("does not bar the result of others that were only read beside it", async () => {
    const observed = await observe(() => {
      const database = new DatabaseSync(":memory:");
      database.exec(`attach '${path}' as shop; create table counts as select count(*) from shop.items`);
      database.close();
    });
    assert.deepEqual([readsOf(observed), observed.obstacle], [["file shop.db", "file shop.db-wal"], undefined]);
  });
});
