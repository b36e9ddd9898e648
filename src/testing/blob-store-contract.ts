/** What every blob store must do: an adapter's own test calls this and is done. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, it } from "node:test";
import { digestBytes, type Digest } from "../hash/digest.ts";
import type { BlobStat, BlobStore } from "../store/blob-store.ts";
import { sampleDigest } from "./sample-records.ts";

/**
 * Declares the tests of a blob store.
 *
 * @param open - Opens a new, empty store. It is disposed of after each test.
 */
export function testBlobStore(name: string, open: () => Promise<BlobStore>): void {
  describe(`${name} as a blob store`, () => {
    let store: BlobStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(async () => {
      await store[Symbol.asyncDispose]();
    });
    const current = (): BlobStore => store;
    describe("reading", () => testReading(current));
    describe("writing", () => testWriting(current));
    describe("keeping house", () => testHousekeeping(current));
  });
}

function testReading(current: () => BlobStore): void {
  it("gives bytes back as they were written, whole, in pieces and as a file", async () => {
    const store = current();
    for (const bytes of [new Uint8Array(), Buffer.from("text"), makeBytes(64 * 1024), makeBytes(3_000_001)]) {
      const digest = await write(store, bytes);
      assert.deepEqual(await readWhole(store, digest), Buffer.from(bytes));
      assert.deepEqual(await readPieces(store, digest), Buffer.from(bytes));
      const path = await store.localPath(digest);
      if (path !== undefined) assert.deepEqual(await readFile(path), Buffer.from(bytes));
      const stat = (await store.stat([digest])).get(digest);
      assert.deepEqual({ digest: stat?.digest, size: stat?.size }, { digest, size: bytes.byteLength });
    }
  });

  it("says so when there is no such blob", async () => {
    const store = current();
    const digest = sampleDigest("nowhere");
    assert.equal(await store.read(digest), undefined);
    assert.equal(await store.stream(digest), undefined);
    assert.equal(await store.localPath(digest), undefined);
    assert.deepEqual(await store.stat([digest]), new Map());
    assert.deepEqual(await store.touch([digest]), new Map());
    assert.deepEqual(await listAll(store), []);
  });

  it("refuses what is no digest, whatever path it may look like", async () => {
    const store = current();
    for (const text of ["", "sha256:", "sha256:../../secret", `sha256:${"A".repeat(64)}`, `../${"a".repeat(64)}`]) {
      // A store that has no paths may as well say that there is no such blob.
      const found = await store.read(text as Digest).catch(() => undefined);
      assert.equal(found, undefined);
    }
  });

  it("hands out plain bytes, in memory of their own, that a reader may write into", async () => {
    const store = current();
    for (const size of [10, 500_000]) {
      const bytes = await store.read(await write(store, makeBytes(size)));
      assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype);
      assert.equal(bytes?.buffer.byteLength, size);
    }
    const digest = await write(store, Buffer.from("text"));
    (await store.read(digest))?.fill(0);
    assert.deepEqual(await readWhole(store, digest), Buffer.from("text"));
  });
}

function testWriting(current: () => BlobStore): void {
  it("shows nothing before a commit, and nothing after an abort", async () => {
    const store = current();
    for (const size of [10, 500_000]) {
      const bytes = makeBytes(size);
      const digest = digestBytes(bytes);
      const upload = await store.upload();
      await upload.write(bytes);
      assert.equal(await store.read(digest), undefined);
      assert.deepEqual(await listAll(store), []);
      await upload.abort();
      assert.equal(await store.read(digest), undefined);
      assert.deepEqual(await listAll(store), []);
    }
  });

  it("takes bytes in any number of pieces, from a buffer that is used again", async () => {
    const store = current();
    const all = makeBytes(300_000);
    const upload = await store.upload();
    const piece = Buffer.alloc(1000);
    for (let start = 0; start < all.byteLength; start += piece.byteLength) {
      piece.set(all.subarray(start, start + piece.byteLength));
      await upload.write(piece);
    }
    await upload.commit(digestBytes(all));
    await upload.abort();
    assert.deepEqual(await readWhole(store, digestBytes(all)), Buffer.from(all));
  });

  it("keeps what is there unless told to replace it", async () => {
    const store = current();
    // The store does not look at the bytes: other bytes stand for a blob that was altered.
    const digest = sampleDigest("right");
    await write(store, Buffer.from("wrong"), { digest });
    await write(store, Buffer.from("right"), { digest });
    assert.deepEqual(await readWhole(store, digest), Buffer.from("wrong"));
    await write(store, Buffer.from("right"), { digest, replace: true });
    assert.deepEqual(await readWhole(store, digest), Buffer.from("right"));
  });

  it("takes the same bytes from many at the same time", async () => {
    const store = current();
    const bytes = makeBytes(200_000);
    const digests = await Promise.all(
      Array.from({ length: 16 }, (_, index) => write(store, bytes, { replace: index % 2 === 0 })),
    );
    assert.deepEqual(await readWhole(store, digests[0]!), Buffer.from(bytes));
    assert.equal((await listAll(store)).length, 1);
  });
}

