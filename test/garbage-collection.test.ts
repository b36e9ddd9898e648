/** What is removed, on real stores: what it frees, and what it must not take. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openFolder } from "../src/blob/folder.ts";
import { createPipelineFunction, planPipeline, step, type AnyPipeline } from "../src/define/index.ts";
import { ConflictError } from "../src/error.ts";
import { digestBytes, type Digest } from "../src/hash/digest.ts";
import { applyRemoval } from "../src/history/apply-removal.ts";
import { pinEntries } from "../src/history/pinning.ts";
import { planCollection, planEntryRemoval, planRunRemoval, type Removal } from "../src/history/removal.ts";
import type { CacheEntry } from "../src/record/cache-entry.ts";
import { toStepRunId, type StepRunId } from "../src/record/id.ts";
import type { LeaseHolder, LeaseToken } from "../src/record/lease.ts";
import type { Trace } from "../src/record/trace.ts";
import { runPlan, type RunOutcome } from "../src/runner/run.ts";
import { describeProcess } from "../src/store/process.ts";
import { openSqlite } from "../src/sql/sqlite.ts";
import { openContentStore } from "../src/store/content-store.ts";
import { openSizedBlobStore } from "../src/store/sized-blob-store.ts";
import { listStoredBlobs } from "./rig/stored-blobs.ts";
import { sampleArtifact } from "../src/testing/sample-records.ts";
import { makePorts, type MemoryPorts } from "./rig/ports.ts";

const hour = 3_600_000;

const pipeline = createPipelineFunction({
  run: () => {
    throw new Error("these tests run plans");
  },
});
const make = step({ name: "make", run: ({ size }: { size: number }) => ({ text: "x".repeat(size) }) });
const measure = step({ name: "measure", run: ({ text }: { text: string }) => ({ length: text.length }) });
const chain = pipeline({
  name: "chain",
  build: ({ size }: { size: number }) => measure({ text: make({ size }).text }),
});

interface Store extends AsyncDisposable {
  readonly path: string;
  readonly ports: MemoryPorts;
  run(size: number): Promise<RunOutcome>;
}

async function openStore(): Promise<Store> {
  const path = await mkdtemp(join(tmpdir(), "reprise-gc-"));
  const metadata = await openSqlite({ path: join(path, "metadata.db") });
  const blobs = openSizedBlobStore({ small: metadata.blobs, large: await openFolder({ path }) });
  const ports: MemoryPorts = { ...makePorts(), metadata, blobs, content: openContentStore(blobs) };
  return {
    path,
    ports,
    run: async (size) => await runPlan(planPipeline(chain as unknown as AnyPipeline, { size }), ports, {}),
    async [Symbol.asyncDispose]() {
      await metadata[Symbol.asyncDispose]();
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** What the files below a folder hold, in bytes. */
async function sizeOfFolder(path: string): Promise<number> {
  let total = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) total += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return total;
}

/** Of all blobs, in files and in rows. */
function sizeOfBlobs(path: string): number {
  return listStoredBlobs(path).reduce((sum, blob) => sum + blob.read().byteLength, 0);
}

function runsOf({ runs }: Removal): readonly string[] {
  return runs.map((run) => run.id);
}

async function addEntry({ ports }: Store, like: CacheEntry, reads: Trace["reads"]): Promise<CacheEntry> {
  const trace: Trace = { salt: "", reads };
  const digest = digestBytes(JSON.stringify(trace));
  const entry = { ...like, trace: digest };
  await ports.metadata.write([
    { kind: "trace", digest, trace },
    { kind: "cache-entry", entry },
  ]);
  return entry;
}

