/** Packages as they are installed: name, version, integrity, over everything that they depend on. */
import { hash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { readLocks, type Locks } from "./lock-file.ts";

/** A package as it is installed. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** Of its closure. */
  readonly digest: string;
}

interface Manifest {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  readonly entry: string;
}

/** Reads packages once; `watched` collects the files that it looked at, so that a change can be seen. */
export class Packages {
  readonly #root: string;
  readonly #watch: (path: string) => void;
  readonly #manifests = new Map<string, Manifest | undefined>();
  readonly #known = new Map<string, InstalledPackage>();
  #locks: Locks | undefined;

  constructor(root: string, watch: (path: string) => void) {
    this.#root = root;
    this.#watch = watch;
  }

  /** The package in a folder, with its dependencies. */
  read(folder: string): InstalledPackage {
    const known = this.#known.get(folder);
    if (known !== undefined) return known;
    const closure = new Map<string, Manifest>();
    this.#collect(folder, closure);
    const own = closure.get(folder);
    const entries = [...closure.values()].map((manifest) => manifest.entry).sort();
    const installed: InstalledPackage = {
      name: own?.name ?? packageName(folder),
      version: own?.version ?? "unknown",
      digest: hash("sha256", [own?.entry ?? "unknown", ...new Set(entries)].join("\n"), "base64url"),
    };
    this.#known.set(folder, installed);
    return installed;
  }

  #collect(folder: string, into: Map<string, Manifest>): void {
    if (into.has(folder)) return;
    const manifest = this.#manifest(folder);
    if (manifest === undefined) return;
    into.set(folder, manifest);
    for (const dependency of manifest.dependencies) {
      const found = this.#find(folder, dependency);
      if (found !== undefined) this.#collect(found, into);
    }
  }

  #manifest(folder: string): Manifest | undefined {
    if (this.#manifests.has(folder)) return this.#manifests.get(folder);
    const path = join(folder, "package.json");
    this.#watch(path);
    const json = readJson(path);
    const manifest = json === undefined ? undefined : this.#toManifest(folder, json);
    this.#manifests.set(folder, manifest);
    return manifest;
  }

  #toManifest(folder: string, json: Record<string, unknown>): Manifest {
    const name = typeof json.name === "string" ? json.name : packageName(folder);
    const version = typeof json.version === "string" ? json.version : "unknown";
    const required = ["dependencies", "optionalDependencies", "peerDependencies"].flatMap((field) =>
      Object.keys((json[field] as object | undefined) ?? {}),
    );
    const locks = (this.#locks ??= readLocks(this.#root, this.#watch));
    const integrity = locks.integrity(folder, name, version) ?? "";
    // What a package manager patched, linked or built here is not what its version says: its bytes decide.
    const linked = !folder.includes(`${sep}node_modules${sep}`);
    const patched = linked || locks.isPatched(folder, name) ? this.#contentOf(folder) : "";
    const built = this.#builtAddons(folder);
    const dependencies = [...new Set(required)].filter((dependency) => dependency !== "reprise").sort();
    return { folder, name, version, dependencies, entry: JSON.stringify([name, version, integrity, patched, built]) };
  }

  #contentOf(folder: string): string {
    const parts: string[] = [];
    const visit = (at: string, path: string): void => {
      for (const entry of readdirSync(at, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
        if (entry.name === "node_modules" || entry.name.startsWith(".")) continue;
        const inner = join(at, entry.name);
        if (entry.isDirectory()) visit(inner, `${path}${entry.name}/`);
        else if (entry.isFile()) {
          this.#watch(inner);
          parts.push(`${path}${entry.name} ${hash("sha256", readFileSync(inner), "base64url")}`);
        }
      }
    };
    visit(folder, "");
    return hash("sha256", parts.join("\n"), "base64url");
  }

  /** Addons compiled on this machine. */
  #builtAddons(folder: string): string {
    const release = join(folder, "build", "Release");
    if (!existsSync(release)) return "";
    const addons = readdirSync(release).filter((name) => name.endsWith(".node"));
    const parts = addons.sort().map((name) => {
      this.#watch(join(release, name));
      return `${name} ${hash("sha256", readFileSync(join(release, name)), "base64url")}`;
    });
    return parts.join(" ");
  }

  #find(from: string, dependency: string): string | undefined {
    for (let at = from; ; at = dirname(at)) {
      if (!at.endsWith(`${sep}node_modules`)) {
        const candidate = join(at, "node_modules", dependency);
        if (existsSync(join(candidate, "package.json"))) return realpathSync(candidate);
      }
      if (dirname(at) === at) return undefined;
    }
  }
}

/** The folder of the package that holds a file in `node_modules`; undefined outside of one. */
export function packageFolder(path: string): string | undefined {
  const marker = `${sep}node_modules${sep}`;
  const at = path.lastIndexOf(marker);
  if (at === -1) return undefined;
  const parts = path.slice(at + marker.length).split(sep);
  const count = parts[0]!.startsWith("@") ? 2 : 1;
  return path.slice(0, at + marker.length) + parts.slice(0, count).join(sep);
}

function packageName(folder: string): string {
  const marker = `${sep}node_modules${sep}`;
  const at = folder.lastIndexOf(marker);
  return at === -1
    ? folder.slice(folder.lastIndexOf(sep) + 1)
    : folder
        .slice(at + marker.length)
        .split(sep)
        .join("/");
}

/** A JSON object from disk; undefined when it is not there or not one. */
export function readJson(path: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(readFileSync(path, "utf8")) as unknown;
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
