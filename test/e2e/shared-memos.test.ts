/** What one step has read into a memo of a module, another step takes from there without reading: it rests on it all the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeProject, type Project } from "../rig/project.ts";

interface Explained {
  readonly stepRun: { readonly status: string; readonly reason: { readonly text: string } };
}

const memos: Readonly<Record<string, string>> = {
  "a map": `
const known = new Map<string, string>();
export function load(path: string): string {
  if (!known.has(path)) known.set(path, readFileSync(path, "utf8"));
  return known.get(path) as string;
}`,
  "a variable that is set once": `
let known: string | undefined;
export function load(path: string): string {
  known ??= readFileSync(path, "utf8");
  return known;
}`,
  "an object of a class": `
class Reader {
  readonly #known: Record<string, string> = {};
  read(path: string): string {
    return (this.#known[path] ??= readFileSync(path, "utf8"));
  }
}
const reader = new Reader();
export const load = (path: string): string => reader.read(path);`,
  "a function that remembers": `
function memoize(make: (path: string) => string): (path: string) => string {
  const known: Record<string, string> = {};
  return (path) => (known[path] ??= make(path));
}
export const load = memoize((path) => readFileSync(path, "utf8"));`,
};

const pipelineFile = `
import { pipeline, step } from "reprise";
import { load } from "./load.ts";

const first = step({ name: "first", run: () => ({ size: load("words.txt").length }) });
// Named so that a change of the file is none of its input.
const second = step({ name: "second", run: ({ size }: { size: number }) => ({ text: load("words.txt") + String(size) }) });
export const both = pipeline({ name: "both", build: () => ({ text: second({ size: first().size }).text }) });
`;

for (const [what, text] of Object.entries(memos)) {
  test(`a step that finds in ${what} what another one has read runs again when the file changes`, async () => {
    await using project = await makeProject({
      "words.txt": "one",
      "load.ts": `import { readFileSync } from "node:fs";\n${text}\n`,
      "both.pipeline.ts": pipelineFile,
    });
    assert.equal(await run(project), "completed");
    assert.equal(await run(project), "cached");
    // The same size: what the first step gives stays the same.
    await project.write("words.txt", "two");
    assert.equal(await run(project), "completed");
    await project.write("words.txt", "one");
    assert.equal(await run(project), "cached");
  });
}

/** What became of the second step. */
async function run(project: Project): Promise<string> {
  const ended = await project.reprise(["run", "both"]);
  assert.equal(ended.code, 0, ended.stdout + ended.stderr);
  return (await project.json<Explained>(["why", "second"])).stepRun.status;
}
