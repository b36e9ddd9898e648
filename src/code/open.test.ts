import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import type { StepDefinition } from "../define/plan.ts";
import { importWithoutDrivers, openCodeIndex, type CodeIdentity, type ProjectIndex } from "./index.ts";
import { isRacy, stampOf, type Stamp } from "./stamp.ts";

const run = promisify(execFile);

describe("the index of a project", () => {
  let root: string;
  let count = 0;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "reprise-index-"));
  });
  beforeEach(async () => {
    root = join(folder, String(count++));
    await write({
      "package.json": '{ "type": "module" }',
      "main.ts":
        'import { step } from "reprise";\nimport { helper } from "./helper.ts";\nexport const work = step({ name: "work", run: () => helper(1) });\n',
      "helper.ts": "export function helper(x: number) {\n  return x + 1;\n}\nexport const other = 1;\n",
    });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), text);
    }
  }

  async function untilSettled(names: readonly string[]): Promise<void> {
    while (names.some((name) => isRacy(stampOf(join(root, name)) as Stamp, Date.now()))) await setImmediate();
  }

  const open = (): ProjectIndex => openCodeIndex({ root, stateDir: join(root, ".reprise/code"), entries: [] });

  function stepAt(line: number, column: number, name = "work"): StepDefinition {
    const sites = [{ script: join(root, "main.ts"), line, column, functionName: "" }];
    return { name, run: () => ({}), params: undefined, inputs: {}, outputs: undefined, options: {}, sites };
  }

  async function identify(index: ProjectIndex, step = stepAt(3, 21)): Promise<CodeIdentity> {
    const identity = (await index.identify([step])).get(step);
    assert.ok(identity);
    return identity;
  }

  test("lists what a step reaches, with texts", async () => {
    const units = await (await identify(open())).units();
    assert.deepEqual(
      units.map(({ id, kind, lines }) => [id, kind, lines]),
      [
        ["helper.ts#helper", "declaration", [1, 3]],
        ["main.ts#work", "declaration", [3, 3]],
      ],
    );
    assert.equal(units[0]?.text, "function helper(x: number) {\n  return x + 1;\n}");
  });

  test("answers from its state in another process without the parser, with the same units", async () => {
    const first = await identify(open());
    const script = `
      import { openCodeIndex } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
      const index = openCodeIndex({ root: ${JSON.stringify(root)}, stateDir: ${JSON.stringify(join(root, ".reprise/code"))}, entries: [] });
      const step = ${JSON.stringify(stepAt(3, 21))};
      const identity = (await index.identify([step])).get(step);
      const units = await identity.units();
      const native = process.report.getReport().sharedObjects.filter((name) => name.includes("oxc"));
      console.log(JSON.stringify({ digest: identity.digest, verdict: identity.verdict, units, native }));`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script]);
    const units = await first.units();
    assert.deepEqual(JSON.parse(stdout), {
      digest: first.digest,
      verdict: "proved",
      units: JSON.parse(JSON.stringify(units)),
      native: [],
    });
  });

  test("a state that is broken or of another version is as if it were not there", async () => {
    const { digest } = await identify(open());
    const state = join(root, ".reprise/code");
    for (const text of ["", "{", '{"tag":"code 0 parser 0","data":{}}', "null", "[]"]) {
      for (const name of await readdir(state)) await writeFile(join(state, name), text);
      assert.equal((await identify(open())).digest, digest);
    }
  });

  test("an edit in place is seen by the same index and by one over its state", async () => {
    const index = open();
    const before = await identify(index);
    await write({ "helper.ts": "export function helper(x: number) {\n  return x + 2;\n}\n" });
    const followed = await identify(index);
    assert.notEqual(followed.digest, before.digest);
    assert.equal((await identify(open())).digest, followed.digest);
    await write({ "helper.ts": "export const other = 5;\nexport function helper(n: number) {\n  return n + 1;\n}\n" });
    assert.equal((await identify(index)).digest, before.digest);
    assert.equal((await identify(open())).digest, before.digest);
  });

  test("after an edit, what another process found of the other files is used, and what has changed around them is not", async () => {
    const project = {
      "package.json": '{ "type": "module", "imports": { "#value": "./value-a.ts" } }',
      "main.ts":
        'import { step } from "reprise";\nimport { helper } from "./helper.js";\nexport const work = step({ name: "work", run: () => helper(1) });\n',
      "helper.ts":
        'import { value } from "#value";\nimport { deep } from "./deep/deep.ts";\nexport const helper = (x: number) => x + value + deep;\n',
      "value-a.ts": "export const value = 1;\n",
      "value-b.ts": "export const value = 2;\n",
      "deep/deep.ts": "export const deep = 1;\n",
    };
    const edits: readonly Readonly<Record<string, string>>[] = [
      { "deep/deep.ts": "export const deep = 2;\n" },
      { "value-a.ts": "export const value = 3;\n", "deep/deep.ts": "export const deep = 3;\n" },
      // Now the specifier leads to it, not to helper.ts.
      { "helper.js": "export const helper = (x) => x;\n" },
      {
        "package.json": project["package.json"].replace("value-a", "value-b"),
        "deep/deep.ts": "export const deep = 4;\n",
      },
      { "deep/deep.ts": 'import { value } from "#value";\nexport const deep = value;\n' },
    ];
    for (const edit of edits) {
      await rm(join(root, "helper.js"), { force: true });
      await write(project);
      // Clocks of file systems are coarse: a moment after, stat tells.
      await untilSettled(Object.keys(project));
      const before = await identify(open());
      await write(edit);
      const digests = new Set<string>([before.digest]);
      for (const index of [open(), open(), openCodeIndex({ root, stateDir: undefined, entries: [] })]) {
        digests.add((await identify(index)).digest);
      }
      assert.equal(digests.size, 2, JSON.stringify(edit));
    }
  });

  test("a step whose call is not where it should be is opaque, and has no units", async () => {
    const identity = await identify(open(), stepAt(40, 1));
    assert.equal(identity.verdict, "opaque");
    assert.deepEqual(
      identity.notes.map((note) => note.kind),
      ["unmapped-step"],
    );
    assert.deepEqual(await identity.units(), []);
  });

  test("a variable of the environment that a module takes is part of the code by its value", async (t) => {
    await write({
      "helper.ts": "const level = process.env.REPRISE_TEST_LEVEL;\nexport const helper = (x: number) => [x, level];\n",
    });
    t.after(() => delete process.env.REPRISE_TEST_LEVEL);
    const unset = await identify(open());
    process.env.REPRISE_TEST_LEVEL = "1";
    const set = await identify(open());
    assert.notEqual(set.digest, unset.digest);
    assert.ok((await set.units()).some(({ id }) => id === "process.env.REPRISE_TEST_LEVEL"));
  });

  test("a file without its drivers has its definitions, and its lines", async () => {
    await write({
      "node_modules/reprise/package.json": '{ "name": "reprise", "type": "module", "exports": "./index.js" }',
      "node_modules/reprise/index.js":
        "export const step = (o) => o;\nexport const pipeline = (o) => ({ ...o, run: async () => { throw new Error('ran'); } });\n",
      "main.ts": `import { pipeline, step } from "reprise";
const work = step({ name: "work", run: () => ({}) });
export const demo = pipeline({ name: "demo", build: () => work });
const { status, ...rest } = await demo.run({
  gamma: 1,
});
console.log(status, rest);
for (const gamma of [1, 2]) {
  await demo.run({ gamma });
}
async function main() {
  await demo.run();
}
main().catch(() => process.exit(1));
export const where = () => new Error("here");
`,
    });
    const index = open();
    for (const opened of [index, open()]) {
      const exports = (await importWithoutDrivers(join(root, "main.ts"), opened)) as {
        demo: { name: string };
        where: () => Error;
      };
      assert.equal(exports.demo.name, "demo");
      assert.match(exports.where().stack ?? "", /main\.ts:15:28/u);
    }
  });
});
