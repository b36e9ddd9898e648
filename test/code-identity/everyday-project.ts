/** The project that the everyday edits are made in: one step that reaches a bit of everything, and two that should not notice. */
import type { Files } from "./project.ts";

export const everydayEntry = "src/pipeline.ts";

/** Only what Node's own type stripping can load. Steps: `work` reaches everything, `other` stands in its file, `light` reaches nothing. */
export const everydayProject: Files = {
  "package.json": JSON.stringify({
    name: "everyday",
    type: "module",
    imports: { "#cfg": "./src/cfg.ts" },
    dependencies: { left: "^1.0.0", spare: "^1.0.0", zod: "^4.0.0" },
  }),
  "package-lock.json": JSON.stringify({
    name: "everyday",
    lockfileVersion: 3,
    packages: {
      "": { name: "everyday", dependencies: { left: "^1.0.0", spare: "^1.0.0", zod: "^4.0.0" } },
      "node_modules/left": { version: "1.0.0", integrity: "sha512-left1", dependencies: { right: "^1.0.0" } },
      "node_modules/right": { version: "1.0.0", integrity: "sha512-right1" },
      "node_modules/spare": { version: "1.0.0", integrity: "sha512-spare1" },
      "node_modules/zod": { version: "4.6.7", integrity: "sha512-zod1" },
    },
  }),
  "node_modules/left/package.json": JSON.stringify({
    name: "left",
    version: "1.0.0",
    type: "module",
    exports: "./index.js",
    dependencies: { right: "^1.0.0" },
  }),
  "node_modules/left/index.js": `import { right } from "right";\nexport const left = (x) => right(x) + 1;\n`,
  "node_modules/right/package.json": JSON.stringify({
    name: "right",
    version: "1.0.0",
    type: "module",
    exports: "./index.js",
  }),
  "node_modules/right/index.js": `export const right = (x) => x * 2;\n`,
  "node_modules/spare/package.json": JSON.stringify({
    name: "spare",
    version: "1.0.0",
    type: "module",
    exports: "./index.js",
  }),
  "node_modules/spare/index.js": `export const spare = (x) => x - 1;\n`,
  "node_modules/zod/package.json": JSON.stringify({
    name: "zod",
    version: "4.6.7",
    type: "module",
    exports: "./index.js",
  }),
  "node_modules/zod/index.js": zodLike(),
  "src/cfg.ts": `export const config = { limit: 8 };\nexport const unusedConfig = { limit: 80 };\n`,
  "src/data.json": `{\n  "threshold": 5,\n  "unread": 6\n}\n`,
  "src/deep.ts": `import { offset } from "./offset.ts";

/** Goes deeper. */
export function deep(x: number, k: number = offset()): number {
  // how deep
  const doubled = x * 2;
  return doubled + k;
}

export function unusedDeep(x: number): number {
  return x - 1;
}
`,
  "src/offset.ts": `export function offset(): number {\n  return 11;\n}\n`,
  "src/helper.ts": `import { deep, unusedDeep } from "./deep.ts";
import { offset } from "./offset.ts";

export function scale(x: number): number {
  const scaled = deep(x);
  return scaled + 1;
}

export function unusedHelper(x: number): number {
  return unusedDeep(x) + offset();
}
`,
  "src/stats.ts": `export function mean(xs: readonly number[]): number {
  return xs.reduce((a, b) => a + b, 0) / xs.length;
}

export function median(xs: readonly number[]): number {
  return xs[0] ?? 0;
}
`,
  "src/barrel/index.ts": `export * from "./norm.ts";\nexport { clip, crop } from "./clip.ts";\n`,
  "src/barrel/norm.ts": `export function norm(x: number): number {\n  return Math.sqrt(x);\n}\n\nexport function norm1(x: number): number {\n  return Math.abs(x);\n}\n`,
  "src/barrel/clip.ts": `export function clip(x: number): number {\n  return Math.min(x, 7);\n}\n\nexport function crop(x: number): number {\n  return Math.max(x, 1);\n}\n`,
  "src/legacy.cjs": `const deep = require("./legacy-deep.cjs");
const pick = require("./pick");
// twice the deep one
module.exports = function legacy(x) {
  return deep(x) * 2 + pick.value;
};
`,
  "src/legacy-deep.cjs": `module.exports = (x) => x + 100;\n`,
  "src/pick.json": `{ "value": 21 }\n`,
  "src/base.ts": `export class Base {
  readonly start: number;
  constructor(start: number) {
    this.start = start;
  }
  warm(x: number): number {
    return x + this.start;
  }
}
`,
  "src/model.ts": `import { Base } from "./base.ts";
import { bias } from "./bias.ts";

export class Model extends Base {
  predict(x: number, b: number = bias()): number {
    return this.warm(x) + b;
  }
}

export class OtherModel extends Base {
  static count = 0;
  predict(x: number): number {
    return this.warm(x) * 5;
  }
}
`,
  "src/bias.ts": `export function bias(): number {\n  return 13;\n}\n`,
  "src/cycle-a.ts": `import { odd } from "./cycle-b.ts";

export function even(n: number): boolean {
  return n === 0 ? true : odd(n - 1);
}

export function unusedInA(): number {
  return 1;
}
`,
  "src/cycle-b.ts": `import { even } from "./cycle-a.ts";
import { far } from "./far.ts";

export function odd(n: number): boolean {
  return n === 0 ? far() : even(n - 1);
}

export function unusedInB(): number {
  return 2;
}
`,
  "src/far.ts": `export function far(): boolean {\n  return false;\n}\n`,
  "src/counter.ts": `let counter = 40;\n\nexport function tick(): number {\n  counter += 1;\n  return counter;\n}\n`,
  "src/registry.ts": `export const registry = new Map<string, number>();\nregistry.set("a", 1);\n`,
  "src/late.ts": `export function delay(x: number): number {\n  return x + 31;\n}\n`,
  "src/patch.ts": `import { registry } from "./registry.ts";\n\nregistry.set("patched", 1);\n`,
  // What many projects share a process for must go on working: the new method does what the old one did.
  "src/polyfill.ts": `const { at } = Array.prototype;

Array.prototype.at = function (this: unknown[], index: number): unknown {
  return at.call(this, index);
};
`,
  "src/kinds.ts": `export interface Kind {\n  readonly kind: string;\n}\nexport type Gamma = number;\n`,
  "src/light.ts": `import { step } from "reprise";\n\nexport const light = step({ name: "light", run: () => ({ light: 1 }) });\n`,
  "src/other-helper.ts": `export function otherHelper(x: number): number {\n  return x + 61;\n}\n`,
  [everydayEntry]: `import { pipeline, step } from "reprise";
import { z } from "zod";
import { norm, clip } from "./barrel/index.ts";
import { even } from "./cycle-a.ts";
import { tick } from "./counter.ts";
import data from "./data.json" with { type: "json" };
import { scale } from "./helper.ts";
import type { Kind } from "./kinds.ts";
import { left } from "left";
import legacy from "./legacy.cjs";
import { light } from "./light.ts";
import { Model } from "./model.ts";
import { otherHelper } from "./other-helper.ts";
import { registry } from "./registry.ts";
import * as stats from "./stats.ts";
import { config } from "#cfg";

const FACTOR = 3;
const ORDER = [1, 2, 3];

function local(x: number): number {
  return x + FACTOR;
}

export const other = step({
  name: "other",
  run: ({ x }: { x: number }) => ({ other: otherHelper(x) + 51 }),
});

export const work = step({
  name: "work",
  params: z.object({ gamma: z.number().default(0.1) }),
  run: async ({ gamma }: { gamma: number }) => {
    // the work itself
    const late = await import("./late.ts");
    const model = new Model(gamma);
    const kind: Kind = { kind: "work" };
    const list = ORDER.map((n) => n * 2 + 1);
    const first = list.at(0);
    return {
      kind: kind.kind,
      first,
      code: scale(gamma) + stats.mean(list) + norm(4) + clip(9) + config.limit + data.threshold + local(1) * (2 + 1),
      more: legacy(2) + model.predict(3) + (even(4) ? 1 : 0) + tick() + left(1) + registry.size + late.delay(1) + 17,
    };
  },
});

export const demo = pipeline({
  name: "demo",
  params: z.object({ gamma: z.number().default(0.1) }),
  build({ gamma }: { gamma: number }) {
    const { code } = work({ gamma });
    light();
    return { code };
  },
});

await demo.run({ gamma: 0.02 });
`,
};

