/** Identity of code. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { rolldown } from "rolldown";
import { openStack } from "../../src/stack/stack.ts";
import { loadPlan } from "../model/load.ts";
import { makeProject, repository } from "../rig/project.ts";
import { cached, firstTime, playOn, Playground, single, type Sources } from "./playground.ts";

/** A step `work` that gives one number. */
const stepOf = (expression: string, head = "", options = ""): string => `
import { step } from "reprise";
${head}
export const work = step({ name: "work", ${options} run: async () => ${expression} });
`;

const packageOf = (
  name: string,
  version: string,
  code: string,
  dependencies: Record<string, string> = {},
): Sources => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({
    name,
    version,
    type: "module",
    exports: "./index.js",
    dependencies,
  }),
  [`node_modules/${name}/index.js`]: code,
});

interface CodeCase {
  readonly files: Sources;
  readonly edit: (project: Playground) => void;
  /** Why the step runs after the edit; left out where it stays cached. */
  readonly runs?: string;
  /** What the step gives before and after. */
  readonly gives: readonly [number, number];
}

const helpers = stepOf("helper(1)", 'import { helper } from "./helper.ts";');
const sameFile = stepOf("helper(1)", "function helper(x: number) { return x + 1; }\nexport const unrelated = 1;");
const packaged: Sources = {
  "steps.ts": stepOf("left", 'import { left } from "left";'),
  ...packageOf("left", "1.0.0", 'import { right } from "right";\nexport const left = right + 1;', { right: "*" }),
  ...packageOf("right", "1.0.0", "export const right = 1;"),
  ...packageOf("other", "1.0.0", "export const other = 1;"),
};

