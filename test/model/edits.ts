/** Random edits of a project, of its surroundings and of its store, each under the name that a report gives it. */
import type { Random } from "../code-identity/fuzz-program.ts";
import {
  addDeclaration,
  addNode,
  addStep,
  dataFolders,
  dataPaths,
  libraryModules,
  packageNames,
  pickSome,
  randomOutput,
  randomParam,
  randomRead,
  randomText,
  randomValue,
  stepModules,
  variableNames,
  type Node,
  type Project,
  type Worlds,
} from "./project.ts";

/** How the text of a data file gets to its place. */
export type FileChange = "write" | "replace" | "keep-time";

/** What is done besides changing the project. */
export type Deed =
  | { readonly kind: "none" }
  | { readonly kind: "touch"; readonly path: string }
  | { readonly kind: "rewrite"; readonly path: string }
  | { readonly kind: "damage"; readonly way: DamageWay; readonly pick: number }
  | { readonly kind: "empty-blobs" }
  | { readonly kind: "remove-store" }
  | { readonly kind: "remove-code-state" }
  | { readonly kind: "spoil-code-state"; readonly pick: number }
  | { readonly kind: "move-project" }
  | { readonly kind: "invalidate"; readonly step: string }
  | { readonly kind: "hours-pass"; readonly hours: number };

export type DamageWay = "delete" | "flip" | "flip-silently" | "truncate" | "swap" | "extend";

export interface Edit {
  readonly name: string;
  readonly deed: Deed;
  readonly change: FileChange;
}

interface Surroundings {
  readonly random: Random;
  readonly worlds: Worlds;
  /** States of before, oldest first. */
  readonly past: readonly Project[];
}

type EditFunction = (project: Project, surroundings: Surroundings) => Deed | void | false;

/** Makes an edit in place; one that does not fit the project is drawn again. */
export function editProject(project: Project, surroundings: Surroundings): Edit {
  const { random, worlds } = surroundings;
  for (let attempt = 0; attempt < 50; attempt++) {
    const [name, needs, edit] = random.pick(edits);
    if (needs !== undefined && !worlds[needs]) continue;
    const deed = edit(project, surroundings);
    if (deed === false) continue;
    return { name, deed: deed ?? { kind: "none" }, change: random.pick(["write", "replace", "keep-time"] as const) };
  }
  return { name: "nothing", deed: { kind: "none" }, change: "write" };
}

type Row = readonly [name: string, needs: keyof Worlds | undefined, edit: EditFunction];

/** Named where false misses are counted: code identity sees a difference there. */
export const byNamespace = "imports by name or as a namespace";

