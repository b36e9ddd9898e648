/**
 * Random programs for the fuzz, as data: modules of declarations and effects that refer to each other by id, so that an
 * edit such as a move or a rename keeps the program whole. Printed by fuzz-print.ts, edited by fuzz-edits.ts.
 */

import { effectForms, type EffectForm } from "./fuzz-effects.ts";

/** A reference names a declaration by id; how it is imported is decided when its module is printed. */
export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "parameter"; readonly index: number }
  | { readonly kind: "reference"; readonly id: number; readonly argument: Expression; readonly dynamic: boolean }
  | {
      readonly kind: "operation";
      readonly operator: "+" | "-" | "*" | "^";
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "choice"; readonly test: Expression; readonly yes: Expression; readonly no: Expression }
  | { readonly kind: "data"; readonly whole: boolean }
  | { readonly kind: "legacy"; readonly argument: Expression }
  | { readonly kind: "package"; readonly argument: Expression };

/** A local binding, label or property that has the name of something else. */
export interface Shadow {
  readonly form:
    | "block"
    | "arrow"
    | "catch"
    | "var"
    | "function"
    | "for"
    | "label"
    | "property"
    | "method"
    | "destructured";
  readonly name: string;
  readonly value: number;
}

interface Named {
  id: number;
  name: string;
  /** How it is exported: in place, in a list, in a list under another name, or as the default. */
  exported: "inline" | "list" | "alias" | "default";
}

export type Declaration =
  | (Named & { kind: "number"; value: Expression; keyword: "const" | "let" })
  | (Named & {
      kind: "function";
      form: "function" | "arrow";
      defaultValue: Expression | undefined;
      shadows: Shadow[];
      result: Expression;
    })
  | (Named & { kind: "class"; base: number | undefined; field: number; result: Expression; statics: number[] })
  | (Named & { kind: "state" })
  | (Named & { kind: "mutator"; state: number; factor: number })
  | (Named & { kind: "step"; outputs: Expression[]; shadows: Shadow[] });

export interface Effect {
  kind: "effect";
  id: number;
  form: EffectForm | "mutate" | "reassign" | "binding" | "patch";
  target: number;
  value: Expression;
}

export type Item = Declaration | Effect;

export interface Module {
  id: number;
  path: string;
  items: Item[];
  /** Modules whose exports are all passed on. */
  stars: number[];
  /** Modules passed on as a namespace. */
  spaces: number[];
  /** Declarations passed on by name. */
  passedOn: number[];
  /** Exports of the module's own that take the name of something a star would pass on. */
  overrides: { name: string; as: "number" | "function"; value: number }[];
  /** Modules imported for their effects alone. */
  bareImports: number[];
  /** Modules imported as a namespace. */
  namespaces: number[];
  /** Which module a declaration is imported through, where it is not its own. */
  routes: Record<number, number>;
  aliases: Record<number, string>;
  reversedImports: boolean;
  /** Comments, types, quotes and layout: nothing that runs. */
  dress: number;
}

export interface Program {
  nextId: number;
  modules: Module[];
  data: { used: number; unread: number; dress: number };
  legacy: { factor: number; dress: number; picks: { js?: number; json?: number; folder?: number } };
  packages: { direct: PackageState; transitive: PackageState; spare: PackageState };
}

export interface PackageState {
  patch: number;
  factor: number;
}

/** A stream of random numbers that a seed repeats. */
export interface Random {
  /** From 0 up to, not including, `limit`. */
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
  chance(share: number): boolean;
}

export function seededRandom(seed: number): Random {
  // mulberry32, by Tommy Ettinger (public domain).
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    pick<T>(items: readonly T[]): T {
      if (items.length === 0) throw new Error("nothing to pick from");
      return items[below(items.length)] as T;
    },
    chance: (share) => next() < share,
  };
}

const names = [
  "f",
  "g",
  "k",
  "mean",
  "scale",
  "Model",
  "log",
  "limit",
  "norm",
  "seed",
  "table",
  "run",
  "name",
  "x",
  "y",
];

