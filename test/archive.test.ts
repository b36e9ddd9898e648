/** Stored results that go from one store to another in a file, and files that must not be taken in. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import fc from "fast-check";
import { openFolder } from "../src/blob/folder.ts";
import { createPipelineFunction, planPipeline, step, type AnyPipeline } from "../src/define/index.ts";
import { StoreError, UsageError } from "../src/error.ts";
import { digestBytes, type Digest } from "../src/hash/digest.ts";
import { verifyArchive, writeArchive, type ArchiveRecords } from "../src/history/archive/archive.ts";
import { exportEntries, type ExportReport } from "../src/history/archive/export-entries.ts";
import { importEntries, type ImportReport } from "../src/history/archive/import-entries.ts";
import { tarEnd, tarHeader, tarPadding } from "../src/history/archive/tar.ts";
import { openHistory } from "../src/history/history.ts";
import { planCollection } from "../src/history/removal.ts";
import type { CacheEntry } from "../src/record/cache-entry.ts";
import { digestTrace } from "../src/record/digest-trace.ts";
import { toStepRunId } from "../src/record/id.ts";
import type { Trace } from "../src/record/trace.ts";
import { runPlan, type RunOutcome, type RunPlanOptions } from "../src/runner/run.ts";
import { openSqlite } from "../src/sql/sqlite.ts";
import { openContentStore } from "../src/store/content-store.ts";
import { findStoredBlob } from "./rig/stored-blobs.ts";
import { openSizedBlobStore } from "../src/store/sized-blob-store.ts";
import { sampleDigest } from "../src/testing/sample-records.ts";
import { makePorts, type MemoryPorts } from "./rig/ports.ts";

const pipeline = createPipelineFunction({
  run: () => {
    throw new Error("these tests run plans");
  },
});
const load = step({
  name: "load",
  run: ({ size }: { size: number }, { log, metric, metadata }) => {
    log(`${size} rows\0`, { of: "ünïcode 😀" });
    metric("rows", size);
    metric("loss", Number.NaN, 1);
    metadata({ source: "memory" });
    return { rows: Array.from({ length: size }, (_, at) => at) };
  },
});
const count = step({ name: "count", run: ({ rows }: { rows: number[] }) => ({ total: rows.length }) });
const chain = pipeline({
  name: "chain",
  build: ({ size }: { size: number }) => count({ rows: load({ size }).rows }),
});

interface Store extends AsyncDisposable {
  readonly path: string;
  readonly ports: MemoryPorts;
  readonly file: string;
  run(size: number, options?: RunPlanOptions): Promise<RunOutcome>;
  export(...selectors: readonly string[]): Promise<ExportReport>;
  import(file: string, options?: { readonly dryRun?: boolean }): Promise<ImportReport>;
}

async function openStore(): Promise<Store> {
  const path = await mkdtemp(join(tmpdir(), "reprise-archive-"));
  const metadata = await openSqlite({ path: join(path, "metadata.db") });
  const blobs = openSizedBlobStore({ small: metadata.blobs, large: await openFolder({ path }) });
  const ports: MemoryPorts = { ...makePorts(), metadata, blobs, content: openContentStore(blobs) };
  const file = join(path, "cache.tar");
  return {
    path,
    ports,
    file,
    run: async (size, options = {}) =>
      await runPlan(planPipeline(chain as unknown as AnyPipeline, { size }), ports, options),
    async export(...selectors) {
      await rm(file, { force: true });
      return await exportEntries(ports, selectors, file, Date.now());
    },
    import: async (from, options = {}) => await importEntries(ports, from, options, Date.now()),
    async [Symbol.asyncDispose]() {
      await metadata[Symbol.asyncDispose]();
      await rm(path, { recursive: true, force: true });
    },
  };
}

function historyOf({ ports }: Store) {
  return openHistory({ ...ports, checkTraces: async () => new Map() });
}

/** Everything that an import could have changed. */
async function contentOf({ ports: { metadata, blobs } }: Store): Promise<unknown> {
  const digests: Digest[] = [];
  for await (const { digest } of blobs.list()) digests.push(digest);
  return {
    digests: digests.sort(),
    entries: await metadata.cacheEntriesOf({}),
    artifacts: await metadata.artifacts({}),
    runs: await metadata.runs({}),
    stepRuns: await metadata.stepRuns({}),
    pipelines: await metadata.pipelines(),
  };
}

