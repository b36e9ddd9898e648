/** A project of the model test as the files that a user would have. */
import {
  libraryModules,
  packageNames,
  stepModules,
  stepOf,
  type Argument,
  type CacheOption,
  type Declaration,
  type Node,
  type Project,
  type Read,
  type StepSource,
} from "./project.ts";

/** Source files and installed packages by path. Data files are not among them. */
export function printProject(project: Project): Record<string, string> {
  const files: Record<string, string> = {
    "package.json": JSON.stringify({ name: "project", type: "module", dependencies: dependencies(project) }),
    "lib/fold.ts": foldModule,
    "lib/read.ts": readModule,
    "lib/memo.ts": memoModule,
  };
  for (const name of packageNames) {
    const version = project.packages[name]!;
    files[`node_modules/${name}/package.json`] = JSON.stringify({
      name,
      version: `${version}.0.0`,
      type: "module",
      exports: "./index.js",
    });
    files[`node_modules/${name}/index.js`] = `export const apply = (x) => x + ${version * 100};\n`;
  }
  for (const module of libraryModules) files[module] = printLibrary(project, module);
  for (const module of stepModules) files[module] = printSteps(project, module);
  return files;
}

function dependencies({ packages }: Project): Record<string, string> {
  return Object.fromEntries(Object.entries(packages).map(([name, version]) => [name, `${version}.0.0`]));
}

/** Turns anything into a number; values that only their type tells apart give different ones. */
const foldModule = `export function fold(values: readonly unknown[]): number {
  let sum = 7;
  for (const char of values.map(show).join("|")) sum = (sum * 31 + char.charCodeAt(0)) % 1000003;
  return sum;
}

function show(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  if (Array.isArray(value)) return "[" + value.map(show).join() + "]";
  if (typeof value === "object" && value !== null) {
    return "{" + Object.entries(value).sort().map(([name, each]) => name + ":" + show(each)).join() + "}";
  }
  return typeof value + String(value);
}
`;

const readModule = `import fs from "node:fs";
import { closeSync, createReadStream, existsSync, openAsBlob, openSync, readdirSync } from "node:fs";
import { readFile, readFileSync, readSync, statSync } from "node:fs";
import { access, open, readFile as readLater } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

export async function orMissing(read: () => string | Promise<string>): Promise<string> {
  try {
    return await read();
  } catch (error) {
    // The last one is what openAsBlob says of a file that is not there.
    const codes = ["ENOENT", "ENOTDIR", "ERR_INVALID_ARG_VALUE"];
    if (!codes.includes((error as { code: string }).code)) throw error;
    return "missing";
  }
}

export const readNow = (path: string): string => readFileSync(path, "utf8");
export const readPromise = async (path: string): Promise<string> => await readLater(path, "utf8");
export const readCallback = (path: string): Promise<string> =>
  new Promise((resolve, reject) => readFile(path, "utf8", (error, text) => (error ? reject(error) : resolve(text))));
export async function readStream(path: string): Promise<string> {
  let text = "";
  for await (const chunk of createReadStream(path)) text += String(chunk);
  return text;
}
export async function readHandle(path: string): Promise<string> {
  const handle = await open(path);
  try {
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}
export function readDescriptor(path: string): string {
  const descriptor = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(100);
    return bytes.toString("utf8", 0, readSync(descriptor, bytes));
  } finally {
    closeSync(descriptor);
  }
}
export const readDefault = async (path: string): Promise<string> => await fs.promises.readFile(path, { encoding: "utf8" });
export async function readLines(path: string): Promise<string> {
  const handle = await open(path);
  const lines: string[] = [];
  for await (const line of createInterface({ input: handle.createReadStream() })) lines.push(line);
  return lines.join();
}
export const readBlob = async (path: string): Promise<string> => await (await openAsBlob(path)).text();
export const readUrl = (path: string): string => fs.readFileSync(pathToFileURL(resolve(path)), "utf8");
export const afterExists = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "not there");
export async function afterAccess(path: string): Promise<string> {
  const isThere = await access(path).then(() => true, () => false);
  return isThere ? await readLater(path, "utf8") : "not there";
}
export const afterStat = (path: string): string =>
  statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path, "utf8") : "not there";
export const sizeOf = (path: string): string => String(statSync(path).size);
export const namesIn = (path: string): string => readdirSync(path).sort().join();
export function textsIn(path: string): string {
  const texts: string[] = [];
  for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    texts.push(entry.name + "=" + (entry.isFile() ? readFileSync(join(path, entry.name), "utf8") : "folder"));
  }
  return texts.join();
}
`;

const memoModule = `import { existsSync, readFileSync } from "node:fs";

const texts = new Map<string, string>();

export function remembered(path: string): string {
  let text = texts.get(path);
  if (text === undefined) {
    text = existsSync(path) ? readFileSync(path, "utf8") : "none";
    texts.set(path, text);
  }
  return text;
}
`;

