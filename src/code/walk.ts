/**
 * The canonical text of a unit: its syntax tree without types, comments and layout.
 *
 * Local names are numbered by first use, so renaming one changes nothing; names from outside the unit become numbers
 * into its list of references, so that what they stand for decides and not how they are spelled. Property names, class
 * names and labels stay as they are. Nothing local is renamed where `eval` or `with` could see names.
 */
import type { AstNode } from "./ast.ts";
import { asNode, asNodes, assetSpecifier, isNode, isTypeOnly, isWrapper, memberName } from "./ast.ts";
import { globOf, memberPath, stringValue, unwrap } from "./ast.ts";
import { fieldsOf } from "./fields.ts";
import type { FileNames } from "./file-names.ts";
import { leafText } from "./leaf-text.ts";
import { marks } from "./mark.ts";
import { NoteTaker } from "./notes.ts";
import { isGlobalObject } from "./pure.ts";
import { withoutSettings, writtenVersion, type VersionPlace } from "./settings.ts";
import { CallStack } from "./call-stack.ts";
import { isRequire, isStep, isWorker } from "./callee.ts";
import type { RequestRecord } from "./record.ts";
import { bind, bindLexical, bindVars, declaredNames, enumKey, exportedDeclaration } from "./scope.ts";
import { lookUp, openScope, patternNames } from "./scope.ts";
import type { Scope } from "./scope.ts";

/** Walks one unit; afterwards its text, references, calls and notes are there to be taken. */
export class UnitWalk {
  text = "";
  readonly refs: string[] = [];
  readonly #names: FileNames;
  readonly #refIndexes = new Map<string, number>();
  /** Where the current `this` was bound. */
  #this = { scope: 0, depth: 0 };
  readonly notes: NoteTaker;
  readonly #renames: boolean;
  readonly #exportTarget: AstNode | undefined;
  #scope: Scope | undefined;
  #serial = 0;
  #depth = 0;
  #locals = 0;
  #tries = 0;
  readonly calls = new CallStack();
  readonly versions: VersionPlace[] = [];
  #chain: { readonly base: AstNode; readonly key: string } | undefined;

  constructor(names: FileNames, source: string, exportTarget?: AstNode) {
    this.#names = names;
    this.notes = new NoteTaker((offset) => names.placeOf(offset));
    this.#renames = !/\beval\b|\bwith\s*\(/u.test(source);
    this.#exportTarget = exportTarget;
  }

  /** Adds words to the text that no node stands for. */
  write(text: string): void {
    this.text += text;
  }

