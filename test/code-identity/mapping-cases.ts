/** Ways to make a step, and edits that its code must or must not show. */
import type { Edit, Files } from "./project.ts";

export interface MappingCase {
  readonly name: string;
  readonly files: Files;
  readonly entry?: string;
  /** The steps that are found, in code-unit order. */
  readonly steps: readonly string[];
  /** `proved` unless said otherwise; of all steps. */
  readonly verdict?: "opaque" | "proved or opaque";
  /** Edits by what they are, and the steps whose digest changes; all others keep theirs. */
  readonly edits: Readonly<
    Record<string, { readonly edit: Edit; readonly changed: readonly string[]; readonly orOpaque?: true }>
  >;
}

const main = "src/main.ts";
const head = 'import { pipeline, step } from "reprise";\n';

function project(files: Files): Files {
  return { "package.json": JSON.stringify({ name: "mapping", type: "module" }), ...files };
}

/** One file, and a step `work` with 17 in its body. */
function single(name: string, text: string, more: Partial<MappingCase> = {}): MappingCase {
  return {
    name,
    files: project({ [main]: head + text }),
    steps: ["work"],
    edits: {
      "its body": { edit: (d) => d.replace(main, "17", "18"), changed: ["work"] },
      "another declaration": { edit: (d) => d.append(main, "\nexport const added = 1;\n"), changed: [] },
    },
    ...more,
  };
}

