/** The project's files as they are on disk: read when first asked for, and again when they have changed. */
import { hash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { relativePath } from "./lock-file.ts";
import { packageFolder, Packages, readJson } from "./packages.ts";
import type { PackageType } from "./parse.ts";
import type { FileRecord, RequestRecord } from "./record.ts";
import type { Destination, SourceFile } from "./graph.ts";
import { isRacy, isSameMoment, sameStamp, stampOf, type Stamp } from "./stamp.ts";
import type { Observed, StoredDestination, StoredFile } from "./state.ts";

type Parser = typeof import("./parse.ts");
type Resolver = typeof import("oxc-resolver");

/** What a refresh found. */
export interface Refresh {
  /** Files whose content is another, each with its record from before. */
  readonly edited: readonly { readonly file: SourceFile; readonly before: FileRecord }[];
  /** Files or folders appeared or went, or a manifest changed: every specifier may lead elsewhere. */
  readonly moved: boolean;
}

/** Keeps records of an earlier process: by path, as long as the content is the same. */
export interface RecordCache {
  find(name: string, content: string): FileRecord | undefined;
}

/** The folder of Reprise's own modules: `src/` when run from source, the folder of the bundle when published. */
const here = dirname(import.meta.filename);
const frameworkFolder = basename(here) === "code" ? dirname(here) : here;

/** Whether a path is a module of Reprise itself; tests beside its sources are users. */
export function isFramework(path: string): boolean {
  return path.startsWith(`${frameworkFolder}/`) && !/\.test\.[cm]?[jt]s$|\/fixtures\//u.test(path);
}

export class Project {
  readonly root: string;
  readonly files = new Map<string, SourceFile>();
  readonly #cache: RecordCache;
  readonly #watched = new Map<string, Stamp | undefined>();
  readonly #folders = new Map<string, Folder>();
  readonly #destinations = new Map<string, Destination>();
  /** By path, and as the keys of destinations: what another process has found, and what nobody has asked for yet. */
  readonly #recalledFiles = new Map<string, StoredFile>();
  readonly #recalledDestinations = new Map<string, StoredDestination>();
  readonly #types = new Map<string, PackageType>();
  #packages: Packages;
  #reads = 0;
  #parser: Parser | undefined;
  #resolver: { readonly forImport: ResolverInstance; readonly forRequire: ResolverInstance } | undefined;

  constructor(root: string, cache: RecordCache) {
    this.root = root;
    this.#cache = cache;
    this.#packages = this.#openPackages();
  }

  /** Loads what reading and resolving need. */
  async prepare(): Promise<void> {
    this.#parser ??= await import("./parse.ts");
    this.#resolver ??= openResolvers(await import("oxc-resolver"));
  }

  /** Takes what another process has found, while specifiers lead where they led. Files that `stat` says are unchanged are not read again. */
  recall({ files, destinations }: Observed): void {
    for (const file of files) this.#recalledFiles.set(join(this.root, file.name), file);
    for (const destination of destinations) {
      const [folder, way, specifier] = destination;
      this.#recalledDestinations.set(`${join(this.root, folder)}\0${way}\0${specifier}`, destination);
    }
  }

  get packages(): Packages {
    return this.#packages;
  }

  /** The file at a path; undefined when there is none. */
  file(path: string): SourceFile | undefined {
    const known = this.files.get(path);
    if (known !== undefined) return known;
    const read = this.#read(path);
    if (read === undefined) return undefined;
    const file: SourceFile = {
      path,
      name: relativePath(this.root, path),
      ...read,
      destinations: [],
      units: new Map(),
      byName: new Map(),
      consumers: new Set(),
    };
    this.files.set(path, file);
    this.#watchFolder(dirname(path));
    return file;
  }

  /** The known file of a name. */
  byName(name: string): SourceFile | undefined {
    return this.files.get(join(this.root, name));
  }

  /** Where a request of a file leads. */
  destination(file: SourceFile, index: number): Destination {
    return (file.destinations[index] ??= this.#findDestination(file, file.record.requests[index]!));
  }

  #findDestination(file: SourceFile, request: RequestRecord): Destination {
    const way = request.kind === "dynamic" ? "import" : request.kind;
    const key = `${dirname(file.path)}\0${way}\0${request.specifier}`;
    let destination = this.#destinations.get(key);
    if (destination === undefined) {
      destination = this.#recallDestination(key) ?? this.#resolve(file, request);
      this.#destinations.set(key, destination);
    }
    return destination;
  }

  #recallDestination(key: string): Destination | undefined {
    const [, , , kind, name = ""] = this.#recalledDestinations.get(key) ?? [];
    switch (kind) {
      case "file": {
        const file = this.file(join(this.root, name));
        return file && { kind, file };
      }
      case "package":
        return { kind, folder: join(this.root, name) };
      case "builtin":
        return { kind, module: name };
      case "framework":
      case "missing":
        return { kind };
      case undefined:
        return undefined;
    }
  }

  /** Looks at every stamp, and reads again what has changed. */
  refresh(): Refresh {
    const edited: { file: SourceFile; before: FileRecord }[] = [];
    let moved = false;
    for (const file of this.files.values()) {
      const stamp = stampOf(file.path);
      if (stamp !== undefined && sameStamp(stamp, file.stamp) && !isRacy(file.stamp, file.readAtMs)) continue;
      const before = file.record;
      const content = file.content;
      const read = stamp === undefined ? undefined : this.#read(file.path, content);
      if (read === undefined) {
        this.files.delete(file.path);
        moved = true;
      } else {
        Object.assign(file, read.content === content ? { stamp: read.stamp, readAtMs: read.readAtMs } : read);
        if (read.content === content) continue;
        file.destinations = [];
        edited.push({ file, before });
      }
    }
    for (const [path, stamp] of this.#watched) if (!sameStamp(stamp, stampOf(path))) moved = true;
    for (const [path, folder] of this.#folders) if (this.#folderChanged(path, folder)) moved = true;
    if (moved) this.#forgetResolutions();
    return { edited, moved };
  }

  /** Grows whenever a file was read. */
  get reads(): number {
    return this.#reads;
  }

  /** Everything whose change could change an answer. */
  toState(): Observed {
    const relative = (path: string): string => relativePath(this.root, path);
    const files = [...this.files.values()].map(({ name, stamp, readAtMs, content }) => ({
      name,
      stamp,
      readAtMs,
      content,
    }));
    const folders = [...this.#folders].map(([path, folder]) => ({ name: relative(path), ...folder }));
    const watched = [...this.#watched].map(([path, stamp]) => [relative(path), stamp ?? null] as const);
    const destinations = [...this.#destinations].flatMap(([key, destination]): readonly StoredDestination[] => {
      if (destination.kind === "files") return [];
      const [folder = "", way = "", specifier = ""] = key.split("\0");
      return [[relative(folder), way, specifier, destination.kind, nameOf(destination, relative)]];
    });
    return { files, folders, watched, destinations };
  }

  #forgetResolutions(): void {
    this.#destinations.clear();
    this.#recalledDestinations.clear();
    for (const file of this.files.values()) file.destinations = [];
    this.#types.clear();
    this.#watched.clear();
    this.#packages = this.#openPackages();
    this.#resolver?.forImport.clearCache();
    this.#resolver?.forRequire.clearCache();
    for (const path of this.#folders.keys()) this.#watchManifests(path);
  }

  #openPackages(): Packages {
    return new Packages(this.root, (path) => this.#watch(path));
  }

  #read(path: string, known?: string): Pick<SourceFile, "stamp" | "readAtMs" | "content" | "record"> | undefined {
    const readAtMs = Date.now();
    const stamp = stampOf(path);
    this.#reads += 1;
    if (stamp === undefined) return undefined;
    const recalled = this.#recalledFiles.get(path);
    if (recalled !== undefined && sameStamp(stamp, recalled.stamp) && !isRacy(stamp, recalled.readAtMs)) {
      const { name, content } = recalled;
      const record = this.#cache.find(name, content);
      if (record !== undefined) return { stamp, readAtMs: recalled.readAtMs, content, record };
    }
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch {
      return undefined;
    }
    const type = this.#packageType(dirname(path));
    const content = hash("sha256", bytes, "base64url") + type[0]!;
    const current = known === content ? this.files.get(path)?.record : undefined;
    const record =
      current ?? this.#cache.find(relativePath(this.root, path), content) ?? this.#parser!.parseFile(path, bytes, type);
    return { stamp, readAtMs, content, record };
  }

  #watch(path: string): void {
    if (!this.#watched.has(path)) this.#watched.set(path, stampOf(path));
  }

  #watchFolder(folder: string): void {
    if (this.#folders.has(folder)) return;
    this.#folders.set(folder, readFolder(folder));
    this.#watchManifests(folder);
    const parent = dirname(folder);
    if (folder !== this.root && folder.startsWith(this.root)) this.#watchFolder(parent);
  }

  #watchManifests(folder: string): void {
    for (const name of ["package.json", "tsconfig.json"]) {
      const path = join(folder, name);
      if (existsSync(path)) this.#watch(path);
    }
    this.#watchExtended(join(folder, "tsconfig.json"));
  }

  /** A tsconfig's base may hold the `paths`. */
  #watchExtended(path: string): void {
    if (!existsSync(path)) return;
    for (const [, base] of readFileSync(path, "utf8").matchAll(/"extends"\s*:\s*\[?\s*"(\.[^"]+)"/gu)) {
      const extended = join(dirname(path), base!.endsWith(".json") ? base! : `${base!}.json`);
      if (this.#watched.has(extended)) continue;
      this.#watch(extended);
      this.#watchExtended(extended);
    }
  }

  #folderChanged(path: string, folder: Folder): boolean {
    if (isSameMoment(folder, stampOf(path)?.[0] ?? 0)) return false;
    const { listing } = folder;
    Object.assign(folder, readFolder(path));
    return folder.listing !== listing;
  }

  #packageType(folder: string): PackageType {
    const known = this.#types.get(folder);
    if (known !== undefined) return known;
    const type = this.#findPackageType(folder);
    this.#types.set(folder, type);
    return type;
  }

  #findPackageType(folder: string): PackageType {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest)) {
      const { type } = readJson(manifest) ?? {};
      return type === "module" || type === "commonjs" ? type : "unknown";
    }
    return dirname(folder) === folder ? "unknown" : this.#packageType(dirname(folder));
  }

  #resolve(file: SourceFile, request: RequestRecord): Destination {
    const { specifier } = request;
    if (specifier === "reprise" || specifier.startsWith("reprise/")) return { kind: "framework" };
    if (request.kind === "asset") return this.#asset(join(dirname(file.path), specifier));
    if (request.kind === "glob") return this.#glob(join(dirname(file.path), specifier));
    if (specifier.startsWith("data:")) return { kind: "builtin", module: specifier };
    const bare = specifier.startsWith("node:") ? specifier.slice(5) : specifier;
    const resolver = request.kind === "require" ? this.#resolver!.forRequire : this.#resolver!.forImport;
    const result = resolver.resolveFileSync(
      file.path,
      specifier.replace(/[?#].*$/u, (tail) => (specifier.startsWith("#") ? tail : "")),
    );
    if (result.builtin !== undefined || specifier.startsWith("node:")) return { kind: "builtin", module: bare };
    if (result.path === undefined) return { kind: "missing" };
    return this.#destinationOf(result.path);
  }

  #destinationOf(path: string): Destination {
    if (isFramework(path)) return { kind: "framework" };
    const folder = packageFolder(path);
    if (folder !== undefined) return { kind: "package", folder };
    const file = this.file(path);
    return file === undefined ? { kind: "missing" } : { kind: "file", file };
  }

  #asset(path: string): Destination {
    if (!existsSync(path)) return { kind: "missing" };
    if (stampOf(path) !== undefined && !isFolder(path)) return this.#destinationOf(path);
    return { kind: "files", files: this.#filesUnder(path, "", "") };
  }

  #glob(pattern: string): Destination {
    const [prefix = "", suffix = ""] = pattern.split("*");
    const folder = prefix.endsWith("/") ? prefix.slice(0, -1) : dirname(prefix);
    return { kind: "files", files: this.#filesUnder(folder, prefix, suffix) };
  }

  #filesUnder(folder: string, prefix: string, suffix: string): SourceFile[] {
    if (!isFolder(folder)) return [];
    this.#watchFolder(folder);
    const found: SourceFile[] = [];
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name === "node_modules" || entry.name.startsWith(".")) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) found.push(...this.#filesUnder(path, prefix, suffix));
      else if (path.startsWith(prefix) && path.endsWith(suffix)) {
        const file = this.file(path);
        if (file !== undefined) found.push(file);
      }
    }
    return found;
  }
}

