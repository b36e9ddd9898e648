/**
 * State that lives on between calls: what a function leaves in variables of the code around it, in its `this`, in a
 * global. Tells of a unit what its own text tells; what it means for values that are made of it is for `memos.ts` to say.
 */
import type { AstNode } from "./ast.ts";
import { asNode, asNodes, isClass, isFunction, isNode, isTypeOnly, memberName, unwrap, unwrapChain } from "./ast.ts";
import { assignedTargets } from "./scope.ts";
import { marks } from "./mark.ts";
import { callbackMethods, fillingMethods, isChangingMethod } from "./method.ts";
import { isPrimitive } from "./literal.ts";
import { isGlobalObject, mutatingStatics } from "./pure.ts";
import type { Gift, HandOver, KeptState } from "./record.ts";
import type { Binding } from "./scope.ts";
import { globalName, globalWrite } from "./world.ts";

/** What the code that is being looked at stands in. */
interface Where {
  /** How many functions are around it. */
  readonly depth: number;
  /** Variables that are bound in fewer functions than this were there before the call. */
  readonly outer: number;
  /** What `this` is: new, a class, or something that was there before. */
  readonly self: "new" | "class" | "instance";
}

/** Undefined when nothing lives on. `isImported` tells of a reference whether it leads to another module. */
export function keptStateOf(
  node: AstNode,
  value: AstNode | undefined,
  isImported: (ref: number) => boolean,
): KeptState | undefined {
  const reader = new StateReader(isImported);
  reader.visit(node, { depth: 0, outer: 0, self: "instance" });
  const { keeps, statics, global, touched, assigned, hands, fills, passes, gives } = reader;
  const empty = value !== undefined && isEmptyContainer(unwrap(value));
  const state: KeptState = {
    ...(keeps ? { keeps } : {}),
    ...(statics ? { statics } : {}),
    ...(global ? { global } : {}),
    ...(empty ? { empty } : {}),
    ...(value !== undefined && isPrimitive(value) ? { firm: true as const } : {}),
    ...(touched.size > 0 ? { touched: [...touched] } : {}),
    ...(assigned.size > 0 ? { assigned: [...assigned] } : {}),
    ...(hands.length > 0 ? { hands } : {}),
    ...(fills ? { fills } : {}),
    ...(passes.size > 0 ? { passes: [...passes] } : {}),
    ...(gives.length > 0 ? { gives } : {}),
  };
  return Object.keys(state).length === 0 ? undefined : state;
}

/** Aliases of aliases beyond this are not followed. */
const maxSteps = 20;

class StateReader {
  keeps = false;
  statics = false;
  global = false;
  fills = false;
  readonly touched = new Set<number>();
  readonly assigned = new Set<number>();
  readonly passes = new Set<number>();
  readonly gives: Gift[] = [];
  readonly hands: HandOver[] = [];
  readonly #isImported: (ref: number) => boolean;
  /** What local variables were taken from, where a pattern or a loop took them. */
  readonly #taken = new Map<Binding, AstNode>();

  constructor(isImported: (ref: number) => boolean) {
    this.#isImported = isImported;
  }

  visit(node: AstNode, where: Where): void {
    if (isTypeOnly(node)) return;
    if (isClass(node)) return this.#visitClass(node, where);
    if (isFunction(node)) return this.#visitFunction(node, where, false, "instance");
    if (node.type === "CallExpression" || node.type === "NewExpression") this.#collectHandOver(node);
    if (where.depth > 0) this.#collect(node, where);
    else if (node.type === "CallExpression") this.#collectBorrowed(node, where);
    this.#visitChildren(node, where);
  }