export const mappingCases: readonly MappingCase[] = [
  single("a plain export", 'export const work = step({ name: "work", run: () => ({ y: 17 }) });\n'),
  single("a default export", 'export default step({ name: "work", run: () => ({ y: 17 }) });\n'),
  single(
    "an unexported step of a pipeline",
    'const work = step({ name: "work", run: () => ({ y: 17 }) });\nexport const demo = pipeline({ name: "demo", build: () => work() });\n',
  ),
  single(
    "a step and a pipeline that are both unexported",
    'const work = step({ name: "work", run: () => ({ y: 17 }) });\npipeline({ name: "demo", build: () => work() });\n',
  ),
  {
    ...single(
      "in an object and an array",
      'export const steps = {\n  work: step({ name: "work", run: () => ({ y: 17 }) }),\n  list: [step({ name: "more", run: () => ({ y: 27 }) })],\n};\n',
    ),
    steps: ["more", "work"],
    edits: { "the list": { edit: (d) => d.replace(main, "27", "28"), changed: ["more", "work"] } },
  },
  {
    name: "two declarations in one statement",
    files: project({
      [main]: `${head}export const work = step({ name: "work", run: () => ({ y: 17 }) }), more = step({ name: "more", run: () => ({ y: 27 }) });\n`,
    }),
    steps: ["more", "work"],
    edits: {
      "the first": { edit: (d) => d.replace(main, "17", "18"), changed: ["work"] },
      "the second": { edit: (d) => d.replace(main, "27", "28"), changed: ["more"] },
    },
  },
  {
    name: "destructured out of an object",
    files: project({
      [main]: `${head}export const { work } = { work: step({ name: "work", run: () => ({ y: 17 }) }) };\n`,
    }),
    steps: ["work"],
    edits: { "its body": { edit: (d) => d.replace(main, "17", "18"), changed: ["work"] } },
  },
  {
    name: "made by a factory in another file",
    files: project({
      "src/make.ts": `${head}const base = 100;\nexport function make(name: string, k: number) {\n  return step({ name, run: () => ({ y: base + k }) });\n}\nexport const unused = 1;\n`,
      [main]:
        'import { make } from "./make.ts";\nexport const work = make("work", 3);\nexport const more = make("more", 4);\n',
    }),
    steps: ["more", "work"],
    edits: {
      "an argument of one call": { edit: (d) => d.replace(main, '"work", 3', '"work", 5'), changed: ["work"] },
      "what the factory uses": {
        edit: (d) => d.replace("src/make.ts", "base = 100", "base = 101"),
        changed: ["more", "work"],
      },
      "the factory": { edit: (d) => d.replace("src/make.ts", "base + k", "base - k"), changed: ["more", "work"] },
      "something beside the factory": {
        edit: (d) => d.replace("src/make.ts", "unused = 1", "unused = 2"),
        changed: [],
      },
      "the order of the calls": {
        edit: (d) =>
          d
            .replace(main, 'export const work = make("work", 3);\n', "")
            .append(main, 'export const work = make("work", 3);\n'),
        changed: [],
      },
    },
  },
  {
    name: "made by a factory that takes the function",
    files: project({
      "src/make.ts": `${head}export const make = (name: string, run: () => { y: number }) => step({ name, run });\n`,
      "src/train.ts": "export const train = () => ({ y: 7 });\nexport const test = () => ({ y: 8 });\n",
      [main]:
        'import { make } from "./make.ts";\nimport { test, train } from "./train.ts";\nexport const work = make("work", train);\nexport const more = make("more", test);\n',
    }),
    steps: ["more", "work"],
    edits: {
      "one function": { edit: (d) => d.replace("src/train.ts", "y: 7", "y: 9"), changed: ["work"] },
      "the other function": { edit: (d) => d.replace("src/train.ts", "y: 8", "y: 9"), changed: ["more"] },
    },
  },
  {
    name: "with functions that are declared elsewhere",
    files: project({
      "src/train.ts":
        "export function train() {\n  return { y: 7 };\n}\nexport class Trainer {\n  static fit() {\n    return { y: 8 };\n  }\n}\n",
      [main]: `${head}import { train, Trainer } from "./train.ts";\nexport const work = step({ name: "work", run: train });\nexport const more = step({ name: "more", run: Trainer.fit });\n`,
    }),
    steps: ["more", "work"],
    edits: {
      "the function": { edit: (d) => d.replace("src/train.ts", "y: 7", "y: 9"), changed: ["work"] },
      "the method": { edit: (d) => d.replace("src/train.ts", "y: 8", "y: 9"), changed: ["more"] },
    },
  },
  {
    name: "with a bound function",
    files: project({
      [main]: `${head}function train(k: number) {\n  return { y: k };\n}\nexport const work = step({ name: "work", run: train.bind(null, 1) });\n`,
    }),
    steps: ["work"],
    edits: { "what is bound": { edit: (d) => d.replace(main, "null, 1", "null, 2"), changed: ["work"] } },
  },
  {
    name: "in a loop over a list",
    files: project({
      [main]: `${head}export const steps = ["work", "more"].map((name, k) => step({ name, run: () => ({ y: k * 17 }) }));\n`,
    }),
    steps: ["more", "work"],
    edits: {
      "the body": { edit: (d) => d.replace(main, "k * 17", "k * 18"), changed: ["more", "work"] },
      "the list": {
        edit: (d) => d.replace(main, '["work", "more"]', '["work", "more", "most"]'),
        changed: ["more", "work"],
      },
    },
  },
  {
    name: "pushed in a for loop",
    files: project({
      [main]: `${head}const factors = { work: 2, more: 3 };\nexport const steps: unknown[] = [];\nfor (const [name, k] of Object.entries(factors)) {\n  steps.push(step({ name, run: () => ({ y: k * 17 }) }));\n}\n`,
    }),
    steps: ["more", "work"],
    edits: {
      "the body": { edit: (d) => d.replace(main, "k * 17", "k * 18"), changed: ["more", "work"] },
      "what it goes over": { edit: (d) => d.replace(main, "more: 3", "more: 4"), changed: ["more", "work"] },
    },
  },
  {
    name: "in a function after await",
    files: project({
      [main]: `${head}async function make(k: number) {\n  await null;\n  return step({ name: "work", run: () => ({ y: k * 17 }) });\n}\nexport const work = await make(3);\n`,
    }),
    steps: ["work"],
    verdict: "proved or opaque",
    edits: {
      "the function": { edit: (d) => d.replace(main, "k * 17", "k * 18"), changed: ["work"] },
      "the argument of the call": {
        edit: (d) => d.replace(main, "make(3)", "make(4)"),
        changed: ["work"],
        orOpaque: true,
      },
    },
  },
  {
    name: "in a function of another file after await",
    files: project({
      "src/make.ts": `${head}export async function make(k: number) {\n  await null;\n  return step({ name: "work", run: () => ({ y: k * 17 }) });\n}\n`,
      [main]: 'import { make } from "./make.ts";\nexport const work = await make(3);\n',
    }),
    steps: ["work"],
    verdict: "proved or opaque",
    edits: {
      "the function": { edit: (d) => d.replace("src/make.ts", "k * 17", "k * 18"), changed: ["work"] },
      "the argument of the call": {
        edit: (d) => d.replace(main, "make(3)", "make(4)"),
        changed: ["work"],
        orOpaque: true,
      },
    },
  },
  single(
    "in a function after await that has nothing of its own to capture",
    'async function make() {\n  await null;\n  return step({ name: "work", run: () => ({ y: 17 }) });\n}\nexport const work = await make();\n',
  ),
  single(
    "a static member of a class",
    'const factor = 17;\nexport class Steps {\n  static readonly work = step({ name: "work", run: () => ({ y: factor }) });\n}\n',
  ),
  single(
    "inside of a build",
    'const factor = 17;\nexport const demo = pipeline({\n  name: "demo",\n  build() {\n    const work = step({ name: "work", run: () => ({ y: factor }) });\n    return work();\n  },\n});\n',
  ),
  single(
    "inside of a function that is called at once",
    'export const work = (() => {\n  const factor = 17;\n  return step({ name: "work", run: () => ({ y: factor }) });\n})();\n',
  ),
  single(
    "called through a namespace",
    'import * as reprise from "reprise";\nexport const work = reprise.step({ name: "work", run: () => ({ y: 17 }) });\n',
  ),
  single(
    "called by another name",
    'const define = step;\nexport const work = define({ name: "work", run: () => ({ y: 17 }) });\n',
  ),
  single("called through a comma", 'export const work = (0, step)({ name: "work", run: () => ({ y: 17 }) });\n'),
  single(
    "called with type arguments left to the compiler, over several lines",
    'export const work =\n  step(\n    {\n      name: "work",\n      run: () => ({ y: 17 }),\n    },\n  );\n',
  ),
  single(
    "behind characters that are more than one code unit",
    '/* 😀 é */ export const label = "😀"; export const work = step({ name: "work", run: () => ({ y: 17 }) });\n',
  ),
  single(
    "with some arguments given",
    'const work0 = step({ name: "work", run: ({ k }: { k: number }) => ({ y: k * 17 }) });\nexport const work = work0.with({ k: 2 });\n',
  ),
  {
    name: "passed on by a barrel",
    files: project({
      [main]: 'export * from "./steps.ts";\n',
      "src/steps.ts": `${head}export const work = step({ name: "work", run: () => ({ y: 17 }) });\nexport const more = step({ name: "more", run: () => ({ y: 27 }) });\n`,
    }),
    steps: ["more", "work"],
    edits: { "one body": { edit: (d) => d.replace("src/steps.ts", "17", "18"), changed: ["work"] } },
  },
  {
    name: "in CommonJS",
    files: {
      "package.json": JSON.stringify({ name: "mapping", type: "commonjs" }),
      "src/lib.js": "exports.factor = 17;\n",
      "src/main.js":
        'const { step } = require("reprise");\nconst lib = require("./lib.js");\n// a comment\nexports.work = step({ name: "work", run: () => ({ y: lib.factor }) });\n',
    },
    entry: "src/main.js",
    steps: ["work"],
    edits: {
      "its body": { edit: (d) => d.replace("src/main.js", "lib.factor }", "lib.factor + 1 }"), changed: ["work"] },
      "what it requires": { edit: (d) => d.replace("src/lib.js", "17", "18"), changed: ["work"] },
      "a comment": { edit: (d) => d.replace("src/main.js", "// a comment\n", "// another\n\n"), changed: [] },
    },
  },
  {
    name: "in CommonJS under the extension .cjs, in a project of ES modules",
    files: project({
      "src/lib.cjs": "module.exports = { factor: 17 };\n",
      "src/main.cjs":
        'const reprise = require("reprise");\nconst { factor } = require("./lib.cjs");\nmodule.exports = {\n  work: reprise.step({ name: "work", run() { return { y: factor }; } }),\n};\n',
    }),
    entry: "src/main.cjs",
    steps: ["work"],
    edits: {
      "its body": { edit: (d) => d.replace("src/main.cjs", "y: factor", "y: -factor"), changed: ["work"] },
      "what it requires": { edit: (d) => d.replace("src/lib.cjs", "17", "18"), changed: ["work"] },
      layout: {
        edit: (d) =>
          d.replace("src/main.cjs", "run() { return { y: factor }; }", "run() {\n    return {y: factor}\n  }"),
        changed: [],
      },
    },
  },
  {
    name: "in CommonJS with types (.cts)",
    files: project({
      "src/lib.cts": "exports.factor = 17 as number;\n",
      "src/main.cts":
        'const { step } = require("reprise");\nconst lib = require("./lib.cts");\nexports.work = step({ name: "work", run: (): unknown => ({ y: lib.factor }) });\n',
    }),
    entry: "src/main.cts",
    steps: ["work"],
    edits: {
      "what it requires": { edit: (d) => d.replace("src/lib.cts", "17", "18"), changed: ["work"] },
      "a type": { edit: (d) => d.replace("src/main.cts", "(): unknown", "(): object"), changed: [] },
    },
  },
];

