import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import type { StepDefinition } from "../define/plan.ts";
import { openCodeIndex } from "./index.ts";

interface Case {
  /** At the top of the file of the steps. */
  readonly top: string;
  /** What the functions of the steps do. */
  readonly first: string;
  readonly second?: string;
  readonly files?: Readonly<Record<string, string>>;
  /** Of the first step, and of the second where that is another. */
  readonly memos: readonly string[];
  readonly others?: readonly string[];
}

const load = 'import { load } from "./load.ts";';
/** A module with a function `load`, in `load.ts`. */
const loading = (text: string, memos: readonly string[], more: Readonly<Record<string, string>> = {}): Case => ({
  top: load,
  first: 'load("a")',
  second: 'load("b")',
  files: { "load.ts": `import { readFileSync } from "node:fs";\n${text}\n`, ...more },
  memos,
});

/** A package that is not known to be pure. */
const installed = (name: string): Readonly<Record<string, string>> => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({
    name,
    version: "1.0.0",
    type: "module",
    exports: "./index.js",
  }),
  [`node_modules/${name}/index.js`]: "export default function make() {}\nexport class LRU {}\n",
});

/** Modules that keep what was read in `state`, each filled in another way by `make`. */
function each(
  memos: readonly string[],
  state: string,
  answer: string,
  ways: Readonly<Record<string, string>>,
): Readonly<Record<string, Case>> {
  return Object.fromEntries(
    Object.entries(ways).map(([what, make]) => [
      what,
      loading(
        `${state}\nconst read = () => readFileSync("a", "utf8");\n${make}\nexport function load(_: string) {\n  make();\n  return ${answer};\n}`,
        memos,
        installed("lodash"),
      ),
    ]),
  );
}

