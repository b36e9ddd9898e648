import assert from "node:assert/strict";
import { test } from "node:test";
import { digestBytes } from "../hash/digest.ts";
import { testBlobStore } from "../testing/blob-store-contract.ts";
import { openMemoryBlobStore } from "./memory-blob-store.ts";

testBlobStore("the store in memory", async () => openMemoryBlobStore());

test("what several write at once counts together against the limit, and what is given up does not count", async () => {
  const store = openMemoryBlobStore({ limitBytes: 100 });
  const [first, second] = [await store.upload(), await store.upload()];
  await first.write(new Uint8Array(60));
  await assert.rejects(second.write(new Uint8Array(60)), { code: "RPS4005" });
  await first.abort();
  await first.abort();
  await second.write(new Uint8Array(60));
  await second.commit(digestBytes(new Uint8Array(60)));
  const again = await store.upload();
  await again.write(new Uint8Array(40));
  await again.commit(digestBytes(new Uint8Array(40)));
  await assert.rejects((await store.upload()).write(new Uint8Array(1)), { code: "RPS4005" });
  await store.remove([digestBytes(new Uint8Array(60))]);
  await (await store.upload()).write(new Uint8Array(60));
});