const code: readonly Row[] = [
  [
    "another constant in a declaration",
    undefined,
    ({ declarations }, { random }) => {
      if (declarations.length === 0) return false;
      random.pick(declarations).value = random.below(50);
    },
  ],
  [
    "another constant in a step",
    undefined,
    ({ steps }, { random }) => {
      random.pick(steps).value = random.below(50);
    },
  ],
  [
    "a declaration uses others",
    undefined,
    ({ declarations }, { random }) => {
      const functions = declarations.filter(({ kind }) => kind === "function");
      if (functions.length === 0) return false;
      const one = random.pick(functions);
      const older = declarations.filter(({ id }) => id < one.id);
      one.uses = pickSome(older, random, 2).map(({ id }) => id);
    },
  ],
  [
    "a step uses other declarations",
    undefined,
    ({ declarations, steps }, { random }) => {
      random.pick(steps).uses = pickSome(declarations, random, 2).map(({ id }) => id);
    },
  ],
  [
    "a step reads something else",
    undefined,
    ({ steps }, { random, worlds }) => {
      const read = randomRead(random, worlds, 1);
      const step = random.pick(steps);
      if (read === undefined) return false;
      if (step.reads.length > 1) step.reads[random.below(step.reads.length)] = read;
      else step.reads.push(read);
    },
  ],
  [
    "a step stops to read something",
    undefined,
    ({ steps }, { random }) => {
      const reading = steps.filter(({ reads }) => reads.length > 0);
      if (reading.length === 0) return false;
      random.pick(reading).reads.pop();
    },
  ],
  [
    "comments, types and layout",
    undefined,
    (project, { random }) => {
      const all = [project, ...project.declarations, ...project.steps];
      for (const each of all) if (random.chance(0.5)) each.dress += 1;
    },
  ],
  [
    "a declaration renamed",
    undefined,
    (project, { random }) => {
      if (project.declarations.length === 0) return false;
      random.pick(project.declarations).name = `renamed_${project.nextId++}`;
    },
  ],
  [
    "a declaration moved to another module",
    undefined,
    ({ declarations }, { random }) => {
      if (declarations.length === 0) return false;
      random.pick(declarations).module = random.pick(libraryModules);
    },
  ],
  [
    "a step moved to another module",
    undefined,
    ({ steps }, { random }) => {
      random.pick(steps).module = random.pick(stepModules);
    },
  ],
  [
    "declarations in another order",
    undefined,
    (project, { random }) => {
      // Uses are by id, so the order means nothing.
      project.declarations = shuffle(project.declarations, random);
      project.steps = shuffle(project.steps, random);
    },
  ],
  [
    "unrelated code in a module",
    undefined,
    ({ noise }, { random }) => {
      const module = random.pick([...libraryModules, ...stepModules]);
      noise[module] = (noise[module] ?? 0) + 1;
    },
  ],
  [
    byNamespace,
    undefined,
    (project) => {
      project.namespaces = !project.namespaces;
    },
  ],
  [
    "another version of a package",
    undefined,
    ({ packages }, { random }) => {
      packages[random.pick(packageNames)] = 1 + random.below(3);
    },
  ],
  [
    "a step renamed",
    undefined,
    (project, { random }) => {
      random.pick(project.steps).name = `renamed_${project.nextId++}`;
    },
  ],
  [
    "another version of a step",
    undefined,
    ({ steps }, { random }) => {
      random.pick(steps).version = random.pick([undefined, "1", "2"]);
    },
  ],
];

const graph: readonly Row[] = [
  [
    "another param",
    undefined,
    ({ nodes }, { random }) => {
      random.pick(nodes).arguments["n"] = { kind: "value", value: randomParam(random) };
    },
  ],
  [
    "another input",
    undefined,
    (project, { random }) => {
      const at = random.below(project.nodes.length);
      if (at === 0) return false;
      project.nodes[at]!.arguments[random.pick(["a", "b"])] = randomOutput(project, random, at);
    },
  ],
  [
    "a step added",
    undefined,
    (project, { random, worlds }) => {
      if (project.steps.length > 6) return false;
      if (random.chance(0.5)) addDeclaration(project, random, worlds);
      addStep(project, random, worlds);
      addNode(project, random);
    },
  ],
  [
    "a node added",
    undefined,
    (project, { random }) => {
      if (project.nodes.length > 8) return false;
      addNode(project, random);
    },
  ],
  [
    "a node removed",
    undefined,
    (project, { random }) => {
      if (project.nodes.length < 2) return false;
      const gone = random.pick(project.nodes);
      project.nodes = project.nodes.filter((node) => node !== gone);
      for (const node of project.nodes) dropReferences(node, gone.id);
    },
  ],
  [
    "another cache mode",
    undefined,
    (project, { random }) => {
      const target = random.pick([random.pick(project.nodes), random.pick(project.steps)]);
      target.cache = random.pick([undefined, undefined, undefined, true, false, "off"] as const);
      if (random.chance(0.3)) project.pipelineCache = random.pick([undefined, undefined, true, false, "off"] as const);
    },
  ],
];

