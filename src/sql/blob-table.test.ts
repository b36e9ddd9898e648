import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { StoreError } from "../error.ts";
import type { BlobStore } from "../store/blob-store.ts";
import { openContentStore } from "../store/content-store.ts";
import { testBlobStore } from "../testing/blob-store-contract.ts";
import { testContentStore } from "../testing/content-store-contract.ts";
import { openBlobTable } from "./blob-table.ts";
import { openSqlite, type SqliteStore } from "./sqlite.ts";

const temporary = mkdtempSync(join(tmpdir(), "reprise-blob-table-"));
after(() => rmSync(temporary, { recursive: true }));

let stores = 0;
const newPath = (): string => join(temporary, `${(stores += 1)}`, "metadata.db");

/** Closed with its records. */
async function openBlobs(): Promise<BlobStore> {
  const store: SqliteStore = await openSqlite({ path: newPath() });
  store.blobs[Symbol.asyncDispose] = async () => await store[Symbol.asyncDispose]();
  return store.blobs;
}

testBlobStore("a table", openBlobs);
testContentStore("a table", openBlobs);

test("bytes that somebody wrote to are looked at closely, and sealed again when they are right", async () => {
  const path = newPath();
  await using store = await openSqlite({ path });
  await using content = openContentStore(store.blobs);
  const [altered, copied] = [await content.put("altered"), await content.put("copied")];
  const refs = [altered, copied];
  const sealed = async () =>
    [...(await store.blobs.stat(refs.map(({ digest }) => digest))).values()].map((stat) => stat.sealed);
  {
    using database = new DatabaseSync(path);
    const write = database.prepare("UPDATE blobs SET bytes = ?, sealed = 1 WHERE digest = ?");
    write.run(Buffer.from("ALTERED"), altered.digest);
    write.run(Buffer.from("copied"), copied.digest);
  }
  assert.deepEqual(await sealed(), [false, false]);
  assert.deepEqual([...(await content.verify(refs)).values()], ["corrupt", "ok"]);
  assert.deepEqual(await sealed(), [false, true]);
  await content.put("altered");
  assert.deepEqual(await sealed(), [true, true]);
  assert.equal(await content.text(altered.digest), "altered");
});

test("bytes under another's digest are no blob that anybody believes", async () => {
  const path = newPath();
  await using store = await openSqlite({ path });
  await using content = openContentStore(store.blobs);
  const [one, other] = [await content.put("one"), await content.put("two")];
  {
    using database = new DatabaseSync(path);
    database.prepare("DELETE FROM blobs WHERE digest = ?").run(one.digest);
    database.prepare("UPDATE blobs SET digest = ? WHERE digest = ?").run(one.digest, other.digest);
  }
  assert.deepEqual([...(await content.verify([one, other])).values()], ["corrupt", "missing"]);
  await assert.rejects(content.bytes(one.digest), { code: "RPS4004" });
});

test("many that are written at once are there when each has been told so, and wait for the same few transactions", async () => {
  const path = newPath();
  await using store = await openSqlite({ path });
  await using content = openContentStore(store.blobs);
  using reader = new DatabaseSync(path);
  const has = reader.prepare("SELECT 1 FROM blobs WHERE digest = ?");
  const { exec } = DatabaseSync.prototype;
  let commits = 0;
  DatabaseSync.prototype.exec = function (sql) {
    if (sql === "COMMIT") commits += 1;
    exec.call(this, sql);
  };
  try {
    await Promise.all(
      Array.from({ length: 200 }, async (_, at) => {
        const { digest } = await content.put(`value ${at}`);
        assert.ok(has.get(digest), "another connection sees it");
      }),
    );
  } finally {
    DatabaseSync.prototype.exec = exec;
  }
  assert.ok(commits < 20, `${commits} transactions`);
});

test("a table that another process keeps locked refuses bytes, and takes them when it is free", async () => {
  const path = newPath();
  await using store = await openSqlite({ path, busyTimeoutMs: 0 });
  await using content = openContentStore(store.blobs);
  const { digest } = await content.put("kept");
  using blocker = new DatabaseSync(path);
  blocker.exec("BEGIN IMMEDIATE");
  const refused = await Promise.allSettled([content.put("new"), content.put("newer")]);
  assert.deepEqual(
    refused.map((each) => each.status === "rejected" && (each.reason as StoreError).code),
    ["RPS4005", "RPS4005"],
  );
  assert.equal(await content.text(digest), "kept");
  blocker.exec("ROLLBACK");
  assert.equal(await content.text((await content.put("new")).digest), "new");
});

test("a table that may only be read goes without marks, and refuses bytes", async () => {
  await using store = await openSqlite({ path: newPath() });
  const { digest } = await openContentStore(store.blobs).put("kept");
  const refusal = new StoreError("RPS4005", "It may only be read", { data: { isReadOnly: true } });
  const table = openBlobTable({
    read: async (query) => {
      let step = query().next([]);
      while (step.done !== true) assert.fail("rows come from elsewhere");
      return step.value;
    },
    write: () => Promise.reject(refusal),
  });
  table.stat = (digests) => store.blobs.stat(digests);
  table.read = (asked) => store.blobs.read(asked);
  await using content = openContentStore(table);
  assert.deepEqual(await content.put("kept"), { digest, size: 4 });
  await table.seal([digest]);
  await assert.rejects(content.put("new"), refusal);
});

test("what blobs take is not counted as records", async () => {
  await using store = await openSqlite({ path: newPath() });
  const before = await store.size();
  const content = openContentStore(store.blobs);
  for (let at = 0; at < 200; at += 1) await content.put(`${at} ${"x".repeat(8000)}`);
  await store.compact();
  const grown = (await store.size()) - before;
  assert.ok(grown < 200_000, `${grown}`);
});
