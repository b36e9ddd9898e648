/** From a file's text to its record. The only module that knows the parser; imported when a file has changed. */
import { parseSync } from "oxc-parser";
import { hash } from "node:crypto";
import type { AstNode } from "./ast.ts";
import { asNode, asNodes, isClass, isFunction, isNode, isTypeOnly, memberName, unwrap } from "./ast.ts";
import { isPlain, isPrimitive } from "./literal.ts";
import { exportAssignment, isMainGuard, nestedRunsOf } from "./statement.ts";
import { emptySummary, summariseCall, summariseEvaluation } from "./effects.ts";
import { keptStateOf } from "./kept-state.ts";
import { lateWritesOf } from "./late-writes.ts";
import { lineAt, lineStartsOf } from "./line.ts";
import type { ExportRecord, FileRecord, RequestRecord, Summary, UnitRecord } from "./record.ts";
import { patternNames, varNames } from "./scope.ts";
import type { FileNames } from "./file-names.ts";
import { withoutVersions } from "./settings.ts";
import { UnitWalk } from "./walk.ts";

/** What the nearest package.json says of a file's kind of module. */
export type PackageType = "module" | "commonjs" | "unknown";

const sourceExtension = /\.[cm]?[jt]sx?$/u;

/** Whether a path is one that the parser is asked about. */
export function isSource(path: string): boolean {
  return sourceExtension.test(path) && !path.endsWith(".d.ts");
}

/** Makes the record of a file. Never throws: what cannot be parsed is `broken`, and known by its bytes alone. */
export function parseFile(path: string, bytes: Buffer, packageType: PackageType): FileRecord {
  if (path.endsWith(".json")) return parseJson(bytes);
  if (!isSource(path)) return { ...emptyRecord, format: "asset", digest: digestOf(bytes) };
  const source = bytes.toString("utf8").replace(/^\uFEFF/u, "");
  const program = parseSource(path, source);
  if (program === undefined) return { ...emptyRecord, format: "broken", digest: digestOf(bytes) };
  const commonJs = isCommonJs(path, program, packageType);
  const reader = new FileReader(program.body, source, commonJs);
  return reader.read(digestOf(bytes));
}

const emptyRecord: Omit<FileRecord, "format" | "digest"> = {
  requests: [],
  imports: {},
  exports: {},
  stars: [],
  units: [],
};

function digestOf(data: Buffer | string): string {
  return hash("sha256", data, "base64url");
}

interface Parsed {
  readonly body: readonly AstNode[];
  readonly hasModuleSyntax: boolean;
}

function parseSource(path: string, source: string): Parsed | undefined {
  const name =
    path.endsWith(".js") || path.endsWith(".cjs") || path.endsWith(".mjs") ? path.replace(/js$/u, "jsx") : path;
  for (const sourceType of ["unambiguous", "module", "commonjs"] as const) {
    const lang = /\.[cm]?ts$/u.test(path) ? "ts" : path.endsWith(".tsx") ? "tsx" : "jsx";
    const result = parseSync(name, source, { sourceType, preserveParens: false, lang });
    if (result.errors.length > 0) continue;
    const { body } = result.program as unknown as { body: readonly AstNode[] };
    return { body, hasModuleSyntax: result.module.hasModuleSyntax || (sourceType === "module" && hasAwait(source)) };
  }
  return undefined;
}

function hasAwait(source: string): boolean {
  return /\bawait\b/u.test(source);
}

function isCommonJs(path: string, program: Parsed, packageType: PackageType): boolean {
  if (/\.c[jt]s$/u.test(path) || program.body.some((statement) => statement.type === "TSExportAssignment")) return true;
  if (/\.m[jt]s$/u.test(path) || program.hasModuleSyntax) return false;
  return packageType !== "module";
}

function parseJson(bytes: Buffer): FileRecord {
  try {
    const value = JSON.parse(bytes.toString("utf8").replace(/^\uFEFF/u, "")) as unknown;
    const keys: Record<string, string> = Object.create(null) as Record<string, string>;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      for (const [key, item] of Object.entries(value)) keys[key] = digestOf(jsonText(item));
    }
    return { ...emptyRecord, format: "json", digest: digestOf(jsonText(value)), keys: { ...keys } };
  } catch {
    return { ...emptyRecord, format: "broken", digest: digestOf(bytes) };
  }
}

