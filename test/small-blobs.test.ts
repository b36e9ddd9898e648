/** Small outputs, which are rows of the records: where somebody wants a file of them, and where records are lost. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathOfArtifact } from "../src/history/export-value.ts";
import { openFolder } from "../src/blob/folder.ts";
import { StoreError, UsageError } from "../src/error.ts";
import { openSqlite } from "../src/sql/sqlite.ts";
import { openStack } from "../src/stack/stack.ts";
import { openContentStore } from "../src/store/content-store.ts";
import { openSizedBlobStore } from "../src/store/sized-blob-store.ts";
import { Playground } from "./cases/playground.ts";
import { listStoredBlobs } from "./rig/stored-blobs.ts";

/** The file has the very bytes of the text, which is stored first. */
const sameBytes = {
  "pipeline.ts": `
import { readFileSync, writeFileSync } from "node:fs";
import { file, pipeline, step, type StoredFile } from "reprise";
const say = step({ name: "say", run: () => "the same" });
const write = step({
  name: "write",
  run: async ({ text }: { text: string }, { tempDir }) => {
    const path = (await tempDir()) + "/same.txt";
    writeFileSync(path, text);
    return { made: file(path) };
  },
});
const read = step({ name: "read", run: async ({ made }: { made: StoredFile }) => readFileSync(await made.path(), "utf8") + "!" });
export const main = pipeline({ name: "main", build: () => ({ y: read({ made: write({ text: say() }).made }) }) });
`,
};

test("a step that asks for the path of a file whose bytes are a row gets a file, and its result is reused", async () => {
  using project = Playground.open(sameBytes);
  const first = await project.play();
  assert.deepEqual(first.outputs, { y: "the same!" });
  assert.doesNotMatch(first.told, /reads|writes|store/u);
  const blobs = listStoredBlobs(project.at(".reprise"));
  assert.deepEqual(
    blobs
      .filter((blob) => blob.read().includes("the same"))
      .map(({ place, read }) => [place, read().toString()])
      .toSorted(),
    [
      ["file", "the same"],
      ["row", "the same!"],
    ],
  );
  assert.deepEqual(readdirSync(project.at(".reprise/tmp")), []);
  const second = await project.play();
  assert.ok(
    second.steps.every((step) => / cached/u.test(step)),
    second.steps.join(),
  );
  // A step that is new reads the moved bytes as any other.
  project.edit("pipeline.ts", '+ "!"', '+ "?"');
  const third = await project.play();
  assert.deepEqual(third.outputs, { y: "the same?" });
});

test("records that were emptied are missed also where every output was small", async () => {
  using project = Playground.open(sameBytes);
  await project.play();
  for (const blob of listStoredBlobs(project.at(".reprise"))) if (blob.place === "file") blob.remove();
  truncateSync(project.at(".reprise/metadata.db"), 0);
  await assert.rejects(project.play(), /is empty/u);
  rmSync(project.at(".reprise/metadata.db"));
  assert.deepEqual((await project.play()).outputs, { y: "the same!" });
});

test("a small output of a store that takes no file has no path, which is said with a way out", async () => {
  using project = Playground.open(sameBytes);
  await project.play();
  const store = project.at(".reprise");
  await using stack = await openStack({ cwd: project.root });
  await using metadata = await openSqlite({ path: join(store, "metadata.db") });
  const large = await openFolder({ path: store });
  large.upload = () => Promise.reject(new StoreError("RPS4005", "It may only be read"));
  const blobs = openSizedBlobStore({ small: metadata.blobs, large });
  await using content = openContentStore(blobs);
  const [artifact] = await metadata.artifacts({ name: "read", limit: 1 });
  assert.ok(artifact);
  await assert.rejects(pathOfArtifact({ ...stack, metadata, blobs, content }, artifact), (error) => {
    assert.ok(error instanceof UsageError);
    assert.match(`${error.message}: ${error.hint}`, /read@v1 has no file .*: .*reprise get read@v1 -o FILE/u);
    return true;
  });
  // Where it may be written, it gets one.
  assert.equal(readFileSync(await pathOfArtifact(stack, artifact), "utf8"), "the same!");
});
