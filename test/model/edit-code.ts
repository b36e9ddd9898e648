/** Edits of code and of the graph. */
import type { Random } from "../code-identity/fuzz-program.ts";
import { byNamespace, type Row } from "./edit.ts";
import {
  addDeclaration,
  addNode,
  addStep,
  libraryModules,
  packageNames,
  pickSome,
  randomOutput,
  randomParam,
  randomRead,
  stepModules,
  type Node,
  type Project,
  type Read,
  type StepSource,
} from "./project.ts";

export const codeEdits: readonly Row[] = [
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
    (project, { random, worlds }) => {
      const read = randomRead(random, worlds, 1);
      const step = random.pick(project.steps);
      if (read === undefined || (isInPipeline(project, step) && isUnsafeInside(read))) return false;
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

export const graphEdits: readonly Row[] = [
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
      const { arguments: args } = project.nodes[at]!;
      // What reads another one's file takes its output too: so it comes after it.
      args[args["from"] === undefined ? random.pick(["a", "b"]) : "b"] = randomOutput(project, random, at);
    },
  ],
  [
    "a step added",
    undefined,
    (project, { random, worlds }) => {
      if (project.steps.length > 6) return false;
      if (random.chance(0.5)) addDeclaration(project, random, worlds);
      addStep(project, random, worlds);
      addNode(project, random, worlds);
    },
  ],
  [
    "a node added",
    undefined,
    (project, { random, worlds }) => {
      if (project.nodes.length > 8) return false;
      addNode(project, random, worlds);
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

/** Whether some step runs a step in a pipeline of its own. */
function isInPipeline({ steps }: Project, { id }: StepSource): boolean {
  return steps.some(({ nested }) => nested.some(({ step, way }) => step === id && way === "pipeline"));
}

const isUnsafeInside = (read: Read): boolean => /"kind":"(?:http|process)"/u.test(JSON.stringify(read));

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
