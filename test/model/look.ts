/** What reads find in a project's surroundings, in the words of the model. */
import {
  dataFolders,
  outFolder,
  stepOf,
  variableNames,
  type Node,
  type Project,
  type Read,
  type StepSource,
} from "./project.ts";

/** `answer`: what a URL answered, the only thing that may be taken to hold where nobody can be asked. */
export type Found = readonly [kind: string, name: string, found: string];

/** The texts of files that steps wrote, by path. */
export type Written = ReadonlyMap<string, string>;

/** All that a node finds, in the order in which it reads. */
export function lookAround(project: Project, node: Node, written: Written): readonly Found[] {
  const step = stepOf(project, node);
  const { from } = node.arguments;
  const path = from?.kind === "value" ? String(from.value) : undefined;
  const exchanged: Found[] = path === undefined ? [] : [["text", path, show(written.get(path))]];
  return [...lookForStep(project, step), ...exchanged];
}

/** What a step's function finds, and those that it calls. */
export function lookForStep(project: Project, step: StepSource): readonly Found[] {
  const own = readsOf(project, step).flatMap((read) => look(project, read));
  const declared = declaredPaths(project, step).map((path): Found => ["declared", path, textAt(project, path)]);
  return [...own, ...declared];
}

/** The reads of a step and of those that it calls, in the order in which they happen. */
export function readsOf(project: Project, { reads, nested }: StepSource): readonly Read[] {
  const inside = nested.flatMap(({ step }) =>
    readsOf(
      project,
      project.steps.find(({ id }) => id === step)!,
    ),
  );
  return [...reads, ...inside];
}

/** The files that a step says its processes read. */
export function declaredPaths(project: Project, step: StepSource): readonly string[] {
  if (!step.declares) return [];
  return readsOf(project, step).flatMap(processPaths);
}

function processPaths(read: Read): readonly string[] {
  if (read.kind === "process") return [read.path];
  return read.kind === "choice" ? [...processPaths(read.begins), ...processPaths(read.otherwise)] : [];
}

/** Whether something was found where nobody sees it: by a process of which nothing is declared. */
export function isUnseen(step: StepSource, found: readonly Found[]): boolean {
  return !step.declares && found.some(([kind]) => kind === "process");
}

/** What was found then, and is held against what would be found now: for certain, or because nobody can be asked. */
export function compareFound(
  project: Project,
  then: readonly Found[],
  now: readonly Found[],
): "same" | "assumed" | "other" {
  const rest = (found: readonly Found[]): string => JSON.stringify(found.filter(([kind]) => kind !== "answer"));
  if (rest(then) !== rest(now)) return "other";
  let isAssumed = false;
  for (const [kind, name, text] of then) {
    // An answer that carried no validator is told, and no part of what a result depends on.
    if (kind !== "answer") continue;
    const current = answerOf(project, name);
    const isSilent = current === silence || (current === "503" && text !== "503");
    if (text === silence && current !== silence) return "other";
    if (current === text && text !== unvalidated) continue;
    if (text !== unvalidated && !isSilent) return "other";
    isAssumed = true;
  }
  return isAssumed ? "assumed" : "same";
}

/** Whether it is known of all that was found what it was. */
export function isTold(found: readonly Found[]): boolean {
  return !found.some(([kind, , text]) => kind === "answer" && text === unvalidated);
}

const silence = "nobody answers";
const unvalidated = "no validator";

