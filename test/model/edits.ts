/** Random edits of a project, of its surroundings and of its store, each under the name that a report gives it. */
import { codeEdits, graphEdits } from "./edit-code.ts";
import { worldEdits, linkEdits, httpEdits, effectEdits, storeEdits } from "./edit-world.ts";
import { type Row, type Edit, type Surroundings } from "./edit.ts";
import { type Project } from "./project.ts";

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
      const { nextId } = project;
      Object.assign(project, structuredClone(random.pick(past)), surroundingsOf(project), { nextId });
    },
  ],
  [
    "the surroundings as they were before",
    "files",
    (project, { random, past }) => {
      if (past.length === 0) return false;
      Object.assign(project, structuredClone(surroundingsOf(random.pick(past))));
    },
  ],
  ["nothing", undefined, () => {}],
];

/** Weighed by repetition: most edits of a day are of code and of files. */
const edits: readonly Row[] = [
  ...codeEdits,
  ...[graphEdits, graphEdits].flat(),
  ...[worldEdits, worldEdits, storeEdits].flat(),
  ...[linkEdits, linkEdits, linkEdits].flat(),
  ...[httpEdits, httpEdits, httpEdits].flat(),
  ...[effectEdits, effectEdits].flat(),
  ...[back, back].flat(),
];

function surroundingsOf({ files, folders, environment, links: its, resources, offline }: Project): Partial<Project> {
  return { files, folders, environment, links: its, resources, offline };
}
