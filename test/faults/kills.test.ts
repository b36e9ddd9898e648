/**
 * kill -9 at each point of writing, and at random moments: the next run always goes on, and gives what a run on an empty
 * store gives. REPRISE_KILLS says how many points are walked, one of each kind first, and how many random kills follow:
 * by default some dozens; 1000 walks all points.
 */
import assert from "node:assert/strict";
import { readdirSync, rmSync, utimesSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Finished, Project } from "../rig/project.ts";
import { listStoredBlobs } from "../rig/stored-blobs.ts";
import { assertSound, assertSwept } from "./assert-sound.ts";
import { copyStore, countCached, makeFlowProject, playFlow, resultOf, stepsOfFlow } from "./flow.ts";

const kills = Number(process.env["REPRISE_KILLS"] ?? 44);
const preload = pathToFileURL(join(import.meta.dirname, "fault-points.ts")).href;

interface Scenario {
  readonly name: string;
  /** The param of the run that is killed. */
  readonly n: string;
  /** Makes the store as it is before that run. */
  readonly prepare: (store: string) => void;
}

async function play(project: Project, store: string, n: string, fault: string): Promise<Finished> {
  return await playFlow(project, store, n, {
    env: { REPRISE_FAULT: fault, REPRISE_FAULT_FOLDER: store },
    nodeArguments: ["--import", preload],
  });
}

async function makeScenarios(project: Project): Promise<readonly Scenario[]> {
  const earlier = join(project.path, "earlier");
  assert.equal((await playFlow(project, earlier, "1")).code, 0);
  return [
    { name: "the first run in a folder", n: "1", prepare: () => {} },
    {
      name: "a later run, with new values",
      n: "2",
      prepare: (store) => void copyStore(project, earlier, basename(store)),
    },
    {
      name: "a later run, that repairs damaged blobs",
      n: "1",
      prepare: (store) => {
        copyStore(project, earlier, basename(store));
        damageBlobs(store);
      },
    },
  ];
}

/** Other bytes of the same size, in files and in rows. */
function damageBlobs(store: string): void {
  const blobs = listStoredBlobs(store);
  assert.deepEqual(new Set(blobs.map(({ place }) => place)), new Set(["row", "file"]));
  for (const blob of blobs) {
    const bytes = blob.read();
    bytes[0] = "!".charCodeAt(0);
    blob.overwrite(bytes);
  }
}

/** After a kill: the same run goes on to the result that an empty store gives, and the store is sound. */
async function assertGoesOn(project: Project, store: string, n: string, expected: string): Promise<void> {
  assert.equal(resultOf(await playFlow(project, store, n)), expected);
  await assertSound(project.path, store);
  ageLeftovers(store);
  const { stdout, stderr, code } = await project.reprise(["gc", "--yes", "--store", store]);
  assert.equal(code, 0, stdout + stderr);
  assertSwept(store);
  const again = await playFlow(project, store, n);
  assert.deepEqual([resultOf(again), countCached(again)], [expected, stepsOfFlow]);
}

/** As if the writer had been killed some time ago. */
function ageLeftovers(store: string): void {
  for (const folder of ["tmp", "code"]) {
    for (const name of readdirSync(join(store, folder))) utimesSync(join(store, folder, name), 0, 0);
  }
}

/** Two at once: the processes are small, and wait for the disk. */
async function inPairs<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all([worker(), worker()]);
}

interface Point {
  readonly scenario: Scenario;
  readonly number: number;
  readonly name: string;
}

test("killed before, after and in the middle of each call that writes, a run goes on as if nothing had been", async (t) => {
  await using project = await makeFlowProject();
  const points: Point[] = [];
  const expected = new Map<string, string>();
  for (const scenario of await makeScenarios(project)) {
    const store = join(project.path, "listed");
    scenario.prepare(store);
    const list = join(project.path, "points.txt");
    const listed = await play(project, store, scenario.n, `list:${list}`);
    expected.set(scenario.n, resultOf(listed));
    const names = (await readFile(list, "utf8")).trim().split("\n");
    points.push(...names.map((name, number) => ({ scenario, number, name })));
    rmSync(list);
    rmSync(store, { recursive: true });
  }
  t.diagnostic(`${points.length} points, of ${new Set(points.map(({ name }) => name)).size} kinds`);
  const chosen = kills >= points.length ? points : sample(points, kills);
  let killed = 0;
  await inPairs(chosen, async ({ scenario, number, name }) => {
    const store = join(
      project.path,
      `store-${scenario.n}-${points.findIndex((p) => p.scenario === scenario && p.number === number)}`,
    );
    scenario.prepare(store);
    const { signal } = await play(project, store, scenario.n, `kill:${number}`);
    if (signal === "SIGKILL") killed += 1;
    try {
      await assertGoesOn(project, store, scenario.n, expected.get(scenario.n) as string);
    } catch (cause) {
      throw new Error(`${scenario.name}, killed ${name} (point ${number})`, { cause });
    }
    rmSync(store, { recursive: true });
  });
  t.diagnostic(`${killed} of ${chosen.length} runs were killed`);
  // A few calls depend on time, such as the flush of a log line: those points are not always reached.
  assert.ok(killed > chosen.length * 0.9, `${killed} of ${chosen.length}`);
});

/** One of each kind first, then others at random. */
function sample(points: readonly Point[], count: number): readonly Point[] {
  const shuffled = points.map((point) => ({ point, at: Math.random() })).sort((a, b) => a.at - b.at);
  const kinds = new Map(shuffled.map(({ point }) => [point.name, point]));
  const rest = shuffled.map(({ point }) => point).filter((point) => !new Set(kinds.values()).has(point));
  return [...kinds.values(), ...rest].slice(0, count);
}

test("killed at random moments, also while others write to the same store, runs always go on rightly", async (t) => {
  await using project = await makeFlowProject();
  const stores = [1, 2, 3].map((number) => join(project.path, `store-${number}`));
  const params = ["1", "2", "3", "4"];
  const expected = new Map<string, string>();
  // How long a whole run takes here, so that the kills fall everywhere in it.
  const startedAt = performance.now();
  for (const n of params) expected.set(n, resultOf(await playFlow(project, join(project.path, "whole"), n)));
  const wholeMs = (performance.now() - startedAt) / params.length;
  let killed = 0;
  for (let round = 0; round < kills; round += roundSize) {
    const kill = async (number: number): Promise<void> => {
      const store = stores[number % stores.length] as string;
      const env = { REPRISE_STORE: store, N: params[number % params.length] as string };
      const running = project.start(["flow.ts"], { env });
      const timer = setTimeout(() => running.process.kill("SIGKILL"), wholeMs * (0.4 + 1.4 * Math.random()));
      const { signal } = await running.finished;
      clearTimeout(timer);
      if (signal === "SIGKILL") killed += 1;
    };
    await inPairs(
      Array.from({ length: Math.min(roundSize, kills - round) }, (_, index) => round + index),
      kill,
    );
    for (const [index, store] of stores.entries()) {
      const n = params[(round + index) % params.length] as string;
      await assertGoesOn(project, store, n, expected.get(n) as string);
    }
  }
  t.diagnostic(`${killed} of ${kills} runs were killed before their end`);
  assert.ok(killed > kills / 4, `${killed} of ${kills}`);
});

/** So many kills fall upon the stores before they are looked at closely. */
const roundSize = 22;