function testHousekeeping(current: () => BlobStore): void {
  it("lists every blob with its size", async () => {
    const store = current();
    const texts = Array.from({ length: 300 }, (_, index) => `text ${index}`);
    const digests = await Promise.all(texts.map((text) => write(store, Buffer.from(text))));
    const listed = new Map((await listAll(store)).map((stat) => [stat.digest, stat.size]));
    assert.deepEqual([...listed.keys()].sort(), digests.toSorted());
    assert.equal(listed.get(digests[7]!), texts[7]!.length);
    assert.equal((await store.stat(digests)).size, 300);
  });

  it("counts a blob that is touched or written again as written now", async () => {
    const store = current();
    const digest = await write(store, Buffer.from("text"));
    const before = (await store.stat([digest])).get(digest)!;
    assert.ok(Math.abs(before.modifiedAt - Date.now()) < 3_600_000);
    const touched = (await store.touch([digest])).get(digest)!;
    assert.equal(touched.size, 4);
    assert.ok((await store.stat([digest])).get(digest)!.modifiedAt >= Math.floor(before.modifiedAt));
    await write(store, Buffer.from("text"));
    assert.ok((await store.stat([digest])).get(digest)!.modifiedAt >= Math.floor(before.modifiedAt));
  });

  it("seals what it wrote itself, and knows what is sealed no more", async () => {
    const store = current();
    const digest = await write(store, Buffer.from("text"));
    const isSealed = async (): Promise<boolean | undefined> => (await store.stat([digest])).get(digest)?.sealed;
    assert.equal(await isSealed(), true);
    await store.unseal([digest, sampleDigest("nowhere")]);
    await store.touch([digest]);
    assert.equal(await isSealed(), false);
    await store.seal([digest, sampleDigest("nowhere")]);
    assert.equal(await isSealed(), true);
    await store.unseal([digest]);
    await write(store, Buffer.from("text"), { replace: true });
    assert.equal(await isSealed(), true);
  });

  it("removes blobs, and takes them again", async () => {
    const store = current();
    const [gone, kept] = [await write(store, Buffer.from("gone")), await write(store, Buffer.from("kept"))];
    await store.remove([gone, sampleDigest("nowhere")]);
    assert.equal(await store.read(gone), undefined);
    assert.deepEqual(await listAll(store).then((all) => all.map((stat) => stat.digest)), [kept]);
    await write(store, Buffer.from("gone"));
    assert.deepEqual(await readWhole(store, gone), Buffer.from("gone"));
  });

  it("collects blobs as they were seen, and leaves those that were touched or written again since", async () => {
    const store = current();
    const texts = ["free", "touched", "written", "gone"];
    const digests = await Promise.all(texts.map(async (text) => await write(store, Buffer.from(text))));
    const [free, touched, written, gone] = digests as [Digest, Digest, Digest, Digest];
    const seen = [...(await store.stat(digests)).values()];
    const isAsSeen = async (digest: Digest): Promise<boolean> => {
      const before = seen.find((stat) => stat.digest === digest);
      return (await store.stat([digest])).get(digest)?.modifiedAt === before?.modifiedAt;
    };
    // Clocks count in milliseconds.
    while (await isAsSeen(touched)) await store.touch([touched]);
    while (await isAsSeen(written)) await write(store, Buffer.from("written"));
    await store.remove([gone]);
    const removed = await store.collect(seen);
    assert.deepEqual(
      removed.map(({ digest, size }) => [digest, size]),
      [[free, 4]],
    );
    const left = (await listAll(store)).map((stat) => stat.digest);
    assert.deepEqual(left.toSorted(), [touched, written].toSorted());
    assert.deepEqual(await readWhole(store, touched), Buffer.from("touched"));
    assert.equal((await store.stat([touched])).get(touched)?.sealed, true);
  });

  it("sweeps nothing that is a blob, and nothing that is being written", async () => {
    const store = current();
    const digest = await write(store, Buffer.from("kept"));
    const upload = await store.upload();
    const bytes = makeBytes(500_000);
    await upload.write(bytes);
    assert.equal(await store.sweep(3_600_000), 0);
    await upload.commit(digestBytes(bytes));
    assert.deepEqual(await readWhole(store, digest), Buffer.from("kept"));
    assert.deepEqual(await readWhole(store, digestBytes(bytes)), Buffer.from(bytes));
  });
}

async function write(
  store: BlobStore,
  bytes: Uint8Array,
  { digest = digestBytes(bytes), replace = false }: { readonly digest?: Digest; readonly replace?: boolean } = {},
): Promise<Digest> {
  const upload = await store.upload();
  await upload.write(bytes);
  await upload.commit(digest, { replace });
  return digest;
}

async function readWhole(store: BlobStore, digest: Digest): Promise<Buffer> {
  const bytes = await store.read(digest);
  assert.ok(bytes !== undefined, `${digest} is there`);
  return Buffer.from(bytes);
}

async function readPieces(store: BlobStore, digest: Digest): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of (await store.stream(digest)) ?? []) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function listAll(store: BlobStore): Promise<BlobStat[]> {
  const all: BlobStat[] = [];
  for await (const stat of store.list()) all.push(stat);
  return all;
}

/** Bytes that repeat nowhere near a page or a chunk. */
function makeBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let index = 0; index < size; index++) bytes[index] = (index * 31 + (index >>> 8) * 7) & 0xff;
  return bytes;
}
