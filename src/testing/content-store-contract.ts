/** What the content-addressed layer does over any blob store: an adapter's own test calls this as well. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, describe, it } from "node:test";
import type { BlobSource } from "../define/materializer.ts";
import { StoreError } from "../error.ts";
import { digestBytes, type Digest } from "../hash/digest.ts";
import type { BlobStore } from "../store/blob-store.ts";
import { openContentStore, type ContentStore } from "../store/content-store.ts";
import { sampleDigest } from "./sample-records.ts";

interface Opened {
  readonly blobs: BlobStore;
  readonly store: ContentStore;
}

/**
 * Declares the tests of content over a blob store.
 *
 * @param open - Opens a new, empty blob store. It is disposed of after each test.
 */
export function testContentStore(name: string, open: () => Promise<BlobStore>): void {
  describe(`content in ${name}`, () => {
    let opened: Opened;
    beforeEach(async () => {
      const blobs = await open();
      opened = { blobs, store: openContentStore(blobs) };
    });
    afterEach(async () => {
      await opened.store[Symbol.asyncDispose]();
      await opened.blobs[Symbol.asyncDispose]();
    });
    const current = (): Opened => opened;
    describe("that is sound", () => testSound(current));
    describe("that was altered", () => testAltered(current));
  });
}

function testSound(current: () => Opened): void {
  const temporary = mkdtempSync(join(tmpdir(), "reprise-content-"));
  after(() => rmSync(temporary, { recursive: true }));

  it("has the same digest whichever way its bytes come", async () => {
    const { store } = current();
    const bytes = Buffer.from("größer als nichts\n".repeat(20_000));
    const file = join(temporary, "source.txt");
    writeFileSync(file, bytes);
    const sources: BlobSource[] = [bytes, bytes.toString(), { path: file }, chunksOf(bytes, 7777)];
    for (const source of sources) {
      assert.deepEqual(await store.put(source), { digest: digestBytes(bytes), size: bytes.byteLength });
    }
  });

  it("comes back whole, as text, in pieces and as a file", async () => {
    const { store } = current();
    for (const text of ["", "\uFEFFbyte order mark", "x".repeat(3_000_000)]) {
      const { digest } = await store.put(text);
      assert.deepEqual(Buffer.from(await store.bytes(digest)), Buffer.from(text));
      assert.equal(await store.text(digest), text);
      assert.deepEqual(await collect(store, digest), Buffer.from(text));
      assert.equal(readFileSync(await store.path(digest), "utf8"), text);
    }
  });

  it("is an error that names the digest when it is missing", async () => {
    const { store } = current();
    const digest = sampleDigest("nowhere");
    for (const read of readings(store, digest)) await assert.rejects(read, isStoreError("RPS4003", digest));
  });

  it("is not there when it never came to its end", async () => {
    const { store, blobs } = current();
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(100_000);
      throw new Error("the source broke");
    };
    await assert.rejects(store.put(broken()), /the source broke/u);
    await assert.rejects(store.put({ path: join(temporary, "nowhere") }), { code: "ENOENT" });
    for await (const stat of blobs.list()) assert.fail(`${stat.digest} is there`);
  });
}

