/** What must hold of a store, whatever was done to its writers. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { withLiveStatus } from "../../src/history/live-status.ts";
import { openStack } from "../../src/stack/stack.ts";

/** Nothing is half there: not a record, not a blob, not a run that says it is what it is not. */
export async function assertSound(cwd: string, store: string): Promise<void> {
  {
    const database = new DatabaseSync(join(store, "metadata.db"));
    assert.deepEqual({ ...database.prepare("PRAGMA integrity_check").get() }, { integrity_check: "ok" });
    assert.deepEqual(database.prepare("PRAGMA foreign_key_check").all(), []);
    database.close();
  }
  await using stack = await openStack({ cwd, store });
  const { metadata, content, blobs } = stack;
  for (const run of (await metadata.runs({})).map(withLiveStatus)) {
    assert.ok(["completed", "interrupted"].includes(run.status), `${run.id} is ${run.status}`);
    for (const { node, status } of await metadata.stepRuns({ runs: [run.id] })) {
      const isOver = ["completed", "cached"].includes(status);
      assert.ok(isOver || (run.status === "interrupted" && status === "running"), `${node} of ${run.id} is ${status}`);
    }
  }
  // An entry is absent or complete, and no blob lies under a digest that is not its own.
  const entries = await metadata.cacheEntriesOf({});
  const named = entries.flatMap((entry) => entry.blobs);
  for await (const digest of metadata.referencedBlobs()) assert.ok((await blobs.stat([digest])).has(digest));
  for await (const { digest, size } of blobs.list()) named.push({ digest, size });
  const health = await content.verify(named, { level: "bytes" });
  assert.deepEqual(
    [...health].filter(([, state]) => state !== "ok"),
    [],
  );
}

/** What writers that were killed left behind is gone after a collection of garbage. */
export function assertSwept(store: string): void {
  assert.deepEqual(readdirSync(join(store, "tmp")), []);
  const code = join(store, "code");
  const unfinished = existsSync(code) ? readdirSync(code).filter((name) => name.endsWith(".tmp")) : [];
  assert.deepEqual(unfinished, []);
}
