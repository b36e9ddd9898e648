/** Edits of what surrounds a project, and of its store. */
import { otherReads, sameBytes, type Row } from "./edit.ts";
import {
  dataFolders,
  dataPaths,
  fileLinks,
  folderLinks,
  randomNested,
  randomResource,
  randomText,
  randomValue,
  resourceNames,
  setFile,
  setLink,
  variableNames,
} from "./project.ts";

export const worldEdits: readonly Row[] = [
  [
    "another text in a file",
    "files",
    (project, { random }) => {
      setFile(project, random.pick(dataPaths), randomText(random));
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
    (project, { random }) => {
      const paths = Object.keys(project.files);
      if (paths.length === 0) return false;
      const from = random.pick(paths);
      const text = project.files[from]!;
      delete project.files[from];
      setFile(project, random.pick(dataPaths), text);
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

export const linkEdits: readonly Row[] = [
  [
    "a link leads elsewhere",
    "links",
    (project, { random }) => {
      setLink(project, random, random.pick([...fileLinks, ...folderLinks]));
    },
  ],
  [
    "a file becomes a link",
    "links",
    (project, { random }) => {
      setLink(project, random, random.pick([...dataPaths, ...fileLinks]));
    },
  ],
  [
    "a link becomes a file",
    "links",
    (project, { random }) => {
      setFile(project, random.pick(fileLinks), randomText(random));
    },
  ],
  [
    "a link removed",
    "links",
    (project, { random }) => {
      delete project.links[random.pick([...fileLinks, ...folderLinks])];
    },
  ],
];

export const httpEdits: readonly Row[] = [
  [
    "a URL answers something else",
    "http",
    (project, { random }) => {
      const resource = project.resources[random.pick(resourceNames)]!;
      const text = randomText(random);
      if (text !== resource.text) Object.assign(resource, { text, tag: project.nextId++ });
    },
  ],
  [
    sameBytes,
    "http",
    (project, { random }) => {
      project.resources[random.pick(resourceNames)]!.tag = project.nextId++;
    },
  ],
  [
    "a URL gains or loses a validator, fails, moves or is well again",
    "http",
    (project, { random }) => {
      const name = random.pick(resourceNames);
      const { text, tag } = project.resources[name]!;
      project.resources[name] = { ...randomResource(project, random, name), text, tag };
    },
  ],
  [
    "the server goes offline or comes back",
    "http",
    (project) => {
      project.offline = !project.offline;
    },
  ],
];

export const effectEdits: readonly Row[] = [
  ["a written file spoilt", "writes", (_, { random }) => ({ kind: "spoil-written", pick: random.below(1000) })],
  [
    otherReads,
    "processes",
    ({ steps }, { random }) => {
      const step = random.pick(steps);
      step.declares = !step.declares;
    },
  ],
  [
    "a step runs others",
    "nesting",
    (project, { random }) => {
      const step = random.pick(project.steps);
      if (project.steps.some(({ nested }) => nested.some(({ step: id }) => id === step.id))) return false;
      step.nested = randomNested(project, random, step.id);
    },
  ],
];

export const storeEdits: readonly Row[] = [
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