function testAltered(current: () => Opened): void {
  const long = "0123456789".repeat(500_000);

  it("is never handed out, in whatever way it is read", async () => {
    const { store, blobs } = current();
    for (const alter of alterations) {
      const { digest } = await store.put(long, { heal: true });
      await alter(blobs, digest);
      for (const read of readings(store, digest)) await assert.rejects(read, isStoreError("RPS4004", digest));
    }
  });

  it("lacks its last piece when it is read in pieces", async () => {
    const { store, blobs } = current();
    const { digest, size } = await store.put(long);
    await flipByte(blobs, digest);
    let arrived = 0;
    await assert.rejects(
      async () => {
        for await (const piece of store.stream(digest)) arrived += piece.byteLength;
      },
      isStoreError("RPS4004", digest),
    );
    assert.ok(arrived > 0 && arrived < size);
  });

  it("is told to who stops reading early, and has seen only what is right", async () => {
    const { store, blobs } = current();
    const { digest } = await store.put(Buffer.alloc(5_000_000, "a"));
    await alter(blobs, digest, (bytes) => {
      bytes[bytes.byteLength - 1] = 0;
      return bytes;
    });
    await assert.rejects(
      async () => {
        for await (const piece of store.stream(digest)) if (piece.byteLength > 0) break;
      },
      isStoreError("RPS4004", digest),
    );
  });

  it("is told by its size where that differs, and else by a look at every byte", async () => {
    const { store, blobs } = current();
    const [whole, cut, flipped] = [await store.put("whole"), await store.put("cut"), await store.put("flipped")];
    const gone = { digest: sampleDigest("nowhere"), size: 3 };
    await cutShort(blobs, cut.digest);
    await flipByte(blobs, flipped.digest);
    const refs = [whole, cut, flipped, gone];
    const look = async (level?: "bytes") =>
      [...(await store.verify(refs, level === undefined ? {} : { level })).values()].join(" ");
    assert.equal(await look(), "ok corrupt ok missing");
    assert.equal(await look("bytes"), "ok corrupt corrupt missing");
    // What was found out is not forgotten by a quick look.
    assert.equal(await look(), "ok corrupt corrupt missing");
  });

  it("is mended by putting the same bytes, once it was found altered or has another size", async () => {
    const { store, blobs } = current();
    for (const alter of alterations) {
      for (const way of ["bytes", "chunks"]) {
        const text = `${alter.name} ${way}`;
        const ref = await store.put(text);
        await alter(blobs, ref.digest);
        assert.equal((await store.verify([ref], { level: "bytes" })).get(ref.digest), "corrupt");
        await store.put(way === "bytes" ? text : chunksOf(Buffer.from(text), 3));
        assert.equal((await store.verify([ref])).get(ref.digest), "ok");
        assert.equal(await store.text(ref.digest), text);
      }
    }
  });

  it("is mended by a healing put, though nobody found it altered yet", async () => {
    const { store, blobs } = current();
    for (const source of ["text", chunksOf(Buffer.from("text"), 3)]) {
      const { digest } = await store.put("text");
      await flipByte(blobs, digest);
      const other = openContentStore(blobs);
      await other.put(source, { heal: true });
      assert.equal(await other.text(digest), "text");
    }
  });

  it("is told to whoever looks later, and mended by putting the same bytes, once anybody has read it", async () => {
    const { blobs, store } = current();
    const ref = await store.put("right");
    await flipByte(blobs, ref.digest);
    await assert.rejects(store.bytes(ref.digest), { code: "RPS4004" });
    await using later = openContentStore(blobs);
    assert.equal((await later.verify([ref])).get(ref.digest), "corrupt");
    await using other = openContentStore(blobs);
    await other.put("right");
    assert.equal(await other.text(ref.digest), "right");
  });

  it("is sound again after another process mended it, for whoever found it altered too", async () => {
    const { store, blobs } = current();
    for (const alter of alterations) {
      const ref = await store.put(alter.name);
      await alter(blobs, ref.digest);
      assert.equal((await store.verify([ref], { level: "bytes" })).get(ref.digest), "corrupt");
      await openContentStore(blobs).put(alter.name, { heal: true });
      assert.equal((await store.verify([ref])).get(ref.digest), "ok");
      assert.equal(await store.text(ref.digest), alter.name);
    }
  });
}

const alterations = [flipByte, cutShort, lengthen];

function flipByte(blobs: BlobStore, digest: Digest): Promise<void> {
  return alter(blobs, digest, (bytes) => {
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    return bytes;
  });
}

function cutShort(blobs: BlobStore, digest: Digest): Promise<void> {
  return alter(blobs, digest, (bytes) => bytes.subarray(0, bytes.byteLength - 1));
}

function lengthen(blobs: BlobStore, digest: Digest): Promise<void> {
  return alter(blobs, digest, (bytes) => Buffer.concat([bytes, Buffer.from("!")]));
}

/** The blob store does not look at the bytes: it keeps wrong ones as well. */
async function alter(blobs: BlobStore, digest: Digest, change: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const bytes = await blobs.read(digest);
  assert.ok(bytes !== undefined);
  const upload = await blobs.upload();
  await upload.write(change(bytes));
  await upload.commit(digest, { replace: true });
}

function readings(store: ContentStore, digest: Digest): (() => Promise<unknown>)[] {
  return [() => store.bytes(digest), () => store.text(digest), () => collect(store, digest), () => store.path(digest)];
}

async function collect(store: ContentStore, digest: Digest): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of store.stream(digest)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += size) yield bytes.subarray(start, start + size);
}

function isStoreError(code: string, digest: Digest): (error: unknown) => boolean {
  return (error) => error instanceof StoreError && error.code === code && error.message.includes(digest);
}
