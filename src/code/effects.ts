/**
 * What evaluating a piece of code may do, as far as its own text tells: the part of purity that needs no other file.
 *
 * Only code that runs is looked at: not the bodies of functions, unless they are called here or handed to something
 * that calls them. Runs after the walk, which has marked every name with what it stands for. Unknown means impure.
 */
import type { AstNode } from "./ast.ts";
import { asNode, asNodes, assetSpecifier, isClass, isFunction, isNode, isTypeOnly, memberName } from "./ast.ts";
import { stringValue, unwrap, unwrapChain } from "./ast.ts";
import { mutatingStatics, pureConstructors, pureFunctions, pureNamespaces } from "./pure.ts";
import { isPlain } from "./literal.ts";
import { callbackMethods, mutatingMethods, readingMethods } from "./method.ts";
import { originOf } from "./origin.ts";
import type { Summary } from "./record.ts";
import { assignedTargets, patternNames } from "./scope.ts";
import { marks } from "./mark.ts";
import { globalName, globalTarget, globalWrite, worldCall, worldMember } from "./world.ts";

/** The line of an offset. */
type LineOf = (offset: number) => number;

export function emptySummary(): Summary {
  return { impure: false, calls: [], chains: [], reads: [], runs: [], writes: [], uses: [], world: [], requests: [] };
}

/** What evaluating an expression, a declaration or a statement does. */
export function summariseEvaluation(node: AstNode, lineOf: LineOf): Summary {
  const summary = emptySummary();
  new Evaluation(summary, lineOf).visit(node);
  return compact(summary);
}

/** What calling the value of an expression does; undefined when the text does not say what the value is. */
export function summariseCall(value: AstNode, lineOf: LineOf): Summary | undefined {
  const node = unwrap(value);
  if (!isFunction(node) && !isClass(node)) return undefined;
  const summary = emptySummary();
  new Evaluation(summary, lineOf).call(node);
  return compact(summary);
}

class Evaluation {
  readonly #summary: Summary;
  readonly #lineOf: LineOf;
  readonly #called = new Set<AstNode>();
  /** Inside a constructor or a static part of a class `this` is new, so changing it is harmless. */
  #freshThis = 0;
  #functions = 0;

  constructor(summary: Summary, lineOf: LineOf) {
    this.#summary = summary;
    this.#lineOf = lineOf;
  }

