/**
 * Random projects for the model test, as data: declarations, packages, steps with what they read, and the nodes of one
 * pipeline. Printed by print-project.ts, changed by edits.ts, understood by model.ts.
 */
import type { Random } from "../code-identity/fuzz-program.ts";

/** A top-level declaration of the project, in a module of its choice. */
export interface Declaration {
  readonly id: number;
  name: string;
  /** The module that declares it, `lib/a.ts`. */
  module: string;
  readonly kind: "constant" | "function" | "variable";
  value: number;
  /** Declarations that it uses; each is older, so there are no cycles. */
  uses: number[];
  packages: string[];
  /** Of a `variable`: the variable of the environment that it holds since its module was loaded. */
  readonly environment: string;
  /** Comments and layout: nothing of it means anything. */
  dress: number;
}

/** What a step reads while it runs, in order; each adds what it found to the step's result. */
export type Read =
  /** A file that is there or not: the text, or that it is missing. */
  | { readonly kind: "file"; readonly path: string; readonly way: FileWay }
  /** As above, after a look whether it is there. */
  | { readonly kind: "optional"; readonly path: string; readonly way: OptionalWay }
  /** Whether the text of a file starts with an `x` decides what is read next. */
  | { readonly kind: "choice"; readonly path: string; readonly begins: Read; readonly otherwise: Read }
  /** The names in a folder, and with `deep` also the text of each file. */
  | { readonly kind: "folder"; readonly path: string; readonly deep: boolean }
  | { readonly kind: "size"; readonly path: string }
  | { readonly kind: "environment"; readonly name: string; readonly way: VariableWay }
  /** A text that a memo of a module keeps, for all steps that ask for it. */
  | { readonly kind: "memo"; readonly path: string }
  /** What a URL of the project's server answers. */
  | { readonly kind: "http"; readonly resource: string; readonly way: HttpWay }
  /** What another program says that a file holds. */
  | { readonly kind: "process"; readonly path: string; readonly way: ProcessWay }
  /** A path itself: where a link leads, where a path ends, or whether it is a link. */
  | { readonly kind: "place"; readonly path: string; readonly way: PlaceWay };

export const fileWays = [
  "readNow",
  "readPromise",
  "readStream",
  "readCallback",
  "readHandle",
  "readDescriptor",
  "readDefault",
  "readLines",
  "readBlob",
  "readUrl",
] as const;
export type FileWay = (typeof fileWays)[number];
export const optionalWays = ["afterExists", "afterAccess", "afterStat"] as const;
export type OptionalWay = (typeof optionalWays)[number];
/** `presence` and `names` ask for no value. */
export const variableWays = ["value", "value", "taken", "spread", "presence", "names"] as const;
export type VariableWay = (typeof variableWays)[number];

/** `fetch` follows to where a resource has moved, `get` of `node:http` does not. */
export const httpWays = ["fetch", "get"] as const;
export type HttpWay = (typeof httpWays)[number];
export const processWays = ["execFile", "execFileSync", "spawn", "exec"] as const;
export type ProcessWay = (typeof processWays)[number];
export const placeWays = ["readlink", "realpath", "lstat"] as const;
export type PlaceWay = (typeof placeWays)[number];

/** A step whose function is called by that of another one: as a function, or in a pipeline of its own with the store. */
export interface Nested {
  readonly step: number;
  readonly way: "function" | "pipeline";
  readonly param: number;
}

export interface StepSource {
  readonly id: number;
  name: string;
  module: string;
  value: number;
  uses: number[];
  packages: string[];
  reads: Read[];
  /** Its result is coarse, so that another input often gives the same output. */
  coarse: boolean;
  /** Throws where its sum can be divided by five. */
  fragile: boolean;
  /** Returns a record of two outputs instead of one value. */
  readonly wide: boolean;
  cache: CacheOption;
  version: string | undefined;
  expires: boolean;
  /** Reads and everything else happen after a timer. */
  readonly late: boolean;
  /** Says with the option `reads` what the processes that it starts read. */
  declares: boolean;
  /** Writes its sum to the file that a node names as `to`, and reads the one that it names as `from`. */
  readonly exchanges: WriteWay | undefined;
  nested: Nested[];
  dress: number;
}

export const writeWays = ["writeFileSync", "writeFile", "stream", "rename"] as const;
export type WriteWay = (typeof writeWays)[number];

export type CacheOption = undefined | true | false | "off";