  #visitChildren(node: AstNode, where: Where): void {
    const called = calledHere(node);
    for (const field in node) {
      if (field === "bound" || field === "typeAnnotation" || field === "typeArguments") continue;
      const value = node[field];
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
        if (!isNode(child)) continue;
        if (called?.has(unwrap(child)) === true) {
          this.#takeItems(unwrap(child), node);
          this.#visitFunction(unwrap(child), where, true, "instance");
        } else this.visit(child, where);
      }
    }
  }

  /** What a callback is given is of what its method was called on: `list.forEach((item) => …)`. */
  #takeItems(callback: AstNode, call: AstNode): void {
    const callee = unwrapChain(asNode(call.callee));
    if (callee.type !== "MemberExpression") return;
    // What is folded is not of the list.
    const params = asNodes(callback.params).slice((memberName(callee) ?? "").startsWith("reduce") ? 1 : 0);
    for (const param of params) this.#take(param, asNode(callee.object));
  }

  /** `atOnce`: called where it stands, so that what is around it is as new as itself. */
  #visitFunction(node: AstNode, where: Where, atOnce: boolean, self: Where["self"]): void {
    const depth = where.depth + 1;
    // The state of a generator lives between its steps.
    if (node.generator === true && !atOnce) this.keeps = true;
    this.#visitChildren(node, {
      depth,
      outer: atOnce ? where.outer : depth,
      self: node.type === "ArrowFunctionExpression" ? where.self : self,
    });
  }

  #visitClass(node: AstNode, where: Where): void {
    if (isNode(node.superClass)) this.visit(node.superClass, where);
    for (const member of asNodes(asNode(node.body).body)) {
      if (isTypeOnly(member)) continue;
      if (member.computed === true) this.visit(asNode(member.key), where);
      const isStatic = member.static === true || member.type === "StaticBlock";
      if (member.type === "MethodDefinition") {
        const self = member.kind === "constructor" ? "new" : isStatic ? "class" : "instance";
        this.#visitFunction(asNode(member.value), where, false, self);
      } else if (member.type === "StaticBlock") {
        for (const child of asNodes(member.body)) this.visit(child, { ...where, self: "new" });
      } else if (isNode(member.value)) {
        const depth = where.depth + (isStatic ? 0 : 1);
        const inner = { depth, outer: isStatic ? where.outer : depth, self: "new" as const };
        const field = unwrap(member.value);
        // `load = () => { this.known = … }` is called when all of it is there.
        if (isFunction(field))
          this.#visitFunction(field, { ...inner, self: isStatic ? "class" : "instance" }, false, "instance");
        else this.visit(member.value, inner);
      }
    }
  }

  #collect(node: AstNode, where: Where): void {
    switch (node.type) {
      case "AssignmentExpression":
        return this.#assign(asNode(node.left), where);
      case "UpdateExpression":
        return this.#assign(asNode(node.argument), where);
      case "UnaryExpression":
        return node.operator === "delete" ? this.#assign(unwrapChain(asNode(node.argument)), where) : undefined;
      case "VariableDeclarator":
        return isNode(node.init) ? this.#take(asNode(node.id), node.init) : undefined;
      case "ForInStatement":
      case "ForOfStatement": {
        const left = asNode(node.left);
        if (left.type !== "VariableDeclaration") return this.#assign(left, where);
        for (const { id } of asNodes(left.declarations) as unknown as { id: AstNode }[]) {
          this.#take(id, asNode(node.right));
        }
        return;
      }
      case "CallExpression":
        this.#collectGift(node, where);
        this.#collectBorrowed(node, where);
        return this.#collectCall(node, where);
      default:
    }
  }

  #take(pattern: AstNode, from: AstNode): void {
    for (const target of assignedTargets(pattern)) {
      const { bound } = marks(unwrap(target));
      if (bound !== undefined && bound.value === undefined) this.#taken.set(bound, from);
    }
  }

  #assign(target: AstNode, where: Where): void {
    for (const each of assignedTargets(target)) {
      const node = unwrap(each);
      if (node.type === "MemberExpression") {
        const root = globalName(unwrap(asNode(node.object)));
        if (root !== undefined && isGlobalObject(root)) this.#changeGlobal(memberName(node) ?? "?");
        else this.#assignInto(asNode(node.object), node, where);
        continue;
      }
      if (node.type !== "Identifier") continue;
      const { bound, ref } = marks(node);
      if (ref !== undefined) this.touched.add(ref);
      else if (bound === undefined) this.#changeGlobal(node.name as string);
      else if (bound.depth < where.outer) this.keeps = true;
    }
  }

  #assignInto(object: AstNode, target: AstNode, where: Where): void {
    const root = rootOf(object);
    const { ref, bound } = marks(root);
    if (ref !== undefined) this.assigned.add(ref);
    const isNodes =
      root.type === "MetaProperty" || (root.type === "Identifier" && ref === undefined && bound === undefined);
    // Into something that Node made, `JSON.memo = …`: but not what is there to be set.
    if (
      isNodes &&
      !settings.test(`${root.type === "Identifier" ? (root.name as string) : ""}.${memberName(target) ?? "?"}`) &&
      !isEnvironment(object)
    )
      this.global = true;
    this.#change(object, where);
  }

  #changeGlobal(name: string): void {
    if (globalWrite(name) === -2) this.global = true;
  }

  /** Something inside of a value is changed. */
  #change(value: AstNode, where: Where, steps = 0): void {
    if (steps > maxSteps) return;
    const node = unwrapChain(value);
    const on = (next: unknown): void => (isNode(next) ? this.#change(next, where, steps + 1) : undefined);
    switch (node.type) {
      case "ThisExpression":
        if (where.self === "class") this.statics = true;
        else if (where.self === "instance") this.keeps = true;
        return;
      case "Super":
        this.keeps = true;
        return;
      case "Identifier": {
        const { bound, ref } = marks(node);
        if (ref !== undefined) this.touched.add(ref);
        else if (bound !== undefined && bound.depth < where.outer) this.keeps = true;
        else if (bound !== undefined) {
          const from = this.#taken.get(bound) ?? (bound.value === node ? undefined : bound.value);
          if (from !== undefined) on(from);
          else if (bound.kind === "param") this.fills = true;
        }
        return;
      }
      case "MemberExpression": {
        const root = globalName(unwrap(asNode(node.object)));
        if (root !== undefined && isGlobalObject(root)) this.#changeGlobal(memberName(node) ?? "?");
        return on(node.object);
      }
      case "CallExpression": {
        const callee = unwrapChain(asNode(node.callee));
        return on(callee.type === "MemberExpression" ? callee.object : callee);
      }
      case "AwaitExpression":
        return on(node.argument);
      case "AssignmentExpression":
      case "LogicalExpression":
        on(node.left);
        return on(node.right);
      case "ConditionalExpression":
        on(node.consequent);
        return on(node.alternate);
      default:
    }
  }

  #collectCall(call: AstNode, where: Where): void {
    const callee = unwrapChain(asNode(call.callee));
    if (callee.type !== "MemberExpression") return;
    const name = memberName(callee) ?? "";
    const object = unwrapChain(asNode(callee.object));
    const root = globalName(object);
    if (root !== undefined && mutatingStatics.has(`${root}.${name}`)) {
      const [first] = asNodes(call.arguments);
      if (first !== undefined) this.#change(first, where);
    } else if (root === "Atomics") {
      const [first] = asNodes(call.arguments);
      if (first !== undefined) this.#change(first, where);
      // A method whose name is computed may be any.
    } else if (isChangingMethod(name) || (name === "" && callee.computed === true)) this.#change(object, where);
    const filled = asNodes(call.arguments)[fillingMethods.get(name) ?? -1];
    if (filled !== undefined) this.#change(filled, where);
  }

  /** A method that is called on something else, or bound to it: `Map.prototype.set.call(map, …)`, `map.set.bind(map)`. */
  #collectBorrowed(call: AstNode, where: Where): void {
    const callee = unwrapChain(asNode(call.callee));
    if (callee.type !== "MemberExpression") return;
    const method = unwrapChain(asNode(callee.object));
    const name = memberName(callee) ?? "";
    const [first, second] = asNodes(call.arguments);
    if (globalName(method) === "Reflect" && name === "apply") {
      if (second !== undefined) this.#change(second, where);
    } else if (["call", "apply", "bind"].includes(name) && first !== undefined) {
      const own = method.type === "MemberExpression" ? (memberName(method) ?? "") : (method.name as string | undefined);
      if (own !== undefined && isChangingMethod(own)) this.#change(first, where);
    }
  }

  /** What a function is given may be changed by it: that is for its own text to tell. */
  #collectGift(call: AstNode, where: Where): void {
    const callee = rootOf(asNode(call.callee));
    const { ref } = marks(callee);
    // A function of the unit itself, or one that is written here.
    const known = marks(callee).bound?.value ?? callee;
    const isOwn = isFunction(unwrap(known));
    if (ref === undefined && !isOwn) return;
    const named: number[] = [];
    let own = false;
    for (const argument of asNodes(call.arguments)) {
      const root = rootOf(argument.type === "SpreadElement" ? asNode(argument.argument) : argument);
      const { ref: given, bound } = marks(root);
      if (given !== undefined) named.push(given);
      else if (bound !== undefined && bound.depth < where.outer) own = true;
      else if (bound?.kind === "param" && !this.#taken.has(bound)) {
        if (ref === undefined) continue;
        this.passes.add(ref);
      } else if (bound !== undefined) {
        const from = marks(rootOf(this.#taken.get(bound) ?? bound.value ?? root)).ref;
        if (from !== undefined) named.push(from);
      }
    }
    if (named.length === 0 && !own) return;
    this.gives.push({
      ...(ref === undefined ? {} : { ref }),
      ...(named.length > 0 ? { named } : {}),
      ...(own ? { own } : {}),
    });
  }

  /** `memoize(load)`: what takes a function may keep what the function answered. */
  #collectHandOver(call: AstNode): void {
    const { ref } = marks(rootOf(asNode(call.callee)));
    if (ref === undefined || !this.#isImported(ref)) return;
    const args = asNodes(call.arguments).map((argument) => unwrap(argument));
    if (args.some(holdsFunction)) this.hands.push({ ref });
    else {
      const named = args.flatMap((argument) => marks(argument).ref ?? []);
      if (named.length > 0) this.hands.push({ ref, named });
    }
  }
}

