/** Stored bytes that are not what they were: found, told, mended by running, and never handed to anybody. */
import assert from "node:assert/strict";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { findStoredBlob, type StoredBlob } from "./rig/stored-blobs.ts";
import { openStoredPorts } from "./rig/stored-ports.ts";
import type { MemoryPorts } from "./rig/ports.ts";
import { createPipelineFunction, planPipeline, step, type AnyPipeline } from "../src/define/index.ts";
import { StoreError } from "../src/error.ts";
import { openBytes, pathOfArtifact, saveArtifact } from "../src/history/export-value.ts";
import { openHistory } from "../src/history/history.ts";
import { directory, file, table, type StoredDirectory, type StoredFile } from "../src/materializer/index.ts";
import type { Artifact } from "../src/record/artifact.ts";
import { runPlan, type RunOutcome } from "../src/runner/run.ts";
import { toRunHandle } from "../src/stack/run-handle.ts";
import type { Stack } from "../src/stack/stack.ts";

const temporary = mkdtempSync(join(tmpdir(), "reprise-verified-"));
after(() => rmSync(temporary, { recursive: true, force: true }));
/** Where small blobs lie: as the stack has it, and as earlier versions had it, which find theirs in this one. */
const places = ["rows", "files"] as const;
let folders = 0;
const newFolder = (place: (typeof places)[number] = "files"): string => join(temporary, `${place}-${(folders += 1)}`);

async function open(path: string): ReturnType<typeof openStoredPorts> {
  return await openStoredPorts(path, basename(path).startsWith("rows") ? "rows" : "files");
}

const pipeline = createPipelineFunction({
  run: () => {
    throw new Error("these tests run plans");
  },
});

const make = step({ name: "make", run: () => ({ left: "left-text", right: "rightText" }) });
const concat = step({
  name: "concat",
  run: ({ left, right, by }: Record<"left" | "right" | "by", string>) => ({ joined: left + by + right }),
});
const measure = step({ name: "measure", run: ({ joined }: { joined: string }) => ({ length: joined.length }) });
const chain = pipeline({
  name: "chain",
  build: ({ by }: { by: string }) => {
    const { left, right } = make();
    const { joined } = concat({ left, right, by });
    return { joined, length: measure({ joined }).length };
  },
});

async function runIn(path: string, by = "+", of: unknown = chain): Promise<RunOutcome> {
  await using ports = await open(path);
  return await runPlan(planPipeline(of as AnyPipeline, { by }), ports, {});
}

function told({ steps }: RunOutcome): readonly string[] {
  return steps.map(({ node, status, reason }) => `${node} ${status}: ${reason?.code}`);
}

const allCached = [
  "make cached: same-fingerprint",
  "concat cached: same-fingerprint",
  "measure cached: same-fingerprint",
];

async function artifactsOf(path: string): Promise<readonly Artifact[]> {
  await using ports = await open(path);
  return await ports.metadata.artifacts({});
}

async function blobOf(path: string, name: string): Promise<StoredBlob> {
  const found = (await artifactsOf(path)).find((artifact) => artifact.name === name);
  const blob = found && findStoredBlob(path, found.root.digest);
  assert.ok(blob);
  assert.equal(`${blob.place}s`, basename(path).split("-")[0]);
  return blob;
}

async function textOf(path: string, name: string): Promise<string> {
  return (await blobOf(path, name)).read().toString();
}

async function fileOf(path: string, name: string): Promise<string> {
  const hex = (await blobOf(path, name)).digest.slice("sha256:".length);
  return join(path, "objects", "sha256", hex.slice(0, 2), hex.slice(2));
}

/** What somebody else does to a blob of the store. */
function overwrite(blob: StoredBlob, change: (bytes: Buffer) => Uint8Array): void {
  blob.overwrite(change(blob.read()));
}

