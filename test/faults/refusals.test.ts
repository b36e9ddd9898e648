/** A store that cannot be written: the run goes on, says so once, and what was refused is neither half there nor lost silently. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { makeProject, type Finished, type Project } from "../rig/project.ts";
import { assertSound } from "./assert-sound.ts";
import { copyStore, countCached, makeFlowProject, playFlow, resultOf, stepsOfFlow } from "./flow.ts";
import { makeReadOnly, mountSmallDisk, noReadOnly, noSmallDisk, resizeDisk } from "./read-only.ts";
import { digestFiles } from "./store-states.ts";

let project: Project;
let healthy: string;
const expected = new Map<string, string>();

before(async () => {
  project = await makeFlowProject();
  healthy = join(project.path, "healthy");
  for (const n of ["1", "2"]) expected.set(n, resultOf(await playFlow(project, join(project.path, `empty-${n}`), n)));
  assert.equal((await playFlow(project, healthy, "1")).code, 0);
});
after(() => project[Symbol.asyncDispose]());

function countWarnings({ stdout, stderr }: Finished): number {
  return (stdout + stderr).match(/the store refuses to be written/gu)?.length ?? 0;
}

/** The next run on a store that refuses no more is right, and keeps everything. */
async function assertRecovers(store: string, n: string): Promise<void> {
  const next = await playFlow(project, store, n);
  assert.equal(resultOf(next), expected.get(n), next.stdout + next.stderr);
  await assertSound(project.path, store);
  const again = await playFlow(project, store, n);
  assert.deepEqual([resultOf(again), countCached(again)], [expected.get(n), stepsOfFlow]);
}

test(
  "a store that may only be read is reused, and what misses is executed: one warning, and nothing is recorded",
  { skip: noReadOnly },
  async () => {
    const store = copyStore(project, healthy, "read-only");
    const before = digestFiles(store);
    {
      using _readOnly = makeReadOnly(store);
      const hits = await playFlow(project, store, "1");
      assert.deepEqual([hits.code, resultOf(hits), countCached(hits)], [0, expected.get("1"), stepsOfFlow]);
      assert.equal(countWarnings(hits), 1, hits.stdout + hits.stderr);
      const misses = await playFlow(project, store, "2");
      assert.deepEqual([misses.code, resultOf(misses), countCached(misses)], [0, expected.get("2"), 0]);
      assert.equal(countWarnings(misses), 1, misses.stdout + misses.stderr);
      const command = await project.reprise(["run", "flow.ts", "--n", "2", "--store", store, "--json"]);
      assert.equal(command.code, 0, command.stdout);
      assert.match(command.stdout, /"recorded":"read-only"/u);
    }
    assert.deepEqual(digestFiles(store), before);
    await assertRecovers(store, "2");
  },
);

const asNobody =
  process.getuid?.() === 0 && process.platform === "linux" ? false : "becoming nobody needs root on Linux";

test("a store of another user, which this one may not write, is reused and looked at", { skip: asNobody }, () => {
  const store = copyStore(project, healthy, "of-root");
  const before = digestFiles(store);
  for (const path of [project.path, store]) chmodSync(path, 0o755);
  const become = (args: readonly string[]): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, args, {
      cwd: project.path,
      env: { PATH: process.env["PATH"], NO_COLOR: "1", REPRISE_STORE: store, N: "1" },
      uid: 65_534,
      gid: 65_534,
      encoding: "utf8",
    });
  const run = become(["flow.ts"]);
  const text = `${String(run.stdout)}${String(run.stderr)}`;
  assert.match(text, new RegExp(expected.get("1") as string, "u"));
  assert.equal(text.match(/the store refuses to be written/gu)?.length, 1);
  const looked = become([...project.bin, "runs"]);
  assert.equal(looked.status, 0, String(looked.stderr));
  assert.deepEqual(digestFiles(store), before);
});

/** Every kind of call that writes, and what a system may answer. */
const failures: readonly string[] = [
  "open@tmp:ENOSPC",
  "write@tmp:ENOSPC",
  "write@tmp:EDQUOT",
  "fsync@tmp:EIO",
  "utimesSync@tmp:EPERM",
  "rename@objects:EACCES",
  "rename@objects:ENOSPC",
  "mkdir@objects:EROFS",
  "COMMIT:FULL",
  "BEGIN IMMEDIATE:FULL",
];
const harmless: readonly string[] = [
  "fsync@tmp:EINVAL",
  "fsync@tmp:ENOSYS",
  "writeFile@code:ENOSPC",
  "appendFile@code:ENOSPC",
  "renameSync@code:EACCES",
  "mkdirSync@code:EACCES",
  "rmSync@code:EACCES",
];