  visit(node: AstNode): void {
    const summary = this.#summary;
    if (isFunction(node) || isTypeOnly(node)) return;
    const { request, ref } = marks(node);
    if (request !== undefined) {
      summary.requests.push(request);
      if (ref !== undefined) summary.uses.push(ref);
      return;
    }
    switch (node.type) {
      case "Identifier":
        if (ref !== undefined) summary.uses.push(ref);
        return;
      case "Literal":
      case "MetaProperty":
        return;
      case "ClassDeclaration":
      case "ClassExpression":
        return this.#visitClass(node);
      case "CallExpression":
      case "NewExpression":
        return this.#visitCall(node);
      case "TaggedTemplateExpression":
        this.visit(asNode(node.quasi));
        this.visit(asNode(node.tag));
        return this.#applyCallee(unwrapChain(asNode(node.tag)), [], node);
      case "MemberExpression":
        return this.#visitMember(node);
      case "AssignmentExpression":
        this.visit(asNode(node.right));
        this.#assign(asNode(node.left));
        if (node.operator !== "=") this.visit(unwrap(asNode(node.left)));
        return;
      case "UpdateExpression":
        return this.#assign(asNode(node.argument));
      case "UnaryExpression":
        if (node.operator === "delete") return this.#assign(unwrapChain(asNode(node.argument)));
        if (node.operator === "typeof" && unwrap(asNode(node.argument)).type === "Identifier") return;
        if (node.operator !== "!" && node.operator !== "void") this.#coerce(asNode(node.argument));
        break;
      case "BinaryExpression":
        if (!["===", "!==", "instanceof", "in"].includes(node.operator as string)) {
          this.#coerce(asNode(node.left));
          this.#coerce(asNode(node.right));
        }
        break;
      case "TemplateLiteral":
        for (const part of asNodes(node.expressions)) this.#coerce(part);
        break;
      case "ForInStatement":
      case "ForOfStatement":
        if (node.await === true) this.#world("await", node);
        if (asNode(node.left).type !== "VariableDeclaration") this.#assign(asNode(node.left));
        else this.#visitChildren(asNode(node.left));
        this.visit(asNode(node.right));
        return this.visit(asNode(node.body));
      case "AwaitExpression": {
        const awaited = unwrap(asNode(node.argument));
        this.visit(awaited);
        if (this.#functions === 0 && containsCall(awaited)) this.#world("await", node);
        return;
      }
      case "ThrowStatement":
        if (this.#functions === 0) summary.impure = true;
        break;
      case "VariableDeclarator":
        if (isNode(node.init)) {
          this.visit(node.init);
          if (asNode(node.id).type !== "Identifier") this.#read(node.init);
        }
        return this.#visitPattern(asNode(node.id));
      case "VariableDeclaration":
        if (node.kind === "using" || node.kind === "await using") summary.impure = true;
        break;
      case "SpreadElement":
        this.#read(asNode(node.argument));
        break;
      case "JSXElement":
      case "JSXFragment":
        summary.impure = true;
        break;
      case "DebuggerStatement":
        summary.impure = true;
        break;
      case "Property":
        if (node.computed === true) this.visit(asNode(node.key));
        return this.visit(asNode(node.value));
      case "TSEnumMember":
        if (isNode(node.initializer)) this.visit(node.initializer);
        return;
      default:
    }
    this.#visitChildren(node);
  }

  /** Adds what calling a function or constructing a class does. */
  call(node: AstNode): void {
    if (this.#called.has(node)) return;
    this.#called.add(node);
    if (isClass(node)) return this.#construct(node);
    this.#functions += 1;
    const fresh = this.#freshThis;
    if (node.type !== "ArrowFunctionExpression") this.#freshThis = 0;
    for (const param of asNodes(node.params)) this.#visitPattern(param);
    this.visit(asNode(node.body));
    this.#freshThis = fresh;
    this.#functions -= 1;
  }

  #construct(node: AstNode): void {
    this.#functions += 1;
    this.#freshThis += 1;
    if (isNode(node.superClass)) this.#applyCallee(unwrap(node.superClass), [], node);
    for (const member of asNodes(asNode(node.body).body)) {
      if (isTypeOnly(member) || member.static === true) continue;
      if (member.type === "PropertyDefinition" || member.type === "AccessorProperty") {
        if (isNode(member.value)) this.visit(member.value);
      } else if (member.kind === "constructor") {
        for (const param of asNodes(asNode(member.value).params)) this.#visitPattern(param);
        this.visit(asNode(asNode(member.value).body));
      }
    }
    this.#freshThis -= 1;
    this.#functions -= 1;
  }

  #visitClass(node: AstNode): void {
    if (isNode(node.superClass)) this.visit(node.superClass);
    if (asNodes(node.decorators ?? []).length > 0) this.#summary.impure = true;
    this.#freshThis += 1;
    for (const member of asNodes(asNode(node.body).body)) {
      if (isTypeOnly(member)) continue;
      if (asNodes(member.decorators ?? []).length > 0) this.#summary.impure = true;
      if (member.computed === true) this.visit(asNode(member.key));
      if (member.type === "StaticBlock") for (const child of asNodes(member.body)) this.visit(child);
      else if (member.static === true && member.type !== "MethodDefinition" && isNode(member.value)) {
        this.visit(member.value);
      }
    }
    this.#freshThis -= 1;
  }

  #visitChildren(node: AstNode): void {
    for (const field in node) {
      if (field === "typeAnnotation" || field === "typeArguments" || field === "bound") continue;
      const value = node[field];
      if (Array.isArray(value)) {
        for (const item of value as unknown[]) if (isNode(item)) this.visit(item);
      } else if (isNode(value)) this.visit(value);
    }
  }