test("the bytes that a preview promises are those that are freed, and those that the store loses", async () => {
  await using store = await openStore();
  const { ports, path } = store;
  for (const size of [200_000, 30_000, 5000]) await store.run(size);
  await store.run(5000);
  const before = { all: await sizeOfFolder(path), blobs: sizeOfBlobs(path) };
  const removal = await planCollection(ports, { keep: 2 }, Date.now() + 2 * hour);
  assert.equal(runsOf(removal).length, 2);
  // A text of 200,000 and one of 30,000 characters, and their lengths as JSON.
  assert.equal(removal.bytes, 200_000 + 30_000 + "200000".length + "30000".length);
  const freed = await applyRemoval(ports, removal);
  const after = { all: await sizeOfFolder(path), blobs: sizeOfBlobs(path) };
  assert.equal(freed.bytes, removal.bytes);
  assert.equal(before.blobs - after.blobs, freed.bytes);
  assert.equal(before.all - after.all, freed.bytes + freed.recordBytes);
  assert.ok(freed.recordBytes > 0, "the log of the records is given back");
  const again = await planCollection(ports, { keep: 2 }, Date.now() + 2 * hour);
  assert.equal(again.blobs.length + again.runs.length + again.cacheEntries.length, 0);
});

test("a size is reached by removing the runs that were used longest ago", async () => {
  await using store = await openStore();
  const { ports, path } = store;
  const first = await store.run(10_000);
  const second = await store.run(20_000);
  const third = await store.run(30_000);
  // The first one is used again: its results are needed by a newer run.
  const again = await store.run(10_000);
  const maxSize = 45_000;
  const removal = await planCollection(ports, { maxSize }, Date.now());
  assert.deepEqual(runsOf(removal), [second.run.id]);
  await applyRemoval(ports, removal);
  assert.ok(sizeOfBlobs(path) <= maxSize);
  const more = await planCollection(ports, { maxSize: 15_000 }, Date.now());
  assert.deepEqual(runsOf(more), [third.run.id]);
  assert.equal((await ports.metadata.runs({ ids: [first.run.id, again.run.id] })).length, 2);
});

test("a pinned result survives every collection, with its artifacts, its bytes and the run that made it", async () => {
  await using store = await openStore();
  const { ports, path } = store;
  const { run, steps } = await store.run(10_000);
  await store.run(20_000);
  const [pinned] = await pinEntries(ports.metadata, [String(steps[0]?.id)], 5);
  assert.ok(pinned);
  const later = Date.now() + 1000 * hour;
  await ports.metadata.write([{ kind: "cache-entry", entry: { ...pinned, expiresAt: 6 } }]);
  const removal = await planCollection(ports, { startedBefore: later, maxSize: 0, keepResults: 0 }, later);
  assert.deepEqual(
    removal.held.map((each) => [each.run.id, each.why]),
    [[run.id, "it made a pinned result"]],
  );
  await applyRemoval(ports, removal);
  assert.equal((await store.ports.metadata.runs({})).length, 1);
  const named = await planEntryRemoval(ports, [pinned], later);
  assert.deepEqual([named.cacheEntries.length, named.pinned.length], [0, 1]);
  // Its run is removed by its name; the result stays.
  await applyRemoval(ports, await planRunRemoval(ports, [run], { data: "remove" }, later));
  await applyRemoval(ports, await planCollection(ports, {}, later));
  assert.equal(sizeOfBlobs(path), 10_000);
  const again = await store.run(10_000);
  assert.equal(again.steps[0]?.status, "cached");
  assert.deepEqual((await pinEntries(ports.metadata, ["make"], undefined)).length, 1);
  assert.equal((await planEntryRemoval(ports, [pinned], later)).cacheEntries.length, 1);
});