/** Functions that a call calls where they stand: its own callee, and callbacks of the language's own methods. */
function calledHere(node: AstNode): ReadonlySet<AstNode> | undefined {
  if (node.type !== "CallExpression") return undefined;
  const callee = unwrapChain(asNode(node.callee));
  if (isFunction(callee)) return new Set([callee]);
  if (callee.type !== "MemberExpression") return undefined;
  const name = memberName(callee) ?? "?";
  if (!callbackMethods.has(name) || name === "?" || name === "addEventListener") return undefined;
  return new Set(
    asNodes(node.arguments)
      .map((argument) => unwrap(argument))
      .filter(isFunction),
  );
}

function holdsFunction(argument: AstNode): boolean {
  if (isFunction(argument) || isClass(argument)) return true;
  if (argument.type === "Identifier") {
    const value = marks(argument).bound?.value;
    return value !== undefined && (isFunction(value) || isClass(value));
  }
  if (argument.type !== "ObjectExpression") return false;
  return asNodes(argument.properties).some(
    (property) => property.type === "Property" && isFunction(unwrap(asNode(property.value))),
  );
}

/** `a` of `a.b.c`. */
function rootOf(value: AstNode): AstNode {
  let node = unwrapChain(value);
  while (node.type === "MemberExpression") node = unwrapChain(asNode(node.object));
  return node;
}