async function refused(work: Promise<unknown>): Promise<StoreError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof StoreError && error.code === "RPS4006", String(error));
  return error;
}

test("what one store exports, another takes in and reuses, with the history of how it was made", async () => {
  await using here = await openStore();
  await using there = await openStore();
  const made = await here.run(3);
  const report = await here.export();
  assert.deepEqual([report.entries, report.runs, report.blobs], [2, 1, 2]);
  assert.equal(report.bytes, (await readFile(here.file)).byteLength);
  const preview = await there.import(here.file, { dryRun: true });
  assert.deepEqual([preview.applied, preview.added.length], [false, 2]);
  assert.equal((await there.ports.metadata.cacheEntriesOf({})).length, 0);
  const taken = await there.import(here.file);
  assert.deepEqual({ ...preview, applied: true }, taken);
  assert.deepEqual([taken.blobs, taken.blobBytes, taken.stepRuns], [2, report.blobBytes, 2]);
  const again = await there.run(3);
  assert.deepEqual(
    again.steps.map(({ status, origin }) => [status, origin]),
    made.steps.map(({ id }) => ["cached", id]),
  );
  const history = historyOf(there);
  const step = (await history.run("last")).step("load");
  assert.deepEqual(
    (await step.log()).map(({ text, data }) => [text, data]),
    [["3 rows\0", { of: "ünïcode 😀" }]],
  );
  assert.deepEqual(
    step.metrics.map(({ name, value }) => [name, value]),
    [
      ["rows", 3],
      ["loss", Number.NaN],
    ],
  );
  assert.deepEqual(step.metadata, { source: "memory" });
  const origin = await history.run(made.run.id);
  assert.deepEqual([origin.status, origin.tags, typeof origin.imported], ["completed", {}, "number"]);
  assert.equal((await history.why("count")).parts.length, 3);
  const lineage = await history.lineage("count.total");
  assert.deepEqual(
    lineage.nodes.map(({ id }) => id).toSorted(),
    [`${made.run.id}/count`, `${made.run.id}/load`, "count.total@v1", "load.rows@v1"].toSorted(),
  );
  assert.deepEqual(await (await history.artifact("rows")).load(), [0, 1, 2]);
});

test("records come through as they are, but for what is a store's own", async () => {
  await using here = await openStore();
  await using there = await openStore();
  await here.run(3, { tags: { baseline: "" } });
  await here.run(4, { name: "other" });
  const { metadata } = here.ports;
  const [entry] = await metadata.cacheEntriesOf({ step: "load" });
  assert.ok(entry);
  const trace: Trace = { salt: "pepper", reads: [{ kind: "file", name: "data/ü.csv", found: "absent" }] };
  await metadata.write([
    { kind: "trace", digest: digestTrace(trace), trace },
    { kind: "cache-entry", entry: { ...entry, trace: digestTrace(trace), pinnedAt: 5 } },
  ]);
  await here.export();
  await there.import(here.file);
  const withoutPin = (entries: readonly CacheEntry[]): unknown =>
    entries
      .map((entry) => ({ ...entry, pinnedAt: undefined }))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  const other = there.ports.metadata;
  assert.deepEqual(withoutPin(await other.cacheEntriesOf({})), withoutPin(await metadata.cacheEntriesOf({})));
  assert.ok((await other.cacheEntriesOf({})).every(({ pinnedAt }) => pinnedAt === undefined));
  assert.deepEqual(await other.stepRuns({}), await metadata.stepRuns({}));
  assert.deepEqual(await other.artifacts({}), await metadata.artifacts({}));
  assert.deepEqual(await other.versions("chain"), await metadata.versions("chain"));
  assert.deepEqual(await other.traces([digestTrace(trace)]), new Map([[digestTrace(trace), trace]]));
  const keys = (await metadata.cacheEntriesOf({})).map(({ key }) => key);
  assert.deepEqual(await other.keys(keys), await metadata.keys(keys));
  const codes = [...(await metadata.keys(keys)).values()].map(({ code }) => code);
  assert.deepEqual(await other.code(codes), await metadata.code(codes));
  const runs = await other.runs({});
  assert.deepEqual(
    runs.map((run) => ({ ...run, imported: undefined })),
    (await metadata.runs({})).map((run) => ({ ...run, tags: {}, imported: undefined })),
  );
});

