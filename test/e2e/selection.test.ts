/** Which steps a run is about, and the configuration that it runs under. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeProject, type Project } from "../rig/project.ts";

const files = {
  "four.pipeline.ts": `
import { pipeline, step } from "reprise";

const a = step({ name: "a", run: ({ seed }: { seed: number }) => ({ x: seed }) });
const b = step({ name: "b", run: ({ x }: { x: number }) => ({ y: x + 1 }) });
const c = step({ name: "c", run: ({ y }: { y: number }) => ({ z: y + 1 }) });
const d = step({ name: "d", run: ({ x }: { x: number }) => ({ w: x * 2 }) });
export const four = pipeline({
  name: "four",
  build: ({ seed = 1 }: { seed?: number }) => {
    const { x } = a({ seed });
    return { z: c({ y: b({ x }).y }).z, w: d({ x }).w };
  },
});
`,
};

async function statuses(project: Project, args: readonly string[]): Promise<string> {
  const ended = await project.reprise(["run", "four", ...args]);
  const shown = await project.json<{ steps: { stepRun: { node: string; status: string } }[] }>(["show", "last"]);
  return `${ended.code}: ${shown.steps.map(({ stepRun }) => `${stepRun.node} ${stepRun.status}`).join(", ")}`;
}

test("until runs a step and what it needs", async () => {
  await using project = await makeProject(files);
  assert.equal(await statuses(project, ["--until", "b"]), "0: a completed, b completed, c skipped, d skipped");
});

test("from runs a step and what depends on it, and reuses what they need", async () => {
  await using project = await makeProject(files);
  assert.equal(await statuses(project, ["--until", "a"]), "0: a completed, b skipped, c skipped, d skipped");
  assert.equal(await statuses(project, ["--from", "b"]), "0: a cached, b completed, c completed, d skipped");
});

test("only runs one step, and refuses when what it needs is not stored", async () => {
  await using project = await makeProject(files);
  assert.equal(await statuses(project, ["--only", "b"]), "1: a failed, b skipped, c skipped, d skipped");
  const { stdout, stderr } = await project.reprise(["run", "four", "--only", "b"]);
  assert.match(stdout + stderr, /is not cached: it runs for the first time[\s\S]*until/u);
  assert.equal(await statuses(project, ["--until", "a"]), "0: a completed, b skipped, c skipped, d skipped");
  assert.equal(await statuses(project, ["--only", "b"]), "0: a cached, b completed, c skipped, d skipped");
});

test("a step that is not there is a mistake in the call, with what is near", async () => {
  await using project = await makeProject({
    ...files,
    "four.pipeline.ts": files["four.pipeline.ts"].replaceAll('name: "a"', 'name: "prepare"'),
  });
  const { code, stdout, stderr } = await project.reprise(["run", "four", "--force", "prepair"]);
  assert.equal(code, 2);
  assert.match(stdout + stderr, /prepare/u);
});

test("a step is run without the cache alone: what it needs is still taken from there", async () => {
  await using project = await makeProject(files);
  await statuses(project, []);
  assert.equal(
    await statuses(project, ["--only", "b", "--no-cache"]),
    "0: a cached, b completed, c skipped, d skipped",
  );
  assert.equal(
    await statuses(project, ["--from", "b", "--no-cache"]),
    "0: a cached, b completed, c completed, d skipped",
  );
  assert.equal(
    await statuses(project, ["--until", "b", "--no-cache"]),
    "0: a completed, b completed, c skipped, d skipped",
  );
});

test("what chooses no step at all is a mistake in the call, not a run of nothing", async () => {
  await using project = await makeProject(files);
  const { code, stdout, stderr } = await project.reprise(["run", "four", "--from", "c", "--until", "d"]);
  assert.equal(code, 2);
  assert.match(stdout + stderr, /No step of pipeline "four" is chosen by from c and until d/u);
  assert.equal((await project.reprise(["plan", "four", "--from", "c", "--until", "d"])).code, 2);
});

test("a configuration sets the store, the default options and further stacks, and the call wins over it", async () => {
  await using project = await makeProject({
    ...files,
    "reprise.config.ts": `
import { defineConfig } from "reprise";
export default defineConfig({
  store: "kept",
  defaults: { cache: false },
  stacks: { second: { store: "other", defaults: { cache: true } } },
});
`,
  });
  await statuses(project, []);
  assert.equal(await statuses(project, []), "0: a completed, b completed, c completed, d completed");
  assert.ok(existsSync(join(project.path, "kept", "metadata.db")));
  await statuses(project, ["--cache", "use"]);
  assert.equal(await statuses(project, ["--cache", "use"]), "0: a cached, b cached, c cached, d cached");

  const inSecond = { env: { REPRISE_STACK: "second" } };
  await project.reprise(["run", "four"], inSecond);
  const again = await project.reprise(["run", "four"], inSecond);
  assert.match(again.stdout, /Using stack second[\s\S]*Using cached version of d\./u);
  assert.ok(existsSync(join(project.path, "other", "metadata.db")));

  assert.equal((await project.reprise(["stack", "set", "second"])).code, 0);
  assert.match((await project.reprise(["run", "four"])).stdout, /Using stack second/u);
  assert.match((await project.reprise(["run", "four", "--stack", "default"])).stdout, /Using stack default/u);
  const elsewhere = await project.reprise(["run", "four", "--store", "third"]);
  assert.equal(elsewhere.code, 0);
  assert.ok(existsSync(join(project.path, "third", "metadata.db")));
});

test("a mistake in the configuration names the option and what was meant", async () => {
  await using project = await makeProject({ ...files, "reprise.config.ts": "export default { stor: 1 };" });
  const { code, stdout, stderr } = await project.reprise(["run", "four"]);
  assert.equal(code, 2);
  assert.match(stdout + stderr, /RPS6003[\s\S]*"stor"[\s\S]*"store"/u);
  await project.write("reprise.config.ts", "export default { defaults: { cahce: false } };");
  const nested = await project.reprise(["run", "four"]);
  assert.equal(nested.code, 2);
  assert.match(nested.stdout + nested.stderr, /RPS6003[\s\S]*"cahce"[\s\S]*"cache"/u);
});

test("one failing step lets the others go on, or stops them with --bail", async () => {
  const source = files["four.pipeline.ts"].replace("({ y: x + 1 })", "{ throw new Error('no'); return { y: x }; }");
  await using project = await makeProject({ "four.pipeline.ts": source });
  assert.equal(await statuses(project, ["--jobs", "1"]), "1: a completed, b failed, c skipped, d completed");
  await using other = await makeProject({ "four.pipeline.ts": source });
  assert.equal(await statuses(other, ["--jobs", "1", "--bail"]), "1: a completed, b failed, c skipped, d skipped");
});
