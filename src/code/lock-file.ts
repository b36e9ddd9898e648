/** What npm, pnpm and yarn wrote down about what they installed. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

export interface Locks {
  /** The integrity of an installed package, when a lock knows this very version. */
  integrity(folder: string, name: string, version: string): string | undefined;
  /** Whether a tool changes the package's files after it was unpacked. */
  isPatched(folder: string, name: string): boolean;
}

/**
 * Reads the locks of a project. What the package manager left in `node_modules` (npm's `.package-lock.json`, pnpm's
 * `lock.yaml`) comes before the files that people commit: the latter say what ought to be installed.
 */
export function readLocks(root: string, watch: (path: string) => void): Locks {
  const folders = ancestors(root);
  const byPath = new Map<string, { version: string; integrity: string }>();
  const byVersion = new Map<string, string>();
  const patched = new Set<string>();
  const read = (path: string): string | undefined => {
    watch(path);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  };
  for (const folder of folders) {
    readNpm(folder, read(join(folder, "node_modules", ".package-lock.json")), byPath);
    readNpm(folder, read(join(folder, "package-lock.json")), byPath);
    for (const path of ["node_modules/.pnpm/lock.yaml", "pnpm-lock.yaml"])
      readPnpm(read(join(folder, path)), byVersion);
    readYarn(read(join(folder, "yarn.lock")), byVersion, patched);
    for (const name of patchedBy(folder, read)) patched.add(name);
  }
  return {
    integrity(folder, name, version) {
      const entry = byPath.get(folder);
      if (entry?.version === version) return entry.integrity;
      return byVersion.get(`${name}@${version}`);
    },
    isPatched: (folder, name) => patched.has(name) || folder.includes("patch_hash="),
  };
}

function ancestors(root: string): string[] {
  const folders: string[] = [];
  for (let at = root; ; at = dirname(at)) {
    folders.push(at);
    // A repository ends where its version control does.
    if (existsSync(join(at, ".git")) || dirname(at) === at) return folders;
  }
}

interface NpmEntry {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
}

function readNpm(
  folder: string,
  text: string | undefined,
  into: Map<string, { version: string; integrity: string }>,
): void {
  const packages = parseObject(text)?.packages as Record<string, NpmEntry> | undefined;
  for (const [path, entry] of Object.entries(packages ?? {})) {
    const key = join(folder, ...path.split("/"));
    const integrity = entry.integrity ?? entry.resolved;
    if (entry.version === undefined || integrity === undefined || into.has(key)) continue;
    into.set(key, { version: entry.version, integrity });
  }
}

function parseObject(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** `  name@1.2.3:` or `  /@scope/name@1.2.3(peer@1.0.0):`, then its `resolution: {integrity: …}`. */
function readPnpm(text: string | undefined, into: Map<string, string>): void {
  const entry =
    /^ {2}'?\/?((?:@[^/\s]+\/)?[^@\s/]+)[@/]([^\s:('"_]+)[^\n]*:\n {4}resolution: \{[^}\n]*integrity: ([^,}\s]+)/gmu;
  for (const [, name, version, integrity] of (text ?? "").matchAll(entry)) {
    if (!into.has(`${name}@${version}`)) into.set(`${name}@${version}`, integrity!);
  }
}

/** Both formats of yarn: blocks that start with the ranges, then indented fields. */
function readYarn(text: string | undefined, into: Map<string, string>, patched: Set<string>): void {
  for (const block of (text ?? "").split(/\n\n+/u)) {
    const name = /^"?((?:@[^/\s"]+\/)?[^@\s"]+)@/mu.exec(block)?.[1];
    if (name === undefined) continue;
    if (/^"?[^\n]*@patch:/mu.test(block)) patched.add(name);
    const version = /^ {2}version:? "?([^"\n]+)"?/mu.exec(block)?.[1];
    const integrity = /^ {2}(?:integrity|checksum):? "?([^"\n]+)"?/mu.exec(block)?.[1];
    if (version !== undefined && integrity !== undefined) into.set(`${name}@${version}`, integrity);
  }
}

/** Names that patch-package, pnpm or bun patch: `patches/name+1.2.3.patch`, `patchedDependencies`. */
function patchedBy(folder: string, read: (path: string) => string | undefined): string[] {
  const names: string[] = [];
  const patches = join(folder, "patches");
  if (existsSync(patches)) {
    for (const file of readdirSync(patches)) {
      if (file.endsWith(".patch")) names.push(...patchedName(file));
    }
  }
  const manifest = parseObject(read(join(folder, "package.json")));
  const pnpm = manifest?.pnpm as { patchedDependencies?: object } | undefined;
  const listed = { ...pnpm?.patchedDependencies, ...(manifest?.patchedDependencies as object | undefined) };
  names.push(...Object.keys(listed).map(nameOfRange));
  const workspace = read(join(folder, "pnpm-workspace.yaml")) ?? "";
  const section = /^patchedDependencies:\n((?:[ \t]+[^\n]*\n?)*)/mu.exec(workspace)?.[1] ?? "";
  for (const [, range] of section.matchAll(/^\s+["']?([^"':\n]+(?:@[^"':\n]+)?)["']?:/gmu))
    names.push(nameOfRange(range!));
  return names;
}

function patchedName(file: string): string[] {
  // patch-package nests with `++`, writes `@scope+name+1.2.3`, and may add a label and a number.
  const last = file
    .replace(/\.patch$/u, "")
    .split("++")
    .at(-1)!;
  const parts = last.split("+");
  if (parts.length === 1) return [nameOfRange(last.replace("__", "/"))];
  return [parts[0]!.startsWith("@") ? `${parts[0]}/${parts[1]}` : parts[0]!];
}

function nameOfRange(range: string): string {
  const at = range.indexOf("@", 1);
  return at === -1 ? range : range.slice(0, at);
}

/** A path relative to another, with `/` on every system. */
export function relativePath(from: string, to: string): string {
  // Most are below, and written without detours.
  if (sep === "/" && to.startsWith(`${from}/`) && !to.includes("/.", from.length)) return to.slice(from.length + 1);
  return relative(from, to).split(sep).join("/");
}
