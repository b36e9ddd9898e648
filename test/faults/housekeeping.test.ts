/**
 * kill -9 at each point of writing of what keeps house: a collection, a removal, an import. The store is sound after it,
 * the same command then comes to its end, and runs go on rightly. REPRISE_KILLS says how many points are walked.
 */
import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Finished, Project } from "../rig/project.ts";
import { assertSound } from "./assert-sound.ts";
import { copyStore, countCached, makeFlowProject, playFlow, resultOf, stepsOfFlow } from "./flow.ts";

const kills = Number(process.env["REPRISE_KILLS"] ?? 44);
const preload = pathToFileURL(join(import.meta.dirname, "fault-points.ts")).href;

interface Chore {
  readonly name: string;
  readonly words: readonly string[];
  /** A copy of this store is what it works on; undefined: an empty one. */
  readonly from: string | undefined;
  /** How many steps of the run with `n = 1` are reused once it has come to its end. */
  readonly cached: number;
}

async function doChore(project: Project, { words }: Chore, store: string, fault?: string): Promise<Finished> {
  return await project.start([...(fault === undefined ? [] : ["--import", preload]), ...project.bin, ...words], {
    env: {
      REPRISE_STORE: store,
      ...(fault === undefined ? {} : { REPRISE_FAULT: fault, REPRISE_FAULT_FOLDER: store }),
    },
  }).finished;
}

async function makeChores(project: Project): Promise<readonly Chore[]> {
  const full = join(project.path, "full");
  for (const n of ["1", "2", "3"]) assert.equal((await playFlow(project, full, n)).code, 0);
  // Used last, so that it is what a rule leaves.
  assert.equal(countCached(await playFlow(project, full, "1")), stepsOfFlow);
  const archive = join(project.path, "archive.tar");
  const exported = await project.reprise(["cache", "export", "last", "-o", archive, "--store", full]);
  assert.equal(exported.code, 0, exported.stderr);
  return [
    { name: "a collection", words: ["gc", "--keep", "1", "--yes"], from: full, cached: stepsOfFlow },
    { name: "a removal of results", words: ["cache", "rm", "sum", "bytes", "--yes"], from: full, cached: 2 },
    {
      name: "an import into an empty store",
      words: ["cache", "import", archive],
      from: undefined,
      cached: stepsOfFlow,
    },
  ];
}

test("killed at any point of writing, what keeps house leaves a sound store, and comes to its end the next time", async (t) => {
  await using project = await makeFlowProject();
  let killed = 0;
  let walked = 0;
  for (const chore of await makeChores(project)) {
    const expected = resultOf(await playFlow(project, join(project.path, "plain"), "1"));
    const list = join(project.path, "points.txt");
    const prepare = (name: string): string =>
      chore.from === undefined ? join(project.path, name) : copyStore(project, chore.from, name);
    const first = prepare("listed");
    assert.equal((await doChore(project, chore, first, `list:${list}`)).code, 0);
    const points = (await readFile(list, "utf8")).trim().split("\n");
    rmSync(list);
    for (const number of choose(points, Math.ceil(kills / 3))) {
      const store = prepare(`store-${basename(first)}-${number}`);
      const { signal } = await doChore(project, chore, store, `kill:${number}`);
      walked += 1;
      if (signal === "SIGKILL") killed += 1;
      try {
        if (existsSync(join(store, "metadata.db"))) await assertSound(project.path, store);
        const again = await doChore(project, chore, store);
        // What was removed before the kill has no name any more.
        const isDone = /Nothing of step|No step, key or run/u.test(again.stderr);
        assert.ok(again.code === 0 || isDone, again.stdout + again.stderr);
        await assertSound(project.path, store);
        const run = await playFlow(project, store, "1");
        assert.deepEqual([resultOf(run), countCached(run)], [expected, chore.cached]);
      } catch (cause) {
        throw new Error(`${chore.name}, killed ${points[number]} (point ${number})`, { cause });
      }
      rmSync(store, { recursive: true });
    }
  }
  t.diagnostic(`${killed} of ${walked} were killed`);
  assert.ok(killed > walked * 0.9, `${killed} of ${walked}`);
});

/** The places of some points: one of each kind first, then others at random. */
function choose(points: readonly string[], count: number): readonly number[] {
  const shuffled = points.map((name, number) => ({ name, number, at: Math.random() })).sort((a, b) => a.at - b.at);
  const kinds = new Map(shuffled.map(({ name, number }) => [name, number]));
  const first = new Set(kinds.values());
  const rest = shuffled.map(({ number }) => number).filter((number) => !first.has(number));
  return [...first, ...rest].slice(0, count);
}
