/** The packed tarball, installed into an empty project as users install it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { repository } from "../rig/project.ts";

const run = promisify(execFile);
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "reprise-package-"));
  await run("npm", ["pack", "--pack-destination", folder, "--ignore-scripts"], { cwd: repository });
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz")) as string;
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }));
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", `./${tarball}`], { cwd: folder });
});

after(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("npx reprise --help and --version run", async () => {
  const { version } = JSON.parse(await readFile(join(repository, "package.json"), "utf8")) as { version: string };
  assert.match((await run("npx", ["reprise", "--help"], { cwd: folder })).stdout, /Usage {2}reprise COMMAND/u);
  assert.match(
    (await run("npx", ["reprise", "--version"], { cwd: folder })).stdout,
    new RegExp(version.replaceAll(".", "\\."), "u"),
  );
});

test("each subpath imports", async () => {
  const script = `
    const { step, pipeline, table, defineConfig, reprise } = await import("reprise");
    const { testMaterializer } = await import("reprise/testing");
    console.log([step, pipeline, table, defineConfig, reprise, testMaterializer].map((each) => typeof each).join());
  `;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: folder });
  assert.equal(stdout.trim(), "function,function,function,function,object,function");
});

test("types resolve and flow, and a pipeline runs", async () => {
  const source = `
import { pipeline, step, type RunHandle } from "reprise";

const double = step({ name: "double", run: ({ n }: { n: number }) => ({ twice: n * 2 }) });
export const small = pipeline({ name: "small", build: ({ n }: { n: number }) => ({ twice: double({ n }).twice }) });
const run = await small.run({ n: 21 }, { reporter: "silent" });
const twice: number = await run.outputs.twice.load();
const named: RunHandle<unknown>["name"] = run.name;
// @ts-expect-error the step takes a number
small.run({ n: "21" });
console.log(twice, typeof named);
`;
  await writeFile(
    join(folder, "small.ts"),
    source.replace('// @ts-expect-error the step takes a number\nsmall.run({ n: "21" });\n', ""),
  );
  await writeFile(join(folder, "types.ts"), source);
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--types", "node"];
  const typeRoots = ["--typeRoots", join(repository, "node_modules", "@types")];
  await run(join(repository, "node_modules", ".bin", "tsc"), [...options, ...typeRoots, "types.ts"], { cwd: folder });
  const { stdout } = await run(process.execPath, ["small.ts"], { cwd: folder });
  assert.equal(stdout.trim(), "42 string");
});

test("what is loaded before Node is checked has no syntax that an older Node refuses", async () => {
  const dist = join(repository, "dist");
  const seen = new Set<string>();
  const visit = async (name: string): Promise<void> => {
    if (seen.has(name)) return;
    seen.add(name);
    const text = await readFile(join(dist, name), "utf8");
    assert.ok(!/^\s*(?:await )?using \w+ =/mu.test(text), `${name} declares with using`);
    for (const [, target] of text.matchAll(/^(?:import|export)[^;]*?"\.\/([^"]+)";/gmu)) await visit(target as string);
  };
  await visit("index.js");
  await visit("bin.js");
  assert.ok(seen.size > 4, [...seen].join());
});

test("an older Node gets one line that says what to do", async (t) => {
  const { complainAboutNode } = await import("../../src/stack/node-version.ts");
  const line = complainAboutNode("20.20.2") as string;
  assert.equal(line.split("\n").length, 1);
  t.assert.snapshot(line);
});