test("equal content gives equal archives, which tar can list", async (t) => {
  await using here = await openStore();
  await here.run(3);
  await here.export();
  const first = await readFile(here.file);
  await here.export();
  assert.deepEqual(await readFile(here.file), first);
  const listed = await promisify(execFile)("tar", ["-tf", here.file]).catch(() => undefined);
  if (listed === undefined) return t.skip("there is no tar on this machine");
  const names = listed.stdout.trim().split("\n");
  assert.deepEqual([names[0], names[1], names.at(-1)], ["reprise-cache.json", "records.jsonl", "end.json"]);
  assert.ok(names.slice(2, -1).every((name) => /^blobs\/sha256\/[0-9a-f]{64}$/u.test(name)));
  return undefined;
});

test("an import the second time changes nothing, and neither does one into the store that exported", async () => {
  await using here = await openStore();
  await using there = await openStore();
  await here.run(3);
  await here.export();
  const before = await contentOf(here);
  const own = await here.import(here.file);
  assert.deepEqual([own.applied, own.skipped.map(({ why }) => why)], [false, ["same", "same"]]);
  assert.deepEqual(await contentOf(here), before);
  await there.import(here.file);
  const once = await contentOf(there);
  assert.equal((await there.import(here.file)).applied, false);
  assert.deepEqual(await contentOf(there), once);
  // The runs that came along name what came: a collection takes nothing of it.
  const { cacheEntries, artifacts, blobs } = await planCollection(there.ports, {}, Date.now() + 7_200_000);
  assert.equal(cacheEntries.length + artifacts.length + blobs.length, 0);
});

test("numbers of artifacts and versions are those of the store that takes them in", async () => {
  await using here = await openStore();
  await using there = await openStore();
  await there.run(7);
  there.ports.codeOf.set("count", { text: "other" });
  await there.run(8);
  await here.run(3);
  await here.export();
  await there.import(here.file);
  const imported = (await there.ports.metadata.runs({})).find((run) => run.imported !== undefined);
  // The code of the first run there is that of the imported one.
  assert.equal(imported?.version, 1);
  const [entry] = (await there.ports.metadata.cacheEntriesOf({ step: "load" }))
    .toSorted((a, b) => (a.outputs[0]?.version ?? 0) - (b.outputs[0]?.version ?? 0))
    .slice(-1);
  assert.equal(entry?.outputs[0]?.version, 3);
  assert.equal((await historyOf(there).run("last")).imported, undefined);
});

