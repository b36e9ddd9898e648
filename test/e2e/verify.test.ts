/** `reprise verify`: steps that give other outputs for equal inputs. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeProject, type Finished, type Project } from "../rig/project.ts";

const source = `
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { file, pipeline, step, table } from "reprise";
import { z } from "zod";

const load = step({ name: "load", run: ({ size }: { size: number }) => ({ rows: Array.from({ length: size }, (_, at) => at) }) });
const score = step({
  name: "score",
  run: ({ rows }: { rows: number[] }) => {
    console.log("scoring");
    return { scores: table(rows.map((id) => ({ id, score: Math.random() }))) };
  },
});
const save = step({
  name: "save",
  run: async ({ rows }: { rows: number[] }, { tempDir }) => {
    const path = join(await tempDir(), "rows.txt");
    writeFileSync(path, rows.join());
    return { saved: file(path) };
  },
});
const send = step({ name: "send", cache: false, run: () => { appendFileSync("sent.txt", "sent\\n"); return { sent: true }; } });
export const scores = pipeline({
  name: "scores",
  params: z.object({ size: z.number().default(3) }),
  build: ({ size }) => {
    const { rows } = load({ size });
    send();
    return { scores: score({ rows }).scores, saved: save({ rows }).saved };
  },
});
`;

let project: Project;
before(async () => {
  project = await makeProject({ "scores.ts": source });
  assert.equal((await project.reprise(["run", "scores.ts", "--size", "4"])).code, 0);
});
after(async () => await project[Symbol.asyncDispose]());

const reprise = async (...args: string[]): Promise<Finished> => await project.reprise(args);

interface Answer {
  readonly ok: boolean;
  readonly data: { readonly steps: readonly { readonly node: string; readonly verdict: string }[] };
}

test("a run is executed again with its params: what is equal, what is not and where, and what was not executed", async () => {
  const scratch = join(project.path, "scratch");
  await project.write("scratch/.keep", "");
  const { code, stdout, stderr } = await project.reprise(["verify", "-j", "1"], { env: { TMPDIR: scratch } });
  assert.equal(code, 4, stderr);
  assert.match(stdout, /✓ load +equal/u);
  assert.match(stdout, /✖ score +nondeterministic\n +scores at rows\[0\]\.score {2}0\.\d+ → 0\.\d+\n/u);
  assert.match(stdout, /✓ save +equal/u);
  assert.match(stdout, /– send +not executed: its results are not reused: its cache is off/u);
  assert.match(stdout, /2 steps equal, 1 nondeterministic, 1 not executed\n +Seed what is random/u);
  assert.doesNotMatch(stdout, /scoring/u);
  assert.equal(await project.read("sent.txt"), "sent\n");
  const left = (await readdir(scratch)).filter((name) => name.startsWith("reprise-"));
  assert.deepEqual(left, []);
});

test("why, show, cache ls, cache stats and a later run say what was found", async () => {
  assert.match((await reprise("why", "score")).stdout, /score gives another output each time: scores at rows\[0\]/u);
  assert.match((await reprise("show", "last", "score")).stdout, /nondeterministic {2}gives another output each time/u);
  assert.match((await reprise("show")).stdout, /score .*first time; nondeterministic/u);
  assert.match((await reprise("cache", "ls", "score")).stdout, /valid, nondeterministic/u);
  assert.match((await reprise("cache", "stats")).stdout, /score .*nondeterministic/u);
  const again = await reprise("run", "scores.ts", "--size", "4", "--reporter", "plain");
  assert.match(again.stdout + again.stderr, /found nondeterministic: gives another output each time/u);
  assert.match((await reprise("why", "score")).stdout, /score was reused .*\n[^]*score gives another output/u);
});

test("a step or a run can be named, and programs get the same as JSON", async () => {
  const { code, stdout } = await reprise("verify", "load", "--json");
  assert.equal(code, 0);
  const answer = JSON.parse(stdout) as Answer;
  assert.deepEqual(
    [answer.ok, answer.data.steps.map(({ node, verdict }) => [node, verdict])],
    [true, [["load", "equal"]]],
  );
  const two = JSON.parse(
    (await reprise("verify", "last", "--only", "save", "--only", "score", "--json")).stdout,
  ) as Answer;
  assert.deepEqual(
    two.data.steps.map(({ node, verdict }) => [node, verdict]),
    [
      ["score", "differs"],
      ["save", "equal"],
    ],
  );
  const unknown = await reprise("verify", "lode");
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /no step "lode"/u);
  assert.equal((await reprise("verify", "-j", "0")).code, 2);
});

test("a step whose code was edited since is not executed, and is no finding", async () => {
  await project.edit("scores.ts", "Math.random()", "Math.random() / 2");
  const { code, stdout } = await reprise("verify", "score");
  assert.equal(code, 0);
  assert.match(stdout, /– score +not executed: its code has changed since/u);
  await project.edit("scores.ts", "Math.random() / 2", "id / 2");
  assert.equal((await reprise("run", "scores.ts")).code, 0);
  const mended = await reprise("verify", "score");
  assert.equal(mended.code, 0, mended.stdout);
  assert.match(mended.stdout, /✓ score +equal/u);
  assert.ok(existsSync(join(project.path, ".reprise")));
});