  /** Defaults and computed keys of a pattern run; its names do not. */
  #visitPattern(node: AstNode): void {
    switch (node.type) {
      case "AssignmentPattern":
        this.visit(asNode(node.right));
        return this.#visitPattern(asNode(node.left));
      case "ObjectPattern":
        for (const property of asNodes(node.properties)) {
          if (property.computed === true) this.visit(asNode(property.key));
          this.#visitPattern(asNode(property.type === "RestElement" ? property.argument : property.value));
        }
        return;
      case "ArrayPattern":
        for (const element of node.elements as (AstNode | null)[]) if (element) this.#visitPattern(element);
        return;
      case "RestElement":
        return this.#visitPattern(asNode(node.argument));
      case "TSParameterProperty":
        return this.#visitPattern(asNode(node.parameter));
      default:
    }
  }

  #assign(target: AstNode): void {
    const node = unwrap(target);
    switch (node.type) {
      case "Identifier":
        if (marks(node).bound !== undefined) return;
        return this.#change(marks(node).ref ?? globalWrite(node.name as string));
      case "MemberExpression": {
        this.visit(asNode(node.object));
        if (node.computed === true) this.visit(asNode(node.property));
        const origin = originOf(asNode(node.object));
        if (origin.kind === "builtin" || origin.kind === "object") return;
        if (origin.kind === "this" && this.#freshThis > 0) return;
        if (globalName(unwrap(asNode(node.object))) === "process" && memberName(node) === "exitCode") return;
        if (origin.kind === "ref" || origin.kind === "global") {
          return this.#change(origin.kind === "ref" ? origin.ref : globalTarget(node));
        }
        this.#summary.impure = true;
        return;
      }
      case "VariableDeclaration":
        return;
      case "ObjectPattern":
      case "ArrayPattern":
      case "AssignmentPattern":
      case "RestElement":
        this.#visitPattern(node);
        for (const name of assignedTargets(node)) this.#assign(name);
        return;
      default:
        this.#summary.impure = true;
    }
  }

  #change(ref: number): void {
    this.#summary.impure = true;
    this.#summary.writes.push(ref);
  }

  #visitMember(node: AstNode): void {
    const world = worldMember(node);
    if (world === undefined) this.visit(asNode(node.object));
    if (node.computed === true) this.visit(asNode(node.property));
    if (world !== undefined) this.#world(world, node);
    else this.#read(asNode(node.object));
  }

  /** Reading members of a value runs its getters. */
  #read(value: AstNode): void {
    const origin = originOf(value);
    if (origin.kind === "ref") this.#summary.reads.push(origin.ref);
    else if (origin.kind === "unknown" || (origin.kind === "this" && this.#freshThis === 0))
      this.#summary.impure = true;
  }

  /** Arithmetic on an object runs its `valueOf`. */
  #coerce(value: AstNode): void {
    const origin = originOf(value);
    if (origin.kind === "ref") this.#summary.reads.push(origin.ref);
    const node = unwrapChain(value);
    const isObject = origin.kind === "object" || (node.type === "NewExpression" && origin.kind !== "builtin");
    if (isObject && !isPlain(value)) this.#summary.impure = true;
  }

  #world(kind: string, node: AstNode): void {
    this.#summary.world.push({ kind, line: this.#lineOf(node.start) });
  }

  #visitCall(node: AstNode): void {
    const callee = unwrapChain(asNode(node.callee));
    const args = asNodes(node.arguments);
    for (const argument of args) this.visit(argument);
    if (callee.type === "MemberExpression") {
      this.visit(asNode(callee.object));
      if (callee.computed === true) this.visit(asNode(callee.property));
    } else this.visit(callee);
    if (isKnownRead(args)) {
      // Reads a file that is itself part of the code.
      const origin = originOf(callee.type === "MemberExpression" ? asNode(callee.object) : callee);
      if (origin.kind === "ref") {
        this.#summary.chains.push({ ref: origin.ref, known: true });
        return;
      }
    }
    this.#applyCallee(callee, args, node);
  }

  #applyCallee(callee: AstNode, args: readonly AstNode[], node: AstNode): void {
    if (isFunction(callee) || isClass(callee)) return this.call(callee);
    if (callee.type === "SequenceExpression") return this.#applyCallee(asNodes(callee.expressions).at(-1)!, args, node);
    if (callee.type === "Identifier") return this.#applyName(callee, args, node);
    if (callee.type === "MemberExpression") return this.#applyMethod(callee, args, node);
    if (callee.type === "Super") return;
    this.#callUnknown();
  }

  #callUnknown(): void {
    this.#summary.impure = true;
    this.#summary.unknown = true;
  }

  #applyName(callee: AstNode, args: readonly AstNode[], node: AstNode): void {
    const { bound, ref } = marks(callee);
    if (ref !== undefined) {
      this.#summary.calls.push(ref);
      this.#give(ref, args);
      return;
    }
    if (bound !== undefined) {
      const value = bound.value;
      if (value !== undefined && (isFunction(value) || isClass(value))) return this.call(value);
      return this.#callUnknown();
    }
    const name = callee.name as string;
    const pure = node.type === "NewExpression" ? pureConstructors : pureFunctions;
    if (name === "Date" && (args.length === 0 || node.type === "CallExpression")) this.#world("clock", node);
    else if (name === "fetch") this.#world("network", node);
    if (pure.has(name)) this.#callCallbacks(args, false);
    else this.#summary.impure = true;
  }

  #applyMethod(callee: AstNode, args: readonly AstNode[], node: AstNode): void {
    const method = memberName(callee);
    const object = unwrapChain(asNode(callee.object));
    if (method === "run") this.#markRun(object);
    if (isImportMetaMember(object) || object.type === "MetaProperty") return;
    const world = worldCall(object, method);
    if (world !== undefined) this.#world(world, node);
    const origin = originOf(object);
    switch (origin.kind) {
      case "builtin":
        if (callbackMethods.has(method ?? "?")) this.#callCallbacks(args, isPlain(object));
        return;
      case "global": {
        const name = object.type === "Identifier" ? (object.name as string) : undefined;
        if (world === "cwd" || world === "clock" || world === "random") return;
        // What is printed changes nothing that a step could see.
        if (name === "console") return;
        if (name === undefined || !pureNamespaces.has(name)) break;
        if (mutatingStatics.has(`${name}.${method ?? "?"}`)) {
          const first = args[0] === undefined ? undefined : originOf(args[0]);
          if (first === undefined) break;
          if (first.kind === "builtin" || first.kind === "object") return;
          if (first.kind === "ref" || first.kind === "global") {
            this.#change(first.kind === "ref" ? first.ref : -1);
          }
          break;
        }
        return this.#callCallbacks(args, args.length > 0 && isPlain(args[0]));
      }
      case "ref": {
        // A member that the reference itself holds (`ns.f()`) is called directly.
        const inner = this.#summariseCallbacks(args);
        if (origin.direct) this.#summary.calls.push(origin.ref);
        const quiet = isQuiet(inner) && inner.world.length === 0;
        this.#summary.chains.push({
          ref: origin.ref,
          ...(readingMethods.has(method ?? "?") ? { reads: true } : {}),
          ...(mutatingMethods.has(method ?? "?") ? { stores: true } : {}),
          ...(quiet ? {} : { inner: compact(inner) }),
        });
        return;
      }
      default:
    }
    this.#callUnknown();
  }

  /** Functions that are given to a function of the program: it may call them. */
  #give(ref: number, args: readonly AstNode[]): void {
    const named = args.flatMap((argument) => marks(unwrap(argument)).ref ?? []);
    const inner = this.#summariseCallbacks(args);
    const quiet = isQuiet(inner) && inner.world.length === 0;
    if (quiet && named.length === 0) return;
    (this.#summary.given ??= []).push({
      ref,
      ...(quiet ? {} : { inner: compact(inner) }),
      ...(named.length === 0 ? {} : { named }),
    });
  }

  #summariseCallbacks(args: readonly AstNode[]): Summary {
    const inner = emptySummary();
    const evaluation = new Evaluation(inner, this.#lineOf);
    evaluation.#functions = 1;
    evaluation.#callCallbacks(args, true);
    return inner;
  }

  #markRun(object: AstNode): void {
    const origin = originOf(object);
    if (origin.kind === "ref") this.#summary.runs.push(origin.ref);
    else if (origin.kind === "unknown") this.#summary.runs.push(-1);
  }

  /** Functions handed to something of the language that calls them. */
  #callCallbacks(args: readonly AstNode[], plain: boolean): void {
    for (const argument of args) {
      const value = unwrap(argument);
      if (isFunction(value)) {
        if (plain) for (const param of asNodes(value.params)) markPlain(param);
        this.call(value);
      } else if (value.type === "Identifier") {
        const { bound, ref } = marks(value);
        if (ref !== undefined) this.#summary.calls.push(ref);
        else if (bound?.value !== undefined && isFunction(bound.value)) this.call(bound.value);
        else if (bound !== undefined && !bound.plain) this.#callUnknown();
      }
    }
  }
}