test("what is here and newer stays, what is older is replaced and says so, what was dropped since does not come back", async () => {
  await using here = await openStore();
  await using there = await openStore();
  await here.run(3);
  await here.export("load");
  await there.run(3);
  const [own] = await there.ports.metadata.cacheEntriesOf({ step: "load" });
  assert.ok(own);
  const differing = { ...own, outputs: own.outputs.map((use) => ({ ...use, digest: sampleDigest("other") })) };
  const write = async (entry: CacheEntry): Promise<ImportReport> => {
    await there.ports.metadata.write([{ kind: "cache-entry", entry }]);
    return await there.import(here.file);
  };
  const newer = await write({ ...differing, createdAt: Date.now() + 1000 });
  assert.deepEqual([newer.applied, newer.skipped.map(({ why }) => why)], [false, ["newer-here"]]);
  const dropped = await write({ ...own, createdAt: 1, invalidatedAt: Date.now() + 1000 });
  assert.deepEqual(
    dropped.skipped.map(({ why }) => why),
    ["newer-here"],
  );
  const older = await write({ ...differing, createdAt: 1, pinnedAt: 7 });
  assert.deepEqual([older.added.length, older.replaced.map(({ step: name }) => name)], [0, ["load"]]);
  const [replaced] = await there.ports.metadata.cacheEntriesOf({ step: "load" });
  assert.deepEqual([replaced?.outputs[0]?.digest, replaced?.pinnedAt], [own.outputs[0]?.digest, 7]);
});

test("what is invalid or damaged is left out of an archive, and what has expired is not taken in", async () => {
  await using here = await openStore();
  await using there = await openStore();
  await here.run(3);
  await here.run(4);
  await here.run(5);
  const { metadata, content, blobs } = here.ports;
  const [newest, middle, oldest] = await metadata.cacheEntriesOf({ step: "load" });
  assert.ok(newest && middle && oldest);
  await blobs.remove(newest.blobs.map(({ digest }) => digest));
  await metadata.write([
    { kind: "invalidate", keys: [middle.key], at: 1 },
    { kind: "cache-entry", entry: { ...oldest, expiresAt: Date.now() + 3_600_000 } },
  ]);
  const report = await here.export("load");
  assert.deepEqual(report.leftOut, { invalidated: 1, expired: 0, damaged: 1 });
  assert.equal(report.entries, 1);
  const late = await importEntries(there.ports, here.file, {}, Date.now() + 7_200_000);
  assert.deepEqual(
    late.skipped.map(({ why }) => why),
    ["expired"],
  );
  await metadata.write([{ kind: "invalidate", keys: [oldest.key], at: 1 }]);
  await assert.rejects(here.export("load"), UsageError);
  await content.put("nothing else");
  await writeFile(here.file, "mine");
  await assert.rejects(exportEntries(here.ports, ["count"], here.file, Date.now()), /nothing is overwritten/u);
  assert.equal(await readFile(here.file, "utf8"), "mine");
});

test("a step alone comes without what it was made from, and says so", async () => {
  await using here = await openStore();
  await using there = await openStore();
  await here.run(3);
  await here.export("count");
  const report = await there.import(here.file);
  assert.deepEqual([report.added.length, report.stepRuns, report.inputsElsewhere], [1, 1, 1]);
  const [made] = await there.ports.metadata.stepRuns({ step: "count" });
  assert.deepEqual([made?.inputs, made?.outputs[0]?.version], [[], 1]);
  const again = await there.run(3);
  assert.deepEqual(
    again.steps.map(({ status }) => status),
    ["completed", "cached"],
  );
});

test("damaged bytes here are mended by an import that has them", async () => {
  await using here = await openStore();
  await using there = await openStore();
  await here.run(3);
  await here.export();
  await there.run(3);
  const [entry] = await there.ports.metadata.cacheEntriesOf({ step: "load" });
  assert.ok(entry);
  await there.ports.metadata.write([{ kind: "remove-cache-entries", entries: [entry] }]);
  findStoredBlob(there.path, entry.blobs[0]!.digest)?.overwrite(Buffer.from("[0,9]"));
  const report = await there.import(here.file);
  assert.deepEqual([report.added.length, report.blobs], [1, 1]);
  assert.deepEqual(await (await historyOf(there).artifact("rows")).load(), [0, 1, 2]);
});