/** As JSON.stringify, but a negative zero stays one. */
function jsonText(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${jsonText(item)}`);
  return `{${entries.join(",")}}`;
}

interface UnitOptions {
  readonly kind: UnitRecord["kind"];
  readonly names: readonly string[];
  readonly exported?: boolean;
  /** Words before the text: what the declaration around it says. */
  readonly prefix?: string;
  /** The value that the names are bound to. */
  readonly value?: AstNode;
  readonly exportTarget?: AstNode;
  readonly key?: string;
}

class FileReader {
  readonly #body: readonly AstNode[];
  readonly #source: string;
  readonly #commonJs: boolean;
  readonly #lineStarts: readonly number[];
  readonly #requests: RequestRecord[] = [];
  readonly #requestIndexes = new Map<string, number>();
  readonly #imports: Record<string, { request: number; name: string }> = Object.create(null) as never;
  readonly #exports: Record<string, ExportRecord> = Object.create(null) as never;
  readonly #stars: number[] = [];
  readonly #units: UnitRecord[] = [];
  readonly #topLevel = new Set<string>();
  readonly #requires = new Set<string>();
  readonly #keys = new Map<string, number>();
  readonly #names: FileNames;
  #statements = 0;
  #strict = "";

  constructor(body: readonly AstNode[], source: string, commonJs: boolean) {
    this.#body = body;
    this.#source = source;
    this.#commonJs = commonJs;
    this.#lineStarts = lineStartsOf(source);
    this.#names = {
      isImport: (name) => this.#imports[name] !== undefined,
      isTopLevel: (name) => this.#topLevel.has(name),
      isRequire: (name) => this.#requires.has(name),
      isCreateRequire: (callee) => this.#isCreateRequire(callee),
      isStep: (callee) => this.#isImported(callee, ["reprise"], "step"),
      commonJs,
      addRequest: (request) => this.#addRequest(request),
      placeOf: (offset) => {
        const line = this.#lineAt(offset);
        return { line, column: offset - this.#lineStarts[line - 1]! + 1 };
      },
    };
  }

  read(digest: string): FileRecord {
    for (const statement of this.#body) this.#readImports(statement);
    for (const statement of this.#body) this.#bindTopLevel(statement);
    this.#findRequires();
    for (const statement of this.#body) this.#readStatement(statement);
    return {
      format: this.#commonJs ? "commonjs" : "module",
      digest,
      requests: this.#requests,
      imports: { ...this.#imports },
      exports: { ...this.#exports },
      stars: this.#stars,
      units: this.#units,
    };
  }

  #addRequest(request: RequestRecord): number {
    const key = JSON.stringify([request.kind, request.specifier, request.attributes, request.bare, request.optional]);
    const known = this.#requestIndexes.get(key);
    if (known !== undefined) return known;
    this.#requests.push(request);
    this.#requestIndexes.set(key, this.#requests.length - 1);
    return this.#requests.length - 1;
  }

  #importRequest(node: AstNode, bare: boolean): number {
    const attributes = asNodes(node.attributes ?? []).map((attribute) => {
      const key = asNode(attribute.key);
      return `${(key.name ?? key.value) as string}=${asNode(attribute.value).value as string}`;
    });
    return this.#addRequest({
      specifier: asNode(node.source).value as string,
      kind: "import",
      ...(bare ? { bare: true } : {}),
      ...(attributes.length > 0 ? { attributes: attributes.sort().join(",") } : {}),
    });
  }

  #readImports(statement: AstNode): void {
    if (statement.importKind === "type" || statement.exportKind === "type") return;
    switch (statement.type) {
      case "ImportDeclaration": {
        const specifiers = asNodes(statement.specifiers ?? []);
        const request = this.#importRequest(statement, specifiers.length === 0);
        for (const specifier of specifiers) {
          if (specifier.importKind === "type") continue;
          const local = asNode(specifier.local).name as string;
          this.#imports[local] = { request, name: importedName(specifier) };
        }
        return;
      }
      case "ExportAllDeclaration": {
        const request = this.#importRequest(statement, false);
        if (isNode(statement.exported)) this.#exports[nameOf(statement.exported)] = { request, name: "*" };
        else this.#stars.push(request);
        return;
      }
      case "ExportNamedDeclaration": {
        if (!isNode(statement.source)) return;
        const request = this.#importRequest(statement, false);
        for (const specifier of asNodes(statement.specifiers)) {
          if (specifier.exportKind === "type") continue;
          this.#exports[nameOf(asNode(specifier.exported))] = { request, name: nameOf(asNode(specifier.local)) };
        }
        return;
      }
      case "TSImportEqualsDeclaration": {
        const reference = asNode(statement.moduleReference);
        if (reference.type !== "TSExternalModuleReference") return;
        const specifier = asNode(reference.expression).value as string;
        const request = this.#addRequest({ specifier, kind: "require" });
        this.#imports[asNode(statement.id).name as string] = { request, name: "*" };
        return;
      }
      default:
    }
  }

  #bindTopLevel(outer: AstNode): void {
    const statement = declarationIn(outer);
    if (isTypeOnly(outer) || isTypeOnly(statement)) return;
    if (statement.type === "VariableDeclaration") {
      for (const declarator of asNodes(statement.declarations)) {
        for (const name of patternNames(asNode(declarator.id))) this.#topLevel.add(name);
      }
    } else if (isNode(statement.id) && statement.id.type === "Identifier") {
      const name = statement.id.name as string;
      if (this.#imports[name] === undefined) this.#topLevel.add(name);
    } else for (const name of varNames(statement)) this.#topLevel.add(name);
  }

  /** `const load = createRequire(import.meta.url)` makes `load` another `require`. */
  #findRequires(): void {
    for (const outer of this.#body) {
      const statement = declarationIn(outer);
      if (statement.type !== "VariableDeclaration") continue;
      for (const declarator of asNodes(statement.declarations)) {
        const id = asNode(declarator.id);
        if (id.type !== "Identifier" || !isNode(declarator.init)) continue;
        const init = unwrap(declarator.init);
        if (init.type === "CallExpression" && this.#isCreateRequire(unwrap(asNode(init.callee)))) {
          this.#requires.add(id.name as string);
        }
      }
    }
  }

  #isCreateRequire(callee: AstNode): boolean {
    return this.#isImported(callee, ["module", "node:module"], "createRequire");
  }

  /** Whether a callee is this export of one of these modules: by name, or as a member of the module. */
  #isImported(callee: AstNode, specifiers: readonly string[], name: string): boolean {
    const base = callee.type === "MemberExpression" ? unwrap(asNode(callee.object)) : callee;
    if (base.type !== "Identifier") return false;
    const imported = this.#imports[base.name as string];
    if (imported === undefined || !specifiers.includes(this.#requests[imported.request]!.specifier)) return false;
    return callee.type === "MemberExpression" ? memberName(callee) === name : imported.name === name;
  }

  #readStatement(statement: AstNode): void {
    if (isTypeOnly(statement) || statement.importKind === "type") return;
    switch (statement.type) {
      case "ImportDeclaration":
      case "ExportAllDeclaration":
      case "EmptyStatement":
        return;
      case "ExportNamedDeclaration":
        if (isNode(statement.declaration)) {
          for (const name of this.#exportNames(statement.declaration)) this.#exports[name] = { local: name };
          return this.#readDeclaration(statement.declaration, true);
        }
        if (isNode(statement.source)) return;
        for (const specifier of asNodes(statement.specifiers)) {
          if (specifier.exportKind === "type") continue;
          this.#exports[nameOf(asNode(specifier.exported))] = { local: nameOf(asNode(specifier.local)) };
        }
        return;
      case "ExportDefaultDeclaration":
        return this.#readDefault(asNode(statement.declaration));
      case "TSExportAssignment":
        return this.#readUnit(asNode(statement.expression), { kind: "export", names: [], prefix: "module.exports" });
      case "TSImportEqualsDeclaration":
        if (asNode(statement.moduleReference).type === "TSExternalModuleReference") return;
        return this.#readUnit(asNode(statement.moduleReference), {
          kind: "variable",
          names: [asNode(statement.id).name as string],
        });
      case "ExpressionStatement":
        if (typeof statement.directive === "string") {
          if (this.#commonJs) this.#strict += `${statement.directive};`;
          return;
        }
        return this.#readExpression(statement);
      default:
        return this.#readDeclaration(statement, false);
    }
  }

  #exportNames(declaration: AstNode): string[] {
    if (declaration.type === "VariableDeclaration") {
      return asNodes(declaration.declarations).flatMap((declarator) => patternNames(asNode(declarator.id)));
    }
    return [asNode(declaration.id).name as string];
  }

  #readDefault(declaration: AstNode): void {
    if (isTypeOnly(declaration)) return;
    const named = (isFunction(declaration) || isClass(declaration)) && isNode(declaration.id);
    if (named) {
      this.#exports.default = { local: asNode(declaration.id).name as string };
      return this.#readDeclaration(declaration, true);
    }
    this.#exports.default = { local: "*default*" };
    this.#topLevel.add("*default*");
    const kind = isFunction(declaration) ? "function" : isClass(declaration) ? "class" : "variable";
    this.#readUnit(declaration, { kind, names: ["*default*"], key: "default", value: declaration, exported: true });
  }

  #readDeclaration(statement: AstNode, exported: boolean): void {
    switch (statement.type) {
      case "VariableDeclaration":
        for (const declarator of asNodes(statement.declarations)) {
          const id = asNode(declarator.id);
          this.#readUnit(declarator, {
            kind: "variable",
            names: patternNames(id),
            prefix: `${statement.kind as string} `,
            exported,
            ...(id.type === "Identifier" && isNode(declarator.init) ? { value: declarator.init } : {}),
          });
        }
        return;
      case "FunctionDeclaration":
      case "ClassDeclaration": {
        const names = [asNode(statement.id).name as string];
        const kind = statement.type === "ClassDeclaration" ? "class" : "function";
        return this.#readUnit(statement, { kind, names, value: statement, exported });
      }
      case "TSEnumDeclaration":
      case "TSModuleDeclaration":
        return this.#readUnit(statement, { kind: "variable", names: topNames(statement), exported });
      default: {
        this.#statements += 1;
        const key = `effect ${this.#statements}`;
        return this.#readUnit(statement, { kind: "statement", names: varNames(statement), key });
      }
    }
  }

  /** `exports.x = …` in CommonJS declares; any other expression is there for its effect. */
  #readExpression(statement: AstNode): void {
    const expression = unwrap(asNode(statement.expression));
    const declared = this.#commonJs ? exportAssignment(expression) : undefined;
    if (declared === undefined) return this.#readDeclaration(statement, false);
    this.#readUnit(expression, {
      kind: "export",
      names: [],
      key: declared.key,
      exportTarget: declared.target,
      ...(declared.value === undefined ? {} : { value: declared.value }),
    });
  }

  #readUnit(node: AstNode, options: UnitOptions): void {
    const source = this.#source.slice(node.start, node.end);
    const walk = new UnitWalk(this.#names, source, options.exportTarget);
    walk.write(`${this.#strict}${options.prefix ?? ""}`);
    walk.visit(node);
    const { value } = options;
    const evaluation = this.#summarise(node, options);
    const body = value === undefined ? undefined : summariseCall(value, this.#lineOf);
    const lasting = options.prefix === undefined || options.prefix === "const ";
    const plain = value !== undefined && lasting && (isPlain(value) || isPrimitive(value));
    const nestedRuns = options.kind === "statement" ? nestedRunsOf(node) : [];
    const lateWrites = lateWritesOf(node);
    const state = keptStateOf(node, value, (ref) => this.#isImport(walk.refs[ref]!));
    const unversioned = withoutVersions(walk.text, walk.versions);
    const simple = value !== undefined && (isFunction(unwrap(value)) || isPlain(value));
    this.#units.push({
      key: this.#uniqueKey(options.key ?? options.names[0] ?? "pattern"),
      names: options.names,
      kind: options.kind,
      digest: digestOf(walk.text),
      ...(unversioned === undefined ? {} : { unversioned: digestOf(unversioned) }),
      start: node.start,
      end: node.end,
      lines: [this.#lineAt(node.start), this.#lineAt(node.end)],
      refs: walk.refs,
      eval: evaluation,
      ...(body === undefined ? {} : { body }),
      ...(plain ? { plain } : {}),
      ...(simple || options.kind === "function" ? {} : { sensitive: true as const }),
      ...(nestedRuns.length > 0 ? { nestedRuns } : {}),
      ...(lateWrites.length > 0 ? { lateWrites } : {}),
      ...(state === undefined ? {} : { state }),
      ...(isMainGuard(node) ? { guard: true as const } : {}),
      ...(options.exported ? { exported: true as const } : {}),
      ...(walk.notes.taken.length > 0 ? { notes: walk.notes.taken } : {}),
      calls: walk.calls.records,
    });
  }

  #isImport(ref: string): boolean {
    return this.#imports[ref.split(".", 1)[0]!] !== undefined;
  }

  #summarise(node: AstNode, options: UnitOptions): Summary {
    if (options.kind === "function") return emptySummary();
    if (options.kind === "export") return summariseEvaluation(options.value ?? node, this.#lineOf);
    return summariseEvaluation(node, this.#lineOf);
  }

  #uniqueKey(name: string): string {
    const shown = name === "*default*" ? "default" : name;
    const count = (this.#keys.get(shown) ?? 0) + 1;
    this.#keys.set(shown, count);
    return count === 1 ? shown : `${shown} ${count}`;
  }

  readonly #lineOf = (offset: number): number => this.#lineAt(offset);

  #lineAt(offset: number): number {
    return lineAt(this.#lineStarts, offset);
  }
}

function nameOf(node: AstNode): string {
  return node.type === "Literal" ? String(node.value) : (node.name as string);
}

function importedName(specifier: AstNode): string {
  if (specifier.type === "ImportNamespaceSpecifier") return "*";
  if (specifier.type === "ImportDefaultSpecifier") return "default";
  return nameOf(asNode(specifier.imported));
}

function declarationIn(statement: AstNode): AstNode {
  const wraps = statement.type === "ExportNamedDeclaration" || statement.type === "ExportDefaultDeclaration";
  return wraps && isNode(statement.declaration) ? statement.declaration : statement;
}

function topNames(statement: AstNode): string[] {
  const id = asNode(statement.id);
  if (id.type === "Identifier") return [id.name as string];
  return id.type === "TSQualifiedName" ? [leftmost(id)] : [];
}

function leftmost(node: AstNode): string {
  return node.type === "TSQualifiedName" ? leftmost(asNode(node.left)) : (node.name as string);
}
