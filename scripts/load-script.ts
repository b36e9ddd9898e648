/**
 * Loads the parts of the built package that are scripts (chunk-scripts.ts), each once a process. What V8 has compiled of them is
 * kept beside Node's own compile cache, which holds a module as it was when it was loaded, and so none of the functions that were
 * first called, and compiled, afterwards: in a short process, these are most of what there is to compile.
 */
import type { Script as VmScript } from "node:vm";

type Exports = Readonly<Record<string, unknown>>;
type Evaluate = (
  load: (name: string) => Exports,
  importScript: (name: string) => Promise<Exports>,
  importModule: (specifier: string) => Promise<unknown>,
  require: (specifier: string) => unknown,
  meta: { readonly url: string; readonly filename: string },
) => Exports;

/** A script, its code as it is kept, and how often the code was kept after which command. */
interface Kept {
  readonly path: string;
  readonly script: VmScript;
  readonly times: Record<string, number>;
}

const loaded = new Map<string, Exports>();
const toKeep: Kept[] = [];

/** What later runs of a command do and the first does not is still to be compiled: its code is kept as often. */
const timesToKeep = 3;
/** What is shorter compiles sooner than its code is read. */
const worthKeeping = 2000;
const folderUrl = import.meta.url.slice(0, import.meta.url.lastIndexOf("/") + 1);
const trailer = "reprise1";
const numberBytes = 4;

/**
 * Node's own functions, taken when the first script is loaded: later, those of Reprise stand before them, which note what a step
 * reads. An older Node, which is told so by who imports this module, has no way to take them.
 */
let own: ReturnType<typeof takeOwn> | undefined;

function node(): ReturnType<typeof takeOwn> {
  return (own ??= takeOwn());
}

function takeOwn() {
  const { createRequire, getCompileCacheDir } = process.getBuiltinModule("node:module");
  const { basename, join } = process.getBuiltinModule("node:path");
  const { Script } = process.getBuiltinModule("node:vm");
  const fs = process.getBuiltinModule("node:fs");
  const { closeSync, fstatSync, openSync, readFileSync, readSync, renameSync, rmSync, statSync, writeSync } = fs;
  const files = { closeSync, fstatSync, openSync, readFileSync, readSync, renameSync, rmSync, statSync, writeSync };
  return { ...files, createRequire, getCompileCacheDir, basename, join, Script };
}

/** The exports of a script, which is evaluated when it is first asked for. */
export function load(name: string): Exports {
  let exports = loaded.get(name);
  if (exports === undefined) {
    exports = evaluate(name);
    loaded.set(name, exports);
  }
  return exports;
}

/** Says what a part exports that is a module of its own. */
export function provide(name: string, exports: Exports): void {
  loaded.set(name, exports);
}

function evaluate(name: string): Exports {
  const file = name.slice("./".length);
  const meta = { url: folderUrl + file, filename: node().join(import.meta.dirname, file) };
  const run = compile(meta.filename, meta.url).runInThisContext() as Evaluate;
  return run(load, importScript, importModule, require, meta);
}

export async function importScript(name: string): Promise<Exports> {
  return load(name);
}

async function importModule(specifier: string): Promise<unknown> {
  return await import(specifier);
}

function require(specifier: string): unknown {
  return node().createRequire(import.meta.url)(specifier);
}

/** The sources are ASCII: that is how the build writes them. */
function compile(filename: string, url: string): VmScript {
  const { readFileSync, Script } = node();
  const source = readFileSync(filename, "latin1");
  const path = source.length < worthKeeping ? undefined : findKept(filename);
  const kept = path === undefined ? undefined : readKept(path);
  const script = new Script(source, { filename: url, ...(kept && { cachedData: kept.code }) });
  if (path === undefined) return script;
  const times = kept === undefined || script.cachedDataRejected === true ? {} : kept.times;
  if ((times[command()] ?? 0) < timesToKeep) {
    if (toKeep.length === 0) process.once("exit", keepAll);
    toKeep.push({ path, script, times });
  }
  return script;
}

/** Where the code of a file is kept: in the folder that Node has for this, if it has one, under what the file is by `stat`. */
function findKept(filename: string): string | undefined {
  const folder = node().getCompileCacheDir();
  if (folder === undefined) return undefined;
  const { basename, join } = node();
  const { ino, size, mtimeMs, ctimeMs } = node().statSync(filename);
  return join(folder, `reprise-${basename(filename)}-${[ino, size, mtimeMs, ctimeMs].join("-")}`);
}

/**
 * Undefined where nothing is kept, or not by this user, or not all of it. V8 runs whatever it is given: the code is there twice,
 * which is found to be equal sooner than any digest of it is made.
 */
function readKept(path: string): { readonly code: Buffer; readonly times: Record<string, number> } | undefined {
  const { closeSync, fstatSync, openSync, readSync } = node();
  try {
    const file = openSync(path, "r");
    try {
      const { size, uid } = fstatSync(file);
      if (process.getuid !== undefined && uid !== process.getuid()) return undefined;
      const bytes = Buffer.allocUnsafeSlow(size);
      const end = readSync(file, bytes, 0, size, 0) - trailer.length - numberBytes;
      if (end < 0 || bytes.toString("latin1", end + numberBytes) !== trailer) return undefined;
      const start = end - bytes.readUInt32LE(end);
      const code = bytes.subarray(0, start / 2);
      if (!code.equals(bytes.subarray(start / 2, start))) return undefined;
      return { code, times: JSON.parse(bytes.toString("latin1", start, end)) as Record<string, number> };
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/** Never fails: without it, the next process compiles once more. */
function keepAll(): void {
  for (const { path, script, times } of toKeep) {
    try {
      keep(path, script.createCachedData(), { ...times, [command()]: (times[command()] ?? 0) + 1 });
    } catch {
      return;
    }
  }
}

/** Under another name until all of it is there. */
function keep(path: string, code: Buffer, times: Record<string, number>): void {
  const { closeSync, openSync, renameSync, rmSync, writeSync } = node();
  const said = Buffer.from(JSON.stringify(times), "latin1");
  const length = Buffer.alloc(numberBytes);
  length.writeUInt32LE(said.length);
  const bytes = Buffer.concat([code, code, said, length, Buffer.from(trailer, "latin1")]);
  const partial = `${path}.${process.pid}`;
  const file = openSync(partial, "wx", 0o600);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/** The first word of the command line; what follows makes less of a difference to what is compiled. */
function command(): string {
  const word = process.argv[2] ?? "";
  return /^[a-z-]{1,20}$/u.test(word) ? word : "";
}