test("an archive that is cut off anywhere is refused, and nothing of it stays", async () => {
  await using here = await openStore();
  await using there = await openStore();
  await here.run(3);
  await here.export();
  const whole = await readFile(here.file);
  const before = await contentOf(there);
  const cut = join(there.path, "cut.tar");
  // The zeros at the end say nothing: without the last of them the archive is still whole.
  for (let length = 0; length < whole.byteLength - 1024; length += 97) {
    await writeFile(cut, whole.subarray(0, length));
    await refused(there.import(cut));
  }
  assert.deepEqual(await contentOf(there), before);
});

test("an archive in which any byte was altered is refused, and nothing of it stays", async () => {
  await using here = await openStore();
  await using there = await openStore();
  await here.run(3);
  await here.export();
  const whole = await readFile(here.file);
  const before = await contentOf(there);
  const altered = join(there.path, "altered.tar");
  for (let at = 0; at < whole.byteLength; at += 61) {
    const bytes = Uint8Array.from(whole);
    bytes[at] = (bytes[at] as number) ^ 1;
    await writeFile(altered, bytes);
    await refused(there.import(altered));
  }
  assert.deepEqual(await contentOf(there), before);
  await writeFile(altered, "a text of somebody else");
  await refused(there.import(altered));
  await writeFile(altered, Buffer.concat([whole, Buffer.from("more")]));
  await refused(there.import(altered));
});

/** A tar whose files are as somebody with bad intentions would name them. */
function tarOf(files: readonly (readonly [name: string, text: string])[], type = "0"): Buffer {
  const pieces = files.flatMap(([name, text]) => {
    const bytes = Buffer.from(text);
    const header = Buffer.from(tarHeader(name, bytes.byteLength));
    if (type !== "0") {
      header.write(type, 156);
      const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
      header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    }
    return [header, bytes, tarPadding(bytes.byteLength)];
  });
  return Buffer.concat([...pieces, tarEnd]);
}

test("names that lead elsewhere, links, and formats that are not known are refused by what is wrong with them", async () => {
  await using there = await openStore();
  const path = join(there.path, "strange.tar");
  const manifest = (version: number, format = "reprise cache"): [string, string] => {
    const records = { digest: digestBytes(""), size: 0 };
    return [
      "reprise-cache.json",
      JSON.stringify({ format, version, entries: 0, records, blobs: { count: 0, bytes: 0 } }),
    ];
  };
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [tarOf([manifest(1), ["records.jsonl", ""], ["../../escape", "x"]]), /holds "\.\.\/\.\.\/escape", which belongs/u],
    [tarOf([manifest(1), ["records.jsonl", ""], ["/etc/cron.d/x", "x"]]), /holds "\/etc\/cron\.d\/x", which belongs/u],
    [
      tarOf([manifest(1), ["records.jsonl", ""], [`blobs/sha256/../../${"a".repeat(58)}`, "x"]]),
      /which belongs in no such archive/u,
    ],
    [tarOf([manifest(1), ["records.jsonl", ""]], "2"), /is no plain file/u],
    [
      tarOf([manifest(1), ["records.jsonl", ""], [`blobs/sha256/${"a".repeat(64)}`, "x"]]),
      /the bytes of .* were altered/u,
    ],
    [tarOf([manifest(1), ["records.jsonl", ""], ["end.json", "{}"]]), /end\.json\.digest should be a digest/u],
    [tarOf([manifest(1)]), /it is cut off/u],
    [tarOf([manifest(2)]), /written by a newer Reprise: its format is 2, this one knows 1/u],
    [tarOf([manifest(1, "pictures")]), /holds no stored results/u],
    [tarOf([["holiday.txt", "sun"]]), /holds no stored results/u],
    [tarOf([manifest(1), ["records.jsonl", "[]\n"]]), /of a kind that is not known/u],
    [tarOf([manifest(1), ["records.jsonl", '["entry",{"key":5}]\n']]), /record 1 \(entry\)\.key should be a digest/u],
    [tarOf([manifest(1), ["records.jsonl", "{\n"]]), /record 1 in it is no JSON/u],
  ];
  const before = await contentOf(there);
  for (const [bytes, message] of cases) {
    await writeFile(path, bytes);
    const error = await refused(there.import(path));
    assert.match(error.message, message);
    assert.match(error.message, /Nothing was imported/u);
  }
  assert.deepEqual(await contentOf(there), before);
});