test("removing a result leaves what a run names, and the step runs again", async () => {
  await using store = await openStore();
  const { ports, path } = store;
  await store.run(10_000);
  const entries = await ports.metadata.cacheEntriesOf({ step: "make" });
  const removal = await planEntryRemoval(ports, entries, Date.now());
  assert.deepEqual([removal.cacheEntries.length, removal.artifacts.length, removal.bytes], [1, 0, 0]);
  await applyRemoval(ports, removal);
  const again = await store.run(10_000);
  assert.deepEqual(
    again.steps.map(({ status, reason }) => [status, reason?.code]),
    [
      ["completed", "missing-output"],
      ["cached", "same-output-upstream"],
    ],
  );
  // Once no run names it, its bytes go as well.
  const runs = await ports.metadata.runs({});
  await applyRemoval(ports, await planRunRemoval(ports, runs, { data: "keep" }, Date.now()));
  const rest = await planEntryRemoval(ports, await ports.metadata.cacheEntriesOf({}), Date.now());
  assert.equal((await applyRemoval(ports, rest)).bytes, 10_005);
  assert.equal(sizeOfBlobs(path), 0);
});

test("of each step, the results that were used last can be kept", async () => {
  await using store = await openStore();
  const { ports } = store;
  for (const size of [1, 2, 3, 1]) await store.run(size);
  const removal = await planCollection(ports, { keepResults: 2 }, Date.now());
  assert.deepEqual(removal.runs, []);
  assert.deepEqual(removal.cacheEntries.map(({ step: name }) => name).toSorted(), ["make", "measure"]);
  await applyRemoval(ports, removal);
  const statuses = async (size: number): Promise<unknown> => (await store.run(size)).steps[0]?.status;
  assert.deepEqual([await statuses(1), await statuses(3), await statuses(2)], ["cached", "cached", "completed"]);
});

test("a result goes with the run that made it, though a later result stands under the same key", async () => {
  await using store = await openStore();
  const { ports } = store;
  const first = await store.run(10);
  const [entry] = await ports.metadata.cacheEntriesOf({ step: "make" });
  assert.ok(entry);
  const second = await store.run(10);
  const old = await addEntry(store, entry, [{ kind: "file", name: "a.csv", found: digestBytes("old") }]);
  await ports.metadata.write([{ kind: "cache-entry", entry: { ...entry, origin: second.steps[0]!.id } }]);
  const removal = await planRunRemoval(ports, [first.run], { data: "remove" }, Date.now());
  // The second run reused it, and holds it while it is there.
  assert.equal(removal.cacheEntries.length, 0);
  await ports.metadata.write([
    { kind: "step-run", stepRun: { ...second.steps[0]!, status: "completed", origin: undefined } },
  ]);
  const other = await planRunRemoval(ports, [first.run], { data: "remove" }, Date.now());
  assert.deepEqual(
    other.cacheEntries.map(({ trace }) => trace),
    [old.trace],
  );
  assert.deepEqual(other.traces, [old.trace]);
});

test("traces that nothing names go, and what was remembered of files that nothing has read so", async () => {
  await using store = await openStore();
  const { ports } = store;
  const { steps } = await store.run(10);
  const [entry] = await ports.metadata.cacheEntriesOf({ step: "make" });
  assert.ok(entry);
  const digestOf = (name: string): Digest => digestBytes(name);
  const kept = await addEntry(store, entry, [{ kind: "file", name: "kept.csv", found: digestOf("kept") }]);
  const ofStepRun: Trace = { salt: "", reads: [] };
  const orphan: Trace = { salt: "", reads: [{ kind: "file", name: "orphan.csv", found: digestOf("orphan") }] };
  await ports.metadata.write([
    { kind: "trace", digest: digestOf("step run"), trace: ofStepRun },
    { kind: "step-run", stepRun: { ...steps[0]!, trace: digestOf("step run") } },
    { kind: "trace", digest: digestOf("orphan"), trace: orphan },
    {
      kind: "file-digests",
      files: ["kept", "orphan"].map((name) => ({ path: `/data/${name}.csv`, stamp: "1", digest: digestOf(name) })),
    },
  ]);
  const removal = await planCollection(ports, {}, Date.now());
  assert.deepEqual(removal.traces, [digestOf("orphan")]);
  assert.deepEqual(removal.files, ["/data/orphan.csv"]);
  await applyRemoval(ports, removal);
  const asked = [kept.trace as Digest, digestOf("step run"), digestOf("orphan")];
  assert.deepEqual(new Set((await ports.metadata.traces(asked)).keys()), new Set(asked.slice(0, 2)));
  assert.deepEqual([...(await ports.metadata.fileDigests()).keys()], ["/data/kept.csv"]);
});

