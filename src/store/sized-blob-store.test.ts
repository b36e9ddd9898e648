import assert from "node:assert/strict";
import { test } from "node:test";
import { digestBytes, type Digest } from "../hash/digest.ts";
import { testBlobStore } from "../testing/blob-store-contract.ts";
import { testContentStore } from "../testing/content-store-contract.ts";
import type { BlobStore } from "./blob-store.ts";
import { openContentStore, type ContentStore } from "./content-store.ts";
import { openMemoryBlobStore } from "./memory-blob-store.ts";
import { openSizedBlobStore } from "./sized-blob-store.ts";

const open = async (): Promise<BlobStore> =>
  openSizedBlobStore({ small: openMemoryBlobStore(), large: openMemoryBlobStore(), smallBytes: 1000 });

testBlobStore("two by size", open);
testContentStore("two by size", open);

interface Opened {
  readonly small: BlobStore;
  readonly large: BlobStore;
  readonly blobs: BlobStore;
  readonly content: ContentStore;
  /** Which of the two have it. */
  where(digest: Digest): Promise<readonly string[]>;
}

function openParts(): Opened {
  const [small, large] = [openMemoryBlobStore(), openMemoryBlobStore()];
  const blobs = openSizedBlobStore({ small, large, smallBytes: 1000 });
  return {
    small,
    large,
    blobs,
    content: openContentStore(blobs),
    async where(digest) {
      const [here, there] = [await small.stat([digest]), await large.stat([digest])];
      return [...(here.size > 0 ? ["small"] : []), ...(there.size > 0 ? ["large"] : [])];
    },
  };
}

async function write(store: BlobStore, text: string, digest = digestBytes(text)): Promise<Digest> {
  const upload = await store.upload();
  await upload.write(Buffer.from(text));
  await upload.commit(digest);
  return digest;
}

test("a blob goes by its size, in however many pieces it comes, and a file to the files", async () => {
  const { blobs, content, where } = openParts();
  assert.deepEqual(await where((await content.put("x".repeat(1000))).digest), ["small"]);
  assert.deepEqual(await where((await content.put("x".repeat(1001))).digest), ["large"]);
  for (const [pieces, place] of [
    [10, "small"],
    [11, "large"],
  ] as const) {
    const upload = await blobs.upload();
    for (let at = 0; at < pieces; at += 1) await upload.write(Buffer.alloc(100, 7));
    const digest = digestBytes(Buffer.alloc(100 * pieces, 7));
    await upload.commit(digest);
    assert.deepEqual(await where(digest), [place]);
  }
  const { digest } = await content.put({ path: import.meta.filename });
  assert.deepEqual(await where(digest), ["large"]);
});

test("a small blob that an earlier version put into a file is found there, and is not written twice", async () => {
  const { large, content, where } = openParts();
  const digest = await write(large, "early");
  assert.equal(await content.text(digest), "early");
  assert.deepEqual(await content.put("early"), { digest, size: 5 });
  assert.deepEqual(await where(digest), ["large"]);
  assert.deepEqual([...(await content.verify([{ digest, size: 5 }])).values()], ["ok"]);
});

test("wrong bytes are replaced wherever they are, and nothing of them is left", async () => {
  const { small, large, content, where } = openParts();
  const digest = digestBytes("right");
  await write(large, "wrong", digest);
  await assert.rejects(content.text(digest), { code: "RPS4004" });
  await content.put("right");
  assert.deepEqual(await where(digest), ["small"]);
  assert.equal(await content.text(digest), "right");

  const text = await content.text((await content.put({ path: import.meta.filename })).digest);
  const other = digestBytes(text);
  await large.remove([other]);
  await write(small, "wrong", other);
  await assert.rejects(content.text(other), { code: "RPS4004" });
  await content.put({ path: import.meta.filename });
  assert.deepEqual(await where(other), ["large"]);
  assert.equal(await content.text(other), text);
});

test("a blob that is in both places is collected from where nobody has touched it since", async () => {
  const { small, large, blobs, where } = openParts();
  const digest = await write(small, "twice");
  await write(large, "twice");
  const seen: Parameters<BlobStore["collect"]>[0][number][] = [];
  for await (const stat of blobs.list()) seen.push(stat);
  assert.equal(seen.length, 2);
  const before = seen[0]!.modifiedAt;
  while ((await small.stat([digest])).get(digest)?.modifiedAt === before) await blobs.touch([digest]);
  assert.deepEqual(await blobs.collect(seen), [seen[1]]);
  assert.deepEqual(await where(digest), ["small"]);
  assert.ok(await blobs.read(digest));
});
