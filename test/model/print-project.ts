/** A project of the model test as the files that a user would have. */
import { declaredPaths } from "./look.ts";
import {
  foldModule,
  memoModule,
  placeModule,
  printAskModule,
  processModule,
  readModule,
  writeModule,
} from "./print-modules.ts";
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
  type WriteWay,
} from "./project.ts";

/** Source files and installed packages by path. Data files are not among them. */
export function printProject(project: Project, origin: string): Record<string, string> {
  const files: Record<string, string> = {
    "package.json": JSON.stringify({ name: "project", type: "module", dependencies: dependencies(project) }),
    "lib/fold.ts": foldModule,
    "lib/read.ts": readModule,
    "lib/memo.ts": memoModule,
    "lib/place.ts": placeModule,
    "lib/ask.ts": printAskModule(origin),
    "lib/process.ts": processModule,
    "lib/write.ts": writeModule,
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
const spaceOf = (module: string): string => `all_${module.replace(/\.ts$/u, "").replaceAll(/\W/gu, "_")}`;

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
  const names = ["step", "pipeline"].filter((name) => `${body}${pipeline}`.includes(` = ${name}({`));
  const framework = names.length === 0 ? "" : `import { ${names.join(", ")} } from "reprise";\n`;
  return `${framework}${imports.print()}\n${body}\n${pipeline}${printNoise(project, module)}`;
}

function printStep(project: Project, step: StepSource, imports: Imports): string {
  const options = [
    `name: ${JSON.stringify(step.name)},`,
    ...(step.cache === undefined ? [] : [`cache: ${JSON.stringify(step.cache)},`]),
    ...(step.version === undefined ? [] : [`version: ${JSON.stringify(step.version)},`]),
    ...(step.expires ? [`expires: "1h",`] : []),
    ...(step.declares ? [`reads: ${JSON.stringify(declaredPaths(project, step).map((file) => ({ file })))},`] : []),
  ];
  const body = [
    ...(step.late ? [`await new Promise((resolve) => setImmediate(resolve));`] : []),
    `const seen: string[] = [];`,
    ...step.reads.map((read) => `seen.push(${printRead(read, imports)});`),
    ...(step.reads.length > 0 ? [`log("has read");`, `await new Promise((resolve) => setImmediate(resolve));`] : []),
    ...printNested(project, step, imports),
    ...(step.exchanges === undefined ? [] : [printExchangeOf("from", imports)]),
    `const parts = [${[step.value, "n", "a", "b", "list", "seen", ...printUses(project, step, imports, "3")].join(", ")}];`,
    `const sum = ${imports.use("lib/fold.ts", "fold")}(parts);`,
    ...(step.fragile ? [`if (sum % 5 === 0) throw new Error("fragile");`] : []),
    ...(step.exchanges === undefined ? [] : [printExchangeOf(step.exchanges, imports)]),
    step.wide
      ? `return { sum: ${step.coarse ? "sum % 2" : "sum"}, rest: { by: "${step.id}", third: sum % 3 } };`
      : `return ${step.coarse ? "sum % 3" : "sum"};`,
  ];
  const comment = step.dress === 0 ? "" : `// Dressed ${step.dress} times.\n`;
  const indent = step.dress % 2 === 1 ? "      " : "    ";
  return [
    `${comment}export const ${variableOf(step)} = step({`,
    ...options.map((option) => `  ${option}`),
    `  run: async ({ n, a, b, list${step.exchanges === undefined ? "" : ", from, to"} }: any, { log, signal }) => {`,
    ...body.map((line) => indent + line),
    `  },`,
    `});`,
    ...printInner(project, step),
  ].join("\n");
}

/** The pipeline that other steps run this one in. */
function printInner({ steps }: Project, step: StepSource): readonly string[] {
  const isInside = steps.some(({ nested }) => nested.some(({ step: id, way }) => id === step.id && way === "pipeline"));
  if (!isInside) return [];
  const outputs = step.wide ? "{ y: made.sum, z: made.rest }" : "{ y: made }";
  return [
    `export const ${innerOf(step)} = pipeline({`,
    `  name: "${innerOf(step)}",`,
    `  build({ n }: { n: number }) {`,
    `    const made: any = ${variableOf(step)}({ n });`,
    `    return ${outputs};`,
    `  },`,
    `});`,
  ];
}

const innerOf = (step: { readonly id: number }): string => `inner_${step.id}`;

function printNested({ steps }: Project, { nested }: StepSource, imports: Imports): readonly string[] {
  return nested.map(({ step: id, way, param }) => {
    const target = steps.find((step) => step.id === id)!;
    if (way === "function") {
      const called = imports.use(target.module, variableOf(target));
      return `seen.push(JSON.stringify(await ${called}.run({ n: ${param} })));`;
    }
    const inner = imports.use(target.module, innerOf(target));
    const run = `await ${inner}.run({ n: ${param} }, { signal, reporter: "silent" })`;
    return `for (const made of Object.values((${run}).outputs)) seen.push(JSON.stringify(await made.load()));`;
  });
}

function printExchangeOf(way: WriteWay | "from", imports: Imports): string {
  if (way !== "from") return `if (to !== undefined) await ${imports.use("lib/write.ts", way)}(to, String(sum));`;
  const read = `await ${imports.use("lib/read.ts", "orMissing")}(() => ${imports.use("lib/read.ts", "readNow")}(from))`;
  return `if (from !== undefined) seen.push(${read});`;
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
      return guarded(read.way);
    case "choice":
      return `(${guarded("readNow")}).startsWith("x") ? ${printRead(read.begins, imports)} : ${printRead(read.otherwise, imports)}`;
    case "folder":
      return guarded(read.deep ? "textsIn" : "namesIn");
    case "size":
      return guarded("sizeOf");
    case "environment":
      return printVariable(read);
    case "place":
      return `${imports.use("lib/place.ts", read.way)}(${path})`;
    case "http":
      return `await ${imports.use("lib/ask.ts", read.way === "fetch" ? "askByFetch" : "askByGet")}("${read.resource}")`;
    case "process":
      return `await ${imports.use("lib/process.ts", read.way)}(${path})`;
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