const cases: Readonly<Record<string, CodeCase>> = {
  "A1: a step runs again when a helper in its module is edited": {
    files: { "steps.ts": sameFile },
    edit: (project) => project.edit("steps.ts", "x + 1", "x + 2"),
    runs: "import",
    gives: [2, 3],
  },
  "A2: a step runs again when a helper in another module is edited": {
    files: {
      "steps.ts": helpers,
      "helper.ts": 'export { deep as helper } from "./deep.ts";',
      "deep.ts": "export const deep = (x: number) => x + 1;",
    },
    edit: (project) => project.edit("deep.ts", "x + 1", "x + 2"),
    runs: "import",
    gives: [2, 3],
  },
  "A4: a step stays cached when an unrelated export of its file is edited": {
    files: { "steps.ts": sameFile },
    edit: (project) => project.edit("steps.ts", "unrelated = 1", "unrelated = 2"),
    gives: [2, 2],
  },
  "A5: a step stays cached when comments alone are edited": {
    files: { "steps.ts": sameFile },
    edit(project) {
      project.edit("steps.ts", "return x + 1", "/* one */ return x /* and */ + 1 // more\n");
      project.edit("steps.ts", "async () =>", "async () => // what it does\n");
    },
    gives: [2, 2],
  },
  "A6: a step stays cached when its documentation is edited": {
    files: { "steps.ts": sameFile },
    edit: (project) => project.edit("steps.ts", "export const work", "/** Works. @see helper */\nexport const work"),
    gives: [2, 2],
  },
  "A7: a step stays cached when its file is formatted, as far as space means nothing": {
    files: { "steps.ts": sameFile },
    edit(project) {
      project.edit(
        "steps.ts",
        "function helper(x: number) { return x + 1; }",
        "function helper(\n  x: number,\n) {\n  return (x\n    + 1)\n}",
      );
      project.edit("steps.ts", 'name: "work",', "name: 'work',\n");
    },
    gives: [2, 2],
  },
  "A8: a step stays cached when types alone are edited": {
    files: {
      "steps.ts": stepOf("helper(1)", 'import type { X } from "./x.ts";\nfunction helper(x: X) { return x + 1; }'),
      "x.ts": "export type X = number;",
    },
    edit(project) {
      project.edit("steps.ts", "helper(x: X)", "helper<T extends X>(x: T | X): number");
      project.edit(
        "steps.ts",
        "{ return x + 1; }",
        "{ type Local = X; interface Named { x: Local } return (x as Named['x'])! + 1; }",
      );
      project.edit("steps.ts", "export const work", "declare const later: X;\nexport const work");
      project.edit("x.ts", "X = number", "X = number | (1 & number)");
    },
    gives: [2, 2],
  },
  "A9: a step whose local variable is renamed gives what it gives without a cache": {
    files: { "steps.ts": stepOf("{ const first = 1; return Object.keys({ first })[0]!.length * first; }") },
    edit(project) {
      project.edit("steps.ts", "const first", "const second");
      project.edit("steps.ts", "{ first }", "{ second }");
      project.edit("steps.ts", "* first", "* second");
    },
    runs: "code",
    gives: [5, 6],
  },
  "A10: a step runs again when a constant of a module that it uses is changed": {
    files: { "steps.ts": stepOf("limit", 'import { limit } from "./limit.ts";'), "limit.ts": "export let limit = 1;" },
    edit: (project) => project.edit("limit.ts", "limit = 1", "limit = 2"),
    runs: "import",
    gives: [1, 2],
  },
  "A18: a step runs again when a module is edited that does something when it is loaded": {
    files: {
      "steps.ts": stepOf("(1 as unknown as { twice(): number }).twice()", 'import "./patch.ts";'),
      "patch.ts": "Object.assign(Number.prototype, { twice(this: number) { return this * 2; } });",
    },
    edit: (project) => project.edit("patch.ts", "this * 2", "this * 3"),
    runs: "import",
    gives: [2, 3],
  },
  "A20: a step runs again when a package that it uses is upgraded": {
    files: packaged,
    edit: (project) =>
      project.write(
        packageOf("left", "1.1.0", 'import { right } from "right";\nexport const left = right + 2;', { right: "*" }),
      ),
    runs: "package",
    gives: [2, 3],
  },
  "A21: a step stays cached when a package that it does not use is upgraded": {
    files: packaged,
    edit: (project) => project.write(packageOf("other", "2.0.0", "export const other = 2;")),
    gives: [2, 2],
  },
  "A23: a step runs again when a package of a package that it uses is upgraded": {
    files: packaged,
    edit: (project) => project.write(packageOf("right", "1.1.0", "export const right = 2;")),
    runs: "package",
    gives: [2, 3],
  },
  "A25: a step runs again when a WASM module that it reads is built anew": {
    files: {
      "steps.ts": stepOf(
        "read().at(-1)!",
        'import { readFileSync } from "node:fs";\nconst read = () => readFileSync(new URL("sum.wasm", import.meta.url));',
      ),
      "sum.wasm": "\0asm\x01",
    },
    edit: (project) => project.write({ "sum.wasm": "\0asm\x02" }),
    runs: "import",
    gives: [1, 2],
  },
  "A29: a step stays cached when it is moved to another file": {
    files: { "steps.ts": helpers, "helper.ts": "export const helper = (x: number) => x + 1;" },
    edit(project) {
      project.write({
        "deep/moved.ts": helpers.replace("./helper.ts", "../helper.ts"),
        "steps.ts": 'export { work } from "./deep/moved.ts";',
      });
    },
    gives: [2, 2],
  },
  "A32: a step runs again when its code is edited and its version is not": {
    files: { "steps.ts": stepOf("1", "", 'version: "1",') },
    edit: (project) => project.edit("steps.ts", "=> 1", "=> 2"),
    runs: "code",
    gives: [1, 2],
  },
  "A36: a step runs again when JSON is edited that is imported": {
    files: {
      "steps.ts": stepOf("data.n", 'import data from "./data.json" with { type: "json" };'),
      "data.json": '{ "n": 1 }',
    },
    edit: (project) => project.write({ "data.json": '{ "n": 2 }' }),
    runs: "import",
    gives: [1, 2],
  },
};

for (const [name, { files, edit, runs, gives }] of Object.entries(cases)) {
  test(name, async () => {
    using project = Playground.open({ "pipeline.ts": single, ...files });
    const first = await project.play();
    assert.deepEqual([first.steps, first.outputs], [firstTime, { y: gives[0] }]);
    edit(project);
    const second = await project.play();
    const expected = runs === undefined ? cached : [`work completed: ${runs}`];
    assert.deepEqual([second.steps, second.outputs], [expected, { y: gives[1] }]);
    assert.deepEqual((await project.play()).steps, cached);
  });
}

test("a step runs again when space is edited that means something", async () => {
  const text = "`a\n  b`.length";
  const head = "function none() { return\n  1; }\nconst shown = (x: unknown) => (x === undefined ? 100 : 200);";
  using project = Playground.open({ "pipeline.ts": single, "steps.ts": stepOf(`${text} + shown(none())`, head) });
  assert.deepEqual((await project.play()).outputs, { y: 105 });
  project.edit("steps.ts", "`a\n  b`", "`a\n b`");
  const inText = await project.play();
  assert.deepEqual([inText.steps, inText.outputs], [["work completed: code"], { y: 104 }]);
  project.edit("steps.ts", "return\n  1;", "return 1;");
  const inStatement = await project.play();
  assert.deepEqual([inStatement.steps, inStatement.outputs], [["work completed: import"], { y: 204 }]);
});

