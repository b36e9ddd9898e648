/** Traps that analyses of code have fallen into. */
import type { CodeCase } from "./code-case.ts";
import type { Edit, Files } from "./project.ts";

export const main = "src/main.ts";

export function stepOf(expression: string, head = ""): string {
  return `import { step } from "reprise";\n${head}\nexport const work = step({ name: "work", run: async ({ x }: { x: number }) => ({ y: ${expression} }) });\n`;
}

export function trap(
  name: string,
  files: Files,
  edit: Edit,
  expected: CodeCase["expected"] = "changed",
  loader?: "tsx",
): CodeCase {
  const manifest = JSON.stringify({ name: "traps", type: "module" });
  return {
    name,
    files: { "package.json": manifest, ...files },
    edit,
    expected,
    ...(loader === undefined ? {} : { loader }),
  };
}

function assumable(each: CodeCase): CodeCase {
  return { ...each, mayAssume: true };
}

const starCycle: Files = {
  "src/one.ts": 'export * from "./two.ts";\nexport const first = 1;\n',
  "src/two.ts": 'export * from "./one.ts";\nexport * from "./three.ts";\nexport const second = 2;\n',
  "src/three.ts": 'export * from "./two.ts";\nexport function far() {\n  return 3;\n}\n',
};

export const trapCases: readonly CodeCase[] = [
  ...["one", "two", "three"].map((through) =>
    trap(
      `stars in a circle, entered at ${through}`,
      { ...starCycle, [main]: stepOf("far()", `import { far } from "./${through}.ts";`) },
      (d) => d.replace("src/three.ts", "return 3", "return 4"),
    ),
  ),
  trap(
    "stars in a circle, after a name that is not there was looked for",
    {
      ...starCycle,
      [main]: stepOf(
        "[first, (all as Record<string, unknown>).missing, far()]",
        'import { first } from "./three.ts";\nimport * as all from "./one.ts";\nimport { far } from "./one.ts";',
      ),
    },
    (d) => d.replace("src/three.ts", "return 3", "return 4"),
    "changed or opaque",
  ),
  trap(
    "a name that a star did not pass on, and then does",
    {
      [main]: stepOf('"extra" in all', 'import * as all from "./one.ts";'),
      "src/one.ts": 'export * from "./two.ts";\n',
      "src/two.ts": "export const a = 1;\n",
    },
    (d) => d.append("src/two.ts", "export const extra = 2;\n"),
  ),
  trap(
    "an import whose names are all unused",
    {
      [main]: stepOf("log.length", 'import { unused } from "./effect.ts";\nimport { log } from "./log.ts";'),
      "src/log.ts": "export const log: number[] = [];\n",
      "src/effect.ts": 'import { log } from "./log.ts";\nlog.push(1);\nexport const unused = 1;\n',
    },
    (d) => d.replace("src/effect.ts", "log.push(1)", "log.push(1, 2)"),
  ),
  trap(
    "an import of types alone, written name by name: it is still evaluated",
    {
      [main]: stepOf(
        "log.length",
        'import { type Unused } from "./effect.ts";\nimport { log } from "./log.ts";\nexport type Mine = Unused;',
      ),
      "src/log.ts": "export const log: number[] = [];\n",
      "src/effect.ts": 'import { log } from "./log.ts";\nlog.push(1);\nexport type Unused = number;\n',
    },
    (d) => d.replace("src/effect.ts", "log.push(1)", "log.push(1, 2)"),
  ),
  trap(
    "a re-export is evaluated too",
    {
      [main]: stepOf("log.length", 'export { unused } from "./effect.ts";\nimport { log } from "./log.ts";'),
      "src/log.ts": "export const log: number[] = [];\n",
      "src/effect.ts": 'import { log } from "./log.ts";\nlog.push(1);\nexport const unused = 1;\n',
    },
    (d) => d.replace("src/effect.ts", "log.push(1)", "log.push(1, 2)"),
  ),
  trap(
    "an effect in a module that only a dynamic import evaluates",
    {
      [main]: stepOf('(await import("./late.ts")).log.length'),
      "src/late.ts": 'import "./effect.ts";\nexport { log } from "./log.ts";\n',
      "src/log.ts": "export const log: number[] = [];\n",
      "src/effect.ts": 'import { log } from "./log.ts";\nlog.push(1);\n',
    },
    (d) => d.replace("src/effect.ts", "log.push(1)", "log.push(1, 2)"),
  ),
  trap(
    "the same effect twice, then once",
    { [main]: stepOf("log.length", "const log: number[] = [];\nlog.push(1);\nlog.push(1);") },
    (d) => d.replace(main, "log.push(1);\nlog.push(1);", "log.push(1);"),
  ),
  trap(
    "an effect that moves to a module evaluated later",
    {
      [main]: stepOf("[...log]", 'import "./one.ts";\nimport "./two.ts";\nimport { log } from "./log.ts";'),
      "src/log.ts": "export const log: number[] = [];\n",
      "src/one.ts": 'import { log } from "./log.ts";\nlog.push(1);\nlog.push(2);\n',
      "src/two.ts": 'import { log } from "./log.ts";\nlog.push(3);\n',
    },
    (d) => d.replace("src/one.ts", "log.push(1);\nlog.push(2);", "log.push(2);").append("src/two.ts", "log.push(1);\n"),
  ),
  trap(
    "an effect through an alias of the state",
    { [main]: stepOf("state.n", "const state = { n: 1 };\nconst alias = state;\nalias.n = 2;") },
    (d) => d.replace(main, "alias.n = 2", "alias.n = 3"),
  ),
  trap(
    "an effect through a function that another one calls",
    {
      [main]: stepOf("state.n", 'import { outer, state } from "./lib.ts";\nexport const unused = outer();'),
      "src/lib.ts":
        "export const state = { n: 1 };\nfunction inner() {\n  state.n = 2;\n  return 1;\n}\nexport function outer() {\n  return inner();\n}\n",
    },
    (d) => d.replace("src/lib.ts", "state.n = 2", "state.n = 3"),
  ),
  trap(
    "an effect in the constructor of a class that is made at the top",
    {
      [main]: stepOf(
        "state.n",
        "const state = { n: 1 };\nclass Setter {\n  constructor(n: number) {\n    state.n = n;\n  }\n}\nexport const unused = new Setter(2);",
      ),
    },
    (d) => d.replace(main, "new Setter(2)", "new Setter(3)"),
  ),
  trap(
    "an effect in a static block, a static initialiser and a computed key",
    {
      [main]: stepOf(
        "log",
        "const log: number[] = [];\nexport class Unused {\n  static {\n    log.push(1);\n  }\n  static n = log.push(2);\n  [String(log.push(3))] = 1;\n}",
      ),
    },
    (d) => d.replace(main, "static n = log.push(2)", "static n = log.push(4)"),
  ),
  trap(
    "an effect in a default of a destructuring",
    { [main]: stepOf("log", "const log: number[] = [];\nexport const { a = log.push(1) } = {} as { a?: number };") },
    (d) => d.replace(main, "log.push(1)", "log.push(2)"),
  ),
  trap(
    "an effect in a template and in a tag",
    {
      [main]: stepOf(
        "log",
        "const log: unknown[] = [];\nfunction tag(parts: TemplateStringsArray) {\n  log.push(parts.raw);\n  return 1;\n}\nexport const unused = tag`a`;",
      ),
    },
    (d) => d.replace(main, "tag`a`", "tag`b`"),
  ),
  trap(
    "an effect in a valueOf",
    {
      [main]: stepOf(
        "log",
        "const log: number[] = [];\nconst box = {\n  valueOf() {\n    return log.push(1);\n  },\n};\nexport const unused = +(box as unknown as number);",
      ),
    },
    (d) => d.replace(main, "+(box as unknown as number)", "+(box as unknown as number) + +(box as unknown as number)"),
  ),
  trap(
    "an effect in an iterator that is spread",
    {
      [main]: stepOf(
        "log",
        "const log: number[] = [];\nfunction* numbers() {\n  log.push(1);\n  yield 1;\n}\nexport const unused = [...numbers()];",
      ),
    },
    (d) => d.replace(main, "[...numbers()]", "[...numbers(), ...numbers()]"),
  ),
  trap(
    "an effect in a setter and in a deletion",
    { [main]: stepOf("box", "const box: { a?: number; b?: number } = { a: 1, b: 2 };\ndelete box.a;") },
    (d) => d.replace(main, "delete box.a", "delete box.b"),
  ),
  trap(
    "a parameter's default that sees the parameter before it, not the outer name",
    {
      [main]: stepOf(
        "f(x)",
        "const k = 1;\nfunction f(k: number, n = () => k) {\n  return n();\n}\nexport const other = k;",
      ),
    },
    (d) => d.replace(main, "const k = 1", "const k = 2"),
    "same",
  ),
  trap(
    "a var in a block hides the outer name in all of the function",
    {
      [main]: stepOf(
        "f(x)",
        "const k = 1;\nfunction f(n: number) {\n  if (n > 100) {\n    var k = 2;\n  }\n  return k;\n}\nexport const other = k;",
      ),
    },
    (d) => d.replace(main, "const k = 1", "const k = 3"),
    "same",
  ),
  trap(
    "a class sees its own name inside, its users the outer one",
    {
      [main]: stepOf(
        "[new Outer().self(), Inner]",
        'const Inner = "outer";\nconst Outer = class Inner {\n  self() {\n    return Inner.name;\n  }\n};',
      ),
    },
    (d) => d.replace(main, '"outer"', '"other"'),
  ),
  trap(
    "a switch makes one scope of its cases",
    {
      [main]: stepOf(
        "f(x)",
        "const k = 1;\nfunction f(n: number) {\n  switch (n) {\n    case 0:\n      const k = 2;\n      return k;\n    default:\n      return 3;\n  }\n}\nfunction g() {\n  return k;\n}\nexport const other = g;",
      ),
    },
    (d) => d.replace(main, "const k = 1", "const k = 4"),
    "same",
  ),
  trap(
    "a function declared in a block is seen outside of it only in sloppy code: here the outer one is",
    {
      [main]: stepOf(
        "f()",
        "function k() {\n  return 1;\n}\nfunction f() {\n  {\n    function k() {\n      return 2;\n    }\n    void k;\n  }\n  return k();\n}",
      ),
    },
    (d) => d.replace(main, "return 1", "return 3"),
  ),
  trap("shorthand properties refer to what they name", { [main]: stepOf("({ k })", "const k = 1;") }, (d) =>
    d.replace(main, "const k = 1", "const k = 2"),
  ),
  trap(
    "an assignment to a name destructured at the top",
    { [main]: stepOf("k", "let k = 1;\n({ k } = { k: 2 });") },
    (d) => d.replace(main, "{ k: 2 }", "{ k: 3 }"),
  ),
  trap(
    "a for loop at the top that assigns what a step reads",
    { [main]: stepOf("total", "let total = 0;\nfor (const n of [1, 2, 3]) total += n;") },
    (d) => d.replace(main, "[1, 2, 3]", "[1, 2, 4]"),
  ),
  trap(
    "an exported let that another module's function assigns",
    {
      [main]: stepOf("count", 'import { count, set } from "./lib.ts";\nset(5);'),
      "src/lib.ts": "export let count = 0;\nexport function set(n: number) {\n  count = n;\n}\n",
    },
    (d) => d.replace(main, "set(5)", "set(6)"),
  ),
  trap("object literals differ by the order of their keys", { [main]: stepOf("JSON.stringify({ a: 1, b: 2 })") }, (d) =>
    d.replace(main, "{ a: 1, b: 2 }", "{ b: 2, a: 1 }"),
  ),
  trap(
    "JSON values differ by the order of their keys when they are used whole",
    {
      [main]: stepOf("JSON.stringify(data)", 'import data from "./data.json" with { type: "json" };'),
      "src/data.json": '{ "a": 1, "b": 2 }',
    },
    (d) => d.replace("src/data.json", '{ "a": 1, "b": 2 }', '{ "b": 2, "a": 1 }'),
  ),
  trap(
    "the last of two equal keys in JSON counts",
    {
      [main]: stepOf("data.a", 'import data from "./data.json" with { type: "json" };'),
      "src/data.json": '{ "a": 1, "a": 2 }',
    },
    (d) => d.replace("src/data.json", '"a": 2', '"a": 3'),
  ),
  trap(
    "a negative zero in JSON",
    {
      [main]: stepOf("data.a", 'import data from "./data.json" with { type: "json" };'),
      "src/data.json": '{ "a": 0 }',
    },
    (d) => d.replace("src/data.json", '"a": 0', '"a": -0'),
  ),
  trap("a template literal's layout", { [main]: stepOf("`a\n  b`") }, (d) => d.replace(main, "`a\n  b`", "`a\n b`")),
  trap(
    "a semicolon that parts two statements",
    { [main]: stepOf("f(x)", "function f(n: number) {\n  let m = n\n  ;[m] = [1]\n  return m\n}") },
    (d) => d.replace(main, ";[m] = [1]", ";[m, m] = [1, 2]"),
  ),
  trap("a return that a new line ends", { [main]: stepOf("f()", "function f() {\n  return (\n    1\n  );\n}") }, (d) =>
    d.replace(main, "return (\n    1\n  );", "return\n    (\n    1\n  );"),
  ),
  trap(
    "yield and yield*",
    { [main]: stepOf("[...f()]", "function* f(): Generator<unknown> {\n  yield [1, 2];\n}") },
    (d) => d.replace(main, "yield [", "yield* ["),
  ),
  trap(
    "for and for await",
    {
      [main]: stepOf(
        "f()",
        "async function f() {\n  const all: unknown[] = [];\n  for (const n of [Promise.resolve(1)]) all.push(n);\n  return all.length;\n}",
      ),
    },
    (d) => d.replace(main, "for (const", "for await (const"),
  ),
  trap("prefix and postfix", { [main]: stepOf("f()", "function f() {\n  let n = 1;\n  return n++;\n}") }, (d) =>
    d.replace(main, "n++", "++n"),
  ),
  trap("static and not", { [main]: stepOf("Object.keys(Box)", "class Box {\n  a = 1;\n}") }, (d) =>
    d.replace(main, "a = 1", "static a = 1"),
  ),
  trap(
    "a getter and a method",
    { [main]: stepOf("typeof new Box().a", "class Box {\n  a() {\n    return 1;\n  }\n}") },
    (d) => d.replace(main, "a() {", "get a() {"),
  ),
  trap(
    "a computed key and a plain one",
    { [main]: stepOf("Object.keys({ k: 1 })", 'const k = "z";\nexport const other = k;') },
    (d) => d.replace(main, "{ k: 1 }", "{ [k]: 1 }"),
  ),
  trap(
    "a private name and a public one",
    { [main]: stepOf("Object.keys(new Box())", "class Box {\n  a = 1;\n  read() {\n    return this.a;\n  }\n}") },
    (d) => d.replace(main, "a = 1", "#a = 1").replace(main, "this.a", "this.#a"),
  ),
  trap(
    "a spread and an element",
    { [main]: stepOf("f([1, 2])", "function f(...all: unknown[]) {\n  return all.length;\n}") },
    (d) => d.replace(main, "f([1, 2])", "f(...[1, 2])"),
  ),
  trap("an optional call", { [main]: stepOf("f(x)", "const f = (n: number) => n;") }, (d) =>
    d.replace(main, "y: f(x)", "y: f?.(x)"),
  ),
  trap("== and ===", { [main]: stepOf('(x as unknown) === "1"') }, (d) => d.replace(main, "=== ", "== ")),
  trap("?? and ||", { [main]: stepOf("x ?? 1") }, (d) => d.replace(main, "x ?? 1", "x || 1")),
  trap(
    "let and const in a loop with a closure, under another label",
    {
      [main]: stepOf(
        "f()",
        "function f() {\n  outer: for (let i = 0; i < 3; i++) {\n    inner: for (let j = 0; j < 3; j++) {\n      if (j === 1) continue inner;\n      if (i === 1) break outer;\n    }\n  }\n  return 1;\n}",
      ),
    },
    (d) => d.replace(main, "continue inner", "continue outer"),
  ),
  trap("new.target and import.meta", { [main]: stepOf("import.meta.url") }, (d) =>
    d.replace(main, "import.meta.url", "import.meta.filename"),
  ),
  trap(
    "two names of one function exchanged",
    { [main]: stepOf("f(1, 2)", "function f(a: number, b: number) {\n  return a - b;\n}") },
    (d) => d.replace(main, "a - b", "b - a"),
  ),
  trap(
    "two imported names exchanged",
    {
      [main]: stepOf("a - b", 'import { a, b } from "./lib.ts";'),
      "src/lib.ts": "export const a = 1;\nexport const b = 2;\n",
    },
    (d) => d.replace(main, "{ a, b }", "{ a as b, b as a }"),
  ),
  trap(
    "two constants of equal shape exchanged",
    { [main]: stepOf("a - b", "const a = f(1);\nconst b = f(2);\nfunction f(n: number) {\n  return n;\n}") },
    (d) => d.replace(main, "y: a - b", "y: b - a"),
  ),
  trap(
    "the members of two classes in a circle exchanged",
    {
      [main]: stepOf(
        "new A().f(3)",
        "class A {\n  f(n: number): number {\n    return n > 0 ? new B().f(n - 1) : 1;\n  }\n}\nclass B {\n  f(n: number): number {\n    return n > 0 ? new A().f(n - 1) : 2;\n  }\n}",
      ),
    },
    (d) => d.replace(main, "new A().f(3)", "new B().f(3)"),
  ),
  trap(
    "two functions in a circle exchange their bodies",
    {
      [main]: stepOf(
        "even(3)",
        "function even(n: number): boolean {\n  return n === 0 ? true : odd(n - 1);\n}\nfunction odd(n: number): boolean {\n  return n === 0 ? false : even(n - 1);\n}",
      ),
    },
    (d) =>
      d.replace(main, "? true :", "? NO :").replace(main, "? false :", "? true :").replace(main, "? NO :", "? false :"),
  ),
  trap(
    "a namespace import that is destructured",
    {
      [main]: stepOf("a", 'import * as lib from "./lib.ts";\nconst { a } = lib;'),
      "src/lib.ts": "export const a = 1;\nexport const b = 2;\n",
    },
    (d) => d.replace("src/lib.ts", "a = 1", "a = 3"),
  ),
  trap(
    "a namespace of a namespace",
    {
      [main]: stepOf("outer.inner.a", 'import * as outer from "./outer.ts";'),
      "src/outer.ts": 'import * as inner from "./inner.ts";\nexport { inner };\n',
      "src/inner.ts": "export const a = 1;\n",
    },
    (d) => d.replace("src/inner.ts", "a = 1", "a = 2"),
  ),
  trap(
    "a default that is re-exported under a name",
    {
      [main]: stepOf("a()", 'import { a } from "./outer.ts";'),
      "src/outer.ts": 'export { default as a } from "./inner.ts";\n',
      "src/inner.ts": "export default function () {\n  return 1;\n}\n",
    },
    (d) => d.replace("src/inner.ts", "return 1", "return 2"),
  ),
  trap(
    "an anonymous default class",
    {
      [main]: stepOf("new A().f()", 'import A from "./inner.ts";'),
      "src/inner.ts": "export default class {\n  f() {\n    return 1;\n  }\n}\n",
    },
    (d) => d.replace("src/inner.ts", "return 1", "return 2"),
  ),
  trap(
    "a string as an export's name",
    {
      [main]: stepOf("a", 'import { "the a" as a } from "./lib.ts";'),
      "src/lib.ts": 'const one = 1;\nconst two = 2;\nexport { one as "the a", two as "the b" };\n',
    },
    (d) => d.replace("src/lib.ts", "one = 1", "one = 3"),
  ),
  trap(
    "a dynamic import that is destructured",
    {
      [main]: stepOf("f()", 'async function f() {\n  const { a } = await import("./lib.ts");\n  return a;\n}'),
      "src/lib.ts": "export const a = 1;\n",
    },
    (d) => d.replace("src/lib.ts", "a = 1", "a = 2"),
  ),
  trap(
    "a dynamic import that is passed on",
    {
      [main]: stepOf("Object.keys(await late())", 'const late = () => import("./lib.ts");'),
      "src/lib.ts": "export const a = 1;\n",
    },
    (d) => d.append("src/lib.ts", "export const b = 2;\n"),
  ),
  trap(
    "import.meta.resolve of a literal",
    { [main]: stepOf('(await import(import.meta.resolve("./a.ts"))).a'), "src/a.ts": "export const a = 1;\n" },
    (d) => d.replace("src/a.ts", "a = 1", "a = 2"),
    "changed or opaque",
  ),
  trap(
    "a file that is read by its name beside the module",
    {
      [main]: stepOf(
        'readFileSync(join(import.meta.dirname, "a.txt"), "utf8")',
        'import { readFileSync } from "node:fs";\nimport { join } from "node:path";',
      ),
      "src/a.txt": "1",
    },
    (d) => d.replace(main, "a.txt", "b.txt"),
  ),
  trap(
    "a WebAssembly module by URL",
    { [main]: stepOf('new URL("./a.wasm", import.meta.url).pathname'), "src/a.wasm": "\0asm\u0001\0\0\0" },
    (d) => d.remove("src/a.wasm").add("src/a.wasm", "\0asm\u0002\0\0\0"),
  ),
  trap(
    "a dynamic import of a file that is not there, until it is",
    { [main]: stepOf('import("./missing.ts").catch(() => 0)') },
    (d) => d.add("src/missing.ts", "export const a = 1;\n"),
    "changed or opaque",
  ),
  assumable(
    trap(
      "an effect of a pipeline's namesake",
      {
        [main]: stepOf(
          "log",
          "const log: number[] = [];\nconst demo = { run: (n: number) => log.push(n) };\nawait demo.run(1);",
        ),
      },
      (d) => d.replace(main, "demo.run(1)", "demo.run(2)"),
    ),
  ),
  trap(
    "a driver that also does something else",
    {
      [main]: `import { pipeline } from "reprise";\n${stepOf("log", "const log: number[] = [];")}export const demo = pipeline({ name: "demo", build: () => work({ x: 1 }) });\nlog.push(1);\nawait demo.run();\n`,
    },
    (d) => d.replace(main, "log.push(1)", "log.push(2)"),
  ),
  trap(
    "a driver whose arguments have an effect",
    {
      [main]: `import { pipeline } from "reprise";\n${stepOf("log", "const log: number[] = [];")}export const demo = pipeline({ name: "demo", build: () => work({ x: 1 }) });\nawait demo.run(void log.push(1));\n`,
    },
    (d) => d.replace(main, "log.push(1)", "log.push(2)"),
    "changed or opaque",
  ),
  trap(
    "a main function that is a driver and more",
    {
      [main]: `import { pipeline } from "reprise";\n${stepOf("log", "const log: number[] = [];")}export const demo = pipeline({ name: "demo", build: () => work({ x: 1 }) });\nasync function main() {\n  log.push(1);\n  await demo.run();\n}\nawait main();\n`,
    },
    (d) => d.replace(main, "log.push(1)", "log.push(2)"),
    "changed or opaque",
  ),
  trap(
    "a step that reads what a driver gave back",
    {
      [main]: `import { pipeline, step } from "reprise";\nconst first = pipeline({ name: "first", build: () => undefined });\nconst result = await first.run();\nexport const work = step({ name: "work", run: () => ({ y: result.status }) });\n`,
    },
    (d) => d.replace(main, "first.run()", "first.run({}, { name: 'other' })"),
    "changed or opaque",
  ),
  trap(
    "what stands behind import.meta.main, read by a step",
    { [main]: stepOf("mode", 'let mode = "library";\nif (import.meta.main) {\n  mode = "script";\n}') },
    (d) => d.replace(main, '"script"', '"program"'),
    "changed or opaque",
  ),
  trap(
    "a namespace that other files' order does not touch",
    {
      "src/space.ts": "export namespace Space {\n  export const unit = 4;\n}\n",
      "src/other.ts": "export const other = 1;\n",
      [main]: stepOf("Space.unit + other", 'import { other } from "./other.ts";\nimport { Space } from "./space.ts";'),
    },
    (d) =>
      d.replace(
        main,
        'import { other } from "./other.ts";\nimport { Space } from "./space.ts";',
        'import { Space } from "./space.ts";\nimport { other } from "./other.ts";',
      ),
    "same",
    "tsx",
  ),
  trap(
    "a namespace with an effect inside",
    {
      "src/space.ts":
        'import { log } from "./log.ts";\nexport namespace Space {\n  export const unit = log.push(1);\n}\n',
      "src/log.ts": "export const log: number[] = [];\n",
      [main]: stepOf("log", 'import "./space.ts";\nimport { log } from "./log.ts";'),
    },
    (d) => d.replace("src/space.ts", "log.push(1)", "log.push(2)"),
    "changed",
    "tsx",
  ),
  trap(
    "an enum with a computed member",
    {
      "src/size.ts": "export const size = 3;\n",
      [main]: stepOf("Size.A", 'import { size } from "./size.ts";\nenum Size {\n  A = size,\n}'),
    },
    (d) => d.replace("src/size.ts", "size = 3", "size = 4"),
    "changed",
    "tsx",
  ),
  trap(
    "two declarations of one enum",
    { [main]: stepOf("Size.B", "enum Size {\n  A = 1,\n}\nenum Size {\n  B = 2,\n}") },
    (d) => d.replace(main, "B = 2", "B = 3"),
    "changed",
    "tsx",
  ),
  trap(
    "JSX is code, its layout is not all layout",
    {
      "tsconfig.json": '{ "compilerOptions": { "jsx": "react", "jsxFactory": "h" } }',
      "src/view.tsx": "const h = (...all: unknown[]) => all;\nexport const view = () => <p>a b</p>;\n",
      [main]: stepOf("view()", 'import { view } from "./view.tsx";'),
    },
    (d) => d.replace("src/view.tsx", "a b", "a  b"),
    "changed",
    "tsx",
  ),
  trap(
    "a step moved to another file",
    {
      [main]: 'export * from "./one.ts";\n',
      "src/one.ts": stepOf("a", 'import { a } from "./lib.ts";'),
      "src/lib.ts": "export const a = 1;\n",
    },
    (d) =>
      d
        .replace(main, "./one.ts", "./deep/two.ts")
        .remove("src/one.ts")
        .add("src/deep/two.ts", stepOf("a", 'import { a } from "../lib.ts";')),
    "same",
  ),
  trap(
    "a step moved within its file, and other things around it",
    { [main]: stepOf("a", "const a = 1;") },
    (d) =>
      d.replace(
        main,
        'import { step } from "reprise";\nconst a = 1;',
        'import { step } from "reprise";\nfunction added() {\n  return 1;\n}\nexport const more = added;\nconst a = 1;',
      ),
    "same",
  ),
  trap(
    "an object that a step captures, changed after the step was defined",
    { [main]: `${stepOf("options.k", "const options = { k: 1 };")}options.k = 2;\n` },
    (d) => d.replace(main, "options.k = 2", "options.k = 3"),
  ),
  trap(
    "a native addon built again",
    {
      [main]: stepOf(
        'require("./addon.node")',
        'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);',
      ),
      "src/addon.node": "\u007fELF one",
    },
    (d) => d.replace("src/addon.node", "one", "two"),
  ),
  trap(
    "a script that a child process is given by URL",
    {
      [main]: stepOf('fork(new URL("./child.ts", import.meta.url)).pid', 'import { fork } from "node:child_process";'),
      "src/child.ts": 'import { a } from "./lib.ts";\nconsole.error(a);\n',
      "src/lib.ts": "export const a = 1;\n",
    },
    (d) => d.replace("src/lib.ts", "a = 1", "a = 2"),
  ),
];
