import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it, test } from "node:test";
import * as fc from "fast-check";
import { openFolder } from "../blob/folder.ts";
import type { BlobSource } from "../define/materializer.ts";
import { StoreError } from "../error.ts";
import { digestBytes, type Digest } from "../hash/digest.ts";
import { sampleDigest } from "../testing/sample-records.ts";
import type { BlobStore } from "./blob-store.ts";
import { openContentStore, type ContentStore } from "./content-store.ts";
import { openMemoryBlobStore } from "./memory-blob-store.ts";

const temporary = mkdtempSync(join(tmpdir(), "reprise-content-"));
after(() => rmSync(temporary, { recursive: true }));

let folders = 0;
const openFresh = (): Promise<BlobStore> =>
  openFolder({ path: join(temporary, `blobs-${folders++}`), durability: "none" });

for (const [name, open] of [
  ["a folder", openFresh],
  ["memory", async () => openMemoryBlobStore()],
] as const) {
  describe(`content in ${name}`, () => {
    it("has the same digest whichever way its bytes come", async () => {
      await using store = openContentStore(await open());
      const bytes = Buffer.from("größer als nichts\n".repeat(20_000));
      const file = join(temporary, "source.txt");
      writeFileSync(file, bytes);
      const sources: BlobSource[] = [bytes, bytes.toString(), { path: file }, chunksOf(bytes, 7777)];
      for (const source of sources) {
        assert.deepEqual(await store.put(source), { digest: digestBytes(bytes), size: bytes.byteLength });
      }
    });

    it("comes back whole, as text, in pieces and as a file", async () => {
      await using store = openContentStore(await open());
      for (const text of ["", "\uFEFFbyte order mark", "x".repeat(3_000_000)]) {
        const { digest } = await store.put(text);
        assert.deepEqual(Buffer.from(await store.bytes(digest)), Buffer.from(text));
        assert.equal(await store.text(digest), text);
        assert.deepEqual(await collect(store, digest), Buffer.from(text));
        assert.equal(readFileSync(await store.path(digest), "utf8"), text);
      }
    });

    it("that is missing is an error that names the digest", async () => {
      await using store = openContentStore(await open());
      const digest = sampleDigest("nowhere");
      for (const read of readings(store, digest)) await assert.rejects(read, isStoreError("RPS4003", digest));
    });

    it("that never came to its end is not there", async () => {
      const blobs = await open();
      await using store = openContentStore(blobs);
      const broken = async function* () {
        yield Buffer.alloc(100_000);
        throw new Error("the source broke");
      };
      await assert.rejects(store.put(broken()), /the source broke/u);
      for await (const stat of blobs.list()) assert.fail(`${stat.digest} is there`);
    });

    it("is the same after any bytes in any pieces", async () => {
      await using store = openContentStore(await open());
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), async (pieces) => {
          const all = Buffer.concat(pieces);
          const source = (async function* () {
            yield* pieces;
          })();
          const { digest, size } = await store.put(source);
          assert.equal(size, all.byteLength);
          assert.deepEqual(Buffer.from(await store.bytes(digest)), all);
        }),
        { numRuns: 40 },
      );
    });
  });
}

test("a path that is not there is the reader's own error", async () => {
  await using store = openContentStore(openMemoryBlobStore());
  await assert.rejects(store.put({ path: join(temporary, "nowhere") }), { code: "ENOENT" });
});

test("altered bytes are never handed out, in whatever way they are read", async () => {
  const blobs = await openFresh();
  for (const alter of [flipByte, cutShort, lengthen]) {
    await using store = openContentStore(blobs);
    const { digest } = await store.put(`altered by ${alter.name} `.repeat(200_000), { heal: true });
    await store.path(digest);
    alter((await blobs.localPath(digest)) as string);
    for (const read of readings(store, digest)) await assert.rejects(read, isStoreError("RPS4004", digest));
  }
});

test("the last piece of altered bytes does not arrive", async () => {
  const blobs = await openFresh();
  await using store = openContentStore(blobs);
  const text = "0123456789".repeat(500_000);
  const { digest, size } = await store.put(text);
  flipByte((await blobs.localPath(digest)) as string);
  let arrived = 0;
  await assert.rejects(
    async () => {
      for await (const piece of store.stream(digest)) arrived += piece.byteLength;
    },
    isStoreError("RPS4004", digest),
  );
  assert.ok(arrived > 0 && arrived < size);
});

