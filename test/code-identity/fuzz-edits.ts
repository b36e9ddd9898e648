/** Random structural edits of a program. An edit that finds nothing to do answers `false`. */
import {
  addDeclaration,
  declarations,
  expressionsOf,
  freshName,
  homeOf,
  itemReferences,
  makeEffect,
  makeExpression,
  makeNumber,
  type Declaration,
  type Expression,
  type Program,
  type Random,
  type Shadow,
} from "./fuzz-program.ts";
import { claims, exportedName } from "./fuzz-print.ts";

type RandomEdit = (program: Program, random: Random) => boolean;

export const randomEdits: Readonly<Record<string, RandomEdit>> = {
  "change a literal": (program, random) => {
    const item = random.pick(program.modules.flatMap(({ items }) => items));
    if (item.kind === "class" && random.chance(0.5)) {
      item.field += 1;
      return true;
    }
    if (item.kind === "mutator") {
      item.factor += 1;
      return true;
    }
    const slots = expressionsOf(item);
    if (slots.length === 0) return false;
    const { get, set } = random.pick(slots);
    set(changeNumber(get, random));
    return true;
  },
  "change an expression": (program, random) => {
    const item = random.pick(program.modules.flatMap(({ items }) => items));
    const slots = expressionsOf(item);
    if (slots.length === 0) return false;
    random.pick(slots).set(makeExpression(program, random, item.id, 2, item.kind === "step"));
    return true;
  },
  "dress a module": (program, random) => {
    random.pick(program.modules).dress = random.below(64);
    return true;
  },
  "rename a declaration": (program, random) => {
    const declaration = pickDeclaration(program, random);
    if (declaration === undefined) return false;
    declaration.name = freshName(homeOf(program, declaration.id), random);
    return true;
  },
  "alias an import": (program, random) => {
    const module = random.pick(program.modules);
    const references = module.items.flatMap(itemReferences);
    if (references.length === 0) return false;
    module.aliases[random.pick(references).id] = freshName(module, random);
    return true;
  },
  "move a declaration to another module": (program, random) => {
    const declaration = pickDeclaration(program, random);
    const target = random.pick(program.modules);
    if (declaration === undefined || target.items.includes(declaration)) return false;
    if (target.items.some((item) => item.kind !== "effect" && item.name === declaration.name)) return false;
    const home = homeOf(program, declaration.id);
    home.items.splice(home.items.indexOf(declaration), 1);
    target.items.splice(random.below(target.items.length + 1), 0, declaration);
    return true;
  },
  "move a step to another module": (program, random) => {
    const step = random.pick(declarations(program).filter(({ kind }) => kind === "step"));
    const home = homeOf(program, step.id);
    const target = random.pick(program.modules.filter((module) => module !== home));
    home.items.splice(home.items.indexOf(step), 1);
    target.items.push(step);
    return true;
  },
  "move a module": (program, random) => {
    const module = random.pick(program.modules);
    module.path = `src/${random.pick(["", "lib/", "moved/", "lib/deep/"])}m${module.id}${random.pick(["", "a", "b"])}.ts`;
    return true;
  },
  "pass everything on": (program, random) => {
    const [module, other] = [random.pick(program.modules), random.pick(program.modules)];
    if (module === other || module.stars.includes(other.id)) return false;
    module.stars.push(other.id);
    return true;
  },
  "pass a module on as a namespace, or no longer": (program, random) => {
    const [module, other] = [random.pick(program.modules), random.pick(program.modules)];
    if (module === other) return false;
    module.spaces = module.spaces.includes(other.id)
      ? module.spaces.filter((id) => id !== other.id)
      : [...module.spaces, other.id];
    return true;
  },
  "pass a name on": (program, random) => {
    const declaration = pickDeclaration(program, random);
    const module = random.pick(program.modules);
    if (declaration === undefined || module.items.includes(declaration) || module.passedOn.includes(declaration.id))
      return false;
    module.passedOn.push(declaration.id);
    return true;
  },
  "pass no longer on": (program, random) => {
    const module = random.pick(program.modules);
    if (random.chance(0.5)) return module.stars.shift() !== undefined;
    return module.passedOn.shift() !== undefined;
  },
  "import through another module": (program, random) => {
    const module = random.pick(program.modules);
    const references = module.items.flatMap(itemReferences);
    if (references.length === 0) return false;
    const { id } = random.pick(references);
    const declaration = declarations(program).find((candidate) => candidate.id === id);
    if (declaration === undefined) return false;
    const routes = program.modules.filter(
      (route) => route !== module && claims(program, route, exportedName(declaration)),
    );
    if (routes.length === 0) return false;
    module.routes[id] = random.pick(routes).id;
    return true;
  },
  "import straight": (program, random) => {
    const module = random.pick(program.modules);
    const [id] = Object.keys(module.routes);
    if (id === undefined) return false;
    delete module.routes[Number(id)];
    return true;
  },
  "import as a namespace, or no longer": (program, random) => {
    const [module, other] = [random.pick(program.modules), random.pick(program.modules)];
    if (module === other) return false;
    module.namespaces = module.namespaces.includes(other.id)
      ? module.namespaces.filter((id) => id !== other.id)
      : [...module.namespaces, other.id];
    return true;
  },
  "shadow a name inside a function": (program, random) => {
    const functions = declarations(program).filter((item) => item.kind === "function" || item.kind === "step");
    const target = random.pick(functions);
    if (target.kind !== "function" && target.kind !== "step") return false;
    const home = homeOf(program, target.id);
    const visible = [
      ...home.items.flatMap((item) => (item.kind === "effect" ? [] : [item.name])),
      ...Object.values(home.aliases),
    ];
    const referenced = itemReferences(target).flatMap(({ id }) =>
      declarations(program)
        .filter((item) => item.id === id)
        .map(exportedName),
    );
    target.shadows.push({
      form: random.pick(shadowForms),
      name: random.pick([...visible, ...referenced, ...referenced]),
      value: random.below(50),
    });
    return true;
  },
  "shadow no longer": (program, random) => {
    const target = random.pick(
      declarations(program).filter((item) => item.kind === "function" || item.kind === "step"),
    );
    return (target.kind === "function" || target.kind === "step") && target.shadows.shift() !== undefined;
  },
  "shadow what a star passes on": (program, random) => {
    const barrels = program.modules.filter(({ stars }) => stars.length > 0);
    if (barrels.length === 0) return false;
    const barrel = random.pick(barrels);
    if (barrel.overrides.length > 0) {
      barrel.overrides.pop();
      return true;
    }
    const passed = declarations(program).filter(
      (item) =>
        (item.kind === "number" || item.kind === "function") &&
        (item.exported === "inline" || item.exported === "list") &&
        claims(program, barrel, item.name),
    );
    const free = passed.filter(
      ({ name }) => !barrel.items.some((item) => item.kind !== "effect" && item.name === name),
    );
    if (free.length === 0) return false;
    const { name, kind } = random.pick(free);
    barrel.overrides.push({ name, as: kind === "number" ? "number" : "function", value: random.below(50) });
    return true;
  },
  "add an effect": (program, random) => {
    const module = random.pick(program.modules);
    module.items.splice(random.below(module.items.length + 1), 0, makeEffect(program, random));
    return true;
  },
  "patch a class": (program, random) => {
    const classes = declarations(program).filter(({ kind }) => kind === "class");
    if (classes.length === 0) return false;
    const id = program.nextId++;
    random
      .pick(program.modules)
      .items.push({ kind: "effect", id, form: "patch", target: random.pick(classes).id, value: makeNumber(random) });
    return true;
  },
  "reassign a let": (program, random) => {
    const lets = declarations(program).filter((item) => item.kind === "number" && item.keyword === "let");
    if (lets.length === 0) return false;
    const target = random.pick(lets).id;
    homeOf(program, target).items.push({
      kind: "effect",
      id: program.nextId++,
      form: "reassign",
      target,
      value: makeNumber(random),
    });
    return true;
  },
  "remove an effect": (program, random) => {
    const affected = program.modules.filter(({ items }) => items.some(({ kind }) => kind === "effect"));
    if (affected.length === 0) return false;
    const module = random.pick(affected);
    module.items.splice(
      module.items.findIndex(({ kind }) => kind === "effect"),
      1,
    );
    return true;
  },
  "swap two items of a module": (program, random) => {
    const module = random.pick(program.modules);
    if (module.items.length < 2) return false;
    const at = random.below(module.items.length - 1);
    module.items.splice(at, 0, ...module.items.splice(at + 1, 1));
    return true;
  },
  "move an effect to another module": (program, random) => {
    const effects = program.modules.flatMap(({ items }) => items.filter(({ kind }) => kind === "effect"));
    if (effects.length === 0) return false;
    const effect = random.pick(effects);
    const home = homeOf(program, effect.id);
    home.items.splice(home.items.indexOf(effect), 1);
    random.pick(program.modules).items.push(effect);
    return true;
  },
  "add or remove a default": (program, random) => {
    const item = random.pick(declarations(program));
    if (item.kind !== "function") return false;
    item.defaultValue = item.defaultValue === undefined ? makeExpression(program, random, item.id, 1) : undefined;
    return true;
  },
  "change a class": (program, random) => {
    const item = random.pick(declarations(program));
    if (item.kind !== "class") return false;
    if (random.chance(0.4)) item.statics.push(random.below(9));
    else {
      const bases = declarations(program).filter(({ kind, id }) => kind === "class" && id < item.id);
      item.base = item.base === undefined && bases.length > 0 ? random.pick(bases).id : undefined;
    }
    return true;
  },
  "change how a declaration is exported or written": (program, random) => {
    const declaration = pickDeclaration(program, random);
    if (declaration === undefined) return false;
    if (declaration.kind === "function" && random.chance(0.3))
      declaration.form = declaration.form === "arrow" ? "function" : "arrow";
    else declaration.exported = random.pick(["inline", "list", "alias", "default"]);
    return true;
  },
  "add a declaration": (program, random) => {
    addDeclaration(program, random.pick(program.modules), random);
    return true;
  },
  "remove a declaration that nothing uses": (program, random) => {
    const used = new Set(program.modules.flatMap(({ items }) => items.flatMap(itemReferences)).map(({ id }) => id));
    const unused = declarations(program).filter(({ id, kind }) => !used.has(id) && kind !== "step");
    if (unused.length === 0) return false;
    const target = random.pick(unused);
    const home = homeOf(program, target.id);
    home.items.splice(home.items.indexOf(target), 1);
    return true;
  },
  "import a module for its effects": (program, random) => {
    const [module, other] = [random.pick(program.modules), random.pick(program.modules)];
    if (module === other || module.bareImports.includes(other.id)) return false;
    module.bareImports.push(other.id);
    return true;
  },
  "import no longer for effects": (program, random) => random.pick(program.modules).bareImports.pop() !== undefined,
  "reverse the imports": (program, random) => {
    const module = random.pick(program.modules);
    module.reversedImports = !module.reversedImports;
    return true;
  },
  "edit the JSON": (program, random) => {
    const key = random.pick(["used", "unread", "dress"] as const);
    program.data[key] += 1;
    return true;
  },
  "edit the CommonJS": (program, random) => {
    const key = random.pick(["factor", "dress"] as const);
    program.legacy[key] += 1;
    return true;
  },
  "let another file answer a require": (program, random) => {
    const { picks } = program.legacy;
    const key = random.pick(["js", "json", "folder"] as const);
    if (picks[key] === undefined) picks[key] = random.below(100);
    else if (Object.keys(picks).length > 1) delete picks[key];
    else return false;
    return true;
  },
  "upgrade a package": (program, random) => {
    const state = program.packages[random.pick(["direct", "transitive", "spare"] as const)];
    state.patch += 1;
    // A version stands for one text: going back and upgrading again gives the same one.
    state.factor = 1 + ((state.patch * 17) % 50);
    return true;
  },
};

const shadowForms: readonly Shadow["form"][] = [
  "block",
  "arrow",
  "catch",
  "var",
  "function",
  "for",
  "label",
  "property",
  "method",
  "destructured",
];

/** Any declaration but a step. */
function pickDeclaration(program: Program, random: Random): Declaration | undefined {
  const candidates = declarations(program).filter(({ kind }) => kind !== "step");
  return candidates.length === 0 ? undefined : random.pick(candidates);
}

function changeNumber(expression: Expression, random: Random): Expression {
  switch (expression.kind) {
    case "number":
      return { kind: "number", value: expression.value + 1 + random.below(9) };
    case "operation":
      return random.chance(0.5)
        ? { ...expression, left: changeNumber(expression.left, random) }
        : { ...expression, right: changeNumber(expression.right, random) };
    case "choice":
      return { ...expression, yes: changeNumber(expression.yes, random) };
    case "reference":
    case "legacy":
    case "package":
      return { ...expression, argument: changeNumber(expression.argument, random) };
    case "parameter":
    case "data":
      return { kind: "operation", operator: "+", left: expression, right: makeNumber(random) };
  }
}