/** A dozen modules: state at the bottom, declarations above it, barrels, and modules with steps on top. */
export function makeProgram(random: Random): Program {
  const program: Program = {
    nextId: 1,
    modules: [],
    data: { used: 3, unread: 4, dress: 0 },
    legacy: { factor: 2, dress: 0, picks: { json: 5 } },
    packages: {
      direct: { patch: 0, factor: 3 },
      transitive: { patch: 0, factor: 5 },
      spare: { patch: 0, factor: 7 },
    },
  };
  for (let index = 0; index < 7; index++) {
    const module = addModule(program, random);
    if (index < 2) addStateful(program, module, random);
    const count = 2 + random.below(4);
    for (let nth = 0; nth < count; nth++) addDeclaration(program, module, random);
  }
  const barrels: Module[] = [];
  for (let index = 0; index < 3; index++) {
    const barrel = addModule(program, random);
    const others = program.modules.filter((module) => module !== barrel);
    const passed = [0, 1, 2].map(() => random.pick(others).id);
    barrel.stars = [...new Set(passed)];
    barrels.push(barrel);
  }
  for (let index = 0; index < 4; index++) {
    const module = addModule(program, random);
    const count = 1 + random.below(2);
    addDeclaration(program, module, random);
    for (let nth = 0; nth < count; nth++) {
      const id = program.nextId++;
      module.items.push({
        id,
        name: `step${id}`,
        kind: "step",
        exported: "inline",
        shadows: [],
        outputs: [makeExpression(program, random, id, 2, true), makeExpression(program, random, id, 2, true)],
      });
    }
  }
  // A route counts where the barrel passes the name on, now or after some edit.
  for (const module of program.modules) {
    for (const { id } of module.items.flatMap(itemReferences))
      if (random.chance(0.5)) module.routes[id] = random.pick(barrels).id;
  }
  return program;
}

export function addModule(program: Program, random: Random): Module {
  const id = program.nextId++;
  const module: Module = {
    id,
    path: `src/${random.pick(["", "lib/", "lib/deep/"])}m${id}.ts`,
    items: [],
    stars: [],
    spaces: [],
    passedOn: [],
    overrides: [],
    bareImports: [],
    namespaces: [],
    routes: {},
    aliases: {},
    reversedImports: false,
    dress: 0,
  };
  program.modules.push(module);
  return module;
}

function addStateful(program: Program, module: Module, random: Random): void {
  const state = program.nextId++;
  module.items.push({ id: state, name: freshName(module, random), kind: "state", exported: "inline" });
  const id = program.nextId++;
  module.items.push({
    id,
    name: freshName(module, random),
    kind: "mutator",
    exported: "inline",
    state,
    factor: 1 + random.below(9),
  });
  module.items.push(makeEffect(program, random));
}

/** Adds a declaration that refers only to earlier ones, so that no call runs in circles. */
export function addDeclaration(program: Program, module: Module, random: Random): Declaration {
  const id = program.nextId++;
  const named: Named = {
    id,
    name: freshName(module, random),
    exported: random.pick(["inline", "inline", "list", "alias"]),
  };
  const declaration = makeDeclaration(program, random, named);
  module.items.splice(random.below(module.items.length + 1), 0, declaration);
  return declaration;
}

function makeDeclaration(program: Program, random: Random, named: Named): Declaration {
  switch (random.below(4)) {
    case 0:
      return {
        ...named,
        kind: "number",
        keyword: random.chance(0.2) ? "let" : "const",
        value: random.chance(0.6) ? makeNumber(random) : makeExpression(program, random, named.id, 1),
      };
    case 1: {
      const bases = declarations(program).filter(({ kind, id }) => kind === "class" && id < named.id);
      return {
        ...named,
        kind: "class",
        base: bases.length > 0 && random.chance(0.4) ? random.pick(bases).id : undefined,
        field: random.below(50),
        result: makeExpression(program, random, named.id, 2),
        statics: [],
      };
    }
    default:
      return {
        ...named,
        kind: "function",
        form: random.chance(0.3) ? "arrow" : "function",
        defaultValue: random.chance(0.3) ? makeExpression(program, random, named.id, 1) : undefined,
        shadows: [],
        result: makeExpression(program, random, named.id, 2),
      };
  }
}

export function makeEffect(program: Program, random: Random): Effect {
  const targets = declarations(program).filter(({ kind }) => kind === "state" || kind === "mutator");
  const target = random.pick(targets);
  return {
    kind: "effect",
    id: program.nextId++,
    form:
      target.kind === "mutator"
        ? random.pick(["mutate", "binding"])
        : random.pick(Object.keys(effectForms) as EffectForm[]),
    target: target.id,
    value: random.chance(0.6) ? makeNumber(random) : makeExpression(program, random, program.nextId, 1),
  };
}

