/** State of a module that one step changes while it runs and another reads: its result is not the code's alone, so it is not reused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeProject, type Project } from "../rig/project.ts";

interface Explained {
  readonly verdict: string;
  readonly notes: readonly string[];
  readonly stepRun: { readonly status: string };
}

/** Two steps in a row, `writer` and `reader`, with what they need at the top of the file. */
function files(
  top: string,
  writer: string,
  reader: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    ...more,
    "two.pipeline.ts": `
import { pipeline, step } from "reprise";
${top}
const writer = step({ name: "writer", run: () => { ${writer}; return { x: 1 }; } });
const reader = step({ name: "reader", run: ({ x }: { x: number }) => ({ y: (${reader}) + x }) });
export const two = pipeline({ name: "two", build: () => ({ y: reader({ x: writer().x }).y }) });
`,
  };
}

/** Runs twice, so that the second answer comes from the state of the first, and explains the reader. */
async function runTwice(project: Project): Promise<Explained> {
  for (let round = 0; round < 2; round += 1) {
    const ended = await project.reprise(["run", "two"]);
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
  }
  return await project.json<Explained>(["why", "reader"]);
}

const shared: Readonly<Record<string, Record<string, string>>> = {
  "a variable": files("let counter = 0;", "counter++", "counter"),
  "a list": files("const seen: number[] = [];", "seen.push(1)", "seen.length"),
  "a map": files("const known = new Map<string, number>();", 'known.set("a", 1)', 'known.get("a") ?? 0'),
  "a field of an object": files("const config = { scale: 1 };", "config.scale += 1", "config.scale"),
  "a field, by Object.assign": files(
    "const config = { scale: 1 };",
    "Object.assign(config, { scale: 2 })",
    "config.scale",
  ),
  "a variable of another module, through its setter": files(
    'import { counter, setCounter } from "./counter.ts";',
    "setCounter(5)",
    "counter",
    { "counter.ts": "export let counter = 0;\nexport function setCounter(to: number): void {\n  counter = to;\n}\n" },
  ),
};

for (const [what, project] of Object.entries(shared)) {
  test(`a step that reads ${what} that another step changes runs each time, and says so`, async () => {
    await using opened = await makeProject(project);
    const { verdict, notes, stepRun } = await runTwice(opened);
    assert.equal(verdict, "opaque");
    assert.match(notes.join("\n"), /which step "writer" changes while it runs/u);
    assert.equal(stepRun.status, "completed");
  });
}

const harmless: Readonly<Record<string, Record<string, string>>> = {
  "a memo in a helper that both call": files('import { square } from "./square.ts";', "square(2)", "square(3)", {
    "square.ts":
      "const known = new Map<number, number>();\nexport function square(x: number): number {\n  const found = known.get(x) ?? x * x;\n  known.set(x, found);\n  return found;\n}\n",
  }),
  "a variable that only a function changes that no step calls": files(
    "let counter = 0;\nexport function reset(): void {\n  counter = 0;\n}",
    "Math.max(1, 2)",
    "counter",
  ),
  "a list that both only read": files("const rows = [1, 2];", "rows.map((row) => row + 1)", "rows.length"),
  "a local variable of the same name": files("const counter = 1;", "let counter = 0; counter++", "counter"),
};

for (const [what, project] of Object.entries(harmless)) {
  test(`a step that reads ${what} is reused`, async () => {
    await using opened = await makeProject(project);
    const { verdict, notes, stepRun } = await runTwice(opened);
    assert.deepEqual([verdict, notes, stepRun.status], ["proved", [], "cached"]);
  });
}
