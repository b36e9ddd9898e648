import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleArtifact } from "../testing/sample-records.ts";
import { collectBlobs } from "./collect-blobs.ts";
import { openContentStore } from "./content-store.ts";
import { openMemoryBlobStore } from "./memory-blob-store.ts";
import { openMemoryMetadataStore } from "./memory-metadata-store.ts";

async function openStores() {
  const metadata = openMemoryMetadataStore();
  const blobs = openMemoryBlobStore();
  const content = openContentStore(blobs);
  const [root, part, orphan] = await Promise.all([content.put("root"), content.put("part"), content.put("orphan")]);
  await metadata.recordArtifacts([sampleArtifact("model", "a", { root, parts: [part] })]);
  return { metadata, blobs, content, root, part, orphan };
}

test("what no artifact names is removed and counted, and the rest stays", async () => {
  const { metadata, blobs, content, root, part, orphan } = await openStores();
  const collected = await collectBlobs(metadata, blobs, { olderThanMs: 0 });
  assert.deepEqual(collected, { count: 1, bytes: orphan.size });
  const health = await content.verify([root, part, orphan], { level: "bytes" });
  assert.deepEqual([...health.values()], ["ok", "ok", "missing"]);
  assert.deepEqual(await collectBlobs(metadata, blobs, { olderThanMs: 0 }), { count: 0, bytes: 0 });
});

test("a dry run counts the same and removes nothing", async () => {
  const { metadata, blobs, content, orphan } = await openStores();
  const expected = { count: 1, bytes: orphan.size };
  assert.deepEqual(await collectBlobs(metadata, blobs, { olderThanMs: 0, dryRun: true }), expected);
  assert.equal(await content.text(orphan.digest), "orphan");
});

test("what was written a moment ago stays, named or not", async () => {
  const { metadata, blobs, content, orphan } = await openStores();
  assert.deepEqual(await collectBlobs(metadata, blobs, { olderThanMs: 60_000 }), { count: 0, bytes: 0 });
  assert.equal(await content.text(orphan.digest), "orphan");
});

test("what is named while the collection goes on stays", async () => {
  const { metadata, blobs, content, orphan } = await openStores();
  const late: typeof blobs = Object.create(blobs, {
    list: {
      async *value() {
        yield* blobs.list();
        await metadata.recordArtifacts([sampleArtifact("late", "b", { root: orphan, parts: [] })]);
      },
    },
    stat: { value: blobs.stat.bind(blobs) },
    remove: { value: blobs.remove.bind(blobs) },
  });
  assert.deepEqual(await collectBlobs(metadata, late, { olderThanMs: 0 }), { count: 0, bytes: 0 });
  assert.equal(await content.text(orphan.digest), "orphan");
});

test("after an artifact was removed, its blobs go unless another artifact names them", async () => {
  const { metadata, blobs, content, root, part } = await openStores();
  await metadata.recordArtifacts([sampleArtifact("other", "c", { root, parts: [] })]);
  await metadata.write([{ kind: "remove-artifacts", artifacts: [{ name: "model", version: 1 }] }]);
  await collectBlobs(metadata, blobs, { olderThanMs: 0 });
  assert.deepEqual([...(await content.verify([root, part])).values()], ["ok", "missing"]);
});