/** What a read finds now, and what is read because of it. */
function look(project: Project, read: Read): readonly Found[] {
  switch (read.kind) {
    case "file":
    case "optional":
    case "memo":
      return [["text", read.path, textAt(project, read.path)]];
    case "process":
      return [["process", read.path, textAt(project, read.path)]];
    case "size":
      return [["size", read.path, show(fileAt(project, read.path)?.length)]];
    case "place":
      return [[read.way, read.path, lookAtPlace(project, read)]];
    case "choice": {
      const text = fileAt(project, read.path);
      const next = (text ?? "missing").startsWith("x") ? read.begins : read.otherwise;
      return [["text", read.path, show(text)], ...look(project, next)];
    }
    case "folder": {
      const names = namesIn(project, read.path);
      if (names === undefined) return [["names", read.path, show(undefined)]];
      const folder = resolve(project, read.path);
      const texts = read.deep ? names.map((name) => project.files[`${folder}/${name}`]) : [];
      return [["names", read.path, JSON.stringify([names, texts.map(show)])]];
    }
    case "environment": {
      const value = project.environment[read.name];
      if (read.way === "names") return [["names", "*", Object.keys(project.environment).toSorted().join()]];
      if (read.way === "presence") return [["presence", read.name, String(value !== undefined)]];
      const names = read.way === "spread" ? variableNames : [read.name];
      return names.map((name) => ["variable", name, show(project.environment[name])]);
    }
    case "http":
      return ask(project, read.resource, read.way === "fetch");
  }
}

const show = (found: string | number | undefined): string => (found === undefined ? "nothing" : `found ${found}`);

function ask(project: Project, name: string, follows: boolean): readonly Found[] {
  const own: Found = ["answer", name, answerOf(project, name)];
  const { movedTo } = project.resources[name]!;
  return movedTo === undefined || !follows || project.offline ? [own] : [own, ...ask(project, movedTo, follows)];
}

/** What may be compared of what a URL answers. */
function answerOf({ resources, offline }: Project, name: string): string {
  const { movedTo, status, validator, text } = resources[name]!;
  if (offline) return silence;
  if (movedTo !== undefined) return `302 ${movedTo}`;
  if (status !== 200) return String(status);
  return validator === "none" ? unvalidated : `200 ${text}`;
}

const textAt = (project: Project, path: string): string => show(fileAt(project, path));

/** The text of a file, where links lead to one. */
function fileAt(project: Project, path: string): string | undefined {
  const end = resolve(project, path);
  return end === undefined ? undefined : project.files[end];
}

function lookAtPlace(project: Project, { path, way }: Extract<Read, { kind: "place" }>): string {
  if (way === "realpath") return show(resolve(project, path));
  const folder = resolve(project, path.slice(0, path.lastIndexOf("/")));
  const own = `${folder}/${path.slice(path.lastIndexOf("/") + 1)}`;
  const target = folder === undefined ? undefined : project.links[own];
  if (target === undefined) return show(isThere(project, own) ? "no link" : undefined);
  return show(way === "readlink" ? target : "a link");
}

/** The path without links that a path leads to; undefined where nothing is there. */
function resolve(project: Project, path: string, depth = 0): string | undefined {
  const done: string[] = [];
  const open = path.split("/");
  for (let at = 0; at < open.length; at++) {
    if (open[at] === "..") {
      done.pop();
      continue;
    }
    done.push(open[at]!);
    const target = project.links[done.join("/")];
    if (target === undefined) continue;
    // As the system does, links that lead in a circle end nowhere.
    if (depth > 20) return undefined;
    const rest = [...done.slice(0, -1), target, ...open.slice(at + 1)].join("/");
    return resolve(project, rest, depth + 1);
  }
  const end = done.join("/");
  return isThere(project, end) ? end : undefined;
}

function isThere({ files, folders }: Project, path: string): boolean {
  return path in files || [...dataFolders, outFolder, ...folders].includes(path);
}

/** Undefined where there is no folder. */
function namesIn(project: Project, path: string): string[] | undefined {
  const folder = resolve(project, path);
  if (folder === undefined || folder in project.files) return undefined;
  const { files, folders, links } = project;
  const all = [...Object.keys(files), ...Object.keys(links), ...dataFolders, ...folders];
  const below = all.filter((each) => each.startsWith(`${folder}/`)).map((each) => each.slice(folder.length + 1));
  return [...new Set(below.map((each) => each.split("/")[0]!))].toSorted();
}
