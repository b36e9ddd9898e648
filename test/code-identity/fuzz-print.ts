/** Prints a random program as files: once with types for the analysis, once without for running it. */
import { posix } from "node:path";
import type { StepDefinition } from "../../src/define/plan.ts";
import { effectForms } from "./fuzz-effects.ts";
import {
  declarations,
  homeOf,
  itemReferences,
  type Declaration,
  type Effect,
  type Expression,
  type Module,
  type PackageState,
  type Program,
  type Shadow,
} from "./fuzz-program.ts";

export interface Printed {
  readonly files: Readonly<Record<string, string>>;
  /** Where each step is made: its module, and line and column of the call, from 1. */
  readonly steps: readonly {
    readonly name: string;
    readonly path: string;
    readonly line: number;
    readonly column: number;
  }[];
}

export function printProgram(program: Program, language: "typescript" | "javascript"): Printed {
  const files: Record<string, string> = { ...printSurroundings(program) };
  const steps: Printed["steps"][number][] = [];
  for (const module of program.modules) {
    const text = new ModulePrinter(program, module, language === "typescript").print();
    files[module.path] = text;
    for (const item of module.items) {
      if (item.kind !== "step") continue;
      const before = text.slice(0, text.indexOf(`const ${item.name} = step(`) + `const ${item.name} = `.length);
      const lines = before.split("\n");
      steps.push({ name: item.name, path: module.path, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 });
    }
  }
  return { files, steps };
}

/** The definitions that loading the program would make. */
export function printedDefinitions(printed: Printed, rootUrl: string): readonly StepDefinition[] {
  return printed.steps.map(({ name, path, line, column }) => ({
    name,
    run: () => ({}),
    params: undefined,
    inputs: {},
    outputs: undefined,
    options: {},
    sites: [{ script: `${rootUrl}/${path}`, line, column, functionName: "" }],
  }));
}

/** How a declaration reads in one module: `name`, or `ns4.name`. */
type Bindings = ReadonlyMap<number, string>;

/** One module's text; `typed` adds annotations. */
class ModulePrinter {
  readonly #program: Program;
  readonly #module: Module;
  readonly #typed: boolean;
  readonly #taken: Set<string>;
  #bindings: Bindings = new Map();

  constructor(program: Program, module: Module, typed: boolean) {
    this.#program = program;
    this.#module = module;
    this.#typed = typed;
    this.#taken = new Set(["step", "data", "legacy", "direct", "acc", "p0", "local"]);
    for (const item of module.items) if (item.kind !== "effect") this.#taken.add(item.name);
    for (const { name } of module.overrides) this.#taken.add(name);
  }

