/** The part of the metadata store's contract about what is kept, and what goes. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { ConflictError } from "../error.ts";
import type { Trace } from "../record/trace.ts";
import { toStepRunId } from "../record/id.ts";
import type { StepRun } from "../record/run.ts";
import type { Change, MetadataStore } from "../store/metadata-store.ts";
import { sampleDigest, sampleEntry, sampleKey, sampleRun, sampleStepRun, toRunId } from "./sample-records.ts";

export function testCollection(current: () => MetadataStore): void {
  it("keeps the pin of an entry that is replaced", async () => {
    const store = current();
    await store.write([{ kind: "cache-entry", entry: sampleEntry("a") }]);
    await store.write([{ kind: "pin", keys: [sampleDigest("a")], at: 7 }]);
    await store.write([{ kind: "cache-entry", entry: sampleEntry("a", { durationMs: 1 }) }]);
    assert.deepEqual(
      (await store.cacheEntriesOf({})).map(({ durationMs, pinnedAt }) => [durationMs, pinnedAt]),
      [[1, 7]],
    );
  });

  it("names every trace, also of many", async () => {
    const store = current();
    const all = Array.from({ length: 450 }, (_, at) => sampleDigest(`trace ${at}`));
    const trace: Trace = { salt: "", reads: [{ kind: "file", name: "a.csv", found: "absent" }] };
    assert.deepEqual(await collect(store.allTraces()), []);
    await store.write(all.map((digest) => ({ kind: "trace", digest, trace })));
    const found = await collect(store.allTraces());
    assert.deepEqual(found.map(([digest]) => digest).toSorted(), all.toSorted());
    assert.deepEqual(found[0]?.[1], trace);
  });

  it("tells how often each result was reused, and when last", async () => {
    const store = current();
    const cached = { status: "cached", step: "trainer" } as const;
    const reuse = (run: string, node: string, changes: Partial<StepRun>): Change => ({
      kind: "step-run",
      stepRun: sampleStepRun(run, node, changes),
    });
    assert.deepEqual(await store.reuses({}), new Map());
    await store.write([
      { kind: "run", run: sampleRun("r-1") },
      { kind: "run", run: sampleRun("r-2") },
      reuse("r-1", "a", { ...cached, origin: toStepRunId(toRunId("r-0"), "a"), startedAt: 7 }),
      reuse("r-2", "a", { ...cached, origin: toStepRunId(toRunId("r-0"), "a"), startedAt: 5 }),
      reuse("r-2", "b", { ...cached, step: "other", origin: toStepRunId(toRunId("r-1"), "b"), startedAt: 6 }),
      reuse("r-2", "c", { status: "completed", startedAt: 8 }),
    ]);
    const expected = [
      ["r-0/a", { count: 2, lastAt: 7 }],
      ["r-1/b", { count: 1, lastAt: 6 }],
    ] as const;
    assert.deepEqual([...(await store.reuses({}))].toSorted(), expected);
    assert.deepEqual([...(await store.reuses({ step: "other" }))], expected.slice(1));
  });

  it("names every key whose parts are kept, and removes them", async () => {
    const store = current();
    const all = Array.from({ length: 1200 }, (_, at) => sampleDigest(`key ${at}`));
    await store.write(all.map((digest) => ({ kind: "key", digest, key: sampleKey() })));
    assert.deepEqual((await collect(store.allKeys())).toSorted(), all.toSorted());
    await store.write([{ kind: "remove-keys", digests: [...all.slice(1), sampleDigest("unknown")] }]);
    assert.deepEqual(await collect(store.allKeys()), all.slice(0, 1));
  });

  it("forgets files by their path, and tells all that it remembers", async () => {
    const store = current();
    const file = (name: string) => ({ path: `/data/${name}`, stamp: "1:2", digest: sampleDigest(name) });
    await store.write([{ kind: "file-digests", files: [file("a"), file("b")] }]);
    await store.write([{ kind: "remove-file-digests", paths: ["/data/a", "/data/c"] }]);
    assert.deepEqual(await store.fileDigests(), new Map([["/data/b", file("b")]]));
  });

  it("refuses a write as a whole when a run has come that it did not expect", async () => {
    const store = current();
    await store.write([
      { kind: "run", run: sampleRun("r-1") },
      { kind: "cache-entry", entry: sampleEntry("a") },
    ]);
    const remove = { kind: "remove-cache-entries", entries: [sampleEntry("a")] } as const;
    await assert.rejects(
      store.write([remove, { kind: "expect-runs", known: [toRunId("r-0")] }]),
      (error) => error instanceof ConflictError && error.code === "RPS5001" && error.message.includes("r-1"),
    );
    assert.equal((await store.cacheEntriesOf({})).length, 1);
    await store.write([{ kind: "expect-runs", known: [toRunId("r-0"), toRunId("r-1")] }, remove]);
    assert.equal((await store.cacheEntriesOf({})).length, 0);
  });

  it("gives room back without losing anything", async () => {
    const store = current();
    const entries = Array.from({ length: 300 }, (_, at) => sampleEntry(`entry ${at}`));
    await store.write(entries.map((entry) => ({ kind: "cache-entry", entry })));
    await store.write([{ kind: "remove-cache-entries", entries: entries.slice(1) }]);
    const before = await store.size();
    await store.compact();
    const after = await store.size();
    assert.ok(after < before || before === 0, `${after} < ${before}`);
    assert.deepEqual(await store.cacheEntriesOf({}), entries.slice(0, 1));
  });
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}