const damages: Readonly<Record<string, readonly [code: string, damage: (blob: StoredBlob) => void]>> = {
  "a bit flips": ["corrupt-output", (blob) => overwrite(blob, (bytes) => (bytes.writeUInt8(bytes[0]! ^ 1, 0), bytes))],
  "a blob is cut off": ["corrupt-output", (blob) => overwrite(blob, (bytes) => bytes.subarray(0, 3))],
  "a blob is emptied": ["corrupt-output", (blob) => overwrite(blob, () => new Uint8Array())],
  "a blob grows": ["corrupt-output", (blob) => overwrite(blob, (bytes) => Buffer.concat([bytes, bytes]))],
  "a blob is deleted": ["missing-output", (blob) => blob.remove()],
};

for (const [what, place, code, damage] of places.flatMap((place) =>
  Object.entries(damages).map(([what, [code, damage]]) => [what, place, code, damage] as const),
)) {
  test(`${what}, of those in ${place}: the step that made it runs again and says so, and what is below it stays cached`, async () => {
    const path = newFolder(place);
    const first = await runIn(path);
    damage(await blobOf(path, "make.left"));
    const second = await runIn(path);
    assert.deepEqual(told(second), [
      `make completed: ${code}`,
      "concat cached: same-output-upstream",
      "measure cached: same-fingerprint",
    ]);
    assert.deepEqual(second.artifacts, first.artifacts);
    assert.equal(await textOf(path, "make.left"), "left-text");
    assert.deepEqual(told(await runIn(path)), allCached);
  });
}

for (const place of places) {
  for (const [what, [code, damage]] of Object.entries(damages)) {
    test(`${what}, of those in ${place}, and is found though run after run was as the one before`, async () => {
      const path = newFolder(place);
      for (let runs = 0; runs < 4; runs += 1) await runIn(path);
      damage(await blobOf(path, "make.left"));
      assert.deepEqual(told(await runIn(path)), [`make completed: ${code}`, ...allCached.slice(1).map(toUnchanged)]);
      for (let runs = 0; runs < 3; runs += 1) assert.deepEqual(told(await runIn(path)), allCached);
    });
  }
}

/** As it is told of a step below one that ran again. */
function toUnchanged(line: string): string {
  return line.startsWith("concat") ? "concat cached: same-output-upstream" : line;
}

test("an emptied folder of blobs is filled again by running", async () => {
  const path = newFolder("files");
  const first = await runIn(path);
  rmSync(join(path, "objects"), { recursive: true });
  const second = await runIn(path);
  assert.deepEqual(told(second), [
    "make completed: missing-output",
    "concat completed: missing-output",
    "measure completed: missing-output",
  ]);
  assert.deepEqual(second.artifacts, first.artifacts);
  assert.deepEqual(told(await runIn(path)), allCached);
});

/** Exchanges the bytes of two blobs of one size, and leaves no trace that a look without reading could tell of. */
async function swap(path: string, one: string, other: string): Promise<void> {
  const [before, after] = [await blobOf(path, one), await blobOf(path, other)];
  const [left, right] = [before.read(), after.read()];
  assert.equal(left.byteLength, right.byteLength);
  before.overwriteSilently(right);
  after.overwriteSilently(left);
}

for (const place of places) {
  test(`a blob swapped with another, times and all, is found by the step that reads it, and mended in the same run: those in ${place}`, async () => {
    const path = newFolder(place);
    await runIn(path);
    await swap(path, "make.left", "make.right");
    const second = await runIn(path, "-");
    assert.deepEqual(told(second), [
      "make completed: corrupt-output",
      "concat completed: param",
      "measure completed: input",
    ]);
    await using ports = await open(path);
    const joined = await openHistory({ ...ports, checkTraces: async () => new Map() }).artifact("concat.joined");
    assert.equal(await joined.load(), "left-text-rightText");
  });
}

for (const place of places) {
  test(`a swap that no step reads is refused to whoever asks for the value, and the next run mends it: those in ${place}`, async () => {
    const path = newFolder(place);
    await runIn(path);
    await swap(path, "make.left", "make.right");
    assert.deepEqual(told(await runIn(path)), allCached);
    {
      await using ports = await open(path);
      const history = openHistory({ ...ports, checkTraces: async () => new Map() });
      await assert.rejects((await history.artifact("make.left")).load(), isDamage);
    }
    assert.deepEqual(told(await runIn(path)), [
      "make completed: corrupt-output",
      "concat cached: same-output-upstream",
      "measure cached: same-fingerprint",
    ]);
    assert.equal(await textOf(path, "make.left"), "left-text");
    assert.equal(await textOf(path, "make.right"), "rightText");
  });
}