function nameOf(destination: Destination, relative: (path: string) => string): string {
  switch (destination.kind) {
    case "file":
      return destination.file.name;
    case "package":
      return relative(destination.folder);
    case "builtin":
      return destination.module;
    default:
      return "";
  }
}

type ResolverInstance = InstanceType<Resolver["ResolverFactory"]>;

function openResolvers({ ResolverFactory }: Resolver): { forImport: ResolverInstance; forRequire: ResolverInstance } {
  const shared = {
    tsconfig: "auto" as const,
    extensions: [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx", ".json", ".node"],
    extensionAlias: {
      ".js": [".js", ".ts", ".tsx"],
      ".mjs": [".mjs", ".mts"],
      ".cjs": [".cjs", ".cts"],
      ".jsx": [".jsx", ".tsx"],
    },
    builtinModules: true,
    nodePath: false,
  };
  const forImport = new ResolverFactory({
    ...shared,
    conditionNames: ["node", "import", "module-sync", "node-addons"],
  });
  const conditionNames = ["node", "require", "module-sync", "node-addons"];
  return { forImport, forRequire: forImport.cloneWithOptions({ ...shared, conditionNames }) };
}

function isFolder(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}

interface Folder {
  mtimeMs: number;
  readAtMs: number;
  listing: string;
}

function readFolder(path: string): Folder {
  const readAtMs = Date.now();
  return { mtimeMs: stampOf(path)?.[0] ?? 0, readAtMs, listing: listingOf(path) };
}

/** The names in a folder that a resolution could depend on. */
export function listingOf(folder: string): string {
  try {
    const names = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.name.startsWith("."))
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
    return names.sort().join("\n");
  } catch {
    return "";
  }
}