test("a look at the size tells missing and cut-off blobs; a look at every byte tells the rest", async () => {
  const blobs = await openFresh();
  await using store = openContentStore(blobs);
  const [whole, cut, flipped] = [await store.put("whole"), await store.put("cut"), await store.put("flipped")];
  const gone = { digest: sampleDigest("nowhere"), size: 3 };
  cutShort((await blobs.localPath(cut.digest)) as string);
  flipByte((await blobs.localPath(flipped.digest)) as string);
  const refs = [whole, cut, flipped, gone];
  assert.deepEqual([...(await store.verify(refs)).values()], ["ok", "corrupt", "ok", "missing"]);
  const closely = await store.verify(refs, { level: "bytes" });
  assert.deepEqual(
    closely,
    new Map([
      [whole.digest, "ok"],
      [cut.digest, "corrupt"],
      [flipped.digest, "corrupt"],
      [gone.digest, "missing"],
    ]),
  );
  // What was found out is not forgotten by a quick look.
  assert.deepEqual([...(await store.verify(refs)).values()], ["ok", "corrupt", "corrupt", "missing"]);
});

test("bytes put again mend a blob of another size, and one that was found altered", async () => {
  const blobs = await openFresh();
  await using store = openContentStore(blobs);
  for (const [alter, source] of [
    [cutShort, "bytes"],
    [cutShort, "chunks"],
    [flipByte, "bytes"],
    [flipByte, "chunks"],
  ] as const) {
    const text = `${alter.name} ${source}`;
    const ref = await store.put(text);
    alter((await blobs.localPath(ref.digest)) as string);
    assert.equal((await store.verify([ref], { level: "bytes" })).get(ref.digest), "corrupt");
    await store.put(source === "bytes" ? text : chunksOf(Buffer.from(text), 3));
    assert.equal((await store.verify([ref])).get(ref.digest), "ok");
    assert.equal(await store.text(ref.digest), text);
  }
});

test("a healing put mends a blob that nobody found altered yet", async () => {
  const blobs = await openFresh();
  const { digest } = await openContentStore(blobs).put("text");
  flipByte((await blobs.localPath(digest)) as string);
  await using other = openContentStore(blobs);
  await other.put("text", { heal: true });
  assert.equal(await other.text(digest), "text");
});

test("a blob mended behind this store's back is found to be right again", async () => {
  const blobs = await openFresh();
  await using store = openContentStore(blobs);
  const ref = await store.put("text");
  flipByte((await blobs.localPath(ref.digest)) as string);
  await assert.rejects(store.bytes(ref.digest));
  await openContentStore(blobs).put("text", { heal: true });
  assert.equal((await store.verify([ref], { level: "bytes" })).get(ref.digest), "ok");
  assert.equal((await store.verify([ref])).get(ref.digest), "ok");
});

test("a file that was found right is not read again until it changes", async () => {
  const blobs = await openFresh();
  let reads = 0;
  const counting: BlobStore = Object.create(blobs, {
    localPath: { value: blobs.localPath.bind(blobs) },
    stream: {
      value: (digest: Digest) => {
        reads++;
        return blobs.stream(digest);
      },
    },
  });
  const { digest } = await openContentStore(blobs).put("text");
  await using store = openContentStore(counting);
  await store.path(digest);
  await store.path(digest);
  assert.equal(reads, 1);
  flipByte(await store.path(digest));
  await assert.rejects(store.path(digest), isStoreError("RPS4004", digest));
  assert.equal(reads, 2);
});

test("a file of a store without files lives as long as the content store", async () => {
  let path: string;
  {
    await using store = openContentStore(openMemoryBlobStore());
    const { digest } = await store.put("text");
    path = await store.path(digest);
    assert.equal(await store.path(digest), path);
    assert.equal(statSync(path).mode & 0o222, 0);
  }
  assert.equal(existsSync(dirname(path)), false);
});

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

function flipByte(path: string): void {
  alter(path, (bytes) => bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0));
}

function cutShort(path: string): void {
  alter(path, (bytes) => bytes.subarray(0, bytes.byteLength - 1));
}

function lengthen(path: string): void {
  chmodSync(path, 0o644);
  appendFileSync(path, "!");
}

function alter(path: string, change: (bytes: Buffer) => unknown): void {
  const bytes = readFileSync(path);
  const changed = change(bytes);
  chmodSync(path, 0o644);
  writeFileSync(path, Buffer.isBuffer(changed) ? changed : bytes);
}