/** How a module names what it takes from others, collected while its body is printed. */
class Imports {
  readonly #project: Project;
  readonly #module: string;
  readonly #names = new Map<string, Set<string>>();

  constructor(project: Project, module: string) {
    this.#project = project;
    this.#module = module;
  }

  /** The expression for something that a module exports. */
  use(module: string, name: string): string {
    if (module === this.#module) return name;
    const names = this.#names.get(module) ?? new Set();
    this.#names.set(module, names.add(name));
    return this.#project.namespaces && !isPackage(module) ? `${spaceOf(module)}.${name}` : localName(module, name);
  }

  print(): string {
    const lines = [...this.#names].map(([module, names]) => {
      const from = JSON.stringify(isPackage(module) ? module : relative(this.#module, module));
      if (this.#project.namespaces && !isPackage(module)) return `import * as ${spaceOf(module)} from ${from};`;
      const list = [...names].map((name) => {
        const local = localName(module, name);
        return local === name ? name : `${name} as ${local}`;
      });
      return `import { ${list.join(", ")} } from ${from};`;
    });
    return lines.map((line) => `${line}\n`).join("");
  }
}

const isPackage = (module: string): boolean => !module.endsWith(".ts");
const localName = (module: string, name: string): string =>
  name === "apply" ? `${module.replaceAll("-", "_")}_apply` : name;
const spaceOf = (module: string): string => module.replace(/\.ts$/u, "").replaceAll(/\W/gu, "_");

function relative(from: string, to: string): string {
  const up = "../".repeat(from.split("/").length - 1);
  return `${up === "" ? "./" : up}${to}`;
}

function printLibrary(project: Project, module: string): string {
  const imports = new Imports(project, module);
  const body = project.declarations
    .filter((declaration) => declaration.module === module)
    .map((declaration) => printDeclaration(project, declaration, imports))
    .join("\n");
  return `${imports.print()}${body}\n${printNoise(project, module)}`;
}

function printDeclaration(project: Project, declaration: Declaration, imports: Imports): string {
  const { name, kind, value, dress, environment } = declaration;
  const comment = dress === 0 ? "" : `/** Dressed ${dress} times. */\n`;
  const typed = dress % 2 === 1;
  if (kind === "constant") return `${comment}export const ${name}${typed ? ": number" : ""} = ${value};`;
  if (kind === "variable") {
    const type = typed ? ": string" : "";
    return `${comment}export const ${name}${type} = process.env["${environment}"] ?? "unset ${value}";`;
  }
  const terms = [`x * ${value}`, ...printUses(project, declaration, imports, "x")];
  const sum = terms.join(typed ? " +\n    " : " + ");
  return `${comment}export function ${name}(x: number)${typed ? ": number" : ""} {\n  return ${sum};\n}`;
}

function printUses(
  project: Project,
  { uses, packages }: Pick<Declaration, "uses" | "packages">,
  imports: Imports,
  argument: string,
): string[] {
  const used = uses.map((id) => {
    const { kind, module, name } = project.declarations.find((each) => each.id === id)!;
    const expression = imports.use(module, name);
    if (kind === "function") return `${expression}(${argument})`;
    return kind === "variable" ? `${expression}.length` : expression;
  });
  return [...used, ...packages.map((name) => `${imports.use(name, "apply")}(${argument})`)];
}

function printNoise({ noise }: Project, module: string): string {
  const count = noise[module] ?? 0;
  return count === 0 ? "" : `export function unrelated_${count}(y: number): number {\n  return y - ${count};\n}\n`;
}

function printSteps(project: Project, module: string): string {
  const imports = new Imports(project, module);
  const steps = project.steps.filter((step) => step.module === module);
  const body = steps.map((step) => printStep(project, step, imports)).join("\n");
  const isMain = module === "pipeline.ts";
  const pipeline = isMain ? `\n${printPipeline(project, imports)}` : "";
  const names = [...(steps.length > 0 ? ["step"] : []), ...(isMain ? ["pipeline"] : [])];
  const framework = names.length === 0 ? "" : `import { ${names.join(", ")} } from "reprise";\n`;
  return `${framework}${imports.print()}\n${body}\n${pipeline}${printNoise(project, module)}`;
}

function printStep(project: Project, step: StepSource, imports: Imports): string {
  const options = [
    `name: ${JSON.stringify(step.name)},`,
    ...(step.cache === undefined ? [] : [`cache: ${JSON.stringify(step.cache)},`]),
    ...(step.version === undefined ? [] : [`version: ${JSON.stringify(step.version)},`]),
    ...(step.expires ? [`expires: "1h",`] : []),
  ];
  const body = [
    ...(step.late ? [`await new Promise((resolve) => setImmediate(resolve));`] : []),
    `const seen: string[] = [];`,
    ...step.reads.map((read) => `seen.push(${printRead(read, imports)});`),
    ...(step.reads.length > 0 ? [`log("has read");`, `await new Promise((resolve) => setImmediate(resolve));`] : []),
    `const parts = [${[step.value, "n", "a", "b", "list", "seen", ...printUses(project, step, imports, "3")].join(", ")}];`,
    `const sum = ${imports.use("lib/fold.ts", "fold")}(parts);`,
    ...(step.fragile ? [`if (sum % 5 === 0) throw new Error("fragile");`] : []),
    step.wide
      ? `return { sum: ${step.coarse ? "sum % 2" : "sum"}, rest: { by: "${step.id}", third: sum % 3 } };`
      : `return ${step.coarse ? "sum % 3" : "sum"};`,
  ];
  const comment = step.dress === 0 ? "" : `// Dressed ${step.dress} times.\n`;
  const indent = step.dress % 2 === 1 ? "      " : "    ";
  return [
    `${comment}export const ${variableOf(step)} = step({`,
    ...options.map((option) => `  ${option}`),
    `  run: async ({ n, a, b, list }: { n?: any; a?: any; b?: any; list?: any }, { log }) => {`,
    ...body.map((line) => indent + line),
    `  },`,
    `});`,
  ].join("\n");
}

const variableOf = (step: StepSource): string => `step_${step.id}`;

function printRead(read: Read, imports: Imports): string {
  const use = (name: string): string => imports.use("lib/read.ts", name);
  const path = "path" in read ? JSON.stringify(read.path) : "";
  const guarded = (name: string): string => `await ${use("orMissing")}(() => ${use(name)}(${path}))`;
  switch (read.kind) {
    case "file":
      return guarded(read.way);
    case "optional":
      return `await ${use(read.way)}(${path})`;
    case "choice":
      return `(${guarded("readNow")}).startsWith("x") ? ${printRead(read.begins, imports)} : ${printRead(read.otherwise, imports)}`;
    case "folder":
      return guarded(read.deep ? "textsIn" : "namesIn");
    case "size":
      return guarded("sizeOf");
    case "environment":
      return printVariable(read);
    case "memo":
      return `${imports.use("lib/memo.ts", "remembered")}(${path})`;
  }
}

function printVariable({ name, way }: Extract<Read, { kind: "environment" }>): string {
  const text = JSON.stringify(name);
  switch (way) {
    case "value":
      return `process.env[${text}] ?? "unset"`;
    case "taken":
      return `(({ ${name}: value }) => value ?? "unset")(process.env)`;
    case "spread":
      return `Object.entries({ ...process.env }).filter(([name]) => name.startsWith("MODEL_")).sort().join()`;
    case "presence":
      return `String(${text} in process.env)`;
    case "names":
      return `Object.keys(process.env).filter((name) => name.startsWith("MODEL_")).sort().join()`;
  }
}

function printPipeline(project: Project, imports: Imports): string {
  const lines = project.nodes.map((node) => printNode(project, node, imports));
  const returned = project.nodes.flatMap((node) =>
    outputsOf(project, node).map((output) => `${nodeName(node)}_${output}: ${printOutput(node.id, output)}`),
  );
  const cache = project.pipelineCache === undefined ? "" : `  cache: ${JSON.stringify(project.pipelineCache)},\n`;
  const comment = project.dress === 0 ? "" : `// Dressed ${project.dress} times.\n`;
  return `${comment}export const main = pipeline({
  name: "main",
${cache}  build() {
${lines.map((line) => `    ${line}\n`).join("")}    return { ${returned.join(", ")} };
  },
});
`;
}

function printNode(project: Project, node: Node, imports: Imports): string {
  const step = stepOf(project, node);
  const args = Object.entries(node.arguments).map(([name, argument]) => `${name}: ${printArgument(argument)}`);
  const cache = node.cache === undefined ? "" : `, cache: ${printCache(node.cache)}`;
  const call = `${imports.use(step.module, variableOf(step))}({ ${args.join(", ")} }, { name: "${nodeName(node)}"${cache} })`;
  return `const node_${node.id}: any = ${call};`;
}

const printCache = (cache: CacheOption): string => JSON.stringify(cache);

function printArgument(argument: Argument): string {
  switch (argument.kind) {
    case "value":
      return Object.is(argument.value, -0) ? "-0" : JSON.stringify(argument.value);
    case "output":
      return printOutput(argument.node, argument.output);
    case "list":
      return `[${argument.items.map(({ node, output }) => printOutput(node, output)).join(", ")}]`;
  }
}

const printOutput = (node: number, output: string): string => `node_${node}${output === "output" ? "" : `.${output}`}`;

export const nodeName = (node: { readonly id: number }): string => `n${node.id}`;

export function outputsOf(project: Project, node: Node): readonly string[] {
  return stepOf(project, node).wide ? ["sum", "rest"] : ["output"];
}