/** Whether nothing is called, changed or read. */
function isQuiet({ impure, calls, chains, reads }: Summary): boolean {
  return !impure && calls.length + chains.length + reads.length === 0;
}

function markPlain(param: AstNode): void {
  if (param.type === "Identifier") {
    const { bound } = marks(param);
    if (bound !== undefined) bound.plain = true;
  } else if (param.type === "ArrayPattern" && patternNames(param).length > 0) {
    for (const element of param.elements as (AstNode | null)[]) if (element) markPlain(element);
  }
}

function containsCall(node: AstNode): boolean {
  if (marks(node).request !== undefined || isFunction(node)) return false;
  if (node.type === "CallExpression" || node.type === "NewExpression") return true;
  if (node.type === "MemberExpression") return containsCall(unwrap(asNode(node.object)));
  return node.type !== "Literal" && node.type !== "Identifier";
}

function isImportMetaMember(node: AstNode): boolean {
  return node.type === "MemberExpression" && asNode(node.object).type === "MetaProperty";
}

/** Whether what is called gets a path that the code itself names: `readFileSync(new URL("./a.txt", import.meta.url))`. */
function isKnownRead(args: readonly AstNode[]): boolean {
  return args[0] !== undefined && stringValue(args[0]) === undefined && isAsset(unwrap(args[0]));
}

/** `new URL("./a.txt", import.meta.url)`, also as a path: `fileURLToPath(…)`, `….pathname`. */
function isAsset(node: AstNode): boolean {
  if (assetSpecifier(node) !== undefined) return true;
  if (node.type === "MemberExpression") return isAsset(unwrap(asNode(node.object)));
  if (node.type !== "CallExpression") return false;
  const callee = unwrap(asNode(node.callee));
  const [only, ...others] = asNodes(node.arguments);
  const name = callee.type === "MemberExpression" ? memberName(callee) : callee.name;
  return name === "fileURLToPath" && only !== undefined && others.length === 0 && isAsset(unwrap(only));
}

/** Lists without repetitions: what is kept on disk stays small. */
function compact(summary: Summary): Summary {
  const unique = (items: number[]): number[] => [...new Set(items)];
  return {
    ...summary,
    calls: unique(summary.calls),
    reads: unique(summary.reads),
    runs: unique(summary.runs),
    writes: unique(summary.writes),
    uses: unique(summary.uses),
    requests: unique(summary.requests),
  };
}