test("records that do not fit together are refused, however well they are sealed", async () => {
  await using here = await openStore();
  await using there = await openStore();
  await here.run(3);
  await here.export();
  const { records, blobs } = await verifyArchive(here.file);
  const forged = join(there.path, "forged.tar");
  const forge = async (change: (records: ArchiveRecords) => void): Promise<string> => {
    const copy = structuredClone(records);
    change(copy);
    await rm(forged, { force: true });
    const refs = [...blobs].map(([digest, size]) => ({ digest, size }));
    await writeArchive(forged, copy, refs, (digest) => here.ports.content.stream(digest));
    return (await refused(there.import(forged))).message;
  };
  const firstOf = <K, V>(map: Map<K, V>): [K, V] => [...map][0] as [K, V];
  const messages = [
    await forge((all) => {
      const [name, key] = firstOf(all.keys);
      all.keys.set(name, { ...key, version: "2" });
    }),
    await forge((all) => void all.keys.clear()),
    await forge((all) => void (all.artifacts[0] = { ...all.artifacts[0]!, type: "text" })),
    await forge((all) => void all.artifacts.pop()),
    await forge((all) => void (all.entries[0] = { ...all.entries[0]!, blobs: [] })),
    await forge((all) => void (all.entries[0] = { ...all.entries[0]!, step: "other" })),
    await forge((all) => void (all.entries[0] = { ...all.entries[0]!, trace: sampleDigest("unknown") })),
    await forge((all) => void all.traces.set(sampleDigest("trace"), { salt: "", reads: [] })),
    await forge((all) => void all.runs.clear()),
    await forge((all) => void all.versions.clear()),
    await forge((all) => {
      const [id, made] = firstOf(all.stepRuns);
      all.stepRuns.set(id, { ...made, node: "../elsewhere" });
    }),
    await forge((all) => void (all.logs[0] = { ...all.logs[0]!, stepRun: "r-0/nobody" as never })),
  ];
  assert.deepEqual(
    messages.map((text) =>
      text.replace(/^.*cannot be imported: |\. Nothing was imported\.$/gu, "").replaceAll(/sha256:\w+|r-\w+/gu, "X"),
    ),
    [
      "the key X is not what its digest says",
      'a result of step "count" has no key in it',
      "the artifact count.total is not what its digest says",
      'outputs of a result of step "load" are not in it',
      'outputs of a result of step "count" are not in it',
      'a result of step "other" has no key in it',
      'what a result of step "count" has read is not in it',
      "what a step has read is not what its digest X says",
      "the step run X/count belongs to no run in it",
      "the run X has no version in it",
      "the step run X/count belongs to no run in it",
      "there are lines of X/nobody, which is not in it",
    ],
  );
  for (const read of [
    { kind: "file", name: "a\0b", found: "absent" },
    { kind: "glob", name: "%E0 *", found: "0 names" },
    { kind: "glob", name: "*.csv", found: "0 names" },
  ] as const) {
    const trace: Trace = { salt: "", reads: [read] };
    const message = await forge((all) => void all.traces.set(digestTrace(trace), trace));
    assert.match(message, /reads\[0\]\.name should be the name of something that can be read, and is/u);
  }
  assert.equal((await there.ports.metadata.cacheEntriesOf({})).length, 0);
});

