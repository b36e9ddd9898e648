/** Stored results on the command line, as a user keeps house. */
import assert from "node:assert/strict";
import { readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { makeProject, type Finished, type Project } from "../rig/project.ts";
import { listStoredBlobs } from "../rig/stored-blobs.ts";

const file = `
import { pipeline, step } from "reprise";

const make = step({ name: "make", run: ({ size }: { size: number }) => ({ text: "x".repeat(size) }) });
const measure = step({ name: "measure", run: ({ text }: { text: string }) => ({ length: text.length }) });

export const sizes = pipeline({
  name: "sizes",
  build: ({ size = 1000 }: { size?: number }) => measure({ text: make({ size }).text }),
});
`;

async function openProject(): Promise<Project & { say(line: string): Promise<Finished> }> {
  const project = await makeProject({ "sizes.pipeline.ts": file });
  return { ...project, say: async (line) => await project.reprise(line.split(" ")) };
}

/** Of all blobs, in files and in rows. */
function sizeOfBlobs(path: string): number {
  return listStoredBlobs(join(path, ".reprise")).reduce((sum, blob) => sum + blob.read().byteLength, 0);
}

test("what is stored is listed and counted, in words and as JSON", async () => {
  await using project = await openProject();
  await project.say("run");
  await project.say("run");
  await project.say("run --size 20000");
  const { stdout } = await project.say("cache ls make --sort size");
  assert.match(stdout, /step +key +made +size[^]*make +[0-9a-f]{8} +\S.*20\.0 kB[^]*make +[0-9a-f]{8} +\S.*1\.0 kB/u);
  const listed = await project.json<{ hits: number; size: number }[]>(["cache", "ls", "make", "--sort", "hits"]);
  assert.deepEqual(
    listed.map(({ hits, size }) => [hits, size]),
    [
      [1, 1000],
      [0, 20_000],
    ],
  );
  const stats = await project.say("cache stats");
  assert.match(stats.stdout, /reused +33 % of steps: 2 hits, 4 misses/u);
  assert.match(stats.stdout, /50 % +2 +param size +make, measure/u);
  assert.match((await project.say("cache stats --since 1h --runs 1")).stdout, /1 run, the first/u);
  assert.match((await project.say("cache why make")).stdout, /2 stored results, 2 that would be reused/u);
});

test("a deleted blob stands against the reuse of its result, and cache why says so", async () => {
  await using project = await openProject();
  await project.say("run");
  const { stdout } = await project.say("get make.text --path");
  await rm(stdout.trim());
  assert.match((await project.say("cache why make")).stdout, /not reused now: its output "text" is missing/u);
});

test("the preview of a collection, what it frees, and what the store loses are the same number of bytes", async () => {
  await using project = await openProject();
  for (const size of [1000, 20_000, 300]) await project.say(`run --size ${size}`);
  const unfinished = join(project.path, ".reprise/tmp/1-killed");
  await writeFile(unfinished, "half");
  await utimes(unfinished, 0, 0);
  const before = sizeOfBlobs(project.path);
  const rules = ["cache", "gc", "--keep", "1"];
  const preview = await project.json<{ bytes: number; unfinishedBytes: number }>([...rules, "-n"]);
  assert.equal(preview.unfinishedBytes, 4);
  assert.equal((await stat(unfinished)).size, 4);
  assert.equal(sizeOfBlobs(project.path), before);
  const applied = await project.json<{ freed: number }>([...rules, "--yes"]);
  assert.equal(applied.freed, preview.bytes + preview.unfinishedBytes);
  await assert.rejects(stat(unfinished));
  assert.equal(before - sizeOfBlobs(project.path), preview.bytes);
  assert.equal(preview.bytes, 1000 + 20_000 + "1000".length + "20000".length);
});

test("pinned results outlive a collection by size, and removed ones are made again", async () => {
  await using project = await openProject();
  await project.say("run --size 2000");
  await project.say("run --size 3000");
  assert.match((await project.say("cache pin last~1")).stdout, /Pinned 2 stored results/u);
  assert.match((await project.say("gc --max-size 1b --yes")).stdout, /Freed 3\.0 kB/u);
  assert.match((await project.say("run --size 2000")).stdout, /Using cached version of make/u);
  assert.match((await project.say("cache rm make --yes")).stdout, /stays: it is pinned/u);
  await project.say("cache unpin make measure");
  const removed = await project.json<{ results: { step: string }[] }>(["cache", "rm", "make", "--yes"]);
  assert.deepEqual(
    removed.results.map(({ step }) => step),
    ["make"],
  );
  const plan = await project.say("run --size 2000 -n");
  assert.match(plan.stdout, /make +runs +its result is no longer in the store/u);
});

test("what cannot be meant is refused with what is near", async () => {
  await using project = await openProject();
  await project.say("run");
  const cases = {
    "cache sl": /reprise cache has no command "sl"\n {2}Did you mean "ls"\?/u,
    "cache ls maek": /Nothing of a step "maek"[^]*Did you mean "make"\?/u,
    "cache why maek": /Did you mean "make"\?/u,
    "cache rm": /needs WHAT/u,
    "cache rm make": /Nobody can be asked/u,
    "cache ls --older-than soon": /--older-than needs a duration/u,
    "cache ls --limit 0": /--limit is 0/u,
    "cahce ls": /Did you mean "cache"\?/u,
  };
  for (const [line, message] of Object.entries(cases)) {
    const { code, stderr } = await project.say(line);
    assert.equal(code, 2, line);
    assert.match(stderr, message, line);
  }
  assert.match((await project.say("cache")).stdout, /Usage {2}reprise cache COMMAND/u);
  assert.match((await project.say("help cache rm")).stdout, /Usage {2}reprise cache rm WHAT\.\.\./u);
});

test("results go to another project in a file; what is cut off, or is no archive, is refused", async () => {
  await using here = await openProject();
  await using there = await openProject();
  await here.say("run");
  assert.match((await here.say("cache export")).stderr, /needs a file to write/u);
  assert.match((await here.say("cache export -o out.tar")).stdout, /Exported 2 stored results of 1 run, 2 blobs/u);
  assert.equal((await here.say("cache export -o out.tar")).code, 2);
  const bytes = await readFile(join(here.path, "out.tar"));
  await writeFile(join(there.path, "cut.tar"), bytes.subarray(0, bytes.byteLength / 2));
  const cut = await there.say("cache import cut.tar");
  assert.equal(cut.code, 1);
  assert.match(cut.stderr, /RPS4006 {2}The archive \S+cut\.tar cannot be imported: it is cut off/u);
  assert.match((await there.say("cache import nowhere.tar")).stderr, /There is no file nowhere\.tar/u);
  assert.match((await there.say("cache ls")).stdout, /No stored result fits/u);
  await writeFile(join(there.path, "whole.tar"), bytes);
  assert.match((await there.say("cache import whole.tar -n")).stdout, /Would import 2 stored results/u);
  assert.match((await there.say("cache import whole.tar")).stdout, /Imported 2 stored results, 2 step runs, 2 blobs/u);
  assert.match((await there.say("run")).stdout, /Using cached version of make/u);
  assert.match((await there.say("cache import whole.tar")).stdout, /2 stored results are here already/u);
  const show = await there.say("show last make");
  assert.match(show.stdout, /cached/u);
  assert.match((await there.say("runs")).stdout, /from\n/u);
});