/** What only a transforming loader takes: enums, namespaces, decorators, tsconfig paths, specifiers without an extension. */
export const transformedProject: Files = {
  "package.json": JSON.stringify({ name: "transformed", type: "module" }),
  "tsconfig.json": `{
  // paths are the project's own
  "compilerOptions": { "target": "es2022", "module": "preserve", "paths": { "@lib/*": ["./lib/*"] }, },
}
`,
  "lib/tool.ts": `export function tool(x: number): number {\n  return x + 71;\n}\n\nexport function unusedTool(x: number): number {\n  return x;\n}\n`,
  "src/color.ts": `export enum Color {\n  Red = 1,\n  Green,\n  Blue,\n}\n\nexport enum UnusedColor {\n  Red = 1,\n}\n`,
  "src/space.ts": `export namespace Space {\n  export const unit = 4;\n  export function area(x: number): number {\n    return x * unit;\n  }\n}\n\nexport namespace UnusedSpace {\n  export const unit = 5;\n}\n`,
  "src/decorate.ts": `export function doubled<T extends new (...args: never[]) => object>(target: T, _context: ClassDecoratorContext): T {
  (target as { factor?: number }).factor = 2;
  return target;
}
`,
  "src/service.ts": `import { doubled } from "./decorate";

@doubled
export class Service {
  static factor = 1;
  constructor(readonly rate: number) {}
  serve(x: number): number {
    return x * this.rate * Service.factor;
  }
}
`,
  "src/pick/index.ts": `export const picked = 9;\n`,
  "src/pipeline.ts": `import { step } from "reprise";
import { tool } from "@lib/tool";
import { Color } from "./color";
import { picked } from "./pick";
import { Service } from "./service";
import { Space } from "./space";

export const work = step({
  name: "work",
  run: ({ x }: { x: number }) => ({
    y: tool(x) + Color.Blue + Space.area(x) + new Service(2).serve(3) + picked,
  }),
});
`,
};

/** As much of a schema package as these projects call. */
export function zodLike(): string {
  return `const make = (check) => ({
  check,
  default() { return this; },
  positive() { return this; },
  refine() { return this; },
  transform(f) { return this; },
  optional() { return this; },
  "~standard": { version: 1, vendor: "zod", validate: (value) => ({ value: value ?? {} }) },
});
export const z = {
  object: (shape) => make(shape),
  number: () => make("number"),
  string: () => make("string"),
  array: (item) => make([item]),
  enum: (names) => make(names),
};
export default z;
`;
}
