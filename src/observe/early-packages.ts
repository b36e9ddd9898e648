/** Packages that were loaded before Reprise: what they took out of `fs` by then is not watched. */
import module, { findPackageJSON } from "node:module";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { filesBelow, isInstalled } from "./listing.ts";
import { readFileSync, statSync } from "./disk.ts";

let early: readonly string[] = [];
let entry: string | undefined;
/** Names of packages, by what CommonJS had loaded. */
let takers: ReadonlySet<string> | undefined;

/** Notes what is loaded at this moment. `isScript`: a script imports Reprise, perhaps after others. */
export function noteEarlyPackages(isScript: boolean): void {
  const { _cache: cache = {} } = module as unknown as { readonly _cache?: Readonly<Record<string, unknown>> };
  early = Object.keys(cache).filter((path) => packageOf(path) !== undefined);
  entry = isScript ? process.argv[1] : undefined;
}

/** Of packages, those that took functions out of `fs` before Reprise was loaded, or depend on such ones. */
export async function findEarlyPackages(packages: () => Promise<ReadonlySet<string>>): Promise<readonly string[]> {
  const modules = modulesBefore();
  takers ??= new Set(early.filter(isTakenByRequire).map((path) => packageOf(path) as string));
  const byRequire = takers;
  if (modules.size === 0 && byRequire.size === 0) return [];
  return [...(await packages())].filter((name) => {
    const from = modules.get(name) ?? entry ?? early[0];
    if (from === undefined) return false;
    const folders = closureOf(name, from);
    return (
      folders.some((folder) => byRequire.has(packageOf(join(folder, "package.json")) as string)) ||
      (modules.has(name) && folders.some(takesByImport))
    );
  });
}

/** The name of the package that a file belongs to. */
export function packageOf(path: string): string | undefined {
  return /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/u.exec(path)?.[1]?.replace("\\", "/");
}

let before: ReadonlyMap<string, string> | undefined;

/**
 * Names of the packages that ES modules of the project import before Reprise, and a file that does. Node does not tell which
 * modules are there; it evaluates them in the order of their imports.
 */
function modulesBefore(): ReadonlyMap<string, string> {
  if (before !== undefined) return before;
  const found = new Map<string, string>();
  if (entry !== undefined && !isInstalled(entry)) visit(entry, found, new Set());
  before = found;
  return found;
}

const imports = /^\s*(?:import|export)\s*(?!type\b)(?:[^"';()]*?from\s*)?["']([^"'\n]+)["']/gmu;

/** Answers whether it came to Reprise. */
function visit(file: string, found: Map<string, string>, seen: Set<string>): boolean {
  seen.add(file);
  for (const [, specifier = ""] of readQuietly(file).matchAll(imports)) {
    if (specifier === "reprise" || specifier.startsWith("reprise/")) return true;
    if (specifier.startsWith(".")) {
      const path = resolve(dirname(file), specifier);
      const next = [path, path.replace(/\.([cm]?)js$/u, ".$1ts"), `${path}.ts`, `${path}.js`].find(isFile);
      if (next !== undefined && !seen.has(next) && visit(next, found, seen)) return true;
    } else if (!module.isBuiltin(specifier) && !/^[#/]/u.test(specifier)) {
      found.set(specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/"), file);
    }
  }
  return false;
}

const closures = new Map<string, readonly string[]>();

/** The folders of a package and of all that it depends on. */
function closureOf(name: string, from: string): readonly string[] {
  const known = closures.get(name);
  if (known !== undefined) return known;
  const folders = new Set<string>();
  const collect = (each: string, base: string): void => {
    const manifest = findManifest(each, base);
    if (manifest === undefined || folders.has(dirname(manifest))) return;
    folders.add(dirname(manifest));
    const { dependencies = {} } = JSON.parse(readQuietly(manifest) || "{}") as { dependencies?: object };
    for (const dependency of Object.keys(dependencies)) collect(dependency, manifest);
  };
  collect(name, from);
  closures.set(name, [...folders]);
  return [...folders];
}

function findManifest(name: string, from: string): string | undefined {
  try {
    return findPackageJSON(name, pathToFileURL(from));
  } catch {
    return undefined;
  }
}

/** Whether a file took functions out of `fs` when it was loaded: who asks the module each time is watched all the same. */
function isTakenByRequire(path: string): boolean {
  const module = String.raw`require\(["'](?:node:)?fs(?:/promises)?["']\)`;
  const taken = String.raw`\}\s*=\s*${module}|${module}\s*\.\s*(?!promises\b)\w+\s*[;,\n]`;
  return new RegExp(taken, "u").test(readQuietly(path));
}

const takings = new Map<string, boolean>();
/** Larger files are bundles, and of larger packages not all is looked at. */
const most = { bytes: 1024 * 1024, files: 1000 };

/** Whether a package has a module that keeps what it imports from `fs`, where a call would get what is there by then. */
function takesByImport(folder: string): boolean {
  const known = takings.get(folder);
  if (known !== undefined) return known;
  const files = filesBelow(folder).filter((path) => /\.m?js$/u.test(path) && !isInstalled(path.slice(folder.length)));
  const takes = files.slice(0, most.files).some((path) => {
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > most.bytes) return false;
    const text = readQuietly(path);
    return /["'](?:node:)?fs(?:\/promises)?["']/u.test(text) && keepsImports(text);
  });
  takings.set(folder, takes);
  return takes;
}

const fsImports = /\bimport\b([^"';()]*?)\bfrom\s*["'](?:node:)?fs(?:\/promises)?["']/gu;

function keepsImports(text: string): boolean {
  const code = text.replace(/\/\*[^]*?\*\/|(?<=^|[\s;])\/\/[^\n]*/gu, "");
  const body = code.replace(/\b(?:import|export)\b[^"';()]*?\bfrom\s*["'][^"'\n]*["']/gu, "");
  for (const [, clause = ""] of code.matchAll(fsImports)) {
    const [, list = ""] = /\{([^}]*)\}/u.exec(clause) ?? [];
    const named = list.split(",").map(
      (each) =>
        each
          .trim()
          .split(/\s+as\s+/u)
          .at(-1) as string,
    );
    const whole =
      clause
        .replace(/\{[^}]*\}/u, "")
        .match(/[\w$]+/gu)
        ?.filter((each) => each !== "as") ?? [];
    const kept = [
      ...named.filter(Boolean).map((name) => `${escape(name)}(?:\\.native)?`),
      ...whole.map((name) => `${escape(name)}\\.(?:promises\\.)?(?!promises\\b|constants\\b)\\w+`),
    ];
    for (const value of kept) {
      if (new RegExp(`(?:[=(,{:?[]|\\breturn\\b)\\s*${value}\\s*[,;)}\\]\\n]`, "u").test(body)) return true;
    }
    if (whole.some((name) => new RegExp(`\\}\\s*=\\s*${escape(name)}(?:\\.promises)?\\s*[;,\\n]`, "u").test(body))) {
      return true;
    }
  }
  return false;
}

function escape(name: string): string {
  return name.replaceAll("$", "\\$");
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
