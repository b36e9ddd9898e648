/** What a command loads: each module of Node that it does without is time that every command saves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeProject, type Project } from "../rig/project.ts";

const files = {
  "print.cjs": `
    const { writeFileSync } = require("fs");
    process.on("exit", () => {
      const native = process.report.getReport().sharedObjects.filter((name) => name.includes("oxc"));
      const modules = process.moduleLoadList.map((each) => each.replace(/^NativeModule /, ""));
      writeFileSync(".loaded.json", JSON.stringify([...modules, ...native]));
    });
  `,
  "small.pipeline.ts": `
    import { pipeline, step } from "reprise";
    const double = step({ name: "double", run: ({ n }: { n: number }) => ({ twice: n * 2 }) });
    export const small = pipeline({ name: "small", build: ({ n = 1 }: { n?: number }) => double({ n }) });
  `,
};

/** Of these modules, those that a command has loaded. */
async function loadedOf(
  project: Project,
  args: readonly string[],
  asked: readonly string[],
): Promise<readonly string[]> {
  const ended = await project.reprise(args, { env: { NODE_OPTIONS: "--require ./print.cjs" } });
  assert.equal(ended.code, 0, ended.stderr);
  const loaded = JSON.parse(await project.read(".loaded.json")) as string[];
  return asked.filter((name) => loaded.some((each) => each === name || each.includes(`/${name}`)));
}

const heavy = [
  "crypto",
  "child_process",
  "worker_threads",
  "fs/promises",
  "http",
  "perf_hooks",
  "oxc-parser",
  "oxc-resolver",
];

test("a run without news loads neither a parser nor what only steps that execute need", async () => {
  await using project = await makeProject(files);
  assert.notDeepEqual(await loadedOf(project, ["run", "small.pipeline.ts"], heavy), []);
  assert.deepEqual(await loadedOf(project, ["run", "small.pipeline.ts"], heavy), []);
});

test("help loads no store, and a list of runs no more than a run does", async () => {
  await using project = await makeProject(files);
  await project.reprise(["run", "small.pipeline.ts"]);
  assert.deepEqual(await loadedOf(project, ["--help"], [...heavy, "sqlite"]), []);
  assert.deepEqual(await loadedOf(project, ["runs"], [...heavy, "sqlite"]), ["sqlite"]);
});
