/**
 * Builds what is not an entry as scripts instead of modules: a function that gets what it imports and answers with what it
 * exports. Node's loader of modules keeps only what V8 compiles while it loads; scripts are read with all that earlier
 * processes have compiled of them (load-script.ts).
 */
import { parseSync } from "oxc-parser";
import type { Plugin } from "rolldown";
import { minifySync } from "rolldown/utils";

type Program = ReturnType<typeof parseSync>["program"];
type Import = Extract<Program["body"][number], { type: "ImportDeclaration" }>;
type Export = Extract<Program["body"][number], { type: "ExportNamedDeclaration" }>;

interface Chunk {
  readonly name: string;
  readonly isEntry: boolean;
  readonly fileName: string;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What an older Node is told is told by these: they stay modules. */
const plain = new Set(["error", "require-node"]);

/** What a script is given by the loader, in this order. */
const given = ["$load", "$importScript", "$importModule", "$require", "$meta"];

/** The entry that loads the scripts. */
export const loader = "load-script";

export function isScript({ name, isEntry }: Pick<Chunk, "name" | "isEntry">): boolean {
  return !isEntry && !plain.has(name);
}

export const chunkScripts: Plugin = {
  name: "chunk-scripts",
  renderChunk(code, chunk, _options, { chunks }) {
    if (chunk.name === loader) return undefined;
    for (const name of [...given, "$provide"]) {
      if (code.includes(name)) throw new Error(`${chunk.name} has a ${name} of its own`);
    }
    const scripts = new Set(
      Object.values(chunks)
        .filter(isScript)
        .map(({ fileName }) => `./${fileName}`),
    );
    return isScript(chunk) ? toScript(code, scripts) : toModule(code, scripts, chunk);
  },
};

/** Its lines keep their numbers. */
function toScript(whole: string, scripts: ReadonlySet<string>): string {
  const code = shorten(whole);
  const { program, module } = parseSync("chunk.js", code);
  const getters: string[] = [];
  const edits: Edit[] = module.importMetas.map(({ start, end }) => ({ start, end, text: "$meta" }));
  for (const statement of program.body) {
    if (statement.type === "ImportDeclaration") {
      const from = statement.source.value.startsWith("./") ? "$load" : "$require";
      edits.push({ ...placeOf(statement), text: toConstants(statement, from) });
    } else if (statement.type === "ExportNamedDeclaration") {
      refuseChanging(statement, code);
      getters.push(...toGetters(statement));
      edits.push({ ...placeOf(statement), text: "" });
    } else if (statement.type.startsWith("Export")) {
      throw new Error(`There is no form for ${statement.type} in a script`);
    }
  }
  for (const { start, moduleRequest } of module.dynamicImports) {
    const specifier = code.slice(moduleRequest.start + 1, moduleRequest.end - 1);
    const text = scripts.has(specifier) ? "$importScript" : "$importModule";
    edits.push({ start, end: start + "import".length, text });
  }
  const head = `(function (${given.join(", ")}) { "use strict"; `;
  return `${head}${applyEdits(code, edits)}\nreturn { ${getters.join(", ")} };\n})\n`;
}

/** A module takes scripts from the loader; one that scripts import says there what it exports. */
function toModule(code: string, scripts: ReadonlySet<string>, chunk: Chunk): string {
  const { program, module } = parseSync("chunk.js", code);
  const used = new Set<string>();
  const edits: Edit[] = [];
  const getters: string[] = [];
  for (const statement of program.body) {
    if (statement.type === "ImportDeclaration" && scripts.has(statement.source.value)) {
      edits.push({ ...placeOf(statement), text: toConstants(statement, "$load") });
      used.add("load as $load");
    }
    if (statement.type === "ExportNamedDeclaration" && plain.has(chunk.name)) getters.push(...toGetters(statement));
  }
  for (const { start, moduleRequest } of module.dynamicImports) {
    if (!scripts.has(code.slice(moduleRequest.start + 1, moduleRequest.end - 1))) continue;
    edits.push({ start, end: start + "import".length, text: "$importScript" });
    used.add("importScript as $importScript");
  }
  let text = applyEdits(code, edits);
  if (getters.length > 0) {
    text += `\n$provide("./${chunk.fileName}", { ${getters.join(", ")} });\n`;
    used.add("provide as $provide");
  }
  if (used.size === 0) return text;
  return text.replace(
    /^(?:#!.*\n)?/u,
    (hashbang) => `${hashbang}import { ${[...used].join(", ")} } from "./${loader}.js";\n`,
  );
}

function placeOf({ start, end }: { readonly start: number; readonly end: number }): Pick<Edit, "start" | "end"> {
  return { start, end };
}

/** Of an import without names, only the effect is left. */
function toConstants({ source, specifiers }: Import, from: "$load" | "$require"): string {
  const exports = `${from}(${JSON.stringify(source.value)})`;
  if (specifiers.length === 0) return `${exports};`;
  const members = specifiers.map((each) => {
    if (each.type !== "ImportSpecifier") throw new Error(`There is no form for ${each.type} in a script`);
    return `${nameOf(each.imported)}: ${each.local.name}`;
  });
  return `const { ${members.join(", ")} } = ${exports};`;
}

function toGetters({ source, specifiers }: Export): readonly string[] {
  return specifiers.map(({ local, exported }) => {
    const value = source === null ? nameOf(local) : `$load(${JSON.stringify(source.value)}).${nameOf(local)}`;
    return `get ${nameOf(exported)}() { return ${value}; }`;
  });
}

function nameOf(name: Import["specifiers"][number]["local"] | Export["specifiers"][number]["exported"]): string {
  return name.type === "Literal" ? name.value : name.name;
}

/** Who imports takes the value once: what is a module's own to change stays there. */
function refuseChanging({ source, specifiers }: Export, code: string): void {
  if (source !== null) return;
  for (const { local } of specifiers) {
    const declared = new RegExp(`^let ${nameOf(local).replaceAll("$", String.raw`\$`)}\\b`, "mu");
    if (declared.test(code)) throw new Error(`A script cannot export ${nameOf(local)}, whose value changes`);
  }
}

function applyEdits(code: string, edits: readonly Edit[]): string {
  let text = "";
  let at = 0;
  for (const edit of edits.toSorted((one, other) => one.start - other.start)) {
    text += code.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return text + code.slice(at);
}

/** Each name that the compiled code holds is looked up when it is read: local ones are short, and all fit in a byte a character. */
function shorten(code: string): string {
  const { code: short, errors } = minifySync("chunk.js", code, {
    module: true,
    compress: false,
    mangle: { toplevel: false, keepNames: true },
    codegen: { removeWhitespace: false, asciiOnly: true },
  });
  if (errors[0] !== undefined) throw errors[0];
  // oxlint-disable-next-line no-control-regex -- all of ASCII
  if (/[^\u0000-\u007f]/u.test(short)) throw new Error("A script is read as ASCII");
  return short;
}