const cases: Readonly<Record<string, Case>> = {
  "a map in a helper": loading(
    "const cache = new Map<string, string>();\nexport function load(path: string) {\n  if (!cache.has(path)) cache.set(path, readFileSync(path, 'utf8'));\n  return cache.get(path)!;\n}",
    ["load.ts#cache"],
  ),
  "a record in a helper": loading(
    "const cache: Record<string, string> = {};\nexport const load = (path: string) => (cache[path] ??= readFileSync(path, 'utf8'));",
    ["load.ts#cache"],
  ),
  "what is made once": loading(
    "let config: string | undefined;\nexport function load(path: string) {\n  config ??= readFileSync(path, 'utf8');\n  return config;\n}",
    ["load.ts#config"],
  ),
  "what is in flight": loading(
    'import { readFile } from "node:fs/promises";\nconst inFlight = new Map<string, Promise<string>>();\nexport async function load(path: string) {\n  const known = inFlight.get(path) ?? readFile(path, "utf8");\n  inFlight.set(path, known);\n  return await known;\n}',
    ["load.ts#inFlight"],
  ),
  "a variable of a function around it": loading(
    "function memoize<T>(make: (key: string) => T) {\n  const known = new Map<string, T>();\n  return (key: string) => {\n    if (!known.has(key)) known.set(key, make(key));\n    return known.get(key)!;\n  };\n}\nexport const load = memoize((path) => readFileSync(path, 'utf8'));",
    ["load.ts#load"],
  ),
  "a variable of a function that is called where it stands": loading(
    "export const load = (() => {\n  let known: string | undefined;\n  return (path: string) => (known ??= readFileSync(path, 'utf8'));\n})();",
    ["load.ts#load"],
  ),
  "a property of the function itself": loading(
    "export function load(path: string): string {\n  load.known ??= readFileSync(path, 'utf8');\n  return load.known;\n}\nload.known = undefined as string | undefined;",
    ["load.ts#load"],
  ),
  "a field of an object of a class": loading(
    "class Client {\n  known: Record<string, string> = {};\n  get(path: string) {\n    this.known[path] ??= readFileSync(path, 'utf8');\n    return this.known[path];\n  }\n}\nconst client = new Client();\nexport const load = (path: string) => client.get(path);",
    ["load.ts#client"],
  ),
  "a private field of an object of a class": loading(
    "class Client {\n  readonly #known = new Map<string, string>();\n  get(path: string) {\n    if (!this.#known.has(path)) this.#known.set(path, readFileSync(path, 'utf8'));\n    return this.#known.get(path)!;\n  }\n}\nconst client = new Client();\nexport const load = (path: string) => client.get(path);",
    ["load.ts#client"],
  ),
  "an object of a class that a function makes": loading(
    'import { makeClient } from "./client.ts";\nconst clients = { first: makeClient() };\nexport const load = (path: string) => clients.first.get(path);',
    ["load.ts#clients"],
    {
      "client.ts":
        'import { readFileSync } from "node:fs";\nclass Base {\n  known?: string;\n  get(path: string) {\n    return (this.known ??= readFileSync(path, "utf8"));\n  }\n}\nclass Client extends Base {}\nexport function makeClient() {\n  return new Client();\n}\n',
    },
  ),
  "a static field of a class": loading(
    "class Files {\n  static #known = new Map<string, string>();\n  static get(path: string) {\n    if (!this.#known.has(path)) this.#known.set(path, readFileSync(path, 'utf8'));\n    return this.#known.get(path)!;\n  }\n}\nexport const load = (path: string) => Files.get(path);",
    ["load.ts#Files"],
  ),
  "a static field of a class, by its name": loading(
    "class Files {\n  static known: Record<string, string> = {};\n  get(path: string) {\n    Files.known[path] ??= readFileSync(path, 'utf8');\n    return Files.known[path];\n  }\n}\nexport const load = (path: string) => new Files().get(path);",
    ["load.ts#Files"],
  ),
  "an object with methods": loading(
    "const store = {\n  known: {} as Record<string, string>,\n  get(path: string) {\n    return (this.known[path] ??= readFileSync(path, 'utf8'));\n  },\n};\nexport const load = (path: string) => store.get(path);",
    ["load.ts#store"],
  ),
  "a cache of a package": loading(
    'import { LRU } from "lru";\nconst cache = new LRU() as any;\nexport function load(path: string) {\n  if (!cache.has(path)) cache.set(path, readFileSync(path, "utf8"));\n  return cache.get(path);\n}',
    ["load.ts#cache"],
    installed("lru"),
  ),
  "a function that a package remembers the answers of": loading(
    'import memoize from "memo";\nconst read = (path: string) => readFileSync(path, "utf8");\nexport const load = memoize(read) as any;',
    ["load.ts#load"],
    installed("memo"),
  ),
  "a function in the options of an object of a package": loading(
    'import { LRU } from "lru";\nconst cache = new LRU({ fetch: (path: string) => readFileSync(path, "utf8") } as any) as any;\nexport const load = (path: string) => cache.get(path);',
    ["load.ts#cache"],
    installed("lru"),
  ),
  "a container that a function hands out": loading(
    "const cache = new Map<string, string>();\nconst known = () => cache;\nexport function load(path: string) {\n  if (!known().has(path)) known().set(path, readFileSync(path, 'utf8'));\n  return known().get(path)!;\n}",
    ["load.ts#cache", "load.ts#known"],
  ),
  "a container that is passed on": loading(
    "const cache = new Map<string, string>();\nfunction remember(map: Map<string, string>, path: string) {\n  if (!map.has(path)) map.set(path, readFileSync(path, 'utf8'));\n  return map.get(path)!;\n}\nexport const load = (path: string) => remember(cache, path);",
    ["load.ts#cache"],
  ),
  "a container inside of another, under a local name": loading(
    "const state = { caches: { files: new Map<string, string>() } };\nexport function load(path: string) {\n  const { caches } = state;\n  const { files } = caches;\n  if (!files.has(path)) files.set(path, readFileSync(path, 'utf8'));\n  return files.get(path)!;\n}",
    ["load.ts#state"],
  ),
  "the members of a list, in a loop": loading(
    "const entries = [{ path: 'a', text: undefined as string | undefined }];\nexport function load() {\n  for (const entry of entries) entry.text ??= readFileSync(entry.path, 'utf8');\n  return entries;\n}",
    ["load.ts#entries"],
  ),
  "a global of the program's own": loading(
    "declare global {\n  var known: string | undefined;\n}\nexport function load(path: string) {\n  globalThis.known ??= readFileSync(path, 'utf8');\n  return globalThis.known;\n}",
    ["globalThis"],
  ),
  "a variable of a CommonJS module": {
    top: 'import lib from "./lib.cjs";',
    first: 'lib.load("a")',
    second: 'lib.load("b")',
    files: {
      "lib.cjs":
        'const { readFileSync } = require("node:fs");\nconst cache = {};\nexports.load = (path) => (cache[path] ??= readFileSync(path, "utf8"));\n',
    },
    memos: ["lib.cjs#cache"],
  },
  "an object that a CommonJS module makes": {
    top: 'import lib from "./lib.cjs";\nconst client = lib.makeClient();',
    first: 'client.get("a")',
    second: 'client.get("b")',
    files: {
      "lib.cjs":
        'const { readFileSync } = require("node:fs");\nexports.makeClient = () => {\n  const known = {};\n  return { get: (path) => (known[path] ??= readFileSync(path, "utf8")) };\n};\n',
    },
    memos: ["main.ts#client"],
  },
  "what one step changes and the other one only reads": {
    top: "const seen = [1];",
    first: "seen.push(2)",
    second: "seen.length",
    memos: ["main.ts#seen"],
  },
  "nothing of what another step shares with a third": {
    top: load,
    first: 'load("a")',
    second: "Math.sqrt(2)",
    files: { "load.ts": "let known = 0;\nexport const load = (path: string) => (known ||= path.length);\n" },
    memos: ["load.ts#known"],
    others: [],
  },
  "no constants": loading(
    'import { join } from "node:path";\nconst rows = [1, 2];\nconst folders = { data: "data" };\nconst pattern = /x/u;\nconst seen = new Set(["a"]);\nexport const load = (path: string) => join(folders.data, path, String(rows.length), pattern.source, String(seen.size));',
    [],
  ),
  "no local state of a call": loading(
    "export function load(path: string) {\n  const seen = new Set<string>();\n  let count = 0;\n  const add = (line: string) => {\n    seen.add(line);\n    count += 1;\n  };\n  for (const line of readFileSync(path, 'utf8').split('\\n')) add(line);\n  return count;\n}",
    [],
  ),
  "no constant that a loop fills while it is made": loading(
    "function build() {\n  const index = new Map<string, number>();\n  ['a', 'b'].forEach((name, at) => index.set(name, at));\n  for (const name of ['c']) index.set(name, 2);\n  return index;\n}\nconst index = build();\nexport const load = (path: string) => index.get(path);",
    [],
  ),
  "no object of a class that does not change": loading(
    "class Scale {\n  readonly factor: number;\n  constructor(factor: number) {\n    this.factor = factor;\n  }\n  apply(text: string) {\n    return text.length * this.factor;\n  }\n}\nconst scale = new Scale(2);\nexport const load = (path: string) => scale.apply(path);",
    [],
  ),
  "no registry that is filled when modules are loaded": loading(
    "const readers = new Map<string, (path: string) => string>();\nreaders.set('text', (path) => readFileSync(path, 'utf8'));\nexport const load = (path: string) => readers.get('text')!(path);",
    [],
  ),
  "no schema": loading(
    'import { z } from "zod";\nconst schema = z.object({ a: z.string().transform((text: string) => text) });\nexport const load = (path: string) => schema.parse({ a: path });',
    [],
    {
      "node_modules/zod/package.json":
        '{ "name": "zod", "version": "4.0.0", "type": "module", "exports": "./index.js" }',
      "node_modules/zod/index.js": "export const z = {};\n",
    },
  ),
  ...each(["load.ts#state"], "const state = { text: '' };", "state.text", {
    "a record that a function changes which is given it":
      "function fill(target: typeof state) {\n  target.text = read();\n}\nconst make = () => fill(state);",
    "a record that a function hands on to one that changes it":
      "function put(target: typeof state) {\n  target.text = read();\n}\nconst fill = (target: typeof state) => put(target);\nconst make = () => fill(state);",
    "a record that two functions hand to each other, of which one changes it":
      "function one(target: typeof state, left: number): void {\n  if (left > 0) two(target, left - 1);\n}\nfunction two(target: typeof state, left: number): void {\n  one(target, left);\n  put(target);\n}\nfunction put({ text: _, ...target }: any) {\n  target.text = read();\n}\nconst make = () => one(state, 2);",
    "a record that a function changes which is written in the one that calls it":
      "const make = () => {\n  const fill = (target: typeof state) => (target.text = read());\n  fill(state);\n};",
    "a record under a local name that a function changes":
      "function fill(target: typeof state) {\n  target.text = read();\n}\nconst make = () => {\n  const here = state;\n  fill(here);\n};",
    "a record that a function of a package changes":
      "import lodash from 'lodash';\nconst make = () => (lodash as any).merge(state, { text: read() });",
    "a record that a named function of a package changes":
      "import { set as put } from 'lodash';\nconst make = () => (put as any)(state, 'text', read());",
  }),
  ...each(["load.ts#state"], "const state = [{ text: '' }];", "state[0]!.text", {
    "the members of a list, in a callback": "const make = () => state.forEach((item) => (item.text = read()));",
    "the members of a list that is folded":
      "const make = () => state.reduce((sum, item) => {\n  item.text = read();\n  return sum + 1;\n}, 0);",
  }),
  ...each(["load.ts#state"], "const state = new Map([['k', '']]);", "state.get('k')!", {
    "a map by a method of all maps": "const make = () => Map.prototype.set.call(state, 'k', read());",
    "a map by a method that is applied to it": "const make = () => Reflect.apply(state.set, state, ['k', read()]);",
    "a map by a method whose name is computed":
      "const method = 'set' as const;\nconst make = () => state[method]('k', read());",
  }),
  "a map by a method that is bound to it": loading(
    "const state = new Map([['k', '']]);\nconst put = state.set.bind(state);\nexport const load = (path: string) => put('k', readFileSync(path, 'utf8')).get('k');",
    ["load.ts#state"],
  ),
  ...each(["load.ts#state"], "const state = Buffer.alloc(64);", "state.toString()", {
    "a buffer that is written to": "const make = () => state.write(read());",
    "a buffer that is written to by number": "const make = () => state.writeInt32LE(read().length);",
    "a buffer that is copied to": "const make = () => Buffer.from(read()).copy(state);",
    "a buffer that is encoded into": "const make = () => new TextEncoder().encodeInto(read(), state);",
    "a buffer that is stored to": "const make = () => Atomics.store(state, 0, read().length);",
    "a buffer that a file is read into":
      "import { openSync, readSync } from 'node:fs';\nconst make = () => readSync(openSync('a', 'r'), state);",
  }),
  "a variable of a function around it that another function fills": loading(
    "function fill(box: { text?: string }, path: string) {\n  box.text ??= readFileSync(path, 'utf8');\n}\nfunction once() {\n  const box = { text: undefined };\n  return (path: string) => {\n    fill(box as never, path);\n    return box.text;\n  };\n}\nexport const load = once();",
    ["load.ts#load"],
  ),
  "what is kept in something that Node made": loading(
    "export const load = (path: string) => ((JSON as any).memo ??= readFileSync(path, 'utf8'));",
    ["globalThis"],
  ),
  "what is kept in a module of Node": loading(
    "import fs from 'node:fs';\nexport const load = (path: string) => ((fs as any).memo ??= readFileSync(path, 'utf8'));",
    ["node:fs"],
  ),
  "what is set in a package": loading(
    'import axios from "axios";\nexport const load = (path: string) => ((axios as any).defaults.token = readFileSync(path, "utf8"));',
    ["axios"],
    installed("axios"),
  ),
  "no record that is given to functions which do not change it": loading(
    "const options = { sep: ',', deep: { a: 1 } };\nconst split = (text: string, { sep }: typeof options) => {\n  const rows: string[] = [];\n  for (const part of text.split(sep)) rows.push(part);\n  return rows;\n};\nconst parse = (text: string, how: typeof options) => split(text, { ...how });\nexport const load = (path: string) => parse(readFileSync(path, 'utf8'), options);",
    [],
  ),
  "no list that is folded into a new record": loading(
    "const names = ['a', 'b'];\nexport const load = (path: string) =>\n  names.reduce<Record<string, string>>((known, name) => {\n    known[name] = path;\n    return known;\n  }, {});",
    [],
  ),
  "no constant that packages and Node are given": loading(
    'import lodash from "lodash";\nimport { format } from "node:util";\nconst options = { depth: 2 };\nexport const load = (path: string) => [(lodash as any).pick(options, "depth"), format("%o", options), path];',
    [],
    installed("lodash"),
  ),
  "no settings of the process": loading(
    "export function load(path: string) {\n  process.exitCode = 0;\n  process.env['A'] = path;\n  Error.stackTraceLimit = 20;\n  return path;\n}",
    [],
  ),
  "no client of a package that is given no function": loading(
    'import { LRU } from "lru";\nconst client = new LRU({ key: "a" } as any) as any;\nexport const load = (path: string) => client.ask(path);',
    [],
    installed("lru"),
  ),
};

