/** What a step reads in a child process is not seen: it is declared, or the step is not reused and says why. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { makeProject, type Project } from "../rig/project.ts";

interface Explained {
  readonly stepRun: { readonly status: string; readonly reason: { readonly code: string; readonly text: string } };
}

/** A step that has another program read its input; `options` are its own, `given` those of its call. */
function files(options: string, given = ""): Record<string, string> {
  return {
    "data/a.txt": "a1",
    "data/b.txt": "b1",
    "show.pipeline.ts": `
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { pipeline, step } from "reprise";

const run = promisify(execFile);

export const show = step({
  name: "show",
  ${options}
  run: async ({ path }: { path: string }) => {
    const text = "for (const path of process.argv.slice(1)) process.stdout.write(require('fs').readFileSync(path))";
    const { stdout } = await run(process.execPath, ["-e", text, path]);
    return { text: stdout + (process.env.SHOWN_AS ?? "") };
  },
});
export const showing = pipeline({ name: "showing", build: () => show({ path: "data/a.txt" }${given}) });
`,
  };
}

/** Runs, and tells what became of the step. */
async function run(project: Project, env: Readonly<Record<string, string>> = {}): Promise<Explained> {
  const ended = await project.reprise(["run", "showing"], { env });
  assert.equal(ended.code, 0, ended.stdout + ended.stderr);
  return await project.json<Explained>(["why", "show"]);
}

test("a step that starts a process is not reused, and says that what is read there can be declared", async () => {
  await using project = await makeProject(files(""));
  await run(project);
  const { stepRun } = await run(project);
  assert.equal(stepRun.status, "completed");
  assert.equal(stepRun.reason.code, "unobserved");
  assert.match(stepRun.reason.text, /starts a process .* option reads/u);
});

const declarations: Readonly<Record<string, string>> = {
  "the file": 'reads: [{ file: "data/a.txt" }],',
  "the file of its argument": "reads: ({ path }) => [{ file: String(path) }],",
  "the directory around it": 'reads: [{ dir: "data" }],',
  "a pattern that it matches": 'reads: [{ glob: "data/*.txt" }],',
};

for (const [what, reads] of Object.entries(declarations)) {
  test(`a step that declares ${what} is reused until the file changes, and again when it is as it was`, async () => {
    await using project = await makeProject(files(reads));
    await run(project);
    assert.equal((await run(project)).stepRun.status, "cached");
    await project.write("data/a.txt", "a2");
    const { stepRun } = await run(project);
    assert.equal(stepRun.status, "completed");
    assert.match(stepRun.reason.text, /data\/a\.txt/u);
    await project.write("data/a.txt", "a1");
    assert.equal((await run(project)).stepRun.status, "cached");
  });
}

test("a file that comes into a declared directory makes the step run", async () => {
  await using project = await makeProject(files('reads: [{ dir: "data" }],'));
  await run(project);
  await project.write("data/more/c.txt", "c1");
  assert.equal((await run(project)).stepRun.status, "completed");
  await project.write("data/more/c.txt", "c2");
  assert.equal((await run(project)).stepRun.status, "completed");
  assert.equal((await run(project)).stepRun.status, "cached");
});

test("a declared variable of the environment makes the step run when it changes", async () => {
  await using project = await makeProject(files('reads: [{ env: "MODEL" }],'));
  await run(project, { MODEL: "small" });
  assert.equal((await run(project, { MODEL: "small" })).stepRun.status, "cached");
  const { stepRun } = await run(project, { MODEL: "large" });
  assert.equal(stepRun.status, "completed");
  assert.match(stepRun.reason.text, /MODEL/u);
});

test("an empty declaration vouches for the process: the step is reused, whatever is read there", async () => {
  await using project = await makeProject(files("reads: [],"));
  await run(project);
  await project.write("data/a.txt", "a2");
  assert.equal((await run(project)).stepRun.status, "cached");
});

test("what is seen counts besides what is declared", async () => {
  await using project = await makeProject(files('reads: [{ file: "data/a.txt" }],'));
  await run(project);
  assert.equal((await run(project, { SHOWN_AS: "!" })).stepRun.status, "completed");
});

test("what a call declares is part of its key: another declaration is another result", async () => {
  await using project = await makeProject(files("", ', { reads: [{ file: "data/b.txt" }] }'));
  await run(project);
  await project.edit("show.pipeline.ts", 'file: "data/b.txt"', 'file: "data/a.txt"');
  const { stepRun } = await run(project);
  assert.equal(stepRun.status, "completed");
  assert.deepEqual([stepRun.reason.code, stepRun.reason.text], ["cache-key", "reads changed"]);
});

test("a declared URL makes the step run when it answers something else, and counts for nothing where it is to be ignored", async () => {
  let body = "one";
  const server = createServer((_request, response) => response.end(body));
  server.listen(0, "127.0.0.1");
  await new Promise((ready) => server.once("listening", ready));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/rates`;
    await using asking = await makeProject(files(`reads: [{ url: "${url}" }],`));
    await using ignoring = await makeProject(files(`http: "ignore", reads: [{ url: "${url}" }],`));
    for (const project of [asking, ignoring]) await run(project);
    for (const project of [asking, ignoring]) assert.equal((await run(project)).stepRun.status, "cached");
    body = "two";
    assert.equal((await run(asking)).stepRun.status, "completed");
    assert.equal((await run(ignoring)).stepRun.status, "cached");
  } finally {
    server.close();
  }
});
