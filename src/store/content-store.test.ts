import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { testContentStore } from "../testing/content-store-contract.ts";
import { openContentStore } from "./content-store.ts";
import { openMemoryBlobStore } from "./memory-blob-store.ts";

testContentStore("memory", async () => openMemoryBlobStore());

test("any bytes come back the same, whatever pieces they came in", async () => {
  await using store = openContentStore(openMemoryBlobStore());
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), async (pieces) => {
      const all = Buffer.concat(pieces);
      const { digest, size } = await store.put(inTurn(pieces));
      assert.equal(size, all.byteLength);
      assert.deepEqual(Buffer.from(await store.bytes(digest)), all);
    }),
  );
});

async function* inTurn<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

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
