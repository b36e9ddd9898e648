/** Scripts that end by running their pipeline: however they are loaded, the step is found and the driver is no part of it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { reportVariable } from "./reprise-for-tests.ts";
import {
  childOptions,
  loaderArguments,
  openBench,
  stepNamed,
  writeFiles,
  type Bench,
  type LoadReport,
  type StepReport,
} from "./rig.ts";

const run = promisify(execFile);

interface Way {
  readonly name: string;
  /** What turns the sources into what is run, as arguments of Node. */
  readonly compile?: readonly string[];
  readonly start: readonly string[];
}

const binary = (name: string, path: string): string =>
  fileURLToPath(new URL(path, import.meta.resolve(`${name}/package.json`)));
const tsc = [binary("typescript", "./bin/tsc"), "--noCheck", "--outDir", "dist", "--sourceMap", "--target", "es2024"];
const toModules = [...tsc, "--module", "nodenext", "--rewriteRelativeImportExtensions", "src/first-pipeline.ts"];
const bundle = [
  binary("rolldown", "./bin/cli.mjs"),
  "src/first-pipeline.ts",
  "--file",
  "dist/first-pipeline.js",
  "--sourcemap",
  "--external",
  "reprise",
  "--logLevel",
  "silent",
];

const ways: readonly Way[] = [
  { name: "under Node's type stripping", start: ["src/first-pipeline.ts"] },
  { name: "under tsx", start: [...loaderArguments("tsx"), "src/first-pipeline.ts"] },
  {
    name: "under tsx with source maps enabled",
    start: ["--enable-source-maps", ...loaderArguments("tsx"), "src/first-pipeline.ts"],
  },
  {
    name: "compiled by tsc, with source maps enabled",
    compile: toModules,
    start: ["--enable-source-maps", "dist/first-pipeline.js"],
  },
  { name: "compiled by tsc, without", compile: toModules, start: ["dist/first-pipeline.js"] },
  {
    name: "bundled into one file, with source maps enabled",
    compile: bundle,
    start: ["--enable-source-maps", "dist/first-pipeline.js"],
  },
  { name: "bundled into one file, without", compile: bundle, start: ["dist/first-pipeline.js"] },
];

const bareDriver = "await firstPipeline.run({ gamma: 0.02 });\n";

const drivers: Readonly<Record<string, string>> = {
  "other params": "await firstPipeline.run({ gamma: 0.03 });\n",
  "a second run": `${bareDriver}await firstPipeline.run({ gamma: 0.03 }, { cache: false });\n`,
  "its result logged": 'const run = await firstPipeline.run({ gamma: 0.02 });\nconsole.error("gamma", run.status);\n',
  "a loop over gammas": "for (const gamma of [0.02, 0.03]) {\n  await firstPipeline.run({ gamma });\n}\n",
  "params from the command line":
    "const gamma = Number(process.argv[2] ?? 0.02);\nawait firstPipeline.run({ gamma });\n",
  "a main function":
    "async function main(): Promise<void> {\n  await firstPipeline.run({ gamma: 0.02 });\n}\n\nawait main();\n",
  "import.meta.main": "if (import.meta.main) {\n  await firstPipeline.run({ gamma: 0.02 });\n}\n",
  "its result logged in one expression": 'console.error("gamma", (await firstPipeline.run({ gamma: 0.02 })).status);\n',
  "two runs at once":
    "const runs = await Promise.all([0.02, 0.03].map((gamma) => firstPipeline.run({ gamma })));\nconsole.error(runs.length);\n",
  "errors caught":
    "try {\n  await firstPipeline.run({ gamma: 0.02 });\n} catch (error) {\n  console.error(error);\n  process.exitCode = 1;\n}\n",
  "no await, but then": "firstPipeline.run({ gamma: 0.02 }).then((run) => console.error(run.status));\n",
};

function script(driver: string, factor = 3): Readonly<Record<string, string>> {
  return {
    "package.json": JSON.stringify({ name: "scripts", type: "module" }),
    "src/scale.ts": `/** Scales. */\nexport function scale(x: number): number {\n  return x * ${factor};\n}\n`,
    "src/first-pipeline.ts": `import { pipeline, step } from "reprise";
import { scale } from "./scale.ts";

interface Given {
  readonly gamma: number;
}

const trainer = step({
  name: "work",
  run: ({ gamma }: Given) => ({ model: scale(gamma) }),
});

const firstPipeline = pipeline({
  name: "first_pipeline",
  build({ gamma }: Given) {
    const { model } = trainer({ gamma });
    return { model };
  },
});

${driver}`,
  };
}

describe("a script that ends by running its pipeline", { concurrency: 2 }, () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
  });
  after(async () => {
    await bench[Symbol.asyncDispose]();
  });

  const digests = new Map<string, string>();

  for (const [index, way] of ways.entries()) {
    test(`is found ${way.name}, and stays the same whatever its driver is`, async (t) => {
      const root = await bench.place(`script-${index}`, script(bareDriver));
      const was = await runScript(root, way);
      assert.deepEqual([was.verdict, was.notes], ["proved", []]);
      digests.set(way.name, was.digest);
      for (const [name, driver] of Object.entries(drivers)) {
        await writeFiles(root, script(driver));
        const is = await runScript(root, way);
        await t.test(`driver edited: ${name}`, () => {
          assert.equal(is.digest, was.digest, "a false miss");
          assert.equal(is.verdict, "proved");
        });
      }
      await writeFiles(root, script(bareDriver, 4));
      const other = await runScript(root, way);
      await t.test("its helper edited", () => assert.notEqual(other.digest, was.digest, "a false hit"));
      await writeFiles(root, script(bareDriver));
      const back = await runScript(root, way);
      await t.test("its helper as it was", () => assert.equal(back.digest, was.digest));
    });
  }

  test("has one digest under Node's type stripping and under tsx", async (t) => {
    const [stripped, ...others] = ways.map(({ name }) => digests.get(name));
    for (const [index, digest] of others.entries())
      t.diagnostic(`${ways[index + 1]?.name}: ${digest === stripped ? "the same digest" : "another digest"}`);
    assert.ok(stripped !== undefined);
    assert.equal(digests.get("under tsx"), stripped);
    assert.equal(digests.get("under tsx with source maps enabled"), stripped);
  });

  async function runScript(root: string, { compile, start }: Way): Promise<StepReport> {
    const report = join(root, "report.json");
    await rm(report, { force: true });
    const env = { ...childOptions(bench.folder).env, [reportVariable]: report };
    if (compile !== undefined) {
      await rm(join(root, "dist"), { recursive: true, force: true });
      await run(process.execPath, [...compile], { cwd: root, env });
    }
    await run(process.execPath, [...start], { cwd: root, env });
    return stepNamed(JSON.parse(await readFile(report, "utf8")) as LoadReport);
  }
});
