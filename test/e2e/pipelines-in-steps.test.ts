/** A step may run a pipeline: it is reused while what was read there is as it was. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunEvent } from "../../src/record/event.ts";
import { makeProject, type Project } from "../rig/project.ts";

const files = {
  "data.txt": "one",
  "outer.pipeline.ts": `
import { readFileSync } from "node:fs";
import { pipeline, step } from "reprise";

const read = step({ name: "read", run: () => readFileSync("data.txt", "utf8") });
const reading = pipeline({ name: "reading", build: () => ({ text: read() }) });
export const ask = step({
  name: "ask",
  run: async () => {
    const { outputs } = await reading.run({}, { reporter: "silent" });
    return await outputs.text.load();
  },
});
export const asking = pipeline({ name: "asking", build: () => ({ answer: ask() }) });
`,
};

/** What became of the step that runs a pipeline. */
async function run(project: Project): Promise<string> {
  const { code, stdout, stderr } = await project.reprise(["run", "asking", "--json"]);
  assert.equal(code, 0, stdout + stderr);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as RunEvent);
  const ended = events.find((event) => event.kind === "step-ended" && event.step.node === "ask");
  assert.ok(ended?.kind === "step-ended");
  return `${ended.step.status}: ${ended.step.reason?.code}`;
}

test("a step that runs a pipeline is reused, and runs again when a file that was read there is another", async () => {
  await using project = await makeProject(files);
  assert.equal(await run(project), "completed: first-run");
  assert.equal(await run(project), "cached: same-fingerprint");
  await project.write("data.txt", "two");
  assert.equal(await run(project), "completed: file");
  assert.equal(await run(project), "cached: same-fingerprint");
});