  visit(node: AstNode): void {
    if (isWrapper(node)) return this.visit(asNode(node.expression));
    switch (node.type) {
      case "Identifier":
        return this.#visitName(node, node.name as string);
      case "JSXIdentifier":
        return /^[a-z]/u.test(node.name as string)
          ? this.write(JSON.stringify(node.name))
          : this.#visitName(node, node.name as string);
      case "Literal":
      case "TemplateElement":
      case "MetaProperty":
      case "BreakStatement":
      case "ContinueStatement":
        return this.write(leafText(node));
      case "TaggedTemplateExpression":
        return this.#visitTagged(node);
      case "MemberExpression":
        return this.#visitMember(node);
      case "Property":
      case "MethodDefinition":
      case "PropertyDefinition":
      case "AccessorProperty":
        return this.#visitProperty(node);
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
        return this.#visitFunction(node);
      case "ClassDeclaration":
      case "ClassExpression":
        return this.#visitClass(node);
      case "BlockStatement":
      case "StaticBlock":
      case "TSModuleBlock":
        return this.#within(node.type, () => {
          if (node.type !== "BlockStatement") bindVars(this.#scope!, node, undefined);
          bindLexical(this.#scope!, asNodes(node.body));
          this.#visitStatements(asNodes(node.body));
        });
      case "ForStatement":
      case "ForInStatement":
      case "ForOfStatement":
        return this.#within("", () => {
          const head = node.type === "ForStatement" ? node.init : node.left;
          if (isNode(head)) bindLexical(this.#scope!, [head]);
          this.#visitFields(node);
        });
      case "SwitchStatement":
        this.write("Switch(");
        this.visit(asNode(node.discriminant));
        this.#within("", () => {
          for (const branch of asNodes(node.cases)) bindLexical(this.#scope!, asNodes(branch.consequent));
          for (const branch of asNodes(node.cases)) {
            this.write("case ");
            if (isNode(branch.test)) this.visit(branch.test);
            this.#visitStatements(asNodes(branch.consequent));
          }
        });
        return this.write(")");
      case "CatchClause":
        return this.#within("Catch", () => {
          for (const name of patternNames(node.param as AstNode | null)) bind(this.#scope!, name, "lexical");
          if (isNode(node.param)) this.visit(node.param);
          this.visit(asNode(node.body));
        });
      case "TryStatement":
        this.#tries += 1;
        this.#visitFields(node);
        this.#tries -= 1;
        return;
      case "LabeledStatement":
        this.write(`Label(${JSON.stringify(asNode(node.label).name)}`);
        this.visit(asNode(node.body));
        return this.write(")");
      case "AssignmentExpression":
        if (node.operator === "=") this.notes.willWrite(unwrap(asNode(node.left)));
        return this.#visitFields(node);
      case "ThisExpression":
        this.calls.use(this.#this);
        return this.write("This");
      case "UnaryExpression": {
        const operand = unwrap(asNode(node.argument));
        if (node.operator !== "typeof" || operand.type !== "Identifier") return this.#visitFields(node);
        this.notes.probe(operand.name as string);
        return this.notes.without("loose-require", operand, () => this.#visitFields(node));
      }
      case "BinaryExpression": {
        const right = unwrap(asNode(node.right));
        if (node.operator !== "instanceof" || right.name !== "Function") return this.#visitFields(node);
        return this.notes.without("eval", right, () => this.#visitFields(node));
      }
      case "ExpressionStatement":
        if (typeof node.directive === "string") return this.write(`Directive${JSON.stringify(node.directive)}`);
        return this.#visitFields(node);
      case "CallExpression":
      case "NewExpression":
        return this.#visitCall(node);
      case "ImportExpression":
        return this.#visitImport(node);
      case "ExportNamedDeclaration": {
        // Inside a namespace: what is exported is a property, so its name counts.
        const declaration = exportedDeclaration(node);
        this.write(`Export${JSON.stringify(declaredNames(declaration))}`);
        return this.visit(declaration);
      }
      case "TSEnumDeclaration":
        return this.#visitEnum(node);
      case "TSQualifiedName":
        this.write("Member(");
        this.visit(asNode(node.left));
        return this.write(`.${asNode(node.right).name as string})`);
      default:
        return this.#visitFields(node);
    }
  }

  #visitStatements(statements: readonly AstNode[]): void {
    this.write("[");
    for (const statement of statements) {
      if (statement.type === "EmptyStatement" || isTypeOnly(statement)) continue;
      this.visit(statement);
      this.write(";");
    }
    this.write("]");
  }

  #visitFields(node: AstNode): void {
    this.write(`${node.type}(`);
    if (isNode((node.decorators as unknown[] | undefined)?.[0])) this.#visitValue(node.decorators, "decorators");
    for (const field of fieldsOf(node)) this.#visitValue(node[field], field);
    this.write(")");
  }

  #visitValue(value: unknown, field: string): void {
    if (value === null || value === undefined || value === false) return;
    this.write(`${field}:`);
    if (Array.isArray(value)) {
      this.write("[");
      for (const item of value as unknown[]) {
        if (isNode(item)) {
          if (!isTypeOnly(item)) this.visit(item);
        } else this.write(item === null ? "hole" : JSON.stringify(item));
        this.write(",");
      }
      this.write("]");
    } else if (isNode(value)) this.visit(value);
    else this.write(JSON.stringify(value));
  }

  #within(word: string, walk: () => void, deeper = 0): void {
    const outer = this.#scope;
    this.#depth += deeper;
    this.#scope = openScope(outer, ++this.#serial, this.#depth);
    this.write(`${word}{`);
    walk();
    this.write("}");
    this.#scope = outer;
    this.#depth -= deeper;
  }

  #visitName(node: AstNode, name: string): void {
    const binding = lookUp(this.#scope, name);
    if (binding !== undefined) {
      marks(node).bound = binding;
      if (binding.index === -1) binding.index = this.#locals++;
      this.calls.use(binding);
      this.write(this.#renames ? `L${binding.index}` : `L${binding.index}${JSON.stringify(name)}`);
      return;
    }
    const chain = this.#chain?.base === node ? this.#chain.key : name;
    if (this.#names.isTopLevel(name) || this.#names.isImport(name)) {
      if (this.#names.isRequire(name)) this.notes.useRequire(node);
      this.#writeRef(node, chain);
    } else if (this.#names.commonJs && (name === "exports" || name === "module") && !this.#isExportTarget(node)) {
      this.#writeRef(node, "@");
    } else {
      this.notes.useGlobal(node, name);
      this.write(`G${JSON.stringify(name)}`);
    }
  }

  #isExportTarget(node: AstNode): boolean {
    const target = this.#exportTarget;
    return target !== undefined && node.start >= target.start && node.end <= target.end;
  }

  #writeRef(node: AstNode, key: string): void {
    let index = this.#refIndexes.get(key);
    if (index === undefined) {
      index = this.refs.length;
      this.refs.push(key);
      this.#refIndexes.set(key, index);
    }
    marks(node).ref = index;
    this.write(`F${index}`);
  }

  #visitTagged(node: AstNode): void {
    this.#withCall(node, () => {
      this.write("Tagged(");
      this.visit(asNode(node.tag));
      const quasi = asNode(node.quasi);
      // A tag sees the raw text too.
      for (const element of asNodes(quasi.quasis)) this.write(JSON.stringify(element.value));
      for (const expression of asNodes(quasi.expressions)) {
        this.write(",");
        this.visit(expression);
      }
      this.write(")");
    });
  }

  #visitMember(node: AstNode): void {
    this.#findChain(node);
    const object = unwrap(asNode(node.object));
    const global = object.type === "Identifier" && isGlobalObject(object.name as string);
    if (global && lookUp(this.#scope, object.name as string) === undefined) {
      const name = memberName(node);
      if (name !== undefined) this.notes.useGlobal(node, name);
    }
    this.write(node.optional === true ? "Member?(" : "Member(");
    this.#visitWithoutLooseRequire(asNode(node.object));
    if (node.computed === true) {
      this.write("[");
      this.visit(asNode(node.property));
      this.write("]");
    } else {
      const property = asNode(node.property);
      this.write(`${property.type === "PrivateIdentifier" ? ".#" : "."}${property.name as string}`);
    }
    this.write(")");
  }

  /** `ns.a.b` where `ns` is imported refers to as much of the path as can be followed. */
  #findChain(node: AstNode): void {
    const { base: at, members } = memberPath(node);
    if (at.type !== "Identifier" || members.length === 0 || this.#chain?.base === at) return;
    const name = at.name as string;
    // A name with a dot cannot be told from two names.
    if (members.some((member) => member.includes("."))) return;
    if (this.#names.isImport(name)) this.#chain = { base: at, key: [name, ...members].join(".") };
  }

  #visitKey(node: AstNode): void {
    const key = asNode(node.key);
    if (node.computed === true) {
      this.write("[");
      this.visit(key);
      this.write("]:");
      return;
    }
    if (key.type === "PrivateIdentifier") this.write(`#${key.name as string}:`);
    else this.write(`${JSON.stringify(key.type === "Literal" ? String(key.value) : key.name)}:`);
  }

  #visitProperty(node: AstNode): void {
    for (const decorator of asNodes(node.decorators ?? [])) this.visit(decorator);
    const shorthandProto = node.shorthand === true && asNode(node.key).name === "__proto__";
    const flags = [node.kind, node.static && "static", node.method && "method", shorthandProto && "own"];
    this.write(`${node.type === "AccessorProperty" ? "accessor " : ""}${flags.filter(Boolean).join(" ")} `);
    this.#visitKey(node);
    if (!isNode(node.value)) return;
    const field = node.type === "PropertyDefinition" || node.type === "AccessorProperty";
    if (!field) return this.visit(node.value);
    const outerThis = this.#this;
    const deeper = node.static === true ? 0 : 1;
    this.#this = { scope: this.#serial + 1, depth: this.#depth + deeper };
    this.#within("", () => this.visit(asNode(node.value)), deeper);
    this.#this = outerThis;
  }

  #visitFunction(node: AstNode): void {
    const id = node.id as AstNode | null;
    const named = node.type === "FunctionExpression" && id !== null;
    const outer = this.#scope;
    const outerThis = this.#this;
    if (node.type !== "ArrowFunctionExpression") this.#this = { scope: this.#serial + 1, depth: this.#depth + 1 };
    this.write(`${node.type}${node.async === true ? " async" : ""}${node.generator === true ? " *" : ""}(`);
    if (node.type === "FunctionDeclaration" && id !== null) {
      this.visit(id);
      // In sloppy code a function in a block is visible outside of it: names must not merge.
      if (this.#names.commonJs) this.write(JSON.stringify(id.name));
    }
    if (named) {
      this.#scope = openScope(outer, ++this.#serial, this.#depth);
      bind(this.#scope, id.name as string, "lexical", node);
      this.visit(id);
    }
    const params = asNodes(node.params).filter((param) => param.name !== "this");
    this.#within(
      "",
      () => {
        for (const param of params) for (const name of patternNames(param)) bind(this.#scope!, name, "param");
        for (const param of params) {
          this.visit(param);
          this.write(",");
        }
        const body = asNode(node.body);
        if (body.type !== "BlockStatement") return this.visit(body);
        const paramScope = this.#scope;
        this.#within("", () => {
          bindVars(this.#scope!, body, paramScope);
          // A function named as a parameter replaces its value: it is the same variable.
          const lexical = openScope(undefined, 0, this.#depth);
          bindLexical(lexical, asNodes(body.body));
          for (const [name, found] of lexical.names) {
            if (!paramScope!.names.has(name)) bind(this.#scope!, name, "lexical", found.value);
          }
          this.#visitStatements(asNodes(body.body));
        });
      },
      1,
    );
    this.#scope = outer;
    this.#this = outerThis;
    this.write(")");
  }

  #visitClass(node: AstNode): void {
    for (const decorator of asNodes(node.decorators ?? [])) this.visit(decorator);
    const id = node.id as AstNode | null;
    const outer = this.#scope;
    if (node.type === "ClassExpression" && id !== null) {
      this.#scope = openScope(outer, ++this.#serial, this.#depth);
      bind(this.#scope, id.name as string, "lexical", node);
    }
    // The name of a class shows in what it makes: `constructor.name`, an error's text.
    this.write(`Class(${id === null ? "" : JSON.stringify(id.name)}`);
    if (id !== null) this.visit(id);
    if (isNode(node.superClass)) {
      this.write(" extends ");
      this.visit(node.superClass);
    }
    this.write("[");
    for (const member of asNodes(asNode(node.body).body)) {
      if (isTypeOnly(member)) continue;
      this.visit(member);
      this.write(";");
    }
    this.write("])");
    this.#scope = outer;
  }

  #visitEnum(node: AstNode): void {
    this.write("Enum(");
    this.visit(asNode(node.id));
    this.#within("", () => {
      const members = asNodes(asNode(node.body).members);
      for (const member of members) bind(this.#scope!, enumKey(member), "lexical");
      for (const member of members) {
        this.write(JSON.stringify(enumKey(member)));
        const id = asNode(member.id);
        if (id.type === "Identifier") this.visit(id);
        if (isNode(member.initializer)) {
          this.write("=");
          this.visit(member.initializer);
        }
        this.write(",");
      }
    });
    this.write(")");
  }

  #withCall(node: AstNode, walk: () => void, loads = false): void {
    const [first] = asNodes(node.arguments ?? (isNode(node.source) ? [node.source] : []));
    const end = node.type === "TaggedTemplateExpression" ? asNode(node.quasi).start : (first?.start ?? node.end);
    const close = this.calls.open({ start: node.start, end, depth: this.#depth, loads }, this.#serial);
    walk();
    close();
  }

  #visitCall(node: AstNode): void {
    const asset = assetSpecifier(node);
    if (asset !== undefined && lookUp(this.#scope, "URL") === undefined) return this.#request(node, asset, "asset");
    const callee = unwrap(asNode(node.callee));
    if (isRequire(callee, this.#scope, this.#names) && node.type === "CallExpression")
      return this.#visitRequire(node, callee);
    if (isWorker(callee, this.#scope, this.#names)) this.notes.useWorker(node);
    this.#withCall(node, () => {
      // `new X` and `X()` differ by their type, `f?.()` by its flag.
      this.write(`${node.type}${node.optional === true ? "?" : ""}(`);
      this.visit(callee);
      for (const [index, argument] of asNodes(node.arguments).entries()) {
        this.write(",");
        if (index === 0 && isStep(callee, this.#scope, this.#names)) this.#visitStep(argument);
        else this.visit(argument);
      }
      this.write(")");
    });
  }

  #visitStep(source: AstNode): void {
    this.visit(withoutSettings(source));
    const from = this.text.length;
    this.write(writtenVersion(source));
    if (this.text.length > from) this.versions.push([from, this.text.length]);
  }

  #visitRequire(node: AstNode, callee: AstNode): void {
    const specifier = stringValue(asNodes(node.arguments)[0]);
    this.#withCall(
      node,
      () => {
        if (specifier !== undefined) return this.#request(node, specifier, "require");
        this.notes.note(node, "dynamic-import", "require() of a computed path cannot be followed");
        this.write("Require(");
        this.#visitWithoutLooseRequire(callee);
        for (const argument of asNodes(node.arguments)) this.visit(argument);
        this.write(")");
      },
      true,
    );
  }

  #visitWithoutLooseRequire(node: AstNode): void {
    this.notes.without("loose-require", unwrap(node), () => this.visit(node));
  }

  #visitImport(node: AstNode): void {
    const source = unwrap(asNode(node.source));
    const specifier = stringValue(source);
    const visit = (): void => {
      if (specifier !== undefined) {
        this.#request(node, specifier, "dynamic");
        if (isNode(node.options)) this.visit(node.options);
        return;
      }
      const glob = globOf(source);
      if (glob !== undefined) this.#request(node, glob, "glob");
      else this.notes.note(node, "dynamic-import", "import() of a computed path cannot be followed");
      this.#visitFields(node);
    };
    this.#withCall(node, visit, true);
  }

  #request(node: AstNode, specifier: string, kind: RequestRecord["kind"]): void {
    const optional = this.#tries > 0 ? { optional: true as const } : {};
    const request = this.#names.addRequest({ specifier, kind, ...optional });
    marks(node).request = request;
    this.write(`${kind} `);
    this.#writeRef(node, `#${request}`);
  }
}
