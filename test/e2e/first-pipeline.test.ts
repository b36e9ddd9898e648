/** The walk through quick iteration: versions, runs and the cache, with real processes on the wine data. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { copyProject, type Finished, type Project } from "../rig/project.ts";

/** What two runs cannot have in common. */
function normalize({ stdout }: Finished): string {
  return stdout
    .replaceAll(/first_pipeline-\d\d_\w{3}_\d\d-\d\d_\d\d_\d\d_\d{6}/gu, "first_pipeline-TIME")
    .replaceAll(/in \d+\.\d{3}s/gu, "in 0.000s");
}

async function openExample(): Promise<Project> {
  return await copyProject("examples/01-first-pipeline");
}

interface StepView {
  readonly stepRun: { readonly status: string; readonly reason: { readonly code: string } };
}

test("another parameter is another run of the same version, another trainer another version, and back is back", async () => {
  await using project = await openExample();
  const versions: number[] = [];
  const statuses: string[] = [];
  for (const args of [
    ["--gamma", "0.01"],
    ["--gamma", "0.02"],
    ["--trainer", "decision_tree"],
    ["--gamma", "0.02"],
  ]) {
    const ended = await project.reprise(["run", "first-pipeline.ts", ...args]);
    assert.equal(ended.code, 0, ended.stderr + ended.stdout);
    const shown = await project.json<{ run: { version: number }; steps: StepView[] }>(["show", "last"]);
    versions.push(shown.run.version);
    statuses.push(shown.steps.map(({ stepRun: { status, reason } }) => `${status}:${reason.code}`).join(" "));
  }
  assert.deepEqual(versions, [1, 1, 2, 1]);
  assert.deepEqual(statuses, [
    "completed:first-run completed:first-run",
    "cached:same-fingerprint completed:param",
    "cached:same-fingerprint completed:first-run",
    "cached:same-fingerprint cached:same-fingerprint",
  ]);
});

test("the three runs of the starter guide print what it prints", async (t) => {
  await using project = await openExample();
  const script = (await project.read("first-pipeline.ts"))
    .replace('name: "parameterized_svc_trainer",', "$&\n  cache: false, // never cache this step, always retrain")
    .replace(/if \(import\.meta\.main\)[\s\S]*/u, "");
  await project.write(
    "three-runs.ts",
    `${script}
await firstPipeline.run({}, { reporter: "plain" });
await firstPipeline.run({}, { reporter: "plain" });
await firstPipeline.run({}, { reporter: "plain", cache: false });
`,
  );
  const ended = await project.node(["three-runs.ts"]);
  assert.equal(ended.code, 0, ended.stderr);
  t.assert.snapshot(normalize(ended).split("\n"));
});

test("the script itself runs under node, and its second run takes everything from the cache", async () => {
  await using project = await openExample();
  const first = await project.node(["first-pipeline.ts"]);
  const second = await project.node(["first-pipeline.ts"]);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /accuracy 1\.000$/mu);
  assert.match(second.stdout, /Using cached version of parameterized_svc_trainer\./u);
  assert.match(second.stdout, /accuracy 1\.000$/mu);
});