/** A pipeline of several steps that a factory in `steps.ts` makes. */
const several = (steps: string): string => `
import { pipeline } from "reprise";
import { make } from "./steps.ts";
${steps}
export const main = pipeline({ name: "main", build: () => ({ one: one(), other: other() }) });
`;

test("A12: two steps of one factory with other captured values have a key each", async () => {
  using project = Playground.open({
    "pipeline.ts": several('const one = make("one", 1);\nconst other = make("other", 2);'),
    "steps.ts": `
import { step } from "reprise";
export const make = (name: string, by: number) => step({ name, run: () => by });
`,
  });
  const first = await project.play();
  assert.deepEqual(first.steps, ["one completed: first-run", "other completed: first-run"]);
  assert.deepEqual(first.outputs, { one: 1, other: 2 });
  project.edit("pipeline.ts", 'make("other", 2)', 'make("other", 3)');
  const second = await project.play();
  assert.deepEqual(second.steps, ["one cached: same-fingerprint", "other completed: code"]);
  assert.deepEqual(second.outputs, { one: 1, other: 3 });
});

test("A13: a step whose captured object is changed before the run has that state in its key", async () => {
  using project = Playground.open({
    "pipeline.ts": `${single}\nimport { settings } from "./settings.ts";\nsettings.limit = 2;\n`,
    "steps.ts": stepOf("settings.limit", 'import { settings } from "./settings.ts";'),
    "settings.ts": "export const settings = { limit: 1 };",
  });
  const first = await project.play();
  assert.deepEqual(first.outputs, { y: 2 });
  project.edit("pipeline.ts", "limit = 2", "limit = 3");
  const second = await project.play();
  assert.notDeepEqual(second.steps, cached);
  assert.deepEqual(second.outputs, { y: 3 });
});

test("A14: a function is no value: as an argument it is refused, captured and bound it belongs to the step's code", async () => {
  using project = Playground.open({
    "pipeline.ts": several(
      'const one = make("one", add.bind(null, 1));\nconst other = make("other", (x) => x * 10);\nfunction add(by: number, x: number): number { return by + x; }',
    ),
    "steps.ts": `
import { step } from "reprise";
export const make = (name: string, work: (x: number) => number) => step({ name, run: () => work(5) });
`,
  });
  assert.deepEqual((await project.play()).outputs, { one: 6, other: 50 });
  project.edit("pipeline.ts", "add.bind(null, 1)", "add.bind(null, 2)");
  const second = await project.play();
  assert.deepEqual(second.outputs, { one: 7, other: 50 });
  project.edit("pipeline.ts", "x * 10", "x * 20");
  const third = await project.play();
  assert.equal(third.steps[0], "one cached: same-fingerprint");
  assert.deepEqual(third.outputs, { one: 7, other: 100 });
  project.edit("pipeline.ts", "one: one()", "one: one({ work: (x: number) => x })");
  await assert.rejects(project.play(), /Argument "work" of step "one" is a function/u);
});

test("A16: a step that loads code nobody can name in advance runs each time, and says why", async () => {
  using project = Playground.open({
    "pipeline.ts": single,
    "steps.ts": stepOf("(await import(name)).default", "const name = './' + 'plugin.ts';"),
    "plugin.ts": "export default 1;",
  });
  await project.play();
  project.write({ "plugin.ts": "export default 2;" });
  const second = await project.play();
  assert.deepEqual([second.steps, second.outputs], [["work completed: opaque-code"], { y: 2 }]);
  assert.match(second.told, /import\(\) of a computed path/u);
});

test("A24: another major version of Node is another key", () => {
  using project = Playground.open({
    "pipeline.ts": single,
    "steps.ts": stepOf("1"),
    "newer.mjs": 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "99.1.0" } });',
  });
  const newer = ["--import", "./newer.mjs"];
  assert.match(playInProcess(project), /1 ran/u);
  assert.match(playInProcess(project, newer), /node 99[\s\S]*1 ran/u);
  assert.match(playInProcess(project, newer), /1 cached/u);
  assert.match(playInProcess(project), /1 cached/u);
});