for (const place of places) {
  test(`records that were copied without some of their blobs run those steps alone: those in ${place}`, async () => {
    const [path, copy] = [newFolder(place), newFolder(place)];
    const first = await runIn(path);
    cpSync(path, copy, { recursive: true });
    for (const name of ["concat.joined", "measure.length"]) (await blobOf(copy, name)).remove();
    const second = await runIn(copy);
    assert.deepEqual(told(second), [
      "make cached: same-fingerprint",
      "concat completed: missing-output",
      "measure completed: missing-output",
    ]);
    assert.deepEqual(second.artifacts, first.artifacts);
  });
}

test("blobs that were copied without their records are not believed unread", async () => {
  const [path, copy] = [newFolder(), newFolder()];
  const first = await runIn(path);
  await swap(path, "make.left", "make.right");
  mkdirSync(copy);
  cpSync(join(path, "objects"), join(copy, "objects"), { recursive: true, preserveTimestamps: true });
  const second = await runIn(copy);
  assert.deepEqual(
    second.steps.map(({ status }) => status),
    ["completed", "completed", "completed"],
  );
  const digests = (outcome: RunOutcome): unknown =>
    [...outcome.artifacts].map(([node, uses]) => [node, [...uses].map(([slot, { digest }]) => [slot, digest])]);
  assert.deepEqual(digests(second), digests(first));
  assert.equal(await textOf(copy, "make.left"), "left-text");
});

for (const place of places) {
  test(`records that were copied without their write-ahead log make steps run again, and nothing else: blobs in ${place}`, async () => {
    const [path, copy] = [newFolder(place), newFolder(place)];
    {
      // While it is open, what was written last is in the log.
      await using ports = await open(path);
      await runPlan(planPipeline(chain as unknown as AnyPipeline, { by: "+" }), ports, {});
      assert.ok(existsSync(join(path, "metadata.db-wal")));
      cpSync(join(path, "objects"), join(copy, "objects"), { recursive: true });
      copyFileSync(join(path, "metadata.db"), join(copy, "metadata.db"));
    }
    const second = await runIn(copy);
    assert.equal(second.run.status, "completed");
    assert.ok(second.steps.every(({ status }) => status === "completed"));
    assert.deepEqual(told(await runIn(copy)), allCached);
  });
}

test("blobs whose modes somebody changed are read as before", async () => {
  for (const mode of [0o644, 0o755, 0o600]) {
    const path = newFolder();
    await runIn(path);
    for (const name of ["make.left", "concat.joined"]) chmodSync(await fileOf(path, name), mode);
    assert.deepEqual(told(await runIn(path)), allCached);
    const other = await runIn(path, "-");
    assert.deepEqual(told(other), [
      "make cached: same-fingerprint",
      "concat completed: param",
      "measure completed: input",
    ]);
  }
});

test(
  "a blob that may not be read is written anew by the step that made it",
  { skip: process.getuid?.() === 0 ? "the superuser may read everything" : false },
  async () => {
    const path = newFolder();
    await runIn(path);
    chmodSync(await fileOf(path, "make.left"), 0);
    const second = await runIn(path, "-");
    assert.deepEqual(told(second), [
      "make completed: corrupt-output",
      "concat completed: param",
      "measure completed: input",
    ]);
  },
);

const large = "0123456789".repeat(300_000);
const kinds = step({
  name: "kinds",
  run: async (_: object, { tempDir }) => {
    const folder = await tempDir();
    writeFileSync(join(folder, "one.bin"), large);
    mkdirSync(join(folder, "pages"));
    writeFileSync(join(folder, "pages", "a.txt"), "page a");
    return {
      text: "text",
      rows: table([{ x: 1 }, { x: 2 }]),
      numbers: new Float64Array([1, 2, 3]),
      rich: new Map([["a", new Date(5)]]),
      whole: file(join(folder, "one.bin")),
      pages: directory(join(folder, "pages")),
    };
  },
});
const allKinds = pipeline({ name: "all_kinds", build: () => kinds() });

