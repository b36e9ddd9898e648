/** Constructs that are easily misread: each edit here changes what the step computes, or what it may compute. */
import type { CodeCase } from "./code-case.ts";
import { zodLike } from "./everyday-project.ts";
import type { Edit, Files } from "./project.ts";

const javascript = ["mts", "js", "mjs"] as const;
const main = "src/main.ts";

/** A step in `src/main.ts` that returns `expression`, after `head`. */
function stepOf(expression: string, head = "", tail = ""): string {
  return `import { step } from "reprise";\n${head}\nexport const work = step({\n  name: "work",\n  run: async ({ x }: { x: number }) => ({ y: ${expression} }),\n});\n${tail}`;
}

function project(files: Files): Files {
  return { "package.json": JSON.stringify({ name: "adversarial", type: "module" }), ...files };
}

function erasable(name: string, files: Files, edit: Edit, expected: CodeCase["expected"] = "changed"): CodeCase {
  return { name, files: project(files), edit, expected, also: javascript };
}

function typed(name: string, files: Files, edit: Edit, loader: "node" | "tsx" = "tsx"): CodeCase {
  return { name, files: project(files), edit, expected: "changed", loader };
}

function assumable(each: CodeCase): CodeCase {
  return { ...each, mayAssume: true };
}

const zodPackage: Files = {
  "node_modules/zod/package.json": JSON.stringify({
    name: "zod",
    version: "4.6.7",
    type: "module",
    exports: "./index.js",
  }),
  "node_modules/zod/index.js": zodLike(),
};