export type Argument =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "output"; readonly node: number; readonly output: string }
  | { readonly kind: "list"; readonly items: readonly { readonly node: number; readonly output: string }[] };

export interface Node {
  readonly id: number;
  step: number;
  arguments: Record<string, Argument>;
  cache: CacheOption;
}

/** What a server has under a name. */
export interface Resource {
  text: string;
  /** Of this text the validator is made: another number is another validator. */
  tag: number;
  validator: "etag" | "modified" | "none";
  status: 200 | 404 | 503;
  /** A later resource that it sends to. */
  movedTo: string | undefined;
}

export interface Project {
  nextId: number;
  declarations: Declaration[];
  steps: StepSource[];
  nodes: Node[];
  /** Version by name; the package's function depends on it. */
  packages: Record<string, number>;
  /** Texts of the data files by path. */
  files: Record<string, string>;
  /** Folders that are there besides {@link dataFolders}, with nothing in them. */
  folders: string[];
  /** Variables of the environment; one that is not here is unset. */
  environment: Record<string, string>;
  /** Where links lead, relative to their folder, by path. No link is also a file. */
  links: Record<string, string>;
  resources: Record<string, Resource>;
  /** Nobody answers. */
  offline: boolean;
  /** How modules import: by name or as a namespace. */
  namespaces: boolean;
  /** Unrelated code that is added to modules, by module. */
  noise: Record<string, number>;
  pipelineCache: CacheOption;
  dress: number;
}

export const libraryModules = ["lib/a.ts", "lib/b.ts", "lib/deep/c.ts"];
export const stepModules = ["steps/first.ts", "steps/second.ts", "pipeline.ts"];
export const packageNames = ["pkg-scale", "pkg-shift"];
export const dataPaths = ["data/a.txt", "data/b.txt", "data/sub/c.txt", "data/sub/d.txt", "extra/e.txt", "extra/f.txt"];
export const dataFolders = ["data", "data/sub", "extra"];
export const fileLinks = ["data/link.txt", "extra/link.txt"];
export const folderLinks = ["extra/linked"];
export const resourceNames = ["/prices", "/rates", "/names"];
/** Written to by steps; always there. */
export const outFolder = "out";
export const variableNames = ["MODEL_MODE", "MODEL_LEVEL", "MODEL_REGION"];

/** Paths that lead through links. */
const linkedPaths = [...fileLinks, `${folderLinks[0]}/c.txt`, `${folderLinks[0]}/a.txt`];

/** Which parts of the world the steps of a project read. */
export interface Worlds {
  readonly files: boolean;
  readonly environment: boolean;
  readonly memos: boolean;
  readonly links: boolean;
  readonly http: boolean;
  readonly processes: boolean;
  /** Steps write files that others read. */
  readonly writes: boolean;
  /** Steps run steps and pipelines. */
  readonly nesting: boolean;
}

export function makeProject(random: Random, worlds: Worlds): Project {
  const project: Project = {
    nextId: 1,
    declarations: [],
    steps: [],
    nodes: [],
    packages: { "pkg-scale": 1, "pkg-shift": 1 },
    files: {},
    folders: [],
    environment: {},
    links: {},
    resources: {},
    offline: false,
    namespaces: random.chance(0.2),
    noise: {},
    pipelineCache: random.chance(0.05) ? random.pick([true, false, "off"] as const) : undefined,
    dress: 0,
  };
  for (const path of dataPaths) if (random.chance(0.7)) project.files[path] = randomText(random);
  for (const name of variableNames) if (random.chance(0.5)) project.environment[name] = randomValue(random);
  if (worlds.links) {
    for (const path of [...fileLinks, ...folderLinks]) if (random.chance(0.8)) setLink(project, random, path);
  }
  if (worlds.http) {
    for (const name of resourceNames) project.resources[name] = randomResource(project, random, name);
  }
  for (let count = 2 + random.below(4); count > 0; count--) addDeclaration(project, random, worlds);
  for (let count = 2 + random.below(3); count > 0; count--) addStep(project, random, worlds);
  for (let count = 2 + random.below(4); count > 0; count--) addNode(project, random, worlds);
  return project;
}