  print(): string {
    const imports = this.#imports();
    const body = [
      ...this.#module.items.map((item) => (item.kind === "effect" ? this.#effect(item) : this.#declaration(item))),
      ...this.#module.overrides.map(({ name, as, value }) =>
        as === "number"
          ? `export const ${name} = ${value};`
          : `export function ${name}(p0${this.#type("number")})${this.#type("number")} {\n  return p0 + ${value};\n}`,
      ),
      ...this.#exportList(),
    ];
    return this.#dressed([...imports, ...this.#passedOn()], body);
  }

  #imports(): string[] {
    const module = this.#module;
    const bindings = new Map<number, string>();
    const named = new Map<number, string[]>();
    const known = new Map(declarations(this.#program).map((declaration) => [declaration.id, declaration]));
    const local = new Set(module.items.map(({ id }) => id));
    const wanted = new Set(
      module.items
        .flatMap(itemReferences)
        .filter(({ dynamic }) => !dynamic)
        .map(({ id }) => id),
    );
    for (const id of [...wanted].toSorted((a, b) => a - b)) {
      const declaration = known.get(id);
      if (declaration === undefined) throw new Error(`declaration ${id} is nowhere`);
      if (local.has(id)) {
        bindings.set(id, declaration.name);
        continue;
      }
      const source = this.#sourceOf(declaration);
      const exported = exportedName(declaration);
      if (module.namespaces.includes(source.id)) {
        bindings.set(id, `ns${source.id}.${exported}`);
        named.set(source.id, named.get(source.id) ?? []);
        continue;
      }
      const binding = this.#freeName(module.aliases[id] ?? (exported === "default" ? declaration.name : exported));
      bindings.set(id, binding);
      const list = named.get(source.id) ?? [];
      list.push(binding === exported ? exported : `${exported} as ${binding}`);
      named.set(source.id, list);
    }
    this.#bindings = bindings;
    const lines: string[] = [];
    for (const [id, list] of named) {
      const specifier = this.#specifier(id);
      if (module.namespaces.includes(id)) lines.push(this.#namespaceImport(id));
      if (list.length > 0) lines.push(`import { ${list.join(", ")} } from ${specifier};`);
    }
    for (const id of module.bareImports) if (this.#exists(id)) lines.push(`import ${this.#specifier(id)};`);
    const text = JSON.stringify(module.items);
    if (text.includes('"kind":"data"')) {
      lines.push(`import data from ${this.#quoted(relative(module.path, "src/data.json"))} with { type: "json" };`);
    }
    if (text.includes('"kind":"legacy"'))
      lines.push(`import legacy from ${this.#quoted(relative(module.path, "src/legacy.cjs"))};`);
    if (text.includes('"kind":"package"')) lines.push(`import { direct } from ${this.#quoted("direct")};`);
    if (text.includes('"kind":"step"')) lines.push(`import { step } from ${this.#quoted("reprise")};`);
    return module.reversedImports ? lines.toReversed() : lines;
  }

  /** Through the first module that passes the other one on as a namespace, where there is one. */
  #namespaceImport(id: number): string {
    const through = this.#program.modules.find(({ spaces }) => spaces.includes(id));
    return through === undefined || through === this.#module || through.id === id
      ? `import * as ns${id} from ${this.#specifier(id)};`
      : `import { space${id} as ns${id} } from ${this.#specifier(through.id)};`;
  }

  #passedOn(): string[] {
    const lines = this.#module.stars
      .filter((id) => this.#exists(id))
      .map((id) => `export * from ${this.#specifier(id)};`);
    for (const id of this.#module.spaces) {
      if (this.#exists(id)) lines.push(`export * as space${id} from ${this.#specifier(id)};`);
    }
    for (const id of this.#module.passedOn) {
      const declaration = declarations(this.#program).find((candidate) => candidate.id === id);
      if (declaration === undefined || declaration.exported === "default") continue;
      const home = homeOf(this.#program, id);
      if (home !== this.#module)
        lines.push(`export { ${exportedName(declaration)} } from ${this.#specifier(home.id)};`);
    }
    return lines;
  }

  #exportList(): string[] {
    const list = this.#module.items.flatMap((item) => {
      if (item.kind === "effect" || item.exported === "inline") return [];
      return [item.exported === "list" ? item.name : `${item.name} as ${exportedName(item)}`];
    });
    return list.length === 0 ? [] : [`export { ${list.join(", ")} };`];
  }

  /** The module that a declaration is imported from: the one it is routed through while that passes its name on. */
  #sourceOf(declaration: Declaration): Module {
    const route = this.#program.modules.find(({ id }) => id === this.#module.routes[declaration.id]);
    if (route !== undefined && route !== this.#module && claims(this.#program, route, exportedName(declaration)))
      return route;
    return homeOf(this.#program, declaration.id);
  }

  #declaration(declaration: Declaration): string {
    const prefix = declaration.exported === "inline" ? "export " : "";
    const number = this.#type("number");
    switch (declaration.kind) {
      case "number":
        return `${prefix}${declaration.keyword} ${declaration.name}${number} = ${this.#expression(declaration.value, "1")};`;
      case "state":
        return `${prefix}const ${declaration.name}${this.#type("number[]")} = [];`;
      case "mutator":
        return `${prefix}function ${declaration.name}(p0${number})${number} {\n  return ${this.#binding(declaration.state)}.push(Math.imul(p0, ${declaration.factor}));\n}`;
      case "function": {
        const second =
          declaration.defaultValue === undefined
            ? ""
            : `, p1${number} = ${this.#expression(declaration.defaultValue, "p0")}`;
        const lines = [
          `  let acc = ${second === "" ? "p0 | 0" : "(p0 + p1) | 0"};`,
          ...declaration.shadows.map((shadow) => this.#shadow(shadow)),
          `  return (acc + ${this.#expression(declaration.result, "p0")}) | 0;`,
        ];
        const rest = `(p0${number}${second})${number}`;
        return declaration.form === "arrow"
          ? `${prefix}const ${declaration.name} = ${rest} => {\n${lines.join("\n")}\n};`
          : `${prefix}function ${declaration.name}${rest} {\n${lines.join("\n")}\n}`;
      }
      case "class": {
        const base = declaration.base === undefined ? "" : ` extends ${this.#binding(declaration.base)}`;
        const lines = [
          ...declaration.statics.map((value, index) => `  static s${index} = ${value};`),
          `  f${declaration.id} = ${declaration.field};`,
          `  grow(p0${number})${number} {\n    return (this.f${declaration.id} + ${base === "" ? "0" : "super.grow(p0)"} + ${this.#expression(declaration.result, "p0")}) | 0;\n  }`,
        ];
        return `${prefix}class ${declaration.name}${base} {\n${lines.join("\n")}\n}`;
      }
      case "step": {
        const lines = [
          "    const p0 = 2;",
          "    let acc = p0 | 0;",
          ...declaration.shadows.map((shadow) => `  ${this.#shadow(shadow)}`),
          `    return { out: [acc, ${declaration.outputs.map((output) => this.#expression(output, "p0")).join(", ")}] };`,
        ];
        return `${prefix}const ${declaration.name} = step({\n  name: ${this.#quoted(declaration.name)},\n  run: async () => {\n${lines.join("\n")}\n  },\n});`;
      }
    }
  }

  #effect({ form, target, value, id }: Effect): string {
    const binding = this.#binding(target);
    const argument = this.#expression(value, "1");
    switch (form) {
      case "mutate":
        return `${binding}(${argument});`;
      case "binding":
        return `const unused${id} = ${binding}(${argument});`;
      case "reassign":
        return `if (${binding} !== -1) {\n  ${binding} = ${argument};\n}`;
      case "patch":
        return `${binding}.prototype.grow = function (p0${this.#type("number")})${this.#type("number")} {\n  return (p0 + ${argument}) | 0;\n};`;
      default:
        return effectForms[form](binding, argument, id);
    }
  }

  #shadow({ form, name, value }: Shadow): string {
    const number = this.#type("number");
    switch (form) {
      case "block":
        return `  {\n    const ${name} = ${value};\n    acc = (acc + ${name}) | 0;\n  }`;
      case "arrow":
        return `  acc = ((${name}${number}) => (${name} + ${value}) | 0)(acc);`;
      case "catch":
        return `  try {\n    throw ${value};\n  } catch (${name}) {\n    acc = (acc + ${name}) | 0;\n  }`;
      case "var":
        return `  acc = (function () {\n    var ${name} = ${value};\n    return (acc + ${name}) | 0;\n  })();`;
      case "function":
        return `  acc = (acc + (function ${name}(d${number})${number} {\n    return d > 0 ? ${name}(d - 1) : ${value};\n  })(2)) | 0;`;
      case "for":
        return `  for (let ${name} = 0; ${name} < 2; ${name} += 1) acc = (acc + ${name} * ${value}) | 0;`;
      case "label":
        return `  ${name}: for (;;) {\n    acc = (acc + ${value}) | 0;\n    break ${name};\n  }`;
      case "property":
        return `  acc = (acc + { ${name}: ${value} }.${name}) | 0;`;
      case "method":
        return `  acc = (acc + new (class {\n    ${name}() {\n      return ${value};\n    }\n  })().${name}()) | 0;`;
      case "destructured":
        return `  {\n    const { ${name} } = { ${name}: ${value} };\n    acc = (acc + ${name}) | 0;\n  }`;
    }
  }

  #expression(expression: Expression, parameter: string): string {
    const print = (inner: Expression): string => this.#expression(inner, parameter);
    switch (expression.kind) {
      case "number":
        return String(expression.value);
      case "parameter":
        return parameter;
      case "operation": {
        const { operator, left, right } = expression;
        return operator === "*"
          ? `Math.imul(${print(left)}, ${print(right)})`
          : `((${print(left)} ${operator} ${print(right)}) | 0)`;
      }
      case "choice":
        return `(${print(expression.test)} > 5 ? ${print(expression.yes)} : ${print(expression.no)})`;
      case "data":
        return expression.whole ? "JSON.stringify(data).length" : "data.used";
      case "legacy":
        return `legacy(${print(expression.argument)})`;
      case "package":
        return `direct(${print(expression.argument)})`;
      case "reference":
        return this.#reference(expression, print(expression.argument));
    }
  }

  #reference({ id, dynamic }: { readonly id: number; readonly dynamic: boolean }, argument: string): string {
    const declaration = declarations(this.#program).find((candidate) => candidate.id === id);
    if (declaration === undefined) throw new Error(`declaration ${id} is nowhere`);
    const callee = dynamic
      ? `(await import(${this.#specifier(homeOf(this.#program, id).id)})).${exportedName(declaration)}`
      : this.#binding(id);
    switch (declaration.kind) {
      case "number":
        return callee;
      case "class":
        return `new ${dynamic ? `(${callee})` : callee}().grow(${argument})`;
      case "state":
        return `${callee}.reduce((a${this.#type("number")}, b${this.#type("number")}) => (Math.imul(a, 31) + b) | 0, 7)`;
      case "function":
      case "mutator":
      case "step":
        return `${callee}(${argument})`;
    }
  }

  /** Comments, types, quotes and layout, by the bits of the module's dress. */
  #dressed(head: readonly string[], body: readonly string[]): string {
    const { dress } = this.#module;
    const comment = (dress & 1) !== 0 ? `// dressed ${dress}\n` : "";
    const between = (dress & 2) !== 0 ? "\n\n/** between */\n" : "\n";
    const types =
      this.#typed && (dress & 4) !== 0
        ? [`export type Dress${dress} = number | string;`, `interface Unused${dress} {\n  a: number;\n}`]
        : [];
    const text = [...head, ...types, ...body].join(between);
    return `${comment}${(dress & 8) !== 0 ? text.replaceAll(" | 0", "  |  0") : text}\n`;
  }

  #binding(id: number): string {
    const binding = this.#bindings.get(id);
    if (binding === undefined) throw new Error(`declaration ${id} is not bound in ${this.#module.path}`);
    return binding;
  }

  #freeName(wanted: string): string {
    let name = wanted;
    for (let suffix = 1; this.#taken.has(name); suffix++) name = `${wanted}_${suffix}`;
    this.#taken.add(name);
    return name;
  }

  #exists(id: number): boolean {
    return id !== this.#module.id && this.#program.modules.some((module) => module.id === id);
  }

  #specifier(id: number): string {
    const target = this.#program.modules.find((module) => module.id === id);
    if (target === undefined) throw new Error(`module ${id} is nowhere`);
    return this.#quoted(relative(this.#module.path, target.path));
  }

  #quoted(text: string): string {
    return (this.#module.dress & 16) !== 0 ? `'${text}'` : `"${text}"`;
  }

  #type(name: string): string {
    return this.#typed ? ((this.#module.dress & 32) !== 0 ? `: ${name} | never` : `: ${name}`) : "";
  }
}

