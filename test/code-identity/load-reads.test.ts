/** A value that a module took from outside when it was loaded is not known by its code: the step says so, whichever way it was taken. */
import { describeCases, type CodeCase } from "./code-case.ts";
import type { Files } from "./project.ts";

const imports = [
  'import * as fs from "node:fs";',
  'import { existsSync, readdirSync, readFileSync } from "node:fs";',
  'import { readFile } from "node:fs/promises";',
  'import { fileURLToPath } from "node:url";',
  "",
].join("\n");

/** What `src/config.ts` does to make the `value` that the step returns. */
const reads: Readonly<Record<string, string>> = {
  "a file": 'export const value = JSON.parse(readFileSync("package.json", "utf8"));',
  "a file, through the namespace": 'export const value = fs.readFileSync("package.json", "utf8");',
  "a file, awaited": 'export const value = await readFile("package.json", "utf8");',
  "whether there is a file": 'export const value = existsSync("package.json") ? 1 : 2;',
  "a file, by a function":
    'const load = (path: string) => readFileSync(path, "utf8");\nexport const value = load("package.json");',
  "a file, by a function of an object":
    'const io = { load: (path: string) => readFileSync(path, "utf8") };\nexport const value = io.load("package.json");',
  "a file, by a constructor":
    'class Config {\n  text: string;\n  constructor(path: string) {\n    this.text = readFileSync(path, "utf8");\n  }\n}\nexport const value = new Config("package.json").text;',
  "a file, by a method":
    'class Config {\n  load(path: string) {\n    return readFileSync(path, "utf8");\n  }\n}\nexport const value = new Config().load("package.json");',
  "a file, by a static method":
    'class Config {\n  static load(path: string) {\n    return readFileSync(path, "utf8");\n  }\n}\nexport const value = Config.load("package.json");',
  "files, by a callback":
    'const names = ["package.json"];\nexport const value = names.map((name) => readFileSync(name, "utf8"));',
  "files, by a callback that has a name":
    'const load = (path: string) => readFileSync(path, "utf8");\nexport const value = ["package.json"].map(load);',
  "a file, by a function that is given to another one":
    'function call<T>(make: () => T) {\n  return make();\n}\nexport const value = call(() => readFileSync("package.json", "utf8"));',
  "a file, by another name of Node's function":
    'const read = readFileSync;\nexport const value = read("package.json", "utf8");',
  "a file, by a destructured name":
    'const { readFileSync: read } = fs;\nexport const value = read("package.json", "utf8");',
  "a file, by a module that the process hands out":
    'const files = process.getBuiltinModule("node:fs");\nexport const value = files.readFileSync("package.json", "utf8");',
  "a file, by a name of such a module, of an imported process":
    'import process from "node:process";\nconst { readFileSync: read } = process.getBuiltinModule("fs");\nexport const value = read("package.json", "utf8");',
  "a file, into a variable":
    'export let value = "";\ntry {\n  value = readFileSync("package.json", "utf8");\n} catch {}',
  "a folder, into a list": 'export const value: string[] = [];\nfor (const name of readdirSync(".")) value.push(name);',
  "a file, into a map later":
    'export const value: string[] = [];\nvoid readFile("package.json", "utf8").then((text) => value.push(text));',
  "a file, into a record by a function":
    'function fill(into: Record<string, string>) {\n  into.text = readFileSync("package.json", "utf8");\n}\nexport const value: Record<string, string> = {};\nfill(value);',
  "the network": 'export const value = await (await fetch("data:,1")).text();',
  "a database":
    'import { DatabaseSync } from "node:sqlite";\nexport const value = new DatabaseSync(":memory:").location();',
  "the command line, by a name of node:process":
    'import { argv } from "node:process";\nexport const value = argv.length;',
};

const commonJs: Readonly<Record<string, string>> = {
  "a file in CommonJS": 'const fs = require("node:fs");\nexports.value = fs.readFileSync("package.json", "utf8");\n',
  "a file in CommonJS, by a destructured name":
    'const { readFileSync } = require("fs");\nconst text = readFileSync("package.json", "utf8");\nmodule.exports = { value: text };\n',
  "a file in CommonJS, at once": 'module.exports = { value: require("fs").readFileSync("package.json", "utf8") };\n',
};

/** What is known all the same, or is for later. */
const known: Readonly<Record<string, string>> = {
  "a file whose place the code names":
    'export const value = readFileSync(new URL("./config.json", import.meta.url), "utf8");',
  "a file whose place the code names, as a path":
    'export const value = readFileSync(fileURLToPath(new URL("./config.json", import.meta.url)), "utf8");',
};
const harmless: Readonly<Record<string, string>> = {
  "a function that reads when it is called":
    'const read = (path: string) => readFileSync(path, "utf8");\nexport const value = { read };',
  "a memo of a function that reads when it is called":
    'function memoize<T>(make: (key: string) => T) {\n  const made = new Map<string, T>();\n  return (key: string) => made.get(key) ?? make(key);\n}\nexport const value = memoize((path) => readFileSync(path, "utf8"));',
  "a registry of functions that read when they are called":
    'export const value = new Map<string, unknown>();\nvalue.set("text", (path: string) => readFileSync(path, "utf8"));',
};

describeCases(
  "what is read when modules are loaded",
  [
    ...cases(reads, "opaque", (text) => ({ "src/config.ts": imports + text })),
    ...cases(commonJs, "opaque", (text) => ({
      "src/config.ts": 'import config from "./config.cjs";\nexport const value = config.value;\n',
      "src/config.cjs": text,
    })),
    ...cases(known, "changed", (text) => ({ "src/config.ts": imports + text })),
    ...cases(harmless, "same", (text) => ({ "src/config.ts": imports + text })),
  ],
  { loader: "node" },
);

function cases(
  forms: Readonly<Record<string, string>>,
  expected: CodeCase["expected"],
  filesOf: (text: string) => Files,
): readonly CodeCase[] {
  return Object.entries(forms).map(([name, text]) => ({
    name,
    files: {
      "package.json": JSON.stringify({ name: "load-reads", type: "module" }),
      "src/config.json": "{}",
      "src/main.ts":
        'import { step } from "reprise";\nimport { value } from "./config.ts";\nexport const work = step({ name: "work", run: () => ({ y: value }) });\n',
      ...filesOf(text),
    },
    edit: (draft) => draft.replace("src/config.json", "{}", '{ "a": 1 }'),
    expected,
    mayAssume: true,
  }));
}
