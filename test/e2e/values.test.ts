/** Values out of the store: printed for people and for programs, and saved. */
import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeProject, type Finished, type Project } from "../rig/project.ts";

const kinds = `
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { directory, file, pipeline, step, tensor } from "reprise";

const makeKinds = step({
  name: "kinds",
  run: async (_: object, { tempDir }) => {
    const folder = await tempDir();
    writeFileSync(join(folder, "weights.bin"), new Uint8Array([0, 1, 2]));
    writeFileSync(join(folder, "notes.txt"), "plain notes\\n");
    mkdirSync(join(folder, "nothing"));
    mkdirSync(join(folder, "pages"));
    writeFileSync(join(folder, "pages", "one.md"), "# One");
    return {
      losses: new Float32Array([0.5, 0.25]),
      image: tensor({ data: new Uint8Array([1, 2, 3, 4]), shape: [2, 2] }),
      plain: { when: new Date("2026-11-02"), limits: new Map([["a", 1n]]) },
      words: "a text\\u001b[2J of two\\nlines",
      raw: new Uint8Array([0, 255]),
      long: { text: "x".repeat(5000), list: Array.from({ length: 90 }, (_, at) => at) },
      weights: file(join(folder, "weights.bin")),
      notes: file(join(folder, "notes.txt")),
      nothing: directory(join(folder, "nothing")),
      pages: directory(join(folder, "pages")),
    };
  },
});
export const all = pipeline({ name: "all", build: () => makeKinds() });
`;

let project: Project;

before(async () => {
  project = await makeProject({
    "kinds.ts": kinds,
    // Lets a process believe that it writes to a terminal of sixty columns.
    "terminal.mjs": "process.stdout.isTTY = true; process.stdout.columns = 60;",
  });
  const { code, stderr } = await project.reprise(["run", "kinds.ts"]);
  assert.equal(code, 0, stderr);
});

after(async () => await project[Symbol.asyncDispose]());

const get = async (...args: string[]): Promise<Finished> => await project.reprise(["get", ...args]);

const onTerminal = async (...args: string[]): Promise<Finished> =>
  await project.node([...project.bin, ...args], { nodeArguments: ["--import", "./terminal.mjs"] });

test("what has no form that people read is printed as JSON, on a terminal and in a pipe", async () => {
  for (const ask of [get, async (name: string) => await onTerminal("get", name)]) {
    assert.deepEqual(JSON.parse((await ask("losses")).stdout), [0.5, 0.25]);
    assert.deepEqual(JSON.parse((await ask("image")).stdout), { data: [1, 2, 3, 4], shape: [2, 2], dtype: "uint8" });
    assert.deepEqual(JSON.parse((await ask("plain")).stdout), { when: "2026-11-02T00:00:00.000Z", limits: { a: "1" } });
  }
});

test("bytes go into a pipe as they are, and never to a terminal", async () => {
  assert.equal((await get("words")).stdout, "a text\u001b[2J of two\nlines");
  assert.equal((await onTerminal("get", "words")).stdout.trimEnd(), "a text of two\nlines");
  assert.equal((await get("weights")).stdout, "\u0000\u0001\u0002");
  assert.equal((await onTerminal("get", "notes")).stdout, "plain notes\n");
  for (const name of ["weights", "raw"]) {
    const { code, stdout, stderr } = await onTerminal("get", name);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, new RegExp(`^✖ RPS6001 {2}kinds\\.${name}@v1 is binary`, "u"));
  }
});

test("the path of a file is that of its bytes; a directory has none", async () => {
  const path = (await get("weights", "--path")).stdout.trimEnd();
  assert.deepEqual([...(await readFile(path))], [0, 1, 2]);
  const { code, stderr } = await get("pages", "--path");
  assert.equal(code, 2);
  assert.match(stderr, /Copy it: reprise get kinds\.pages@v1 -o FOLDER/u);
});

test("files and folders are saved as they were, an empty folder too, and nothing is overwritten", async () => {
  for (const name of ["weights", "notes", "nothing", "pages", "losses"]) {
    assert.equal((await get(name, "-o", `out/${name}`)).code, 0);
  }
  const out = join(project.path, "out");
  assert.deepEqual([...(await readFile(join(out, "weights")))], [0, 1, 2]);
  assert.ok((await stat(join(out, "nothing"))).isDirectory());
  assert.deepEqual(await readdir(join(out, "pages")), ["one.md"]);
  assert.equal((await readFile(join(out, "losses"), "latin1")).slice(1, 6), "NUMPY");

  await project.write("out/weights", "mine");
  await project.write("out/pages/one.md", "mine");
  for (const name of ["weights", "pages", "losses"]) {
    const { code, stderr } = await get(name, "-o", `out/${name}`);
    assert.equal(code, 2);
    assert.match(stderr, /is already there\n {2}Name another place/u);
  }
  assert.equal(await project.read("out/weights"), "mine");
  assert.equal(await project.read("out/pages/one.md"), "mine");
});

test("what is shown of an artifact fits the terminal", async () => {
  for (const name of ["long", "plain", "words", "weights", "pages"]) {
    const { stdout } = await onTerminal("show", `kinds.${name}`);
    for (const line of stdout.split("\n").filter((each) => !each.includes("sha256:"))) {
      assert.ok(line.length <= 60, line);
    }
  }
  const piped = (await project.reprise(["show", "kinds.long"])).stdout;
  assert.ok(Math.max(...piped.split("\n").map((line) => line.length)) <= 160);
});
