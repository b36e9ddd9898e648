import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { StoreError } from "../error.ts";
import { digestBytes, type Digest } from "../hash/digest.ts";
import type { BlobStore } from "../store/blob-store.ts";
import { openContentStore } from "../store/content-store.ts";
import { testBlobStore } from "../testing/blob-store-contract.ts";
import { testContentStore } from "../testing/content-store-contract.ts";
import { openFolder } from "./folder.ts";

const temporary = mkdtempSync(join(tmpdir(), "reprise-folder-"));
after(() => rmSync(temporary, { recursive: true }));

let folders = 0;
function newFolder(): string {
  return join(temporary, `folder-${folders++}`);
}

testBlobStore("a folder", () => openFolder({ path: newFolder() }));
testBlobStore("a folder that is not flushed", () => openFolder({ path: newFolder(), durability: "none" }));
testContentStore("a folder", () => openFolder({ path: newFolder() }));

async function write(store: BlobStore, text: string): Promise<Digest> {
  const upload = await store.upload();
  await upload.write(Buffer.from(text));
  await upload.commit(digestBytes(text));
  return digestBytes(text);
}

test("a blob is a read-only file named by its digest", async () => {
  const path = newFolder();
  const store = await openFolder({ path });
  const digest = await write(store, "text");
  const hex = digest.slice("sha256:".length);
  const file = join(path, "objects", "sha256", hex.slice(0, 2), hex.slice(2));
  assert.equal(await store.localPath(digest), file);
  assert.equal(lstatSync(file).mode & 0o777, 0o444);
  assert.deepEqual(readdirSync(join(path, "tmp")), []);
});

test("what an interrupted writer left is swept when it is old, and its bytes are counted", async () => {
  const path = newFolder();
  const store = await openFolder({ path });
  const [old, fresh] = [join(path, "tmp", "1-old"), join(path, "tmp", "1-fresh")];
  writeFileSync(old, "12345", { mode: 0o444 });
  writeFileSync(fresh, "123", { mode: 0o444 });
  utimesSync(old, new Date(0), new Date(0));
  assert.equal(await store.sweep(60_000, { dryRun: true }), 5);
  assert.equal(await store.sweep(60_000), 5);
  assert.deepEqual([existsSync(old), existsSync(fresh)], [false, true]);
});

test("files that are no blobs are not listed", async () => {
  const path = newFolder();
  const store = await openFolder({ path });
  const digest = await write(store, "text");
  const objects = join(path, "objects", "sha256");
  writeFileSync(join(objects, ".DS_Store"), "");
  mkdirSync(join(objects, "zz"));
  writeFileSync(join(objects, "zz", "f".repeat(62)), "");
  mkdirSync(join(objects, "abc"));
  writeFileSync(join(objects, "abc", "f".repeat(61)), "");
  const listed: Digest[] = [];
  for await (const stat of store.list()) listed.push(stat.digest);
  assert.deepEqual(listed, [digest]);
});

test("a symbolic link in a blob's place is no blob, and is replaced", async () => {
  const path = newFolder();
  const store = await openFolder({ path });
  const digest = await write(store, "text");
  const file = (await store.localPath(digest)) as string;
  const secret = join(temporary, "secret");
  writeFileSync(secret, "text");
  rmSync(file);
  symlinkSync(secret, file);
  assert.equal(await store.read(digest), undefined);
  assert.equal(await store.stream(digest), undefined);
  assert.equal(await store.localPath(digest), undefined);
  assert.equal((await store.stat([digest])).size, 0);
  await write(store, "text");
  assert.equal(lstatSync(file).isFile(), true);
  assert.ok(existsSync(secret));
});

test("what is no digest never becomes a path", async () => {
  const store = await openFolder({ path: newFolder() });
  for (const text of ["sha256:../../../etc/passwd", `sha256:${"a".repeat(63)}/`, "../x"] as Digest[]) {
    await assert.rejects(store.read(text), /is no digest/u);
    await assert.rejects(store.stat([text]), /is no digest/u);
    await assert.rejects(store.remove([text]), /is no digest/u);
    const upload = await store.upload();
    await assert.rejects(upload.commit(text), /is no digest/u);
    await upload.abort();
  }
});

test("a place that cannot be a folder is refused with what to do", async () => {
  const file = join(temporary, "a-file");
  writeFileSync(file, "");
  await assert.rejects(openFolder({ path: join(file, "store") }), (error) => {
    assert.ok(error instanceof StoreError);
    assert.equal(error.code, "RPS4001");
    assert.match(error.message, /a-file/u);
    assert.ok(error.hint);
    return true;
  });
});

test("a write that fails leaves nothing behind", async () => {
  const path = newFolder();
  const store = await openFolder({ path });
  const objects = join(path, "objects", "sha256");
  rmSync(objects, { recursive: true });
  writeFileSync(objects, "in the way");
  const upload = await store.upload();
  await upload.write(Buffer.alloc(200_000));
  await assert.rejects(upload.commit(digestBytes(Buffer.alloc(200_000))), (error) => {
    return error instanceof StoreError && error.code === "RPS4005";
  });
  assert.deepEqual(readdirSync(join(path, "tmp")), []);
});

test("a file that was found right is not read again until it changes", async () => {
  const blobs = await openFolder({ path: newFolder() });
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
  const digest = await write(blobs, "text");
  await using store = openContentStore(counting);
  const path = await store.path(digest);
  await store.path(digest);
  assert.equal(reads, 1);
  chmodSync(path, 0o644);
  writeFileSync(path, "Text");
  await assert.rejects(store.path(digest), { code: "RPS4004" });
  assert.equal(reads, 2);
});

test("a file that was hashed on its way in is handed out without being read", async () => {
  const blobs = await openFolder({ path: newFolder() });
  await using store = openContentStore(blobs);
  const source = join(temporary, "source");
  writeFileSync(source, "x".repeat(100_000));
  const { digest } = await store.put({ path: source });
  blobs.stream = () => assert.fail("it is read");
  assert.ok(existsSync(await store.path(digest)));
});

test("a file that somebody else wrote to is looked at closely, and sealed again when its bytes are right", async () => {
  const blobs = await openFolder({ path: newFolder() });
  await using store = openContentStore(blobs);
  const [altered, copied] = [await store.put("altered"), await store.put("copied")];
  const refs = [altered, copied];
  const sealed = async () => [...(await blobs.stat(refs.map((ref) => ref.digest))).values()].map((stat) => stat.sealed);
  assert.deepEqual(await sealed(), [true, true]);
  await blobs.touch(refs.map((ref) => ref.digest));
  assert.deepEqual(await sealed(), [true, true]);
  for (const [ref, text] of [
    [altered, "ALTERED"],
    [copied, "copied"],
  ] as const) {
    const path = (await blobs.localPath(ref.digest)) as string;
    chmodSync(path, 0o644);
    writeFileSync(path, text);
  }
  assert.deepEqual(await sealed(), [false, false]);
  assert.deepEqual([...(await store.verify(refs)).values()], ["corrupt", "ok"]);
  assert.deepEqual(await sealed(), [false, true]);
  await store.put("altered");
  assert.deepEqual(await sealed(), [true, true]);
  assert.equal(await store.text(altered.digest), "altered");
});
