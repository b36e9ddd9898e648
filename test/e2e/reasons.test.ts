/** Every reason that a step can have, on a real project: what plan says comes true, and why tells what changed. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { makeProject, type Project } from "../rig/project.ts";
import { listStoredBlobs, moveToFiles } from "../rig/stored-blobs.ts";

const files = {
  "work.pipeline.ts": `
import { pipeline, step } from "reprise";
import { count } from "helper-package";
import { clean } from "./src/clean.ts";

export const load = step({
  name: "load",
  run: ({ size }: { size: number }) => ({ rows: Array.from({ length: size }, (_, at) => at) }),
});
export const prepare = step({
  name: "prepare",
  run: ({ rows }: { rows: number[] }) => ({ kept: clean(rows) }),
});
export const total = step({
  name: "total",
  run: ({ kept, scale }: { kept: number[]; scale: number }) => {
    if (process.env.BROKEN) throw new Error("broken on purpose");
    return { sum: kept.reduce((a, b) => a + b, 0) * scale * count };
  },
});
export const work = pipeline({
  name: "work",
  build: ({ size = 4, scale = 1 }: { size?: number; scale?: number }) => {
    const { rows } = load({ size });
    const { kept } = prepare({ rows });
    return { sum: total({ kept, scale }).sum };
  },
});
`,
  "src/clean.ts": `
import { threshold } from "./threshold.ts";

/** Rows that count. */
export function clean(rows: number[]): number[] {
  return rows.filter((row) => row >= threshold);
}

export const unrelated = 1;
`,
  "src/threshold.ts": `
