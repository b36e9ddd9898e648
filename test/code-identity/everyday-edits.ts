/** Everyday edits, and which of them a step's code must show. */
import type { Edit } from "./project.ts";

export interface EverydayEdit {
  readonly name: string;
  /** What happens to the digest of the step `work`. */
  readonly expected: "changed" | "same";
  /** Steps besides `work` whose digest may change; that of any other step must stay. */
  readonly besides?: readonly ("other" | "light")[];
  readonly edit: Edit;
}

const pipeline = "src/pipeline.ts";

function installed(name: string, version: string, dependencies: Record<string, string> = {}): string {
  return JSON.stringify({ name, version, type: "module", exports: "./index.js", dependencies });
}

/** A package moves to another version, in the lock file and as installed. */
function upgrade(name: string, dependencies: Record<string, string> = {}): Edit {
  return (draft) =>
    draft
      .replace(
        "package-lock.json",
        `"node_modules/${name}":{"version":"1.0.0","integrity":"sha512-${name}1"`,
        `"node_modules/${name}":{"version":"1.1.0","integrity":"sha512-${name}2"`,
      )
      .remove(`node_modules/${name}/package.json`)
      .add(`node_modules/${name}/package.json`, installed(name, "1.1.0", dependencies));
}

/** Edits of the project that Node loads by itself. */
export const everydayEdits: readonly EverydayEdit[] = [
  { name: "helper body", expected: "changed", edit: (d) => d.replace("src/helper.ts", "scaled + 1", "scaled + 2") },
  { name: "helper of helper", expected: "changed", edit: (d) => d.replace("src/deep.ts", "x * 2", "x * 3") },
  {
    name: "default param target of helper of helper",
    expected: "changed",
    edit: (d) => d.replace("src/offset.ts", "return 11", "return 12"),
  },
  { name: "module constant", expected: "changed", edit: (d) => d.replace(pipeline, "FACTOR = 3", "FACTOR = 4") },
  {
    name: "namespace import, used member",
    expected: "changed",
    edit: (d) => d.replace("src/stats.ts", "a + b, 0)", "a + b, 1)"),
  },
  {
    name: "barrel: used export",
    expected: "changed",
    edit: (d) => d.replace("src/barrel/norm.ts", "Math.sqrt(x)", "Math.cbrt(x)"),
  },
  {
    name: "package imports #cfg",
    expected: "changed",
    edit: (d) => d.replace("src/cfg.ts", "limit: 8 }", "limit: 9 }"),
  },
  {
    name: "package imports map points elsewhere",
    expected: "changed",
    edit: (d) =>
      d
        .replace("package.json", "./src/cfg.ts", "./src/cfg2.ts")
        .add("src/cfg2.ts", "export const config = { limit: 10 };\n"),
  },
  {
    name: "JSON import value",
    expected: "changed",
    edit: (d) => d.replace("src/data.json", '"threshold": 5', '"threshold": 6'),
  },
  {
    name: "JSON import value becomes a string",
    expected: "changed",
    edit: (d) => d.replace("src/data.json", '"threshold": 5', '"threshold": "5"'),
  },
  { name: "CommonJS helper", expected: "changed", edit: (d) => d.replace("src/legacy.cjs", "* 2", "* 3") },
  {
    name: "CommonJS helper of helper",
    expected: "changed",
    edit: (d) => d.replace("src/legacy-deep.cjs", "x + 100", "x + 101"),
  },
  {
    name: "base class method",
    expected: "changed",
    edit: (d) => d.replace("src/base.ts", "x + this.start", "x - this.start"),
  },
  {
    name: "default param helper in class",
    expected: "changed",
    edit: (d) => d.replace("src/bias.ts", "return 13", "return 14"),
  },
  {
    name: "import cycle, far helper",
    expected: "changed",
    edit: (d) => d.replace("src/far.ts", "return false", "return true"),
  },
  {
    name: "side-effect statement of a reached module",
    expected: "changed",
    besides: ["other"],
    edit: (d) => d.replace("src/registry.ts", '"a", 1', '"a", 2'),
  },
  {
    name: "added side-effect import",
    expected: "changed",
    besides: ["other"],
    edit: (d) => d.prepend(pipeline, 'import "./patch.ts";\n'),
  },
  {
    name: "added side-effect import that changes the language's own objects",
    expected: "changed",
    besides: ["other", "light"],
    edit: (d) => d.prepend(pipeline, 'import "./polyfill.ts";\n'),
  },
  {
    name: "mutable module state: let initialiser",
    expected: "changed",
    edit: (d) => d.replace("src/counter.ts", "counter = 40", "counter = 41"),
  },
  { name: "package version (direct)", expected: "changed", edit: upgrade("left", { right: "^1.0.0" }) },
  { name: "package version (transitive)", expected: "changed", edit: upgrade("right") },
  {
    name: "dynamic import target",
    expected: "changed",
    edit: (d) => d.replace("src/late.ts", "x + 31", "x + 32"),
  },
  {
    name: "schema params",
    expected: "changed",
    edit: (d) =>
      d.replace(
        pipeline,
        'name: "work",\n  params: z.object({ gamma: z.number().default(0.1) })',
        'name: "work",\n  params: z.object({ gamma: z.number().default(0.2) })',
      ),
  },
  {
    name: "step literal in own body",
    expected: "changed",
    edit: (d) => d.replace(pipeline, "delay(1) + 17", "delay(1) + 18"),
  },
  {
    name: "number to string literal",
    expected: "changed",
    edit: (d) => d.replace(pipeline, "delay(1) + 17", 'delay(1) + "17"'),
  },
  {
    name: "operator precedence parens",
    expected: "changed",
    edit: (d) => d.replace(pipeline, "local(1) * (2 + 1)", "local(1) * 2 + 1"),
  },
  {
    name: "optional chaining added",
    expected: "changed",
    edit: (d) => d.replace(pipeline, "list.at(0)", "list?.at(0)"),
  },
  {
    name: "resolution switched by a new file",
    expected: "changed",
    edit: (d) => d.add("src/pick.js", "export const value = 22;\n"),
  },
  {
    name: "resolution switched by a nearer package",
    expected: "changed",
    edit: (d) =>
      d
        .add("src/node_modules/left/package.json", installed("left", "3.0.0"))
        .add("src/node_modules/left/index.js", "export const left = (x) => x + 3;\n"),
  },
  {
    name: "new local export shadows star export",
    expected: "changed",
    edit: (d) => d.append("src/barrel/index.ts", "export function norm(x: number): number {\n  return x;\n}\n"),
  },
  {
    name: "prototype patch of used class",
    expected: "changed",
    besides: ["other"],
    edit: (d) =>
      d.append("src/model.ts", "\nModel.prototype.predict = function predict(): number {\n  return 0;\n};\n"),
  },
  {
    name: "property attached to used function",
    expected: "changed",
    besides: ["other"],
    edit: (d) => d.append("src/helper.ts", '\nObject.assign(scale, { unit: "m" });\n'),
  },
  {
    name: "unused const, impure initialiser that mutates used state",
    expected: "changed",
    besides: ["other"],
    edit: (d) => d.append("src/registry.ts", '\nexport const unusedSize = registry.set("z", 9).size;\n'),
  },
  { name: "comment in step", expected: "same", edit: (d) => d.replace(pipeline, "// the work itself", "// the work") },
  {
    name: "comment in helper",
    expected: "same",
    edit: (d) =>
      d
        .replace("src/deep.ts", "// how deep", "/* how\n   deep */")
        .replace("src/deep.ts", "Goes deeper.", "Goes as deep as it can."),
  },
  {
    name: "whitespace and newline style",
    expected: "same",
    edit: (d) =>
      d
        .replaceAll("src/helper.ts", /\n/gu, "\r\n")
        .replaceAll("src/deep.ts", /\n {2}/gu, "\n\t\t")
        .replaceAll(pipeline, /\n/gu, "\r\n")
        .replaceAll(pipeline, / => /gu, "  =>\n"),
  },
  {
    name: "quotes, semicolons, parens",
    expected: "same",
    edit: (d) =>
      d
        .replaceAll(pipeline, /;\n/gu, "\n")
        .replaceAll(pipeline, /"/gu, "'")
        .replace(pipeline, "n * 2 + 1", "((n * 2) + 1)")
        .replace(pipeline, "kind: kind.kind", "'kind': (kind.kind)"),
  },
  {
    name: "type-only edits",
    expected: "same",
    edit: (d) =>
      d
        .replace("src/deep.ts", "x: number, k: number = offset()): number", "x: number | 0, k = offset()): number & {}")
        .append("src/deep.ts", "\nexport type Deep = typeof deep;\nexport interface Deeper {\n  deep: Deep;\n}\n")
        .replace("src/kinds.ts", "readonly kind: string", "kind: string"),
  },
  {
    name: "`as`, `satisfies`, `!` added",
    expected: "same",
    edit: (d) =>
      d
        .replace("src/deep.ts", "const doubled = x * 2", "const doubled = (x as number)! * (2 satisfies number)")
        .replace(pipeline, "const FACTOR = 3", "const FACTOR = 3 as const"),
  },
  {
    name: "added `import type`",
    expected: "same",
    edit: (d) =>
      d
        .prepend("src/deep.ts", 'import type { Gamma } from "./kinds.ts";\n')
        .replace("src/deep.ts", "deep(x: number,", "deep(x: Gamma,"),
  },
  {
    name: "import order",
    expected: "same",
    edit: (d) =>
      d
        .replace(pipeline, 'import { scale } from "./helper.ts";\n', "")
        .replace(pipeline, 'import legacy from "./legacy.cjs";\n', "")
        .prepend(pipeline, 'import legacy from "./legacy.cjs";\nimport { scale } from "./helper.ts";\n'),
  },
  {
    name: "import order of side-effect modules untouched, sorted",
    expected: "same",
    edit: (d) =>
      d
        .replace(pipeline, "import { norm, clip }", "import { clip, norm }")
        .replace(pipeline, 'import * as stats from "./stats.ts";\n', "")
        .replace(pipeline, "import { even }", 'import * as stats from "./stats.ts";\nimport { even }'),
  },
  {
    name: "sibling step body",
    expected: "same",
    besides: ["other"],
    edit: (d) => d.replace(pipeline, "otherHelper(x) + 51", "otherHelper(x) + 52"),
  },
  {
    name: "sibling step helper",
    expected: "same",
    besides: ["other"],
    edit: (d) => d.replace("src/other-helper.ts", "x + 61", "x + 62"),
  },
  {
    name: "new sibling step",
    expected: "same",
    edit: (d) =>
      d.replace(
        pipeline,
        "export const work = step({",
        'export const added = step({ name: "added", run: () => ({ z: 1 }) });\n\nexport const work = step({',
      ),
  },
  {
    name: "pipeline build body",
    expected: "same",
    edit: (d) => d.replace(pipeline, "    light();\n", "    light();\n    if (gamma > 1) light();\n"),
  },
  {
    name: "unused helper in reached module",
    expected: "same",
    edit: (d) => d.replace("src/helper.ts", "unusedDeep(x) + offset()", "unusedDeep(x) - offset()"),
  },
  {
    name: "unused imported name (value import, never used)",
    expected: "same",
    edit: (d) => d.replace(pipeline, "import { scale } from", "import { scale, unusedHelper } from"),
  },
  {
    name: "unrelated export",
    expected: "same",
    edit: (d) => d.append("src/deep.ts", "\nexport const unrelated = 1;\n"),
  },
  {
    name: "barrel: other export",
    expected: "same",
    edit: (d) => d.replace("src/barrel/clip.ts", "Math.max(x, 1)", "Math.max(x, 2)"),
  },
  {
    name: "barrel: other export of the same file",
    expected: "same",
    edit: (d) => d.replace("src/barrel/norm.ts", "Math.abs(x)", "-Math.abs(x)"),
  },
  {
    name: "barrel: new line",
    expected: "same",
    edit: (d) =>
      d
        .append("src/barrel/index.ts", 'export * from "./more.ts";\n')
        .add("src/barrel/more.ts", "export const more = 1;\n"),
  },
  {
    name: "namespace import, unused member",
    expected: "same",
    edit: (d) => d.replace("src/stats.ts", "xs[0] ?? 0", "xs[1] ?? 0"),
  },
  {
    name: "other class in reached module",
    expected: "same",
    edit: (d) => d.replace("src/model.ts", "this.warm(x) * 5", "this.warm(x) * 6"),
  },
  {
    name: "cycle: unused exports",
    expected: "same",
    edit: (d) => d.replace("src/cycle-a.ts", "return 1", "return 3").replace("src/cycle-b.ts", "return 2", "return 4"),
  },
  {
    name: "params of top-level run",
    expected: "same",
    edit: (d) => d.replace(pipeline, "demo.run({ gamma: 0.02 })", "demo.run({ gamma: 0.03 })"),
  },
  {
    name: "run result logged",
    expected: "same",
    edit: (d) =>
      d.replace(
        pipeline,
        "await demo.run({ gamma: 0.02 });",
        "const result = await demo.run({ gamma: 0.02 });\nconsole.error(result.status);",
      ),
  },
  {
    name: "run in a loop over gammas",
    expected: "same",
    edit: (d) =>
      d.replace(
        pipeline,
        "await demo.run({ gamma: 0.02 });",
        "for (const gamma of [0.02, 0.03]) {\n  await demo.run({ gamma });\n}",
      ),
  },
  {
    name: "run behind argv parsing",
    expected: "same",
    edit: (d) =>
      d.replace(
        pipeline,
        "await demo.run({ gamma: 0.02 });",
        "const gamma = Number(process.argv[9] ?? 0.02);\nawait demo.run({ gamma });",
      ),
  },
  {
    name: "run in main() and main()",
    expected: "same",
    edit: (d) =>
      d.replace(
        pipeline,
        "await demo.run({ gamma: 0.02 });",
        "async function main() {\n  await demo.run({ gamma: 0.04 });\n}\n\nawait main();",
      ),
  },
  {
    name: "run behind import.meta.main",
    expected: "same",
    edit: (d) =>
      d.replace(
        pipeline,
        "await demo.run({ gamma: 0.02 });",
        'if (import.meta.main) {\n  const run = await demo.run({ gamma: 0.04 });\n  console.error(run.status, "done");\n}',
      ),
  },
  { name: "run removed", expected: "same", edit: (d) => d.replace(pipeline, "await demo.run({ gamma: 0.02 });", "") },
  { name: "unused package version", expected: "same", edit: upgrade("spare") },
  {
    name: "import of another package, unused by step",
    expected: "same",
    besides: ["other"],
    edit: (d) =>
      d
        .prepend(pipeline, 'import { spare } from "spare";\n')
        .replace(pipeline, "otherHelper(x) + 51", "otherHelper(spare(x)) + 51"),
  },
  {
    name: "JSON reformatted",
    expected: "same",
    edit: (d) =>
      d.replace("src/data.json", '{\n  "threshold": 5,\n  "unread": 6\n}', '{"unread":6,\n\n "threshold":5}'),
  },
  { name: "JSON: unread key", expected: "same", edit: (d) => d.replace("src/data.json", '"unread": 6', '"unread": 7') },
  {
    name: "CommonJS comment",
    expected: "same",
    edit: (d) => d.replace("src/legacy.cjs", "// twice the deep one", "// two times the deep one\n"),
  },
  {
    name: "statement order of declarations",
    expected: "same",
    edit: (d) =>
      d
        .replace(
          pipeline,
          "const FACTOR = 3;\nconst ORDER = [1, 2, 3];\n",
          "const ORDER = [1, 2, 3];\nconst FACTOR = 3;\n",
        )
        .replace("src/cycle-a.ts", "export function unusedInA(): number {\n  return 1;\n}\n", "")
        .replace(
          "src/cycle-a.ts",
          "export function even",
          "export function unusedInA(): number {\n  return 1;\n}\n\nexport function even",
        ),
  },
  {
    name: "unused top-level name equal to a name used elsewhere",
    expected: "same",
    edit: (d) => d.append("src/other-helper.ts", "\nexport const scale = 5;\nexport const FACTOR = 6;\n"),
  },
  {
    name: "unused const with a pure call",
    expected: "same",
    edit: (d) =>
      d.append(
        "src/helper.ts",
        "\nexport const unusedSet = new Set([Math.max(1, 2)]);\nexport const frozen = Object.freeze({ a: 1 });\n",
      ),
  },
  {
    name: "unused const with a user function call",
    expected: "same",
    edit: (d) =>
      d.append(
        "src/helper.ts",
        "\nfunction table(n: number): number[] {\n  return [n, n * 2];\n}\nexport const unusedTable = table(3);\n",
      ),
  },
  {
    name: "unused static class member",
    expected: "same",
    edit: (d) => d.replace("src/model.ts", "static count = 0;", "static count = 1;\n  static {}"),
  },
  {
    name: "local renamed in helper (alpha)",
    expected: "same",
    edit: (d) =>
      d.replace(
        "src/deep.ts",
        "const doubled = x * 2;\n  return doubled + k;",
        "const twice = x * 2;\n  return twice + k;",
      ),
  },
  {
    name: "helper moved to another file (re-imported)",
    expected: "same",
    edit: (d) =>
      d
        .remove("src/offset.ts")
        .add("src/moved/offset.ts", "export function offset(): number {\n  return 11;\n}\n")
        .replace("src/deep.ts", "./offset.ts", "./moved/offset.ts")
        .replace("src/helper.ts", "./offset.ts", "./moved/offset.ts"),
  },
  {
    name: "import alias rename",
    expected: "same",
    edit: (d) =>
      d
        .replace(pipeline, "import { scale } from", "import { scale as stretch } from")
        .replace(pipeline, "code: scale(gamma)", "code: stretch(gamma)"),
  },
];

/** Edits of the project that needs a transforming loader. */
export const transformedEdits: readonly EverydayEdit[] = [
  { name: "tsconfig-paths module", expected: "changed", edit: (d) => d.replace("lib/tool.ts", "x + 71", "x + 72") },
  {
    name: "tsconfig paths point elsewhere",
    expected: "changed",
    edit: (d) =>
      d
        .replace("tsconfig.json", "./lib/*", "./lib2/*")
        .add("lib2/tool.ts", "export const tool = (x: number): number => x + 73;\n"),
  },
  {
    name: "decorator function",
    expected: "changed",
    edit: (d) => d.replace("src/decorate.ts", ".factor = 2", ".factor = 3"),
  },
  { name: "enum value", expected: "changed", edit: (d) => d.replace("src/color.ts", "Blue,", "Blue = 7,") },
  {
    name: "enum earlier member (implicit)",
    expected: "changed",
    edit: (d) => d.replace("src/color.ts", "Red = 1,\n  Green", "Red = 2,\n  Green"),
  },
  { name: "namespace body", expected: "changed", edit: (d) => d.replace("src/space.ts", "x * unit", "x + unit") },
  {
    name: "resolution switched by a new file (no extension)",
    expected: "changed",
    edit: (d) => d.add("src/pick.ts", "export const picked = 10;\n"),
  },
  {
    name: "parameter property",
    expected: "changed",
    edit: (d) =>
      d.replace(
        "src/service.ts",
        "constructor(readonly rate: number) {}",
        "rate = 0;\n  constructor(rate: number) {\n    void rate;\n  }",
      ),
  },
  { name: "unused enum", expected: "same", edit: (d) => d.replace("src/color.ts", "Red = 1,\n}", "Red = 3,\n}") },
  { name: "unused namespace", expected: "same", edit: (d) => d.replace("src/space.ts", "unit = 5", "unit = 6") },
  {
    name: "unused export of a tsconfig-paths module",
    expected: "same",
    edit: (d) => d.replace("lib/tool.ts", "return x;", "return -x;"),
  },
  {
    name: "a type and a comment beside an enum",
    expected: "same",
    edit: (d) =>
      d
        .replace("src/color.ts", "Red = 1,\n  Green,", "// red\n  Red = 1,\n  Green,")
        .append("src/color.ts", "\nexport type Hue = Color;\n"),
  },
];