export function addDeclaration(project: Project, random: Random, worlds: Worlds): Declaration {
  const id = project.nextId++;
  const kind = random.pick(
    worlds.environment
      ? (["constant", "function", "function", "variable"] as const)
      : (["constant", "function"] as const),
  );
  const declaration: Declaration = {
    id,
    name: `${kind}_${id}`,
    module: random.pick(libraryModules),
    kind,
    value: random.below(50),
    uses: kind === "function" ? pickSome(project.declarations, random, 2).map((used) => used.id) : [],
    packages: kind === "function" && random.chance(0.2) ? [random.pick(packageNames)] : [],
    environment: random.pick(variableNames),
    dress: 0,
  };
  project.declarations.push(declaration);
  return declaration;
}

export function addStep(project: Project, random: Random, worlds: Worlds): StepSource {
  const id = project.nextId++;
  const step: StepSource = {
    id,
    name: `work_${id}`,
    module: random.pick(stepModules),
    value: random.below(50),
    uses: pickSome(project.declarations, random, 2).map((used) => used.id),
    packages: random.chance(0.2) ? [random.pick(packageNames)] : [],
    reads: [],
    coarse: random.chance(0.4),
    fragile: random.chance(0.08),
    wide: random.chance(0.4),
    cache: random.chance(0.08) ? random.pick([true, false, "off"] as const) : undefined,
    version: random.chance(0.1) ? "1" : undefined,
    expires: random.chance(0.15),
    late: random.chance(0.3),
    declares: worlds.processes && random.chance(0.5),
    exchanges: worlds.writes && random.chance(0.6) ? random.pick(writeWays) : undefined,
    nested: [],
    dress: 0,
  };
  for (let count = random.below(3); count > 0; count--) {
    const read = randomRead(random, worlds, 1);
    if (read !== undefined) step.reads.push(read);
  }
  if (worlds.nesting && random.chance(0.8)) step.nested = randomNested(project, random, id);
  project.steps.push(step);
  return step;
}

/** One or two older steps that do not nest themselves, and whose function tells all that it depends on. */
export function randomNested(project: Project, random: Random, before: number): Nested[] {
  const plain = project.steps.filter(({ id, nested, fragile }) => id < before && nested.length === 0 && !fragile);
  if (plain.length === 0) return [];
  return [...new Set([random.pick(plain), ...pickSome(plain, random, 1)])].map((target): Nested => {
    // What a pipeline inside tells of servers and processes is told of its own steps, by rules of their own.
    const mayRun = !/"kind":"(?:http|process)"/u.test(JSON.stringify(target.reads)) && target.exchanges === undefined;
    const way = mayRun && random.chance(0.7) ? "pipeline" : "function";
    return { step: target.id, way, param: 100 + random.below(3) };
  });
}

export function addNode(project: Project, random: Random, worlds: Worlds): Node {
  const nesting = project.steps.filter(({ nested }) => nested.length > 0);
  const step = random.pick(nesting.length > 0 && random.chance(0.5) ? nesting : project.steps);
  const node: Node = {
    id: project.nextId++,
    step: step.id,
    arguments: {},
    cache: random.chance(0.06) ? random.pick([true, false, "off"] as const) : undefined,
  };
  const twin = project.nodes.find((other) => other.step === step.id);
  // Sometimes a node that equals another one: it has the same key.
  if (twin !== undefined && random.chance(0.15)) node.arguments = structuredClone(twin.arguments);
  else {
    if (random.chance(0.7)) node.arguments["n"] = { kind: "value", value: randomParam(random) };
    if (project.nodes.length > 0 && random.chance(0.75)) node.arguments["a"] = randomOutput(project, random);
    if (project.nodes.length > 0 && random.chance(0.3)) node.arguments["b"] = randomOutput(project, random);
    if (project.nodes.length > 1 && random.chance(0.15)) {
      const items = [0, 1].map(() => randomOutput(project, random));
      node.arguments["list"] = { kind: "list", items };
    }
  }
  if (worlds.writes && step.exchanges !== undefined) exchangeFiles(project, node, random);
  project.nodes.push(node);
  return node;
}

/** A file of its own to write, and one to read of a node that it takes an output from, which so has ended before. */
function exchangeFiles(project: Project, node: Node, random: Random): void {
  if (random.chance(0.75)) node.arguments["to"] = { kind: "value", value: `${outFolder}/n${node.id}.txt` };
  else delete node.arguments["to"];
  const writers = project.nodes.filter(({ arguments: { to } }) => to !== undefined);
  if (writers.length === 0 || random.chance(0.2)) return;
  const from = random.pick(writers);
  const { value } = from.arguments["to"] as Extract<Argument, { kind: "value" }>;
  const output = stepOf(project, from).wide ? "rest" : "output";
  node.arguments["from"] = { kind: "value", value };
  node.arguments["a"] = { kind: "output", node: from.id, output };
}