test("a step run that says that it belongs to a run of this store is not added to it", async () => {
  await using here = await openStore();
  await using there = await openStore();
  await here.run(3);
  await here.export("load");
  const own = await there.run(4);
  const { records, blobs } = await verifyArchive(here.file);
  const [run] = [...records.runs.values()];
  const [made] = [...records.stepRuns.values()];
  const [entry] = records.entries;
  const id = toStepRunId(own.run.id, "forged");
  const forged: ArchiveRecords = {
    ...records,
    runs: new Map([[own.run.id, { ...run!, id: own.run.id }]]),
    stepRuns: new Map([[id, { ...made!, id, run: own.run.id, node: "forged" }]]),
    artifacts: records.artifacts.map((artifact) => ({ ...artifact, producer: id })),
    entries: [{ ...entry!, origin: id }],
    logs: [],
    metrics: [],
  };
  const file = join(there.path, "forged.tar");
  const refs = [...blobs].map(([digest, size]) => ({ digest, size }));
  await writeArchive(file, forged, refs, (digest) => here.ports.content.stream(digest));
  const report = await there.import(file);
  assert.deepEqual([report.added.length, report.stepRuns], [1, 0]);
  assert.deepEqual(await there.ports.metadata.stepRuns({ runs: [own.run.id] }), own.steps);
  assert.deepEqual(await there.ports.metadata.runs({}), [own.run]);
});

test("a record that is longer than what is read at once comes through whole", async () => {
  await using here = await openStore();
  await here.run(3);
  await here.export();
  const { records, blobs } = await verifyArchive(here.file);
  const [digest] = [...records.sources.keys()];
  const text = "xü😀".repeat(700_000);
  records.sources.set(digest!, text);
  await rm(here.file);
  const refs = [...blobs].map(([each, size]) => ({ digest: each, size }));
  await writeArchive(here.file, records, refs, (each) => here.ports.content.stream(each));
  assert.equal((await verifyArchive(here.file)).records.sources.get(digest!), text);
});

test("records with anything in the place of anything are taken for what they are or refused, and never break the reader", async () => {
  await using here = await openStore();
  await here.run(3);
  await here.export();
  const { records, blobs } = await verifyArchive(here.file);
  const refs = [...blobs].map(([digest, size]) => ({ digest, size }));
  const path = join(here.path, "fuzzed.tar");
  const kinds = ["versions", "runs", "stepRuns", "keys", "code", "artifacts", "entries", "logs", "metrics"] as const;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...kinds), fc.nat(), fc.jsonValue(), async (kind, place, value) => {
      const copy = structuredClone(records) as unknown as Record<string, unknown[] | Map<string, unknown>>;
      const held = copy[kind];
      const all = held instanceof Map ? [...held.values()] : (held ?? []);
      replaceAt(all, place, value);
      await rm(path, { force: true });
      await writeArchive(path, copy as unknown as ArchiveRecords, refs, (digest) => here.ports.content.stream(digest));
      await using there = await openStore();
      try {
        await there.import(path);
      } catch (error) {
        assert.ok(error instanceof StoreError && error.code === "RPS4006", String(error));
        return;
      }
      // What was taken in can be looked at.
      const history = historyOf(there);
      for (const { run } of await history.runs()) await history.run(run.id);
      await history.cache.entries();
      await history.cache.stats();
      await history.cache.why("load").catch((error: unknown) => assert.ok(error instanceof UsageError));
    }),
    { numRuns: 150 },
  );
});

/** Puts a value in the place of one of all the values that these hold. */
function replaceAt(all: readonly unknown[], place: number, value: unknown): void {
  const places: (() => void)[] = [];
  const visit = (holder: object): void => {
    for (const key of Object.keys(holder)) {
      const fields = holder as Record<string, unknown>;
      places.push(() => void (fields[key] = value));
      const own = fields[key];
      if (typeof own === "object" && own !== null) visit(own);
    }
  };
  for (const each of all) visit(each as object);
  if (places.length > 0) places[place % places.length]?.();
}