export const adversarialCases: readonly CodeCase[] = [
  erasable(
    "a function that is given by its name, and called, changes what the step reads",
    {
      [main]: stepOf(
        "[...names, x]",
        'const names: string[] = [];\nfunction register(name: string): void {\n  names.push(name);\n}\n["a"].forEach(register);',
      ),
    },
    (d) => d.replace(main, '["a"]', '["b"]'),
  ),
  assumable(
    erasable(
      "a callback of a promise of Node's changes what the step reads",
      {
        [main]: stepOf(
          "[...names, x]",
          'import { stat } from "node:fs/promises";\nconst names: string[] = [];\nvoid stat(".").then(() => names.push("a"));',
        ),
      },
      (d) => d.replace(main, '"a"', '"b"'),
      "changed or opaque",
    ),
  ),
  erasable(
    "block-local shadow, outer use",
    {
      [main]: stepOf(
        "f(x)",
        "const k = 1;\nfunction f(n: number): number {\n  {\n    const k = 5;\n    n += k;\n  }\n  return n + k;\n}",
      ),
    },
    (d) => d.replace(main, "const k = 1", "const k = 2"),
  ),
  erasable(
    "var in nested fn does not shadow",
    {
      [main]: stepOf(
        "f(x)",
        "const k = 1;\nfunction f(n: number): number {\n  function inner(): number {\n    var k = 5;\n    return k;\n  }\n  return n + k + inner();\n}",
      ),
    },
    (d) => d.replace(main, "const k = 1", "const k = 2"),
  ),
  erasable(
    "param default refers outer of same name fn",
    {
      [main]: stepOf(
        "f(x)",
        "const k = 1;\nfunction f(n: number, m = k): number {\n  var k = 7;\n  return n + m + k;\n}",
      ),
    },
    (d) => d.replace(main, "const k = 1", "const k = 2"),
  ),
  erasable(
    "catch param, then outer",
    {
      [main]: stepOf(
        "f(x)",
        "const e = 1;\nfunction f(n: number): unknown {\n  try {\n    throw n;\n  } catch (e) {\n    n = e as number;\n  }\n  return n + e;\n}",
      ),
    },
    (d) => d.replace(main, "const e = 1", "const e = 2"),
  ),
  erasable("computed key from constant", { [main]: stepOf("({ [key]: x })", 'const key = "a";') }, (d) =>
    d.replace(main, '"a"', '"b"'),
  ),
  erasable("tagged template raw", { [main]: stepOf("String.raw`\\u0041${x}`") }, (d) =>
    d.replace(main, "\\u0041", "A"),
  ),
  erasable("destructured constant", { [main]: stepOf("a + rest.length", "const [a, ...rest] = [1, 2, 3];") }, (d) =>
    d.replace(main, "[1, 2, 3]", "[2, 2, 3]"),
  ),
  erasable("reassigned let by top-level if", { [main]: stepOf("k", "let k = 1;\nif (k > 0) {\n  k = 2;\n}") }, (d) =>
    d.replace(main, "k = 2;", "k = 3;"),
  ),
  assumable(
    erasable("top-level await initialiser", { [main]: stepOf("k", "const k = await Promise.resolve(1);") }, (d) =>
      d.replace(main, "resolve(1)", "resolve(2)"),
    ),
  ),
  erasable(
    "export { x as y } and default",
    {
      [main]: stepOf("y + other", 'import other, { y } from "./lib.ts";'),
      "src/lib.ts": "const x = 1;\nconst z = 2;\nexport { x as y, z as default };\n",
    },
    (d) => d.replace("src/lib.ts", "x as y, z as default", "z as y, x as default"),
  ),
  erasable(
    "export default expr",
    { [main]: stepOf("k.a", 'import k from "./lib.ts";'), "src/lib.ts": "export default { a: 1 };\n" },
    (d) => d.replace("src/lib.ts", "a: 1", "a: 2"),
  ),
  erasable(
    "ns passed whole",
    {
      [main]: stepOf("Object.values(lib).length", 'import * as lib from "./lib.ts";'),
      "src/lib.ts": "export const a = 1;\n",
    },
    (d) => d.append("src/lib.ts", "export const b = 2;\n"),
  ),
  erasable(
    "ns computed",
    {
      [main]: stepOf("(lib as Record<string, number>)[`${x > 0 ? 'a' : 'b'}`]", 'import * as lib from "./lib.ts";'),
      "src/lib.ts": "export const a = 1;\nexport const b = 2;\n",
    },
    (d) => d.replace("src/lib.ts", "b = 2", "b = 3"),
  ),
  erasable(
    "export * as",
    {
      [main]: stepOf("lib.a", 'import { lib } from "./barrel.ts";'),
      "src/barrel.ts": 'export * as lib from "./lib.ts";\n',
      "src/lib.ts": "export const a = 1;\n",
    },
    (d) => d.replace("src/lib.ts", "a = 1", "a = 2"),
  ),
  erasable(
    "createRequire json",
    {
      [main]: stepOf(
        "require('./data.json').a",
        'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);',
      ),
      "src/data.json": '{ "a": 1 }',
    },
    (d) => d.replace("src/data.json", "1", "2"),
  ),
  erasable(
    "createRequire under another name",
    {
      [main]: stepOf(
        "load('./data.cjs')",
        'import { createRequire as make } from "node:module";\nconst load = make(import.meta.url);',
      ),
      "src/data.cjs": "module.exports = 1;\n",
    },
    (d) => d.replace("src/data.cjs", "1", "2"),
  ),
  erasable(
    "import(template)",
    {
      [main]: stepOf("(await import(`./lib-${x > 0 ? 'a' : 'b'}.ts`)).a"),
      "src/lib-a.ts": "export const a = 1;\n",
      "src/lib-b.ts": "export const a = 2;\n",
    },
    (d) => d.replace("src/lib-a.ts", "a = 1", "a = 3"),
    "changed or opaque",
  ),
  erasable(
    "new URL asset",
    {
      [main]: stepOf(
        "readFileSync(new URL('./data.txt', import.meta.url), 'utf8')",
        'import { readFileSync } from "node:fs";',
      ),
      "src/data.txt": "one\n",
    },
    (d) => d.replace("src/data.txt", "one", "two"),
  ),
  erasable(
    "new Worker(new URL(...ts))",
    {
      [main]: stepOf(
        "new Worker(new URL('./task.ts', import.meta.url)).threadId",
        'import { Worker } from "node:worker_threads";',
      ),
      "src/task.ts": 'import { a } from "./task-lib.ts";\nconsole.error(a);\n',
      "src/task-lib.ts": "export const a = 1;\n",
    },
    (d) => d.replace("src/task-lib.ts", "a = 1", "a = 2"),
  ),
  erasable(
    "registry filled by a barrel sibling",
    {
      [main]: stepOf("registry.size", 'import { registry } from "./barrel.ts";'),
      "src/barrel.ts": 'export { registry } from "./registry.ts";\nexport { plugin } from "./plugin.ts";\n',
      "src/registry.ts": "export const registry = new Map<string, number>();\n",
      "src/plugin.ts": 'import { registry } from "./registry.ts";\nregistry.set("a", 1);\nexport const plugin = 1;\n',
    },
    (d) => d.replace("src/plugin.ts", '"a", 1', '"b", 1'),
  ),
  erasable(
    "effect through imported function",
    {
      [main]: stepOf("registry.size", 'import { registry, register } from "./registry.ts";\nregister("a");'),
      "src/registry.ts":
        "export const registry = new Map<string, number>();\nexport function register(name: string): void {\n  registry.set(name, 1);\n}\n",
    },
    (d) => d.replace("src/registry.ts", "set(name, 1)", "set(name, 2)"),
  ),
  erasable(
    "effect named .run on a non-pipeline",
    {
      [main]: stepOf(
        "db.rows.length",
        "const db = {\n  rows: [] as string[],\n  run(row: string): void {\n    this.rows.push(row);\n  },\n};\ndb.run('seed');",
      ),
    },
    (d) => d.replace(main, "db.run('seed')", "db.run('seeds')"),
  ),
  erasable(
    "effect in a z.* chain (refine closure)",
    {
      ...zodPackage,
      [main]: stepOf(
        "schema.check",
        'import { z } from "zod";\nconst limit = 3;\nconst schema = z.number().refine((n: number) => n < limit);',
      ),
    },
    (d) => d.replace(main, "limit = 3", "limit = 4"),
  ),
  erasable(
    "class accessor + private",
    {
      [main]: stepOf(
        "new Box().value",
        "class Box {\n  #inner = 1;\n  get value(): number {\n    return this.#inner;\n  }\n}",
      ),
    },
    (d) => d.replace(main, "#inner = 1", "#inner = 2"),
  ),
  typed(
    "method decorator arg",
    {
      "src/lib.ts":
        "export function times(n: number) {\n  return (method: (x: number) => number, _context: ClassMethodDecoratorContext) =>\n    function (this: unknown, x: number): number {\n      return method.call(this, x) * n;\n    };\n}\n",
      [main]: stepOf(
        "new Box().grow(x)",
        'import { times } from "./lib.ts";\nclass Box {\n  @times(2)\n  grow(n: number): number {\n    return n;\n  }\n}',
      ),
    },
    (d) => d.replace(main, "@times(2)", "@times(3)"),
  ),
  typed(
    "parameter property added",
    { [main]: stepOf("Object.keys(new Box(x))", "class Box {\n  constructor(size: number) {\n    void size;\n  }\n}") },
    (d) => d.replace(main, "constructor(size", "constructor(public size"),
  ),
  typed(
    "declare field -> real field",
    { [main]: stepOf("Object.keys(new Box())", "class Box {\n  declare size: number;\n}") },
    (d) => d.replace(main, "declare size: number", "size!: number"),
    "node",
  ),
  erasable(
    '"use strict"-like directive in fn',
    { [main]: stepOf("f()", 'function f(): string {\n  return "a";\n}') },
    (d) => d.replace(main, '  return "a";', '  "use other";\n  return "a";'),
  ),
  erasable(
    "getter made optional chain in chain",
    { [main]: stepOf("box.a.b.c(x)", "const box = { a: { b: { c: (n: number) => n } } };") },
    (d) => d.replace(main, "box.a.b.c(x)", "box.a?.b.c(x)"),
  ),
  erasable("-0 and big numbers", { [main]: stepOf("[0, 9007199254740993n, 9007199254740993]") }, (d) =>
    d.replace(main, "[0, 9007199254740993n", "[-0, 9007199254740993n"),
  ),
  erasable("a bigint's last digit", { [main]: stepOf("[0, 9007199254740993n, 9007199254740993]") }, (d) =>
    d.replace(main, "9007199254740993n", "9007199254740992n"),
  ),
  erasable("regex flags", { [main]: stepOf("/a/.test('A')") }, (d) => d.replace(main, "/a/.", "/a/i.")),
  erasable(
    "async/generator flags",
    { [main]: stepOf("typeof f(x)", "function f(n: number): unknown {\n  return n;\n}") },
    (d) => d.replace(main, "function f", "async function f"),
  ),
  erasable(
    "generator flag",
    { [main]: stepOf("typeof f(x)", "function f(n: number): unknown {\n  return n;\n}") },
    (d) => d.replace(main, "function f", "function* f"),
  ),
  erasable(
    "var->let closure",
    {
      [main]: stepOf(
        "f()",
        "function f(): number[] {\n  const fs: (() => number)[] = [];\n  for (var i = 0; i < 3; i += 1) fs.push(() => i);\n  return fs.map((g) => g());\n}",
      ),
    },
    (d) => d.replace(main, "var i", "let i"),
  ),
  erasable(
    "await using",
    {
      [main]: stepOf(
        "f()",
        "const disposed: number[] = [];\nasync function f(): Promise<number> {\n  {\n    const held = { async [Symbol.asyncDispose]() { disposed.push(1); } };\n    void held;\n  }\n  return disposed.length;\n}",
      ),
    },
    (d) => d.replace(main, "const held", "await using held"),
  ),
  erasable(
    "import attribute / json vs ts switch",
    {
      [main]: stepOf("data.a", 'import data from "./data.json" with { type: "json" };'),
      "src/data.json": '{ "a": 1 }',
      "src/data.ts": "export default { a: 2 };\n",
    },
    (d) => d.replace(main, '"./data.json" with { type: "json" }', '"./data.ts"'),
  ),
  erasable(
    "global augmented by sibling (unimported) file",
    {
      [main]: 'import "./setup.ts";\nexport { work } from "./steps.ts";\n',
      "src/setup.ts": "(globalThis as { factor?: number }).factor = 1;\n",
      "src/steps.ts": stepOf("(globalThis as { factor?: number }).factor"),
    },
    (d) => d.replace("src/setup.ts", "factor = 1", "factor = 2"),
    "changed or opaque",
  ),
  erasable(
    "state of a reached module filled by a file that the step's module does not import",
    {
      [main]: 'import "./plugin.ts";\nexport { work } from "./steps.ts";\n',
      "src/registry.ts": "export const registry = new Map<string, number>();\n",
      "src/plugin.ts": 'import { registry } from "./registry.ts";\nregistry.set("a", 1);\n',
      "src/steps.ts": stepOf("[...registry]", 'import { registry } from "./registry.ts";'),
    },
    (d) => d.replace("src/plugin.ts", '"a", 1', '"a", 2'),
    "changed or opaque",
  ),
  assumable(
    erasable("env read", { [main]: stepOf("level", 'const level = process.env["LEVEL"] ?? "1";') }, (d) =>
      d.replace(main, '?? "1"', '?? "2"'),
    ),
  ),
  erasable(
    "factory argument",
    { [main]: 'import { make } from "./make.ts";\nexport const work = make("work", 3);\n', "src/make.ts": factory() },
    (d) => d.replace(main, '"work", 3', '"work", 4'),
  ),
  erasable(
    "factory body",
    { [main]: 'import { make } from "./make.ts";\nexport const work = make("work", 3);\n', "src/make.ts": factory() },
    (d) => d.replace("src/make.ts", "x * k", "x + k"),
  ),
  erasable(
    "loop-made step (array)",
    {
      [main]:
        'import { step } from "reprise";\nexport const steps = [1, 2].map((k) => step({ name: k === 1 ? "work" : "more", run: ({ x }: { x: number }) => ({ y: x * k }) }));\n',
    },
    (d) => d.replace(main, "[1, 2]", "[1, 3]"),
  ),
  erasable(
    "pushed in a for loop",
    {
      [main]:
        'import { step } from "reprise";\nexport const steps: unknown[] = [];\nfor (const k of [1, 2]) {\n  steps.push(step({ name: k === 1 ? "work" : "more", run: ({ x }: { x: number }) => ({ y: x * k }) }));\n}\n',
    },
    (d) => d.replace(main, "x * k", "x - k"),
  ),
  typed(
    "enum const member via import",
    {
      "src/color.ts": "export enum Color {\n  Red = 1,\n  Green = Red + 1,\n}\n",
      [main]: stepOf("Color.Green", 'import { Color } from "./color.ts";'),
    },
    (d) => d.replace("src/color.ts", "Red = 1", "Red = 2"),
  ),
  typed(
    "merged namespace+function",
    {
      "src/lib.ts":
        "export function lib(): number {\n  return lib.k;\n}\nexport namespace lib {\n  export const k = 1;\n}\n",
      [main]: stepOf("lib()", 'import { lib } from "./lib.ts";'),
    },
    (d) => d.replace("src/lib.ts", "k = 1", "k = 2"),
  ),
  {
    name: "import = require",
    files: {
      "package.json": JSON.stringify({ name: "adversarial", type: "commonjs" }),
      "src/lib.ts": "const lib = { a: 1 };\nexport = lib;\n",
      "src/main.ts":
        'import reprise = require("reprise");\nimport lib = require("./lib");\nexport const work = reprise.step({ name: "work", run: () => ({ y: lib.a }) });\n',
    },
    edit: (d) => d.replace("src/lib.ts", "a: 1", "a: 2"),
    expected: "changed",
    loader: "tsx",
  },
  erasable(
    "__PURE__-lied effect",
    {
      [main]: stepOf(
        "log.length",
        "const log: number[] = [];\nfunction add(n: number): number {\n  return log.push(n);\n}\nexport const added = /* @__PURE__ */ add(1);",
      ),
    },
    (d) => d.replace(main, "add(1)", "add(1) + add(2)"),
  ),
  erasable(
    "__NO_SIDE_EFFECTS__-lied effect",
    {
      [main]: stepOf("log.length", 'import { add, log } from "./lib.ts";\nexport const added = add(1);'),
      "src/lib.ts":
        "export const log: number[] = [];\n/* @__NO_SIDE_EFFECTS__ */\nexport function add(n: number): number {\n  return log.push(n);\n}\n",
    },
    (d) => d.replace(main, "add(1)", "[add(1), add(2)]"),
  ),
  erasable(
    "getter with effect, unused binding",
    {
      [main]: stepOf(
        "log.length",
        "const log: number[] = [];\nconst box = {\n  get touch(): number {\n    return log.push(1);\n  },\n  get poke(): number {\n    return log.push(1, 2);\n  },\n};\nexport const touched = box.touch;",
      ),
    },
    (d) => d.replace(main, "= box.touch", "= box.poke"),
  ),
  erasable(
    "two effects swapped in one file",
    {
      [main]: stepOf("[...registry]", 'import { registry } from "./registry.ts";'),
      "src/registry.ts":
        'export const registry = new Map<string, number>();\nregistry.set("a", 1);\nregistry.set("a", 2);\n',
    },
    (d) =>
      d.replace(
        "src/registry.ts",
        'registry.set("a", 1);\nregistry.set("a", 2);',
        'registry.set("a", 2);\nregistry.set("a", 1);',
      ),
  ),
  erasable(
    "imports of two effectful modules swapped",
    {
      [main]: stepOf(
        "[...registry]",
        'import "./one.ts";\nimport "./two.ts";\nimport { registry } from "./registry.ts";',
      ),
      "src/registry.ts": "export const registry = new Map<string, number>();\n",
      "src/one.ts": 'import { registry } from "./registry.ts";\nregistry.set("a", 1);\n',
      "src/two.ts": 'import { registry } from "./registry.ts";\nregistry.set("a", 2);\n',
    },
    (d) => d.replace(main, 'import "./one.ts";\nimport "./two.ts";', 'import "./two.ts";\nimport "./one.ts";'),
  ),
  erasable(
    "declaration moved across an effect",
    { [main]: stepOf("snapshot", "const log: number[] = [];\nconst snapshot = log.length;\nlog.push(1);") },
    (d) => d.replace(main, "const snapshot = log.length;\nlog.push(1);", "log.push(1);\nconst snapshot = log.length;"),
  ),
  erasable(
    "step mutating imported state before",
    {
      [main]: stepOf("(state.n += 1)", 'import { state } from "./state.ts";\nstate.n = 5;'),
      "src/state.ts": "export const state = { n: 1 };\n",
    },
    (d) => d.replace(main, "state.n = 5", "state.n = 6"),
  ),
];

function factory(): string {
  return `import { step } from "reprise";

export function make(name: string, k: number) {
  return step({ name, run: ({ x }: { x: number }) => ({ y: x * k }) });
}
`;
}
