/** The syntax tree as this room sees it: nodes by type name, fields by need. */

/** An ESTree node with TypeScript's, as the parser gives it. */
export interface AstNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export function asNode(value: unknown): AstNode {
  return value as AstNode;
}

export function asNodes(value: unknown): readonly AstNode[] {
  return value as readonly AstNode[];
}

export function isNode(value: unknown): value is AstNode {
  return typeof value === "object" && value !== null && typeof (value as AstNode).type === "string";
}

const wrappers = new Set([
  "ParenthesizedExpression",
  "TSAsExpression",
  "TSSatisfiesExpression",
  "TSNonNullExpression",
  "TSTypeAssertion",
  "TSInstantiationExpression",
]);

/** Whether a node is nothing but its inner expression at run time. */
export function isWrapper(node: AstNode): boolean {
  return wrappers.has(node.type);
}

/** The expression without casts and other things that leave no trace at run time. */
export function unwrap(node: AstNode): AstNode {
  let inner = node;
  while (wrappers.has(inner.type)) inner = asNode(inner.expression);
  return inner;
}

/** As {@link unwrap}, through the node around an optional chain too. */
export function unwrapChain(node: AstNode): AstNode {
  let inner = unwrap(node);
  while (inner.type === "ChainExpression") inner = unwrap(asNode(inner.expression));
  return inner;
}

const typeOnly = new Set([
  "TSInterfaceDeclaration",
  "TSTypeAliasDeclaration",
  "TSDeclareFunction",
  "TSNamespaceExportDeclaration",
  "TSIndexSignature",
  "TSAbstractMethodDefinition",
  "TSAbstractPropertyDefinition",
  "TSAbstractAccessorProperty",
  "TSEmptyBodyFunctionExpression",
]);

/** Whether a statement or class member is gone once types are. */
export function isTypeOnly(node: AstNode): boolean {
  if (typeOnly.has(node.type)) return true;
  if (node.declare === true) return true;
  switch (node.type) {
    case "MethodDefinition":
      return asNode(node.value).type === "TSEmptyBodyFunctionExpression";
    case "TSModuleDeclaration":
      return !isInstantiated(node);
    case "TSImportEqualsDeclaration":
      return node.importKind === "type";
    case "ExportNamedDeclaration":
      return node.exportKind === "type" || (isNode(node.declaration) && isTypeOnly(node.declaration));
    case "ExportAllDeclaration":
      return node.exportKind === "type";
    default:
      return false;
  }
}

/** Whether a namespace has anything in it that exists at run time. */
function isInstantiated(node: AstNode): boolean {
  if (!isNode(node.body)) return false;
  if (node.body.type === "TSModuleDeclaration") return isInstantiated(node.body);
  return asNodes(node.body.body).some((statement) => !isTypeOnly(statement));
}

export function isFunction(node: AstNode): boolean {
  return (
    node.type === "ArrowFunctionExpression" || node.type === "FunctionExpression" || node.type === "FunctionDeclaration"
  );
}

export function isClass(node: AstNode): boolean {
  return node.type === "ClassDeclaration" || node.type === "ClassExpression";
}

/** The name of a member access, when the text tells it: `a.b`, `a["b"]`. */
export function memberName(node: AstNode): string | undefined {
  const property = asNode(node.property);
  if (node.computed !== true) return property.type === "PrivateIdentifier" ? undefined : (property.name as string);
  return stringValue(property);
}

/** What a chain of member accesses starts from, and the names after the last one that the text does not tell. */
export function memberPath(node: AstNode): { readonly base: AstNode; readonly members: readonly string[] } {
  const members: string[] = [];
  let base = node;
  while (base.type === "MemberExpression") {
    const name = memberName(base);
    if (name === undefined) members.length = 0;
    else members.unshift(name);
    base = unwrap(asNode(base.object));
  }
  return { base, members };
}

/** The value of a string literal, or of a template without expressions. */
export function stringValue(node: AstNode | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  if (node.type === "TemplateLiteral" && asNodes(node.expressions).length === 0) {
    return (asNodes(node.quasis)[0]?.value as { cooked?: string } | undefined)?.cooked;
  }
  return undefined;
}

/** `import.meta.url`, `import.meta.main` … */
export function isImportMeta(node: AstNode, property: string): boolean {
  return (
    node.type === "MemberExpression" && memberName(node) === property && asNode(node.object).type === "MetaProperty"
  );
}

/** `new URL("…", import.meta.url)`: the text of its first argument. */
export function assetSpecifier(node: AstNode): string | undefined {
  if (node.type !== "NewExpression") return undefined;
  const callee = asNode(node.callee);
  const [path, base] = asNodes(node.arguments);
  if (callee.type !== "Identifier" || callee.name !== "URL" || base === undefined) return undefined;
  return isImportMeta(base, "url") ? stringValue(path) : undefined;
}

/** ``./plugins/${name}.ts`` as `./plugins/*.ts`, when it starts with a folder of the project. */
export function globOf(source: AstNode): string | undefined {
  if (source.type !== "TemplateLiteral") return undefined;
  const parts = asNodes(source.quasis).map((quasi) => (quasi.value as { cooked: string | null }).cooked ?? "*");
  const first = parts[0]!;
  if (!/^\.\.?\/(?:[^*]*\/)?/u.test(first) || parts.some((part) => part.includes("*"))) return undefined;
  return parts.length === 2 ? parts.join("*") : `${first}*`;
}