test("keys go with the runs and results that name them, and no others", async () => {
  await using store = await openStore();
  const { ports } = store;
  const first = await store.run(10);
  const second = await store.run(20);
  const keysOf = ({ steps }: RunOutcome): readonly Digest[] => steps.flatMap(({ key }) => key ?? []);
  const removal = await planRunRemoval(ports, [first.run], { data: "remove" }, Date.now());
  assert.deepEqual(removal.keys.toSorted(), keysOf(first).toSorted());
  await applyRemoval(ports, removal);
  const asked = [...keysOf(first), ...keysOf(second)];
  assert.deepEqual([...(await ports.metadata.keys(asked)).keys()].toSorted(), keysOf(second).toSorted());
});

test("an old artifact that nothing refers to yet stays while its bytes are new, as in the middle of an import", async () => {
  await using store = await openStore();
  const { ports } = store;
  const root = await ports.content.put("imported");
  const [artifact] = await ports.metadata.recordArtifacts([sampleArtifact("make.text", "x", { root, parts: [] })]);
  assert.ok(artifact);
  assert.deepEqual((await planCollection(ports, {}, Date.now())).artifacts, []);
  const later = await planCollection(ports, {}, Date.now() + 2 * hour);
  assert.deepEqual(later.artifacts, [{ name: "make.text", version: 1 }]);
});

test("leases go whose processes are gone or whose runs are over, and those of others stay", async () => {
  await using store = await openStore();
  const { metadata } = store.ports;
  const { run } = await store.run(1);
  const here = describeProcess();
  const going = "r-other/make" as StepRunId;
  const holders: Readonly<Record<string, LeaseHolder>> = {
    gone: { process: { ...here, pid: 2 ** 30 }, stepRun: going },
    over: { process: { host: "elsewhere", pid: 1 }, stepRun: toStepRunId(run.id, "make") },
    going: { process: here, stepRun: going },
    elsewhere: { process: { host: "elsewhere", pid: 1 }, stepRun: going },
  };
  for (const [name, holder] of Object.entries(holders)) {
    await metadata.acquireLease({ key: digestBytes(name), token: name as LeaseToken, holder });
  }
  const removal = await planCollection(store.ports, {}, Date.now());
  assert.deepEqual(removal.leases.map(({ token }) => token).toSorted(), ["gone", "over"]);
  await applyRemoval(store.ports, removal);
  assert.deepEqual([...(await metadata.leases()).values()].map(({ token }) => token).toSorted(), [
    "elsewhere",
    "going",
  ]);
  assert.deepEqual((await planCollection(store.ports, {}, Date.now())).leases, []);
});

test("nothing goes when a run has begun since the preview, nor a blob that somebody has written again", async () => {
  await using store = await openStore();
  const { ports, path } = store;
  const { run } = await store.run(10_000);
  const removal = await planRunRemoval(ports, [run], { data: "remove" }, Date.now());
  await store.run(10_000);
  await assert.rejects(
    applyRemoval(ports, removal),
    (error) => error instanceof ConflictError && /began meanwhile/u.test(error.message),
  );
  assert.equal((await store.run(10_000)).steps[0]?.status, "cached");
  const runs = await ports.metadata.runs({});
  const all = await planRunRemoval(ports, runs, { data: "remove" }, Date.now());
  await ports.content.put("x".repeat(10_000));
  assert.equal((await applyRemoval(ports, all)).bytes, 5);
  assert.equal(sizeOfBlobs(path), 10_000);
});