export function exportedName(declaration: Declaration): string {
  if (declaration.exported === "default") return "default";
  return declaration.exported === "alias" ? `${declaration.name}As` : declaration.name;
}

/** Whether a module exports a name, by itself or through others. */
export function claims(program: Program, module: Module, name: string, seen = new Set<number>()): boolean {
  if (seen.has(module.id)) return false;
  seen.add(module.id);
  if (module.items.some((item) => item.kind !== "effect" && exportedName(item) === name)) return true;
  if (module.overrides.some((override) => override.name === name)) return true;
  if (name === "default") return false;
  const all = declarations(program);
  if (
    module.passedOn.some((id) => all.some((declaration) => declaration.id === id && exportedName(declaration) === name))
  )
    return true;
  return module.stars.some((id) => {
    const star = program.modules.find((candidate) => candidate.id === id);
    return star !== undefined && claims(program, star, name, seen);
  });
}

function printSurroundings({ data, legacy, packages }: Program): Record<string, string> {
  const value = { used: data.used, unread: data.unread };
  const files: Record<string, string> = {
    "package.json": JSON.stringify({
      name: "fuzz",
      type: "module",
      dependencies: { direct: "^1.0.0", spare: "^1.0.0" },
    }),
    "src/data.json": data.dress % 2 === 0 ? JSON.stringify(value) : JSON.stringify(value, null, 2),
    "src/legacy.cjs": `${legacy.dress % 2 === 0 ? "" : "// dressed\n"}const pick = require("./pick");\nmodule.exports = function legacy(x) {\n  return (Math.imul(x, ${legacy.factor}) + pick.value) | 0;\n};\n`,
  };
  const { js, json, folder } = legacy.picks;
  if (js !== undefined) files["src/pick.js"] = `export const value = ${js};\n`;
  if (json !== undefined) files["src/pick.json"] = JSON.stringify({ value: json });
  if (folder !== undefined) files["src/pick/index.js"] = `export const value = ${folder};\n`;
  const locked: Record<string, unknown> = {};
  for (const [name, state] of Object.entries(packages)) {
    const dependencies = name === "direct" ? { transitive: "^1.0.0" } : {};
    const version = versionOf(state);
    locked[`node_modules/${name}`] = { version, integrity: `sha512-${name}${version}`, dependencies };
    files[`node_modules/${name}/package.json`] = JSON.stringify({
      name,
      version,
      type: "module",
      exports: "./index.js",
      dependencies,
    });
    files[`node_modules/${name}/index.js`] =
      name === "direct"
        ? `import { transitive } from "transitive";\nexport const direct = (x) => (Math.imul(transitive(x), ${state.factor}) + ${state.patch}) | 0;\n`
        : `export const ${name} = (x) => (Math.imul(x, ${state.factor}) + ${state.patch}) | 0;\n`;
  }
  files["node_modules/reprise/package.json"] = '{ "name": "reprise", "version": "0.0.0" }';
  files["package-lock.json"] = JSON.stringify({
    name: "fuzz",
    lockfileVersion: 3,
    packages: { "": { name: "fuzz" }, ...locked },
  });
  files["node_modules/.package-lock.json"] = JSON.stringify({ name: "fuzz", lockfileVersion: 3, packages: locked });
  return files;
}

function versionOf({ patch }: PackageState): string {
  return `1.0.${patch}`;
}

function relative(from: string, to: string): string {
  const path = posix.relative(posix.dirname(from), to);
  return path.startsWith(".") ? path : `./${path}`;
}