test("A27: a step has one key whether Node strips its types or tsx compiles it; a bundle is code of its own", async () => {
  using project = Playground.open({
    "pipeline.ts": single,
    "steps.ts": stepOf("helper<number>(1)", 'import { helper } from "./helper.ts";'),
    "helper.ts": "export const helper = <T extends number>(x: T): number => (x as number) + 1;",
  });
  await project.play();
  assert.match(playInProcess(project), /1 cached/u);
  assert.match(playInProcess(project, ["--import", "tsx"]), /1 cached/u);
  const bundle = await rolldown({ input: project.at("pipeline.ts"), external: ["reprise"], logLevel: "silent" });
  await bundle.write({ file: project.at("build/pipeline.mjs"), minify: true });
  await bundle.close();
  assert.match(playInProcess(project, [], "build/pipeline.mjs"), /1 ran/u);
  assert.match(playInProcess(project, [], "build/pipeline.mjs"), /1 cached/u);
  assert.match(playInProcess(project), /1 cached/u);
});

/** A run through the command line. */
function playInProcess(project: Playground, nodeArguments: readonly string[] = [], file = "pipeline.ts"): string {
  const args = [...nodeArguments, join(repository, "dist/bin.js"), "run", file, "--reporter", "pretty"];
  return execFileSync(process.execPath, args, { cwd: project.root, encoding: "utf8", stdio: "pipe" });
}

test("A30: two steps of one name are refused in one pipeline, and have a key each in two", async () => {
  using project = Playground.open({
    "pipeline.ts": several('const one = make("same", 1);\nconst other = make("same", 2);'),
    "steps.ts":
      'import { step } from "reprise";\nexport const make = (name: string, by: number) => step({ name, run: () => by });',
  });
  await assert.rejects(project.play(), /Two different steps are called "same" in one pipeline/u);
  project.edit("pipeline.ts", "other: other()", "");
  assert.deepEqual((await project.play()).outputs, { one: 1 });
  project.edit("pipeline.ts", "one: one(), ", "other: other()");
  assert.deepEqual((await project.play()).outputs, { other: 2 });
  project.edit("pipeline.ts", "other: other()", "one: one()");
  const last = await project.play();
  assert.deepEqual([last.steps, last.outputs], [["same cached: same-fingerprint"], { one: 1 }]);
});

test("A31: code that goes back finds its result again", async () => {
  using project = Playground.open({ "pipeline.ts": single, "steps.ts": stepOf("1") });
  const first = await project.play();
  project.edit("steps.ts", "=> 1", "=> 2");
  assert.deepEqual((await project.play()).outputs, { y: 2 });
  project.edit("steps.ts", "=> 2", "=> 1");
  const third = await project.play();
  assert.deepEqual([third.steps, third.outputs], [cached, { y: 1 }]);
  assert.deepEqual(third.origins, [first.id]);
});

test("A33: a source that is edited while the pipeline runs is not what the run has executed", async () => {
  using project = Playground.open({ "pipeline.ts": single, "steps.ts": stepOf("1") });
  const first = await project.play({ afterLoad: () => project.edit("steps.ts", "=> 1", "=> 2") });
  assert.deepEqual(first.outputs, { y: 1 });
  const second = await project.play();
  assert.deepEqual([second.steps, second.outputs], [["work completed: opaque-code"], { y: 2 }]);
  assert.match(first.told, /was edited after this process loaded it/u);
  assert.deepEqual((await project.play()).steps, cached);
});

test("a module that a step imports late, edited while it ran, is not what its result is stored for", async () => {
  await using project = await makeProject({
    "pipeline.ts": `
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { pipeline, step } from "reprise";
const work = step({
  name: "work",
  run: async () => {
    console.log("working");
    while (process.title === "waits" && !existsSync("node_modules/go")) await delay(5);
    return (await import("./late.ts")).late;
  },
});
export const main = pipeline({ name: "main", build: () => ({ y: work() }) });
const run = await main.run({}, { reporter: "plain" });
console.log("gave " + (await run.outputs.y.load()));
`,
    "late.ts": "export const late = 1;",
  });
  const running = project.start(["pipeline.ts"], { nodeArguments: ["--title=waits"] });
  await running.saw("working");
  await project.edit("late.ts", "late = 1", "late = 2");
  await project.write("node_modules/go", "");
  assert.match((await running.finished).stdout, /late\.ts was edited before it was loaded[\s\S]*gave 2/u);
  await project.edit("late.ts", "late = 2", "late = 1");
  assert.match((await project.node(["pipeline.ts"])).stdout, /gave 1/u);
  assert.match((await project.node(["pipeline.ts"])).stdout, /Using cached version of work[\s\S]*gave 1/u);
});

test("A38: a newer version of Reprise takes the results of an older one", async () => {
  using project = Playground.open({ "pipeline.ts": single, "steps.ts": stepOf("1") });
  await project.play();
  await using stack = await openStack({ cwd: project.root });
  const plan = await loadPlan(project.root, stack.code);
  assert.deepEqual((await playOn(plan, { ...stack, version: "99.0.0" })).steps, cached);
});
