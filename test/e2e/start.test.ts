/** What a command loads: each module of Node that it does without is time that every command saves. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, readFileSync, readSync, writeFileSync, writeSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { makeProject, type Project } from "../rig/project.ts";

const files = {
  "print.cjs": `
    const { writeFileSync } = require("fs");
    process.on("exit", () => {
      const native = process.report.getReport().sharedObjects.filter((name) => name.includes("oxc"));
      const modules = process.moduleLoadList.map((each) => each.replace(/^NativeModule /, ""));
      writeFileSync(".loaded.json", JSON.stringify([...modules, ...native]));
    });
  `,
  "small.pipeline.ts": `
    import { pipeline, step } from "reprise";
    const double = step({ name: "double", run: ({ n }: { n: number }) => ({ twice: n * 2 }) });
    export const small = pipeline({ name: "small", build: ({ n = 1 }: { n?: number }) => double({ n }) });
  `,
};

/** Of these modules, those that a command has loaded. */
async function loadedOf(
  project: Project,
  args: readonly string[],
  asked: readonly string[],
): Promise<readonly string[]> {
  const ended = await project.reprise(args, { env: { NODE_OPTIONS: "--require ./print.cjs" } });
  assert.equal(ended.code, 0, ended.stderr);
  const loaded = JSON.parse(await project.read(".loaded.json")) as string[];
  return asked.filter((name) => loaded.some((each) => each === name || each.includes(`/${name}`)));
}

const heavy = [
  "crypto",
  "child_process",
  "worker_threads",
  "fs/promises",
  "http",
  "perf_hooks",
  "oxc-parser",
  "oxc-resolver",
];

test("a run without news loads neither a parser nor what only steps that execute need", async () => {
  await using project = await makeProject(files);
  assert.notDeepEqual(await loadedOf(project, ["run", "small.pipeline.ts"], heavy), []);
  assert.deepEqual(await loadedOf(project, ["run", "small.pipeline.ts"], heavy), []);
});

test("help loads no store, and a list of runs no more than a run does", async () => {
  await using project = await makeProject(files);
  await project.reprise(["run", "small.pipeline.ts"]);
  assert.deepEqual(await loadedOf(project, ["--help"], [...heavy, "sqlite"]), []);
  assert.deepEqual(await loadedOf(project, ["runs"], [...heavy, "sqlite"]), ["sqlite"]);
});

test("a command writes to a pipe without the stream that Node has for it", async () => {
  await using project = await makeProject({
    "small.pipeline.ts": `${files["small.pipeline.ts"]}
    import { writeFileSync } from "node:fs";
    process.on("exit", () => writeFileSync(".loaded.json", JSON.stringify(process.moduleLoadList)));
  `,
  });
  await project.reprise(["run", "small.pipeline.ts"]);
  const { stdout } = await project.reprise(["run", "small.pipeline.ts"]);
  assert.match(stdout, /has finished/u);
  const loaded = JSON.parse(await project.read(".loaded.json")) as string[];
  assert.deepEqual(
    loaded.filter((name) =>
      /net|tty_wrap|pipe_wrap|sync_write_stream/u.test(name.replace(/^NativeModule internal\/net$/u, "")),
    ),
    [],
  );
});

test("what a step prints comes after what the command printed before it", async () => {
  await using project = await makeProject({
    "loud.pipeline.ts": `
      import { pipeline, step } from "reprise";
      console.log("while loading");
      const loud = step({ name: "loud", run: () => { console.log("in the step"); return 1; } });
      export const noise = pipeline({ name: "noise", build: () => loud() });
    `,
  });
  const { stdout, stderr } = await project.reprise(["run", "loud.pipeline.ts", "--reporter", "plain"]);
  assert.match(stderr, /while loading/u);
  assert.match(
    stdout,
    /^Creating run[^]*Step loud has started\.\n[^]*in the step\n[^]*Step loud has finished[^]*has finished in [\d.]+s\.\n$/u,
  );
  assert.ok(!stdout.includes("while loading"));
});

test(
  "a pipe that is full when the command starts gets all that is printed",
  { skip: process.platform === "win32" },
  async () => {
    await using project = await makeProject({
      "told.pipeline.ts": `
      import { pipeline, step } from "reprise";
      console.error("loading");
      const told = step({ name: "told", run: () => 1 });
      export const tale = pipeline({ name: "tale", build: () => told() });
    `,
    });
    const pipe = join(project.path, "pipe");
    execFileSync("mkfifo", [pipe]);
    // One that is opened for both would take over from the process that it is given to how it waits.
    const reading = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const writing = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
    const filled = fill(writing);
    const [node = "", ...args] = [process.execPath, ...project.bin, "run", "told.pipeline.ts", "--reporter", "plain"];
    const child = spawn(node, args, { cwd: project.path, stdio: ["ignore", writing, "pipe"] });
    closeSync(writing);
    const closed = once(child, "close");
    // By now the first lines found no room.
    await once(child.stderr as Readable, "data");
    let text = "";
    const drain = setInterval(() => (text += readAll(reading)), 1);
    const [code] = (await closed) as [number];
    clearInterval(drain);
    text += readAll(reading);
    closeSync(reading);
    assert.equal(code, 0);
    assert.match(text.slice(filled), /^Creating run[^]*has finished in [\d.]+s\.\n$/u);
  },
);

test("what V8 compiled is kept for the next process, and not run where it was damaged since", async () => {
  await using project = await makeProject(files);
  const temporary = join(project.path, "tmp");
  await mkdir(temporary);
  const env = { TMPDIR: temporary, TMP: temporary, TEMP: temporary };
  const run = async (more = {}): Promise<string> => {
    const { code, stdout, stderr } = await project.reprise(["--version"], { env: { ...env, ...more } });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const kept = async (): Promise<readonly string[]> => {
    const names = await readdir(temporary, { recursive: true });
    return names.filter((name) => name.includes("reprise-")).map((name) => join(temporary, name));
  };
  const version = await run({ NODE_DISABLE_COMPILE_CACHE: "1" });
  assert.deepEqual(await kept(), []);
  assert.equal(await run(), version);
  const paths = await kept();
  assert.ok(paths.length > 0);
  for (const path of paths) {
    const bytes = readFileSync(path);
    bytes.fill(0, Math.floor(bytes.length / 8), Math.floor(bytes.length / 4));
    writeFileSync(path, bytes);
  }
  const damaged = paths.map((path) => readFileSync(path, "latin1"));
  assert.equal(await run(), version);
  assert.ok(paths.every((path, at) => readFileSync(path, "latin1") !== damaged[at]));
});

/** Writes until there is no room, and answers with how much. */
function fill(file: number): number {
  const block = Buffer.alloc(4096, ".");
  for (let bytes = 0; ;) {
    try {
      bytes += writeSync(file, block);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "EAGAIN");
      return bytes;
    }
  }
}

/** What is there to read at this moment. */
function readAll(file: number): string {
  const block = Buffer.alloc(65_536);
  for (let text = ""; ;) {
    try {
      const bytes = readSync(file, block);
      if (bytes === 0) return text;
      text += block.toString("utf8", 0, bytes);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "EAGAIN");
      return text;
    }
  }
}