export function makeNumber(random: Random): Expression {
  return { kind: "number", value: random.below(100) };
}

/** An expression over declarations with a lower id than `below`. */
export function makeExpression(
  program: Program,
  random: Random,
  below: number,
  depth: number,
  mayImport = false,
): Expression {
  const choice = random.below(10);
  if (depth === 0) return random.chance(0.5) ? { kind: "parameter", index: 0 } : makeNumber(random);
  const deeper = (): Expression => makeExpression(program, random, below, depth - 1, mayImport);
  if (choice < 6) {
    const known = declarations(program).filter(({ id, kind }) => id < below && kind !== "step" && kind !== "mutator");
    if (known.length > 0) {
      return {
        kind: "reference",
        id: random.pick(known).id,
        argument: deeper(),
        dynamic: mayImport && random.chance(0.12),
      };
    }
  }
  if (choice < 8)
    return { kind: "operation", operator: random.pick(["+", "-", "*", "^"]), left: deeper(), right: deeper() };
  if (choice === 8) return { kind: "choice", test: deeper(), yes: deeper(), no: deeper() };
  switch (random.below(3)) {
    case 0:
      return { kind: "data", whole: random.chance(0.2) };
    case 1:
      return { kind: "legacy", argument: deeper() };
    default:
      return { kind: "package", argument: deeper() };
  }
}

export function declarations(program: Program): readonly Declaration[] {
  return program.modules.flatMap(({ items }) => items.filter((item): item is Declaration => item.kind !== "effect"));
}

export function homeOf(program: Program, id: number): Module {
  const home = program.modules.find(({ items }) => items.some((item) => item.id === id));
  if (home === undefined) throw new Error(`declaration ${id} is nowhere`);
  return home;
}

/** A name that the module does not use yet; other modules may. */
export function freshName(module: Module, random: Random): string {
  const taken = new Set([
    ...module.items.map((item) => (item.kind === "effect" ? "" : item.name)),
    ...module.overrides.map(({ name }) => name),
  ]);
  for (;;) {
    const name = random.pick(names) + (random.chance(0.5) ? String(random.below(30)) : "");
    if (!taken.has(name)) return name;
  }
}

/** Every expression of an item, with what replaces it. */
export function expressionsOf(
  item: Item,
): readonly { readonly get: Expression; readonly set: (value: Expression) => void }[] {
  switch (item.kind) {
    case "number":
    case "effect":
      return [{ get: item.value, set: (value) => (item.value = value) }];
    case "function":
      return [
        { get: item.result, set: (value) => (item.result = value) },
        ...(item.defaultValue === undefined
          ? []
          : [{ get: item.defaultValue, set: (value: Expression) => (item.defaultValue = value) }]),
      ];
    case "class":
      return [{ get: item.result, set: (value) => (item.result = value) }];
    case "step":
      return item.outputs.map((get, index) => ({ get, set: (value) => (item.outputs[index] = value) }));
    case "state":
    case "mutator":
      return [];
  }
}

/** The declarations that an expression refers to. */
export function referencesOf(expression: Expression): readonly { readonly id: number; readonly dynamic: boolean }[] {
  switch (expression.kind) {
    case "reference":
      return [{ id: expression.id, dynamic: expression.dynamic }, ...referencesOf(expression.argument)];
    case "operation":
      return [...referencesOf(expression.left), ...referencesOf(expression.right)];
    case "choice":
      return [expression.test, expression.yes, expression.no].flatMap(referencesOf);
    case "legacy":
    case "package":
      return referencesOf(expression.argument);
    case "number":
    case "parameter":
    case "data":
      return [];
  }
}

/** The declarations that an item refers to, statically or by `import()`. */
export function itemReferences(item: Item): readonly { readonly id: number; readonly dynamic: boolean }[] {
  const direct = expressionsOf(item).flatMap(({ get }) => referencesOf(get));
  if (item.kind === "effect") return [{ id: item.target, dynamic: false }, ...direct];
  if (item.kind === "mutator") return [{ id: item.state, dynamic: false }, ...direct];
  if (item.kind === "class" && item.base !== undefined) return [{ id: item.base, dynamic: false }, ...direct];
  return direct;
}
