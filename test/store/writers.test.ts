/** Many processes, one store: nothing is lost, doubled or half there, however they end. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { openFolder } from "../../src/blob/folder.ts";
import type { Digest } from "../../src/hash/digest.ts";
import type { StepRunId } from "../../src/record/id.ts";
import { openSqlite } from "../../src/sql/sqlite.ts";
import { openContentStore } from "../../src/store/content-store.ts";
import { sampleDigest, sampleEntry } from "../../src/testing/sample-records.ts";
import { go, startWriter, type Writer } from "./start-writer.ts";
import { stepsPerRun, type Round } from "./round.ts";

const temporary = mkdtempSync(join(tmpdir(), "reprise-writers-"));
after(() => rmSync(temporary, { recursive: true, force: true }));

test("eight processes write to one new store: no lock is seen, no record is lost or doubled", async () => {
  const folder = join(temporary, "eight");
  const rounds = 25;
  const writers = await Promise.all(Array.from({ length: 8 }, (_, index) => startWriter(folder, `w${index}`, rounds)));
  for (const writer of writers) go(writer);
  for (const writer of writers) assert.deepEqual(await writer.ended, { code: 0, errors: "" });
  const all = writers.flatMap((writer) => writer.rounds);
  assert.equal(all.length, 8 * rounds);

  assertNumberedOnce(all.map((round) => round.version));
  assertNumberedOnce(all.flatMap((round) => round.artifacts));
  await using store = await openSqlite({ path: join(folder, "store.db") });
  assert.equal((await store.runs({})).length, 8 * rounds);
  assert.equal((await store.stepRuns({})).length, 8 * rounds * stepsPerRun);
  assert.equal((await store.versions("first_pipeline")).length, rounds);
  const artifacts = await store.artifacts({ name: "shared" });
  assert.equal(artifacts.length, 8 * rounds + rounds);
  // Each step of each run used the artifact that everybody made, under whatever number it got.
  const shared = artifacts.find((artifact) => artifact.digest === sampleDigest("shared 3"))!;
  assert.equal((await store.uses({ artifacts: [shared] })).length, 8 * stepsPerRun);
  assert.equal((await store.cacheEntriesOf({})).length, 8 * rounds + rounds);
  assertSound(folder);
});

test("a store is whole after its writers were killed at any moment, many times", async () => {
  const folder = join(temporary, "killed");
  const known = new Map<string, Round>();
  for (let kill = 0; kill < 16; kill++) {
    const writers = await startAndKill(folder, kill);
    for (const round of writers.flatMap((writer) => writer.rounds)) known.set(round.run, round);
    await assertWhole(folder, [...known.values()]);
  }
  assert.ok(known.size > 16, `${known.size} rounds were told`);
  // A writer that was killed while it wrote a blob left at most its temporary file.
  await using blobs = await openFolder({ path: join(folder, "blobs") });
  await blobs.sweep(-1000);
  assert.deepEqual(readdirSync(join(folder, "blobs", "tmp")), []);
});

/** Two writers at once, each killed some milliseconds after some round. */
async function startAndKill(folder: string, kill: number): Promise<Writer[]> {
  const writers: Writer[] = [];
  for (const half of [0, 1]) {
    const lastRound = 1 + Math.floor(Math.random() * 6);
    const writer: Writer = await startWriter(folder, `k${kill}-${half}`, 1_000_000, (rounds) => {
      if (rounds === lastRound) setTimeout(() => writer.child.kill("SIGKILL"), Math.random() * 10);
    });
    writers.push(writer);
  }
  for (const writer of writers) go(writer);
  for (const writer of writers) assert.deepEqual(await writer.ended, { code: null, errors: "" });
  return writers;
}

async function assertWhole(folder: string, told: readonly Round[]): Promise<void> {
  await using store = await openSqlite({ path: join(folder, "store.db") });
  await using blobs = await openFolder({ path: join(folder, "blobs") });
  const content = openContentStore(blobs);

  // What was told is there.
  const runs = await store.runs({});
  const ids = new Set<string>(runs.map((run) => run.id));
  for (const round of told) assert.ok(ids.has(round.run), `${round.run} is lost`);
  const refs = told.map((round) => ({ digest: round.blob.digest as Digest, size: round.blob.size }));
  assert.ok([...(await content.verify(refs)).values()].every((state) => state === "ok"));

  // What is there is all there, from a round's first change to its last.
  const sources = await store.sources(runs.map((run) => sampleDigest(run.id)));
  const entries = await store.cacheEntries(runs.map((run) => sampleEntry(run.id).key));
  assert.deepEqual([sources.size, entries.size], [runs.length, runs.length]);
  const stepRuns = await store.stepRuns({ runs: runs.map((run) => run.id) });
  assert.equal(stepRuns.length, runs.length * stepsPerRun);
  const lines = await store.logs({ stepRuns: stepRuns.map((stepRun) => stepRun.id as StepRunId) });
  assert.equal(lines.length, stepRuns.length);

  // No blob is half there, told or not; and every number was given out once.
  for await (const stat of blobs.list()) {
    assert.deepEqual([...(await content.verify([stat], { level: "bytes" })).values()], ["ok"]);
  }
  assertNumberedOnce((await store.versions("first_pipeline")).map(toNumbered));
  assertNumberedOnce((await store.artifacts({ name: "shared" })).map(toNumbered));
  assertSound(folder);
}

interface Numbered {
  readonly digest: string;
  readonly number: number;
}

function toNumbered({ digest, version }: { readonly digest: Digest; readonly version: number }): Numbered {
  return { digest, number: version };
}

/** Equal digests have one number, and the numbers are 1, 2, 3 … */
function assertNumberedOnce(all: readonly Numbered[]): void {
  const numbers = new Map<string, number>();
  for (const { digest, number } of all) {
    assert.equal(numbers.get(digest) ?? number, number, `${digest} has two numbers`);
    numbers.set(digest, number);
  }
  const given = [...numbers.values()].sort((left, right) => left - right);
  assert.deepEqual(
    given,
    Array.from({ length: numbers.size }, (_, index) => index + 1),
  );
}

function assertSound(folder: string): void {
  const database = new DatabaseSync(join(folder, "store.db"));
  try {
    assert.deepEqual({ ...database.prepare("PRAGMA integrity_check").get() }, { integrity_check: "ok" });
    assert.deepEqual(database.prepare("PRAGMA foreign_key_check").all(), []);
  } finally {
    database.close();
  }
}