// Rows below it do not count.
export const threshold = 2;
`,
  "node_modules/helper-package/package.json": `{ "name": "helper-package", "version": "1.0.0", "type": "module", "exports": "./index.js" }`,
  "node_modules/helper-package/index.js": `export const count = 1;\n`,
};

interface Difference {
  readonly code: string;
  readonly part: string;
  readonly from?: string;
  readonly to?: string;
  readonly place?: string;
}
interface Reason {
  readonly code: string;
  readonly text: string;
  readonly differences: readonly Difference[];
}
interface Forecast {
  readonly node: string;
  readonly verdict: "cached" | "runs" | "depends" | "skipped";
  readonly reason: Reason;
}
interface Shown {
  readonly steps: readonly {
    readonly stepRun: { readonly node: string; readonly status: string; readonly reason: Reason };
  }[];
}

/** Plans, runs, holds the run to the plan, and answers with each step's status and reason. */
async function play(
  project: Project,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Record<string, string>> {
  const { steps: forecasts } = await project.json<{ steps: Forecast[] }>(["plan", "work.pipeline.ts", ...args], {
    env,
  });
  await project.reprise(["run", "work.pipeline.ts", ...args], { env });
  const { steps } = await project.json<Shown>(["show", "last"]);
  const played: Record<string, string> = {};
  for (const [index, { stepRun }] of steps.entries()) {
    const forecast = forecasts[index] as Forecast;
    const { node, status, reason } = stepRun;
    if (forecast.verdict === "cached") assert.equal(status, "cached", `plan said that ${node} is cached`);
    if (forecast.verdict === "runs") {
      assert.notEqual(status, "cached", `plan said that ${node} runs`);
      if (status !== "skipped") assert.equal(forecast.reason.code, reason.code, `plan gave another reason for ${node}`);
    }
    played[node] = `${status} ${reason.code}`;
  }
  return played;
}

async function why(project: Project, step: string): Promise<Reason> {
  return (await project.json<{ stepRun: { reason: Reason } }>(["why", step])).stepRun.reason;
}

const cached = "cached same-fingerprint";

test("the first run is the first, the second takes everything", async () => {
  await using project = await makeProject(files);
  assert.deepEqual(await play(project), {
    load: "completed first-run",
    prepare: "completed first-run",
    total: "completed first-run",
  });
  assert.deepEqual(await play(project), { load: cached, prepare: cached, total: cached });
});

test("an edit two imports away names the module and the line, and runs exactly what it reaches", async () => {
  await using project = await makeProject(files);
  await play(project);
  await project.edit("src/threshold.ts", "threshold = 2", "threshold = 3");
  assert.deepEqual(await play(project), { load: cached, prepare: "completed import", total: "completed input" });
  const reason = await why(project, "prepare");
  assert.deepEqual(
    reason.differences.map(({ code, part, place }) => ({ code, part, place })),
    [{ code: "import", part: "src/threshold.ts#threshold", place: "src/threshold.ts:3" }],
  );
  const [input] = (await why(project, "total")).differences;
  assert.equal(input?.part, "kept");
  assert.notEqual(input?.from, input?.to);
});

test("an edit of the step itself is code, with its line", async () => {
  await using project = await makeProject(files);
  await play(project);
  await project.edit("work.pipeline.ts", "(a, b) => a + b, 0)", "(a, b) => a + b, 1)");
  assert.deepEqual(await play(project), { load: cached, prepare: cached, total: "completed code" });
  assert.match((await why(project, "total")).differences[0]?.place ?? "", /^work\.pipeline\.ts:1[89]$/u);
});

test("comments, types, layout and unrelated exports run nothing", async () => {
  await using project = await makeProject(files);
  await play(project);
  await project.edit("src/clean.ts", "/** Rows that count. */", "/**\n * Rows that count, and how.\n */");
  await project.edit("src/clean.ts", "rows: number[]): number[]", "rows: readonly number[]): number[]");
  await project.edit("src/clean.ts", "unrelated = 1", "unrelated = 2");
  await project.edit("src/threshold.ts", "threshold = 2;", "threshold =\n  2");
  assert.deepEqual(await play(project), { load: cached, prepare: cached, total: cached });
});

test("code that goes back finds its results again", async () => {
  await using project = await makeProject(files);
  await play(project);
  await project.edit("src/threshold.ts", "threshold = 2", "threshold = 3");
  await play(project);
  await project.edit("src/threshold.ts", "threshold = 3", "threshold = 2");
  assert.deepEqual(await play(project), { load: cached, prepare: cached, total: cached });
});

test("another param is told with both values, and equal output above stops the change", async () => {
  await using project = await makeProject({ ...files, "src/threshold.ts": "export const threshold = 100;\n" });
  await play(project);
  assert.deepEqual(await play(project, ["--size", "5"]), {
    load: "completed param",
    prepare: "completed input",
    total: "cached same-output-upstream",
  });
  assert.deepEqual((await why(project, "load")).differences, [{ code: "param", part: "size", from: "4", to: "5" }]);
});

test("another version of a package is told with both versions", async () => {
  await using project = await makeProject(files);
  await play(project);
  await project.edit("node_modules/helper-package/package.json", "1.0.0", "1.1.0");
  assert.deepEqual(await play(project), { load: cached, prepare: cached, total: "completed package" });
  const [difference] = (await why(project, "total")).differences;
  assert.deepEqual([difference?.part, difference?.from, difference?.to], ["helper-package", "1.0.0", "1.1.0"]);
});

test("a step that failed runs again for that reason, and its error comes first", async () => {
  await using project = await makeProject(files);
  const failed = await project.reprise(["run", "work.pipeline.ts"], { env: { BROKEN: "1" } });
  assert.equal(failed.code, 1);
  assert.match(failed.stdout + failed.stderr, /broken on purpose[\s\S]*work\.pipeline\.ts:17/u);
  assert.deepEqual(await play(project), { load: cached, prepare: cached, total: "completed previous-failed" });
});

test("forced steps, and a cache that is off, say so", async () => {
  await using project = await makeProject(files);
  await play(project);
  assert.deepEqual(await play(project, ["--force", "prepare"]), {
    load: cached,
    prepare: "completed forced",
    total: "cached same-output-upstream",
  });
  assert.deepEqual(await play(project, ["--no-cache"]), {
    load: "completed cache-off",
    prepare: "completed cache-off",
    total: "completed cache-off",
  });
});

test("a version, a cache key and an expiry say so", async () => {
  await using project = await makeProject(files);
  await play(project);
  await project.edit("work.pipeline.ts", 'name: "total",', 'name: "total",\n  version: "2",');
  assert.equal((await play(project))["total"], "completed version");
  await project.edit("work.pipeline.ts", 'version: "2",', 'version: "2", expires: 0,');
  await play(project);
  assert.equal((await play(project))["total"], "completed expired");
});

test("cache settings change neither what a step's code is nor the pipeline's version", async () => {
  await using project = await makeProject(files);
  await play(project);
  await project.edit(
    "work.pipeline.ts",
    'name: "total",',
    'name: "total",\n  cache: true,\n  expires: "7d",\n  retry: 2,',
  );
  await project.edit("work.pipeline.ts", 'name: "work",', 'name: "work",\n  cache: true,');
  assert.deepEqual(await play(project), { load: cached, prepare: cached, total: cached });
  const { run } = await project.json<{ run: { version: number } }>(["show", "last"]);
  assert.equal(run.version, 1);
});

test("code that cannot be told makes a step run each time, says why, and a version vouches for it", async () => {
  await using project = await makeProject(files);
  await project.edit("work.pipeline.ts", "run: ({ kept, scale }", "run: async ({ kept, scale }");
  await project.edit(
    "work.pipeline.ts",
    "if (process.env.BROKEN)",
    "await import(String(process.env.MODULE ?? 'node:os'));\n    if (process.env.BROKEN)",
  );
  await play(project);
  assert.deepEqual(await play(project), { load: cached, prepare: cached, total: "completed opaque-code" });
  const explained = await project.json<{ verdict: string; notes: string[]; stepRun: { verdict: string } }>([
    "why",
    "total",
  ]);
  assert.deepEqual([explained.verdict, explained.stepRun.verdict], ["opaque", "opaque"]);
  assert.match(explained.notes.join(), /import/u);
  await project.edit("work.pipeline.ts", 'name: "total",', 'name: "total",\n  version: "1",');
  await play(project);
  assert.deepEqual(await play(project), { load: cached, prepare: cached, total: cached });
});

test("outputs deleted behind the cache's back are made again, and what is below stays cached", async () => {
  await using project = await makeProject(files);
  await play(project);
  for (const blob of listStoredBlobs(join(project.path, ".reprise"))) blob.remove();
  assert.deepEqual(await play(project), {
    load: "completed missing-output",
    prepare: "completed missing-output",
    total: "completed missing-output",
  });
  assert.deepEqual(await play(project), { load: cached, prepare: cached, total: cached });
});

test("outputs altered behind the cache's back are never served, even when their size is the same", async () => {
  for (const place of ["row", "file"]) {
    await using project = await makeProject(files);
    await play(project);
    const store = join(project.path, ".reprise");
    // Where an earlier version kept them.
    if (place === "file") await moveToFiles(store);
    for (const blob of listStoredBlobs(store)) {
      assert.equal(blob.place, place);
      blob.overwrite(Buffer.alloc(blob.read().length, "7"));
    }
    assert.deepEqual(await play(project), {
      load: "completed corrupt-output",
      prepare: "completed corrupt-output",
      total: "completed corrupt-output",
    });
    assert.deepEqual(await play(project), { load: cached, prepare: cached, total: cached });
  }
});

test("an invalidated result says so", async () => {
  await using project = await makeProject(files);
  await play(project);
  const ended = await project.reprise(["invalidate", "prepare", "--yes"]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await play(project), {
    load: cached,
    prepare: "completed invalidated",
    total: "cached same-output-upstream",
  });
});
