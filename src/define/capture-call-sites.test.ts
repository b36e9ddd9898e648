import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { CallSite } from "./call-site.ts";
import { toPlace } from "./capture-call-sites.ts";
import { step } from "./step.ts";

const run = promisify(execFile);
const stepModule = JSON.stringify(new URL("./step.ts", import.meta.url).href);

test("a step knows where it was defined, without frames of Reprise or of Node", () => {
  const { sites } = step({ name: "here", run: () => 1 }).definition;
  assert.equal(sites.length, 1);
  assert.equal(sites[0]!.script, import.meta.url);
  assert.equal(sites[0]!.mapped, undefined);
  assert.equal(toPlace(sites)!.file, import.meta.filename);
});

test("a step from a factory knows the factory and its caller, innermost first", () => {
  const makeStep = (name: string) => step({ name, run: () => 1 });
  const { sites } = makeStep("made").definition;
  assert.equal(sites.length, 2);
  assert.equal(sites[0]!.functionName, "makeStep");
  assert.equal(sites[0]!.line + 1, sites[1]!.line);
});

const script = `import { step } from ${stepModule};
interface Row { readonly a: number }

const one =
  step({ name: "one", run: ({ row }: { row: Row }) => row });
console.log(JSON.stringify(one.definition.sites));
`;

test("under Node's own type stripping the raw frame is the place in the source", async () => {
  const [site, ...others] = await sitesOf(script, []);
  assert.deepEqual(others, []);
  assert.deepEqual([site!.line, site!.column, site!.mapped], [5, 3, undefined]);
});

test("under a transforming loader the raw frame comes with the mapped one", async () => {
  const [site] = await sitesOf(script, ["--import", import.meta.resolve("tsx")]);
  assert.ok(site!.line < 5, "the loader moves lines");
  assert.deepEqual([site!.mapped!.line, site!.mapped!.column], [5, 3]);
});

async function sitesOf(source: string, flags: readonly string[]): Promise<readonly CallSite[]> {
  const folder = await mkdtemp(join(tmpdir(), "reprise-sites-"));
  try {
    const file = join(folder, "pipeline.mts");
    await writeFile(file, source);
    const { stdout } = await run(process.execPath, [...flags, file]);
    const sites = JSON.parse(stdout) as readonly CallSite[];
    for (const site of sites) assert.ok([file, pathToFileURL(file).href].includes(site.script));
    return sites;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
