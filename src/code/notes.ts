/** What in a unit's text cannot be followed. */
import type { AstNode } from "./ast.ts";
import { asNodes, assetSpecifier, isImportMeta, unwrap } from "./ast.ts";
import { isKnownGlobal } from "./pure.ts";
import type { NoteRecord } from "./record.ts";

/** Collects the notes of a unit while it is walked. */
export class NoteTaker {
  readonly taken: NoteRecord[] = [];
  readonly #placeOf: (offset: number) => { readonly line: number; readonly column: number };
  readonly #probed = new Set<string>();
  #written: AstNode | undefined;

  constructor(placeOf: (offset: number) => { readonly line: number; readonly column: number }) {
    this.#placeOf = placeOf;
  }

  note(node: AstNode, kind: string, message: string): void {
    this.taken.push({ kind, message, ...this.#placeOf(node.start) });
  }

  /** `typeof x` asks whether there is one: what follows knows that there may be none. */
  probe(name: string): void {
    this.#probed.add(name);
  }

  /** What is only written need not be known. */
  willWrite(target: AstNode): void {
    this.#written = target;
  }

  /** A name that nothing in the file declares, or a member of the global object. */
  useGlobal(node: AstNode, name: string): void {
    if (name === "require") this.useRequire(node);
    else if (name === "eval" || name === "Function") {
      this.note(node, "eval", `${name}() runs code that is not in the source`);
    } else if (!isKnownGlobal(name) && !this.#probed.has(name) && node !== this.#written) {
      this.note(node, "unknown-global", `${name} is neither declared nor part of Node, so what sets it is not known`);
    }
  }

  /** `require` handed around as a value may load anything. */
  useRequire(node: AstNode): void {
    this.note(node, "loose-require", "require is used as a value, so what it loads cannot be followed");
  }

  useWorker(node: AstNode): void {
    const [script] = asNodes(node.arguments);
    if (node.type !== "NewExpression" || script === undefined) return;
    if (assetSpecifier(unwrap(script)) === undefined && !isImportMeta(unwrap(script), "url")) {
      this.note(node, "dynamic-import", "a worker's script is a computed path and cannot be followed");
    }
  }

  /** Does something without the notes of one kind that it takes for the name itself. */
  without(kind: string, name: AstNode, work: () => void): void {
    const before = this.taken.length;
    work();
    if (name.type !== "Identifier") return;
    const at = this.taken.findIndex(
      (note, index) => index >= before && note.kind === kind && samePlace(note, this.#placeOf(name.start)),
    );
    if (at !== -1) this.taken.splice(at, 1);
  }
}

function samePlace(note: NoteRecord, place: { readonly line: number; readonly column: number }): boolean {
  return note.line === place.line && note.column === place.column;
}
