/** Names and where they are bound: block-exact, with hoisting. */
import type { AstNode } from "./ast.ts";
import { asNode, asNodes, isNode, isTypeOnly, stringValue, unwrap } from "./ast.ts";

/** A name bound inside a unit. */
export interface Binding {
  readonly name: string;
  /** What it is known to hold for good: a `const`'s initialiser, a function, a class. */
  readonly value: AstNode | undefined;
  readonly kind: "param" | "var" | "lexical";
  /** How many functions are around the scope that binds it. */
  readonly depth: number;
  /** Serial number of its scope: an outer scope has a smaller one. */
  readonly scope: number;
  /** Order of first use in the walk; -1 before. */
  index: number;
  /** Holds plain data whatever the caller: the parameter of a callback over a literal. */
  plain?: boolean;
}

export interface Scope {
  readonly parent: Scope | undefined;
  readonly serial: number;
  readonly depth: number;
  readonly names: Map<string, Binding>;
}

/** Opens a scope inside another. */
export function openScope(parent: Scope | undefined, serial: number, depth: number): Scope {
  return { parent, serial, depth, names: new Map() };
}

export function lookUp(scope: Scope | undefined, name: string): Binding | undefined {
  for (let at = scope; at !== undefined; at = at.parent) {
    const binding = at.names.get(name);
    if (binding !== undefined) return binding;
  }
  return undefined;
}

export function bind(scope: Scope, name: string, kind: Binding["kind"], value?: AstNode): void {
  if (scope.names.has(name)) return;
  scope.names.set(name, { name, value, kind, depth: scope.depth, scope: scope.serial, index: -1 });
}

/** Every name that a pattern binds, in the order of its text. */
export function patternNames(node: AstNode | undefined | null, into: string[] = []): string[] {
  if (node === undefined || node === null) return into;
  switch (node.type) {
    case "Identifier":
      into.push(node.name as string);
      break;
    case "ObjectPattern":
      for (const property of asNodes(node.properties)) {
        patternNames(property.type === "RestElement" ? asNode(property.argument) : asNode(property.value), into);
      }
      break;
    case "ArrayPattern":
      for (const element of node.elements as (AstNode | null)[]) patternNames(element, into);
      break;
    case "AssignmentPattern":
      patternNames(asNode(node.left), into);
      break;
    case "RestElement":
      patternNames(asNode(node.argument), into);
      break;
    case "TSParameterProperty":
      patternNames(asNode(node.parameter), into);
      break;
    default:
  }
  return into;
}

/** Targets of a destructuring assignment. */
export function assignedTargets(node: AstNode, into: AstNode[] = []): AstNode[] {
  switch (node.type) {
    case "ObjectPattern":
      for (const property of asNodes(node.properties)) {
        assignedTargets(asNode(property.type === "RestElement" ? property.argument : property.value), into);
      }
      break;
    case "ArrayPattern":
      for (const element of node.elements as (AstNode | null)[]) if (element) assignedTargets(element, into);
      break;
    case "AssignmentPattern":
      assignedTargets(asNode(node.left), into);
      break;
    case "RestElement":
      assignedTargets(asNode(node.argument), into);
      break;
    default:
      into.push(node);
  }
  return into;
}

/** Binds what a list of statements declares for its own block: `let`, `const`, classes, functions, enums. */
export function bindLexical(scope: Scope, statements: readonly AstNode[]): void {
  for (const outer of statements) {
    const statement = exportedDeclaration(outer);
    if (isTypeOnly(statement)) continue;
    switch (statement.type) {
      case "VariableDeclaration":
        if (statement.kind === "var") break;
        for (const declarator of asNodes(statement.declarations)) bindDeclarator(scope, declarator, statement);
        break;
      case "FunctionDeclaration":
      case "ClassDeclaration":
        if (statement.id) bind(scope, asNode(statement.id).name as string, "lexical", statement);
        break;
      case "TSEnumDeclaration":
      case "TSModuleDeclaration":
      case "TSImportEqualsDeclaration":
        if (asNode(statement.id).type === "Identifier") bind(scope, asNode(statement.id).name as string, "lexical");
        break;
      default:
    }
  }
}

function bindDeclarator(scope: Scope, declarator: AstNode, declaration: AstNode): void {
  const id = asNode(declarator.id);
  if (id.type === "Identifier" && declaration.kind === "const" && declarator.init) {
    bind(scope, id.name as string, "lexical", unwrap(asNode(declarator.init)));
    return;
  }
  for (const name of patternNames(id)) bind(scope, name, "lexical");
}

/** Binds the `var`s of a function body, wherever in it they stand. A parameter of the same name is the same variable. */
export function bindVars(scope: Scope, node: AstNode, params: Scope | undefined): void {
  for (const name of varNames(node)) if (!params?.names.has(name)) bind(scope, name, "var");
}

/** The names that `var` declares in a statement, not in the functions inside it. */
export function varNames(node: AstNode, into: string[] = []): string[] {
  switch (node.type) {
    case "VariableDeclaration":
      if (node.kind === "var" && node.declare !== true) {
        for (const declarator of asNodes(node.declarations)) patternNames(asNode(declarator.id), into);
      }
      break;
    case "BlockStatement":
    case "StaticBlock":
    case "TSModuleBlock":
      for (const child of asNodes(node.body)) varNames(child, into);
      break;
    case "IfStatement":
      varNames(asNode(node.consequent), into);
      if (node.alternate) varNames(asNode(node.alternate), into);
      break;
    case "ForStatement":
      if (node.init) varNames(asNode(node.init), into);
      varNames(asNode(node.body), into);
      break;
    case "ForInStatement":
    case "ForOfStatement":
      varNames(asNode(node.left), into);
      varNames(asNode(node.body), into);
      break;
    case "WhileStatement":
    case "DoWhileStatement":
    case "LabeledStatement":
    case "WithStatement":
      varNames(asNode(node.body), into);
      break;
    case "TryStatement":
      varNames(asNode(node.block), into);
      if (node.handler) varNames(asNode(asNode(node.handler).body), into);
      if (node.finalizer) varNames(asNode(node.finalizer), into);
      break;
    case "SwitchStatement":
      for (const branch of asNodes(node.cases)) {
        for (const child of asNodes(branch.consequent)) varNames(child, into);
      }
      break;
    case "ExportNamedDeclaration":
      if (node.declaration) varNames(asNode(node.declaration), into);
      break;
    default:
  }
  return into;
}

/** The declaration inside `export`, or the statement itself. */
export function exportedDeclaration(statement: AstNode): AstNode {
  return statement.type === "ExportNamedDeclaration" && statement.declaration
    ? asNode(statement.declaration)
    : statement;
}

/** Top-level names that a declaration binds. */
export function declaredNames(node: AstNode): string[] {
  if (node.type === "VariableDeclaration") {
    return asNodes(node.declarations).flatMap((declarator) => patternNames(asNode(declarator.id)));
  }
  return isNode(node.id) && node.id.type === "Identifier" ? [node.id.name as string] : [];
}

/** The name of an enum's member. */
export function enumKey(member: AstNode): string {
  const id = asNode(member.id);
  return id.type === "Identifier" ? (id.name as string) : (stringValue(id) ?? String(id.value));
}