/** Values that a step captures from outside of the code: nothing may be reused on the strength of the code alone. */
export const capturedCases: readonly MappingCase[] = [
  {
    name: "a factory called with an environment variable",
    files: project({
      [main]: `${head}function make(k: string | undefined) {\n  return step({ name: "work", run: () => ({ y: k }) });\n}\nexport const work = make(process.env["K"]);\n`,
    }),
    steps: ["work"],
    verdict: "opaque",
    edits: {},
  },
  {
    name: "a factory called with what a file holds",
    files: project({
      "data.txt": "3",
      [main]: `${head}import { readFileSync } from "node:fs";\nconst make = (k: string) => step({ name: "work", run: () => ({ y: k }) });\nexport const work = make(readFileSync(new URL("../data.txt", import.meta.url), "utf8"));\n`,
    }),
    steps: ["work"],
    verdict: "proved or opaque",
    edits: {
      "the file": { edit: (d) => d.replace("data.txt", "3", "4"), changed: ["work"], orOpaque: true },
    },
  },
  {
    name: "a factory called with the time",
    files: project({
      [main]: `${head}const make = (k: number) => step({ name: "work", run: () => ({ y: k }) });\nexport const work = make(Date.now());\n`,
    }),
    steps: ["work"],
    verdict: "opaque",
    edits: {},
  },
  {
    name: "a loop over the command line",
    files: project({
      [main]: `${head}export const steps = process.argv.slice(0, 1).map((k) => step({ name: "work", run: () => ({ y: k }) }));\n`,
    }),
    steps: ["work"],
    verdict: "opaque",
    edits: {},
  },
];