/** Members of what Node made that are there to be set, and that nobody keeps something in. */
const settings = /^(?:process\.(?:exitCode|title|env|umask)|Error\.(?:stackTraceLimit|prepareStackTrace)|console\.)/u;

/** `process.env.NAME = …` is seen where variables are read. */
function isEnvironment(object: AstNode): boolean {
  const node = unwrapChain(object);
  return (
    node.type === "MemberExpression" &&
    globalName(unwrap(asNode(node.object))) === "process" &&
    memberName(node) === "env"
  );
}

/** `new Map()`, `{}`, `[]`: nobody makes an empty one to leave it so. */
function isEmptyContainer(node: AstNode): boolean {
  switch (node.type) {
    case "ArrayExpression":
      return asNodes(node.elements).length === 0;
    case "ObjectExpression":
      return asNodes(node.properties).length === 0;
    case "NewExpression":
      return (
        ["Map", "Set", "WeakMap", "WeakSet"].includes(globalName(unwrap(asNode(node.callee))) ?? "") &&
        asNodes(node.arguments).length === 0
      );
    case "CallExpression": {
      const callee = unwrapChain(asNode(node.callee));
      return (
        callee.type === "MemberExpression" &&
        globalName(asNode(callee.object)) === "Object" &&
        memberName(callee) === "create"
      );
    }
    default:
      return false;
  }
}