let folder: string;
let count = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "reprise-memos-"));
});
after(() => rm(folder, { recursive: true, force: true }));

for (const [what, { top, first, second = first, files = {}, memos, others = memos }] of Object.entries(cases)) {
  test(`two steps share ${what}, as analysed and as remembered`, async () => {
    const root = join(folder, String(count++));
    const text = `import { step } from "reprise";\n${top}\nexport const first = step({ name: "first", run: () => ${first} });\nexport const second = step({ name: "second", run: () => ${second} });\n`;
    for (const [name, content] of Object.entries({
      "package.json": '{ "type": "module" }',
      "main.ts": text,
      ...files,
    })) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), content);
    }
    const steps = ["first", "second"].map((name) => stepIn(root, text, name));
    for (const _ of ["analysed", "remembered"]) {
      const index = openCodeIndex({ root, stateDir: join(root, ".reprise/code"), entries: [] });
      const identities = await index.identify(steps);
      assert.deepEqual(
        steps.map((step) => identities.get(step)?.memos),
        [memos, others],
      );
    }
  });
}

function stepIn(root: string, text: string, name: string): StepDefinition {
  const lines = text.split("\n");
  const line = lines.findIndex((each) => each.startsWith(`export const ${name} = step(`));
  const column = lines[line]!.indexOf("step(") + 1;
  const sites = [{ script: join(root, "main.ts"), line: line + 1, column, functionName: "" }];
  return { name, run: () => ({}), params: undefined, inputs: {}, outputs: undefined, options: {}, sites };
}