for (const failure of [...failures, ...harmless]) {
  test(`a run goes on where the system answers ${failure}, and the next run is right`, async () => {
    for (const [n, prepare] of [
      ["1", false],
      ["2", true],
    ] as const) {
      const store = join(project.path, `${failure.replaceAll(/\W/gu, "-")}-${n}`);
      if (prepare) cpSync(healthy, store, { recursive: true, preserveTimestamps: true });
      else if (failure.startsWith("COMMIT") || failure.startsWith("BEGIN")) continue;
      const run = await playFlow(project, store, n, {
        env: { REPRISE_FAULT: `fail:${failure}`, REPRISE_FAULT_FOLDER: store },
        nodeArguments: ["--import", pathToFileURL(join(import.meta.dirname, "fault-points.ts")).href],
      });
      assert.deepEqual([run.code, resultOf(run)], [0, expected.get(n)], run.stdout + run.stderr);
      assert.equal(countWarnings(run), failures.includes(failure) ? 1 : 0, run.stdout + run.stderr);
      await assertRecovers(store, n);
    }
  });
}

test(
  "blobs that do not fit on the disk are used by the steps below, and made again when there is room",
  { skip: noSmallDisk },
  async () => {
    const store = join(project.path, "small-disk");
    using _disk = mountSmallDisk(store, 1_000_000);
    await using large = await makeProject({ "large.pipeline.ts": largeSource });
    const command = ["run", "large", "--store", store];
    const first = await large.reprise(command);
    assert.equal(first.code, 5, first.stdout + first.stderr);
    assert.equal(countWarnings(first), 1, first.stdout + first.stderr);
    assert.match(first.stdout, /the sum is 6000000/u);
    resizeDisk(store, 20_000_000);
    const second = await large.reprise(command);
    assert.equal(second.code, 0, second.stdout + second.stderr);
    const { steps } = await large.json<{ steps: { stepRun: { status: string; reason: { text: string } } }[] }>([
      "show",
      "last",
      "--store",
      store,
    ]);
    assert.deepEqual(
      steps.map(({ stepRun }) => stepRun.status),
      ["completed", "cached"],
    );
    assert.match(steps[0]!.stepRun.reason.text, /the store refused to take it/u);
    await assertSound(large.path, store);
  },
);

const largeSource = `
import { pipeline, step } from "reprise";
const large = step({ name: "large", run: () => ({ bytes: new Uint8Array(3_000_000).fill(2) }) });
const sum = step({
  name: "sum",
  run: ({ bytes }: { bytes: Uint8Array }) => {
    const sum = bytes.reduce((a, b) => a + b, 0);
    console.log("the sum is " + sum);
    return { sum };
  },
});
export const pipe = pipeline({ name: "large", build: () => sum({ bytes: large().bytes }) });
`;

/** Its second step fills the disk; the fourth makes room again, where MAKE_ROOM says so. */
const fillingSource = `
import { rmSync, writeFileSync, statfsSync, appendFileSync, closeSync, openSync, writeSync } from "node:fs";
import { pipeline, step } from "reprise";
const filler = process.env.FILLER!;
const work = (name: string, act: () => void) =>
  step({ name, cache: false, run: ({ x }: { x: number }) => { act(); console.log(name.repeat(50)); return { x: x + 1 }; } });
const fill = () => {
  const file = openSync(filler, "a");
  try { for (let size = 65536; size > 0; size = Math.floor(size / 2)) { try { for (;;) writeSync(file, Buffer.alloc(size)); } catch {} } } finally { closeSync(file); }
};
const one = work("one", () => {}), two = work("two", () => { if (process.env.FILL) fill(); }), three = work("three", () => {});
const four = work("four", () => { if (process.env.MAKE_ROOM) rmSync(filler); });
const five = work("five", () => {});
export const filling = pipeline({ name: "filling", build: () => five({ x: four({ x: three({ x: two({ x: one({ x: 0 }).x }).x }).x }).x }) });
`;

test(
  "a disk that fills up in the middle of a run loses nothing that there is room for later",
  { skip: noSmallDisk },
  async () => {
    const disk = join(project.path, "filling-disk");
    using _disk = mountSmallDisk(disk, 3_000_000);
    const store = join(disk, "store");
    const filler = join(disk, "filler");
    await using filling = await makeProject({ "filling.pipeline.ts": fillingSource });
    const command = ["run", "filling", "--store", store];

    const freed = await filling.reprise(command, { env: { FILL: "1", FILLER: filler, MAKE_ROOM: "1" } });
    assert.equal(countWarnings(freed), 1, freed.stdout + freed.stderr);
    const shown = await filling.json<{ run: { status: string }; steps: { stepRun: { status: string } }[] }>([
      "show",
      "last",
      "--store",
      store,
    ]);
    assert.equal(shown.run.status, "completed");
    assert.deepEqual(
      shown.steps.map(({ stepRun }) => stepRun.status),
      Array.from({ length: 5 }, () => "completed"),
    );

    const full = await filling.reprise(command, { env: { FILL: "1", FILLER: filler } });
    assert.equal(full.code, 5, full.stdout + full.stderr);
    assert.equal(countWarnings(full), 1, full.stdout + full.stderr);
    // The disk has no byte left: what is in the store can be looked at, and runs go on.
    const looked = await filling.reprise(["runs", "--store", store]);
    assert.equal(looked.code, 0, looked.stdout + looked.stderr);
    const again = await filling.reprise(command, { env: { FILL: "1", FILLER: filler } });
    assert.equal(again.code, 5, again.stdout + again.stderr);
    rmSync(filler);
    const after = await filling.reprise(command, { env: { FILLER: filler } });
    assert.equal(after.code, 0, after.stdout + after.stderr);
  },
);
