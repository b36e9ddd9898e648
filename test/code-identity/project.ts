/** A project as data: its files by path, drafts of edits, and the same project under other extensions. */
import { stripTypeScriptTypes } from "node:module";

/** A file's text, or a symbolic link to another path of the project. */
export type FileEntry = string | { readonly link: string };

/** Paths relative to the project's root, with `/`. */
export type Files = Readonly<Record<string, FileEntry>>;

/** An edit under way: every change must find what it changes, so that no edit is empty by mistake. */
export class Draft {
  readonly #files: Record<string, FileEntry>;

  constructor(files: Files) {
    this.#files = { ...files };
  }

  text(path: string): string {
    const entry = this.#files[path];
    if (typeof entry !== "string") throw new Error(`the project has no file ${path}`);
    return entry;
  }

  /** Replaces the one occurrence of `from`. */
  replace(path: string, from: string, to: string): this {
    const parts = this.text(path).split(from);
    if (parts.length !== 2)
      throw new Error(`${path} holds ${JSON.stringify(from)} ${parts.length - 1} times, expected once`);
    this.#files[path] = parts.join(to);
    return this;
  }

  replaceAll(path: string, from: RegExp, to: string): this {
    const text = this.text(path);
    const edited = text.replace(from, to);
    if (edited === text) throw new Error(`${path} holds nothing like ${from}`);
    this.#files[path] = edited;
    return this;
  }

  append(path: string, text: string): this {
    this.#files[path] = this.text(path) + text;
    return this;
  }

  prepend(path: string, text: string): this {
    this.#files[path] = text + this.text(path);
    return this;
  }

  add(path: string, entry: FileEntry): this {
    if (path in this.#files) throw new Error(`the project already has ${path}`);
    this.#files[path] = entry;
    return this;
  }

  remove(path: string): this {
    if (!(path in this.#files)) throw new Error(`the project has no file ${path}`);
    delete this.#files[path];
    return this;
  }

  done(): Files {
    return { ...this.#files };
  }
}

export type Edit = (draft: Draft) => unknown;

export function applyEdit(files: Files, edit: Edit): Files {
  const draft = new Draft(files);
  edit(draft);
  return draft.done();
}

export type Extension = "ts" | "mts" | "js" | "mjs";

/** The same project with its `.ts` files under another extension, types stripped where it is JavaScript. */
export function withExtension(files: Files, extension: Extension): Files {
  if (extension === "ts") return files;
  const variant: Record<string, FileEntry> = {};
  for (const [path, entry] of Object.entries(files)) {
    if (typeof entry !== "string" || path.startsWith("node_modules/")) variant[path] = entry;
    else if (path.endsWith(".ts")) variant[pathWithExtension(path, extension)] = toExtension(entry, extension);
    else variant[path] = respecify(entry, extension);
  }
  return variant;
}

export function pathWithExtension(path: string, extension: Extension): string {
  return path.replace(/\.ts$/u, `.${extension}`);
}

function toExtension(text: string, extension: Extension): string {
  const code = extension === "mts" ? text : stripTypeScriptTypes(text, { mode: "strip" });
  return respecify(code, extension);
}

function respecify(text: string, extension: Extension): string {
  return text.replace(/\.ts(["'`])/gu, `.${extension}$1`);
}