const world: readonly Row[] = [
  [
    "another text in a file",
    "files",
    ({ files }, { random }) => {
      const path = random.pick(dataPaths);
      files[path] = randomText(random);
    },
  ],
  [
    "another text in a file",
    "files",
    ({ files }, { random }) => {
      const paths = Object.keys(files);
      if (paths.length === 0) return false;
      const path = random.pick(paths);
      // Of the same length most of the time, so that the size does not give it away.
      files[path] = random.chance(0.7) ? randomText(random) : `${randomText(random)} and more`;
    },
  ],
  [
    "a file removed",
    "files",
    ({ files }, { random }) => {
      const paths = Object.keys(files);
      if (paths.length === 0) return false;
      delete files[random.pick(paths)];
    },
  ],
  [
    "a file added to a folder",
    "files",
    (project, { random }) => {
      project.files[`${random.pick(dataFolders)}/new-${project.nextId++}.txt`] = randomText(random);
    },
  ],
  [
    "an empty folder added",
    "files",
    (project, { random }) => {
      project.folders.push(`${random.pick(dataFolders)}/empty-${project.nextId++}`);
    },
  ],
  [
    "a file moved",
    "files",
    ({ files }, { random }) => {
      const paths = Object.keys(files);
      if (paths.length === 0) return false;
      const from = random.pick(paths);
      const to = random.pick(dataPaths);
      const text = files[from]!;
      delete files[from];
      files[to] = text;
    },
  ],
  [
    "a file touched",
    "files",
    ({ files }, { random }) => {
      const paths = Object.keys(files);
      return paths.length === 0 ? false : { kind: "touch", path: random.pick(paths) };
    },
  ],
  [
    "a file written anew with the same bytes",
    "files",
    ({ files }, { random }) => {
      const paths = Object.keys(files);
      return paths.length === 0 ? false : { kind: "rewrite", path: random.pick(paths) };
    },
  ],
  [
    "another value of a variable",
    "environment",
    ({ environment }, { random }) => {
      environment[random.pick(variableNames)] = randomValue(random);
    },
  ],
  [
    "a variable unset",
    "environment",
    ({ environment }, { random }) => {
      delete environment[random.pick(variableNames)];
    },
  ],
];

const store: readonly Row[] = [
  [
    "a stored output damaged",
    undefined,
    (_, { random }) => ({
      kind: "damage",
      way: random.pick(["delete", "flip", "flip-silently", "truncate", "swap", "extend"] as const),
      pick: random.below(1000),
    }),
  ],
  ["a step invalidated", undefined, ({ steps }, { random }) => ({ kind: "invalidate", step: random.pick(steps).name })],
  ["the project moved to another folder", undefined, () => ({ kind: "move-project" })],
  ["hours passed", undefined, () => ({ kind: "hours-pass", hours: 2 })],
  [
    "what the store knows of code removed",
    undefined,
    (_, { random }) =>
      random.chance(0.5) ? { kind: "remove-code-state" } : { kind: "spoil-code-state", pick: random.below(1000) },
  ],
  ["all stored outputs removed", undefined, (_, { random }) => (random.chance(0.3) ? { kind: "empty-blobs" } : false)],
  ["the store removed", undefined, (_, { random }) => (random.chance(0.15) ? { kind: "remove-store" } : false)],
];

const back: readonly Row[] = [
  [
    "everything as it was before",
    undefined,
    (project, { random, past }) => {
      if (past.length === 0) return false;
      Object.assign(project, structuredClone(random.pick(past)), { nextId: project.nextId });
    },
  ],
  [
    "the code as it was before",
    undefined,
    (project, { random, past }) => {
      if (past.length === 0) return false;
      const { files, folders, environment, nextId } = project;
      Object.assign(project, structuredClone(random.pick(past)), { files, folders, environment, nextId });
    },
  ],
  [
    "the surroundings as they were before",
    "files",
    (project, { random, past }) => {
      if (past.length === 0) return false;
      const { files, folders, environment } = structuredClone(random.pick(past));
      Object.assign(project, { files, folders, environment });
    },
  ],
  ["nothing", undefined, () => {}],
];

/** Weighed by repetition: most edits of a day are of code and of files. */
const edits: readonly Row[] = [...code, ...graph, ...graph, ...world, ...world, ...store, ...back, ...back];

function shuffle<T>(items: readonly T[], random: Random): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.below(rest.length), 1)[0] as T);
}

function dropReferences(node: Node, gone: number): void {
  for (const [name, argument] of Object.entries(node.arguments)) {
    const items = argument.kind === "list" ? argument.items : argument.kind === "output" ? [argument] : [];
    if (items.some((item) => item.node === gone)) delete node.arguments[name];
  }
}