/** Every way in which somebody gets at an artifact's value or bytes. */
function waysIn(ports: MemoryPorts, artifact: Artifact, load: () => Promise<unknown>): (() => Promise<unknown>)[] {
  const history = { ...ports, checkTraces: async () => new Map() };
  const ways = [
    async () => await saveArtifact(history, artifact, newFolder()),
    async () => await collect(await openBytes(history, artifact)),
  ];
  const fileOf = async (): Promise<StoredFile> => {
    const value = await load();
    return artifact.type === "file" ? (value as StoredFile) : (value as StoredDirectory).file("a.txt");
  };
  if (artifact.type === "directory") {
    ways.push(async () => await ((await load()) as StoredDirectory).path());
    ways.push(async () => await ((await load()) as StoredDirectory).copyTo(newFolder()));
    // Of a directory, the bytes are a list of its files.
    ways.splice(1, 1);
  } else ways.push(async () => await pathOfArtifact(history, artifact));
  if (artifact.parts.length === 0) return [...ways, load];
  return [
    ...ways,
    async () => await (await fileOf()).text(),
    async () => await (await fileOf()).bytes(),
    async () => await (await fileOf()).path(),
    async () => await (await fileOf()).copyTo(newFolder()),
    async () => await collect((await fileOf()).stream()),
    async () => {
      for await (const piece of (await fileOf()).stream()) return piece;
      return undefined;
    },
  ];
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const piece of pieces) size += piece.byteLength;
  return size;
}

for (const place of places) {
  test(`bytes in ${place} that were altered behind their seal are handed out by no way in: not by load, get, files, folders or tables`, async () => {
    const path = newFolder(place);
    const plan = planPipeline(allKinds as unknown as AnyPipeline, {});
    {
      await using ports = await open(path);
      await runPlan(plan, ports, {});
    }
    for (const artifact of await artifactsOf(path)) {
      const [ref] = artifact.parts.length === 0 ? [artifact.root] : artifact.parts;
      assert.ok(ref);
      const right = find(ref.digest).read();
      for (const by of ["handle", "history"] as const) {
        for (let at = 0, isMore = true; isMore; at += 1) {
          // Each way as another process goes it: with nothing known, and the seal in its place.
          await using ports = await open(path);
          const ways = await openWays(by, ports, artifact);
          // The last byte: whoever reads the beginning alone sees nothing wrong.
          const wrong = Buffer.from(right);
          wrong.writeUInt8(right.at(-1)! ^ 1, right.byteLength - 1);
          find(ref.digest).overwriteSilently(wrong);
          await assert.rejects(ways[at]!(), isDamage, `${artifact.name} by ${by}, way ${at}`);
          find(ref.digest).overwriteSilently(right);
          isMore = at + 1 < ways.length;
        }
      }
    }

    function find(digest: string): StoredBlob {
      const blob = findStoredBlob(path, digest);
      assert.ok(blob);
      return blob;
    }

    async function openWays(
      by: "handle" | "history",
      ports: MemoryPorts,
      artifact: Artifact,
    ): Promise<(() => Promise<unknown>)[]> {
      if (by === "history") {
        const history = openHistory({ ...ports, checkTraces: async () => new Map() });
        return waysIn(ports, artifact, async () => await (await history.artifact(artifact.name)).load());
      }
      const outcome = await runPlan(plan, ports, {});
      assert.equal(outcome.steps[0]?.status, "cached");
      const { outputs } = toRunHandle(plan, outcome, ports as unknown as Stack);
      return waysIn(ports, artifact, async () => await outputs[artifact.name.slice("kinds.".length)]?.load());
    }
  });
}

function isDamage(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause as Error) {
    if (each instanceof StoreError && each.code === "RPS4004") return true;
  }
  return false;
}