/** Makes a path a link; to something that is not there now and then. */
export function setLink(project: Project, random: Random, path: string): void {
  // To later ones alone: what leads in a circle bars reuse, and has tests of its own.
  const files = [...fileLinks, ...dataPaths];
  const targets = folderLinks.includes(path) ? dataFolders : files.slice(files.indexOf(path) + 1);
  delete project.files[path];
  const isBroken = targets.length === 0 || random.chance(0.1);
  project.links[path] = isBroken ? "nowhere" : relativeFrom(path, random.pick(targets));
}

function relativeFrom(path: string, target: string): string {
  return `${"../".repeat(path.split("/").length - 1)}${target}`;
}

export function setFile({ files, links }: Project, path: string, text: string): void {
  delete links[path];
  files[path] = text;
}

export function randomResource(project: Project, random: Random, name: string): Resource {
  const later = resourceNames.slice(resourceNames.indexOf(name) + 1);
  return {
    text: randomText(random),
    tag: project.nextId++,
    validator: random.pick(["etag", "etag", "modified", "modified", "none"] as const),
    status: random.pick([200, 200, 200, 200, 404, 503] as const),
    movedTo: later.length > 0 && random.chance(0.1) ? random.pick(later) : undefined,
  };
}

/** An output of an earlier node. */
export function randomOutput(
  project: Project,
  random: Random,
  before = project.nodes.length,
): Extract<Argument, { kind: "output" }> {
  const node = random.pick(project.nodes.slice(0, before));
  const step = stepOf(project, node);
  return { kind: "output", node: node.id, output: step.wide ? random.pick(["sum", "rest"]) : "output" };
}

export function randomRead(random: Random, worlds: Worlds, depth: number): Read | undefined {
  const kinds: Read["kind"][] = [];
  if (worlds.files) kinds.push("file", "file", "optional", "folder", "size");
  if (worlds.files && depth > 0) kinds.push("choice", "choice");
  if (worlds.environment) kinds.push("environment", "environment");
  if (worlds.memos) kinds.push("memo");
  if (worlds.links) kinds.push("place");
  if (worlds.http) kinds.push("http", "http", "http");
  if (worlds.processes) kinds.push("process", "process", "process");
  if (kinds.length === 0) return undefined;
  const kind = random.pick(kinds);
  const path = random.pick(worlds.links ? [...dataPaths, ...linkedPaths, ...linkedPaths] : dataPaths);
  switch (kind) {
    case "file":
      return { kind, path, way: random.pick(fileWays) };
    case "optional":
      return { kind, path, way: random.pick(optionalWays) };
    case "size":
    case "memo":
      return { kind, path };
    case "choice": {
      const begins = randomRead(random, worlds, depth - 1)!;
      return { kind, path, begins, otherwise: randomRead(random, worlds, depth - 1)! };
    }
    case "folder":
      return {
        kind,
        path: random.pick(worlds.links ? [...dataFolders, ...folderLinks] : dataFolders),
        deep: random.chance(0.4),
      };
    case "place":
      return { kind, path: random.pick([...linkedPaths, ...folderLinks, path]), way: random.pick(placeWays) };
    case "http":
      return { kind, resource: random.pick(resourceNames), way: random.pick(httpWays) };
    case "process":
      return { kind, path, way: random.pick(processWays) };
    case "environment":
      return { kind, name: random.pick(variableNames), way: random.pick(variableWays) };
  }
}

export function randomText(random: Random): string {
  return random.pick(["x", "y"]) + String(random.below(100)).padStart(2, "0");
}

export function randomValue(random: Random): string {
  return random.pick(["", "small", "large", "1", "0"]);
}

/** Few values, so that edits meet old ones again; some that only their type tells apart. */
export function randomParam(random: Random): unknown {
  return random.pick([0, 1, 2, "1", "", true, null, [1], ["1"], { k: 1, l: 2 }, { l: 2, k: 1 }, { k: 1 }, [], {}, -0]);
}

export function stepOf(project: Project, node: Node): StepSource {
  return project.steps.find(({ id }) => id === node.step)!;
}

export function pickSome<T>(items: readonly T[], random: Random, most: number): T[] {
  return items.length === 0
    ? []
    : [...new Set(Array.from({ length: random.below(most + 1) }, () => random.pick(items)))];
}
