/** The part of the metadata store's contract about what outlives a run. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { StoreError } from "../error.ts";
import type { Digest } from "../hash/digest.ts";
import { unnumbered } from "../record/artifact.ts";
import { toStepRunId } from "../record/id.ts";
import type { StepRunId } from "../record/id.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { Trace } from "../record/trace.ts";
import type { ArtifactUseRow, Change, MetadataStore } from "../store/metadata-store.ts";
import {
  sampleArtifact,
  sampleCode,
  sampleDigest,
  sampleEntry,
  sampleKey,
  sampleRun,
  sampleTime,
  sampleVersion,
  sparseRun,
  sparseStepRun,
  toRunId,
} from "./sample-records.ts";

export function testCacheEntries(current: () => MetadataStore): void {
  it("gives entries back by their keys", async () => {
    const store = current();
    const entries = [
      sampleEntry("a"),
      sampleEntry("b", { expiresAt: undefined, invalidatedAt: 5, outputs: [], blobs: [] }),
    ];
    await store.write(entries.map((entry) => ({ kind: "cache-entry", entry })));
    const found = await store.cacheEntries([
      sampleDigest("a"),
      sampleDigest("b"),
      sampleDigest("c"),
      sampleDigest("a"),
    ]);
    assert.deepEqual(found, new Map(entries.map((entry) => [entry.key, [entry]])));
    assert.deepEqual(await store.cacheEntries([]), new Map());
  });

  it("keeps an entry for each trace under a key, newest first", async () => {
    const store = current();
    const traces = [sampleDigest("trace 1"), undefined, sampleDigest("trace 2")];
    const entries = traces.map((trace, index) => sampleEntry("a", { trace, createdAt: sampleTime + index }));
    await store.write(entries.map((entry) => ({ kind: "cache-entry", entry })));
    const newestFirst = entries.toReversed();
    assert.deepEqual(await store.cacheEntries([sampleDigest("a")]), new Map([[sampleDigest("a"), newestFirst]]));
    assert.deepEqual(await store.cacheEntriesOf({}), newestFirst);
    const again = sampleEntry("a", { trace: sampleDigest("trace 1"), createdAt: sampleTime + 9 });
    await store.write([{ kind: "cache-entry", entry: again }]);
    assert.deepEqual(await store.cacheEntriesOf({}), [again, ...newestFirst.slice(0, 2)]);
    await store.write([{ kind: "remove-cache-entries", entries: [entries[1] as CacheEntry] }]);
    assert.deepEqual(await store.cacheEntriesOf({}), [again, newestFirst[0]]);
  });

  it("pins and unpins every entry under a key", async () => {
    const store = current();
    const entries = [
      sampleEntry("a"),
      sampleEntry("a", { trace: sampleDigest("trace"), createdAt: 1 }),
      sampleEntry("b"),
    ];
    await store.write(entries.map((entry) => ({ kind: "cache-entry", entry })));
    await store.write([{ kind: "pin", keys: [sampleDigest("a"), sampleDigest("unknown")], at: 7 }]);
    const pins = async (): Promise<unknown> =>
      (await store.cacheEntriesOf({})).map(({ key, pinnedAt }) => [key, pinnedAt]);
    const pinned = (await pins()) as [Digest, number | undefined][];
    assert.deepEqual(
      pinned.toSorted(),
      [
        [sampleDigest("a"), 7],
        [sampleDigest("a"), 7],
        [sampleDigest("b"), undefined],
      ].toSorted(),
    );
    await store.write([{ kind: "pin", keys: [sampleDigest("a")], at: null }]);
    assert.ok((await store.cacheEntriesOf({})).every((entry) => entry.pinnedAt === undefined));
  });

  it("keeps traces, the first of a digest, and removes them", async () => {
    const store = current();
    const trace: Trace = {
      salt: "pepper",
      reads: [
        { kind: "env", name: "MODE", found: "unset" },
        { kind: "file", name: "data/ünï \n.csv", found: sampleDigest("bytes") },
      ],
    };
    await store.write([
      { kind: "trace", digest: sampleDigest("a"), trace },
      { kind: "trace", digest: sampleDigest("b"), trace: { salt: "", reads: [] } },
      { kind: "trace", digest: sampleDigest("a"), trace: { salt: "other", reads: [] } },
    ]);
    const asked = [sampleDigest("a"), sampleDigest("b"), sampleDigest("unknown")];
    assert.deepEqual(
      await store.traces(asked),
      new Map([
        [sampleDigest("a"), trace],
        [sampleDigest("b"), { salt: "", reads: [] }],
      ]),
    );
    await store.write([{ kind: "remove-traces", digests: [sampleDigest("a"), sampleDigest("unknown")] }]);
    assert.deepEqual([...(await store.traces(asked)).keys()], [sampleDigest("b")]);
  });

  it("remembers the last digest of a file", async () => {
    const store = current();
    const first = { path: "/data/a.csv", stamp: "1:2:3", digest: sampleDigest("a") };
    const later = { ...first, stamp: "1:2:4", digest: sampleDigest("b") };
    const other = { ...first, path: "/data/b.csv" };
    await store.write([{ kind: "file-digests", files: [first, other] }]);
    await store.write([{ kind: "file-digests", files: [later] }]);
    assert.deepEqual(
      await store.fileDigests(["/data/a.csv", "/data/b.csv", "/data/c.csv"]),
      new Map([
        ["/data/a.csv", later],
        ["/data/b.csv", other],
      ]),
    );
  });

  it("replaces an entry of the same key", async () => {
    const store = current();
    await store.write([{ kind: "cache-entry", entry: sampleEntry("a", { invalidatedAt: 5, step: "before" }) }]);
    await store.write([{ kind: "cache-entry", entry: sampleEntry("a") }]);
    assert.deepEqual(await store.cacheEntriesOf({}), [sampleEntry("a")]);
  });

  it("lists entries of a step or an origin, newest first", async () => {
    const store = current();
    const origin = toStepRunId(toRunId("r-2"), "trainer");
    const entries = [
      sampleEntry("a", { createdAt: 1 }),
      sampleEntry("b", { createdAt: 3 }),
      sampleEntry("c", { createdAt: 2, origin }),
      sampleEntry("d", { createdAt: 4, origin, step: "splitter" }),
    ] as const;
    await store.write(entries.map((entry) => ({ kind: "cache-entry", entry })));
    const [a, b, c, d] = entries;
    assert.deepEqual(await store.cacheEntriesOf({ step: "trainer" }), [b, c, a]);
    assert.deepEqual(await store.cacheEntriesOf({ step: "trainer", limit: 1 }), [b]);
    assert.deepEqual(await store.cacheEntriesOf({ origins: [origin] }), [d, c]);
    assert.deepEqual(await store.cacheEntriesOf({ origins: [origin], step: "trainer" }), [c]);
    assert.deepEqual(await store.cacheEntriesOf({ origins: [] }), []);
    assert.deepEqual(await store.cacheEntriesOf({}), [d, b, c, a]);
  });

  it("keeps an invalidated entry, and says since when", async () => {
    const store = current();
    await store.write([{ kind: "cache-entry", entry: sampleEntry("a") }]);
    await store.write([{ kind: "invalidate", keys: [sampleDigest("a"), sampleDigest("unknown")], at: 77 }]);
    assert.deepEqual(await store.cacheEntriesOf({}), [sampleEntry("a", { invalidatedAt: 77 })]);
  });

  it("removes entries", async () => {
    const store = current();
    await store.write(["a", "b"].map((key) => ({ kind: "cache-entry", entry: sampleEntry(key) })));
    await store.write([{ kind: "remove-cache-entries", entries: [sampleEntry("a"), sampleEntry("unknown")] }]);
    assert.deepEqual(await store.cacheEntriesOf({}), [sampleEntry("b")]);
  });

  it("finds thousands of entries at once", async () => {
    const store = current();
    const entries = Array.from({ length: 3000 }, (_, index) => sampleEntry(`key ${index}`));
    await store.write(entries.map((entry) => ({ kind: "cache-entry", entry })));
    const found = await store.cacheEntries(entries.map((entry) => entry.key));
    assert.deepEqual([...found.keys()].sort(), entries.map((entry) => entry.key).sort());
  });
}

export function testKeysAndCode(current: () => MetadataStore): void {
  it("keeps a key's parts, the first ones under a digest", async () => {
    const store = current();
    const full = sampleKey({ version: "2", cacheKey: { kind: "value", digest: sampleDigest("k"), shown: "k" } });
    await store.write([
      { kind: "key", digest: sampleDigest("a"), key: sampleKey() },
      { kind: "key", digest: sampleDigest("b"), key: full },
    ]);
    await store.write([{ kind: "key", digest: sampleDigest("a"), key: full }]);
    assert.deepEqual(
      await store.keys([sampleDigest("b"), sampleDigest("a"), sampleDigest("unknown")]),
      new Map([
        [sampleDigest("a"), sampleKey()],
        [sampleDigest("b"), full],
      ]),
    );
  });

  it("keeps code with its units in order, the first of a digest", async () => {
    const store = current();
    const codes = [sampleCode("a"), sampleCode("b", { place: undefined, own: [] }), sampleCode("c", { units: [] })];
    await store.write(codes.map((code) => ({ kind: "code", code })));
    await store.write([{ kind: "code", code: { ...sampleCode("a"), verdict: "opaque" } }]);
    const reversed = sampleCode("d", { units: sampleCode("a").units.toReversed() });
    await store.write([{ kind: "code", code: reversed }]);
    const all = [...codes, reversed];
    assert.deepEqual(
      await store.code([...all.map((code) => code.digest), sampleDigest("unknown")]),
      new Map(all.map((code) => [code.digest, code])),
    );
  });

  it("keeps source text of any shape, the first of a digest", async () => {
    const store = current();
    const texts = new Map<Digest, string>([
      [sampleDigest("a"), "const a = 1;\n"],
      [sampleDigest("b"), ""],
      [sampleDigest("c"), "\uFEFF'quoted' \u0000 ünïcode 😀\r\n"],
    ]);
    await store.write([...texts].map(([digest, text]) => ({ kind: "source", digest, text })));
    await store.write([{ kind: "source", digest: sampleDigest("a"), text: "other" }]);
    assert.deepEqual(await store.sources([...texts.keys(), sampleDigest("unknown")]), texts);
  });
}

export function testPipelines(current: () => MetadataStore): void {
  it("numbers versions from 1, and gives old code its old number back", async () => {
    const store = current();
    const first = await store.versionOf(sampleVersion("one"));
    const second = await store.versionOf(sampleVersion("two", { createdAt: sampleTime + 1 }));
    const again = await store.versionOf(sampleVersion("one", { createdAt: sampleTime + 2 }));
    const other = await store.versionOf(sampleVersion("one", { pipeline: "other" }));
    assert.deepEqual(first, { ...sampleVersion("one"), version: 1 });
    assert.equal(second.version, 2);
    assert.deepEqual(again, first);
    assert.equal(other.version, 1);
    assert.deepEqual(await store.versions("first_pipeline"), [first, second]);
    assert.deepEqual(await store.versions("first_pipeline", 2), [second]);
    assert.deepEqual(await store.versions("first_pipeline", 3), []);
    assert.deepEqual(await store.versions("unknown"), []);
  });

  it("gives a version out once, whoever asks at the same time", async () => {
    const store = current();
    const asked = Array.from({ length: 20 }, (_, index) => sampleVersion(`version ${index % 5}`));
    const given = await Promise.all(asked.map((version) => store.versionOf(version)));
    assert.deepEqual(
      given.map((each) => each.version).sort(),
      Array.from({ length: 20 }, (_, i) => Math.floor(i / 4) + 1),
    );
    assert.equal((await store.versions("first_pipeline")).length, 5);
  });

  it("sums pipelines up by name", async () => {
    const store = current();
    await store.versionOf(sampleVersion("one", { pipeline: "b" }));
    await store.versionOf(sampleVersion("two", { pipeline: "b" }));
    await store.versionOf(sampleVersion("one", { pipeline: "never run" }));
    const last = sampleRun("r-2", { pipeline: "b", startedAt: 2, tags: { a: "" } });
    await store.write([
      { kind: "run", run: last },
      { kind: "run", run: sampleRun("r-1", { pipeline: "b", startedAt: 1 }) },
      { kind: "run", run: sampleRun("r-3", { pipeline: "B", startedAt: 9 }) },
    ]);
    assert.deepEqual(await store.pipelines(), [
      { pipeline: "B", versions: 0, runs: 1, lastRun: sampleRun("r-3", { pipeline: "B", startedAt: 9 }) },
      { pipeline: "b", versions: 2, runs: 2, lastRun: last },
      { pipeline: "never run", versions: 1, runs: 0, lastRun: undefined },
    ]);
  });
}

export function testArtifacts(current: () => MetadataStore): void {
  it("numbers artifacts within their name, and gives old bytes their old number back", async () => {
    const store = current();
    const asked = [
      sampleArtifact("model", "a"),
      sampleArtifact("model", "b"),
      sampleArtifact("data", "a", { preview: undefined, parts: [], metadata: {} }),
      sampleArtifact("model", "a", { createdAt: sampleTime + 9 }),
    ];
    const recorded = await store.recordArtifacts(asked);
    assert.deepEqual(recorded, [
      { ...asked[0], version: 1 },
      { ...asked[1], version: 2 },
      { ...asked[2], version: 1 },
      { ...asked[0], version: 1 },
    ]);
    assert.deepEqual(await store.recordArtifacts([asked[1]!]), [recorded[1]]);
    assert.deepEqual(await store.recordArtifacts([]), []);
    assert.equal((await store.artifacts({})).length, 3);
  });

  it("gives an artifact's number out once, whoever asks at the same time", async () => {
    const store = current();
    const contents = Array.from({ length: 30 }, (_, index) => `content ${index % 10}`);
    const given = await Promise.all(
      contents.map((content) => store.recordArtifacts([sampleArtifact("model", content)])),
    );
    const byContent = new Map(given.map(([artifact], index) => [contents[index], artifact!.version]));
    assert.deepEqual(
      [...byContent.values()].sort((a, b) => a - b),
      Array.from({ length: 10 }, (_, i) => i + 1),
    );
    assert.ok(given.every(([artifact], index) => artifact!.version === byContent.get(contents[index])));
  });

  it("numbers artifacts in a write, and fills the numbers in where what it writes names them without", async () => {
    const store = current();
    await store.recordArtifacts([sampleArtifact("model", "a")]);
    const made = [sampleArtifact("model", "b"), sampleArtifact("model", "a"), sampleArtifact("data", "c")];
    const uses = made.map(({ name, digest }) => ({ slot: name, artifact: name, version: unnumbered, digest }));
    const unknown = { slot: "x", artifact: "x", version: unnumbered, digest: sampleDigest("x") };
    const stepRun = sparseStepRun("r-1", "a");
    const changes: readonly Change[] = [
      { kind: "run", run: sparseRun("r-1") },
      ...made.map((artifact): Change => ({ kind: "artifact", artifact })),
      { kind: "step-run", stepRun: { ...stepRun, outputs: [...uses, unknown] } },
      { kind: "cache-entry", entry: sampleEntry("a", { outputs: uses }) },
    ];
    const { artifacts } = await store.write(changes);
    const numbered = uses.map((use, index) => ({ ...use, version: [2, 1, 1][index]! }));
    assert.deepEqual(
      artifacts.map(({ name, version, digest }) => [name, version, digest]),
      numbered.map(({ artifact, version, digest }) => [artifact, version, digest]),
    );
    assert.deepEqual((await store.stepRuns({}))[0]?.outputs, [...numbered, unknown]);
    assert.deepEqual((await store.cacheEntriesOf({}))[0]?.outputs, numbered);
    // What an earlier write has recorded is found as well.
    await store.write([{ kind: "step-run", stepRun: { ...sparseStepRun("r-1", "b"), inputs: uses } }]);
    assert.deepEqual((await store.stepRuns({ node: "b" }))[0]?.inputs, numbered);
    const found = await store.uses({ artifacts: [{ name: "model", version: 2 }] });
    assert.deepEqual(found.map(({ stepRun: id, role }) => `${role} of ${id}`).toSorted(), [
      "input of r-1/b",
      "output of r-1/a",
    ]);
  });

  it("numbers no artifact in a write that it refuses", async () => {
    const store = current();
    const artifact: Change = { kind: "artifact", artifact: sampleArtifact("model", "a") };
    const impossible: Change = { kind: "step-run", stepRun: sparseStepRun("r-9", "a") };
    await assert.rejects(store.write([artifact, impossible]), StoreError);
    assert.deepEqual(await store.artifacts({}), []);
    const { artifacts } = await store.write([{ kind: "artifact", artifact: sampleArtifact("model", "b") }]);
    assert.equal(artifacts[0]?.version, 1);
  });

  it("does not give a removed artifact's number to another", async () => {
    const store = current();
    await store.recordArtifacts([sampleArtifact("model", "a"), sampleArtifact("model", "b")]);
    await store.write([
      {
        kind: "remove-artifacts",
        artifacts: [
          { name: "model", version: 2 },
          { name: "x", version: 1 },
        ],
      },
    ]);
    assert.equal((await store.artifacts({})).length, 1);
    const [next] = await store.recordArtifacts([sampleArtifact("model", "c")]);
    assert.equal(next?.version, 3);
  });

  it("finds artifacts by each condition, newest first", async () => {
    const store = current();
    await store.recordArtifacts([
      sampleArtifact("splitter.train", "a", { createdAt: 1 }),
      sampleArtifact("splitter.train", "b", { createdAt: 5, type: "table" }),
      sampleArtifact("train", "c", { createdAt: 3 }),
      sampleArtifact("splitter.TRAIN", "d", { createdAt: 4 }),
      sampleArtifact("restrain", "a", { createdAt: 2 }),
      sampleArtifact("ain", "e", { createdAt: 2 }),
    ]);
    const found = async (query: Parameters<MetadataStore["artifacts"]>[0]) =>
      (await store.artifacts(query)).map(({ name, version }) => `${name}@${version}`);
    assert.deepEqual(await found({}), [
      "splitter.train@2",
      "splitter.TRAIN@1",
      "train@1",
      "ain@1",
      "restrain@1",
      "splitter.train@1",
    ]);
    assert.deepEqual(await found({ limit: 2 }), ["splitter.train@2", "splitter.TRAIN@1"]);
    assert.deepEqual(await found({ name: "splitter.train" }), ["splitter.train@2", "splitter.train@1"]);
    assert.deepEqual(await found({ name: "splitter.train", version: 1 }), ["splitter.train@1"]);
    assert.deepEqual(await found({ nameEndsWith: "train" }), ["splitter.train@2", "train@1", "splitter.train@1"]);
    assert.deepEqual(await found({ nameEndsWith: "train", latest: true }), ["splitter.train@2", "train@1"]);
    assert.deepEqual(await found({ nameEndsWith: "%" }), []);
    assert.deepEqual(await found({ digests: [sampleDigest("a"), sampleDigest("e")] }), [
      "ain@1",
      "restrain@1",
      "splitter.train@1",
    ]);
    assert.deepEqual(await found({ digests: [] }), []);
    assert.deepEqual(await found({ type: "table" }), ["splitter.train@2"]);
    assert.deepEqual(await found({ latest: true, type: "json", limit: 1 }), ["splitter.TRAIN@1"]);
  });

  it("names every blob of every artifact", async () => {
    const store = current();
    const contents = Array.from({ length: 2500 }, (_, index) => `content ${index}`);
    await store.recordArtifacts(contents.map((content, index) => sampleArtifact(`name ${index % 7}`, content)));
    const expected = contents.flatMap((content) => [
      sampleDigest(`root of ${content}`),
      sampleDigest(`part of ${content}`),
    ]);
    const named = new Set(await collect(store.referencedBlobs()));
    assert.deepEqual([...named].sort(), expected.sort());
  });
}

export function testUses(current: () => MetadataStore): void {
  const use = (slot: string, artifact: string, version: number) => ({
    slot,
    artifact,
    version,
    digest: sampleDigest(`${artifact}@${version}`),
  });
  const row = (stepRun: string, role: "input" | "output", slot: string, artifact: string, version: number) =>
    ({ artifact, version, stepRun, role, slot }) as ArtifactUseRow;

  it("answers who used an artifact and what a step run used", async () => {
    const store = current();
    await store.write([
      { kind: "run", run: sampleRun("r-1") },
      { kind: "run", run: sampleRun("r-2") },
      { kind: "step-run", stepRun: sparseStepRun("r-1", "make", { outputs: [use("out", "data", 1)] }) },
      {
        kind: "step-run",
        stepRun: sparseStepRun("r-2", "take", {
          inputs: [use("all[0]", "data", 1), use("all[1]", "data", 1), use("more", "data", 2)],
          outputs: [use("out", "model", 1)],
        }),
      },
    ]);
    const made = row("r-1/make", "output", "out", "data", 1);
    const taken = [row("r-2/take", "input", "all[0]", "data", 1), row("r-2/take", "input", "all[1]", "data", 1)];
    const rest = [row("r-2/take", "input", "more", "data", 2), row("r-2/take", "output", "out", "model", 1)];
    const data = { name: "data", version: 1 };
    const take = "r-2/take" as StepRunId;
    assertSameUses(await store.uses({ artifacts: [data] }), [made, ...taken]);
    assertSameUses(await store.uses({ artifacts: [data, { name: "data", version: 2 }] }), [made, ...taken, rest[0]!]);
    assertSameUses(await store.uses({ stepRuns: [take] }), [...taken, ...rest]);
    assertSameUses(await store.uses({ stepRuns: [take], artifacts: [data] }), taken);
    assertSameUses(await store.uses({ artifacts: [] }), []);
    assertSameUses(await store.uses({ stepRuns: [] }), []);
    assertSameUses(await store.uses({ artifacts: [{ name: "data", version: 3 }] }), []);
  });

  it("follows a step run that is replaced", async () => {
    const store = current();
    await store.write([
      { kind: "run", run: sampleRun("r-1") },
      { kind: "step-run", stepRun: sparseStepRun("r-1", "take", { inputs: [use("x", "a", 1), use("y", "b", 1)] }) },
    ]);
    await store.write([
      {
        kind: "step-run",
        stepRun: sparseStepRun("r-1", "take", { inputs: [use("y", "b", 1)], outputs: [use("z", "a", 2)] }),
      },
    ]);
    const artifacts = ["a", "b"].flatMap((name) => [1, 2].map((version) => ({ name, version })));
    assertSameUses(await store.uses({ artifacts }), [
      row("r-1/take", "input", "y", "b", 1),
      row("r-1/take", "output", "z", "a", 2),
    ]);
  });
}

function assertSameUses(found: readonly ArtifactUseRow[], expected: readonly ArtifactUseRow[]): void {
  const sorted = (uses: readonly ArtifactUseRow[]) =>
    uses.map((use) => JSON.stringify(use, Object.keys(use).sort())).sort();
  assert.deepEqual(sorted(found), sorted(expected));
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}
