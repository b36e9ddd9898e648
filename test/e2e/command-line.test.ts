/** The command line as a user meets it: real processes in a project of its own. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { makeProject as openProject, type Finished, type Running } from "../rig/project.ts";

const pipelineFile = `
import { pipeline, step } from "reprise";
import { score } from "./score.ts";

const load = step({ name: "load", run: async () => ({ rows: [1, 2, 3, 4] }) });
const evaluate = step({
  name: "evaluate",
  run: async ({ rows, k }: { rows: number[]; k: number }, { log, metric, signal }) => {
    log("scoring");
    if (k === 9) throw new TypeError("k is too large");
    if (k === 7) {
      console.log("waiting");
      await new Promise((_, fail) => {
        const timer = setInterval(() => {}, 1000);
        signal.addEventListener("abort", () => { clearInterval(timer); fail(signal.reason); });
      });
    }
    metric("recall", score(rows, k));
    return { recall: score(rows, k), rows: rows.map((row) => ({ row, "a,b": \`"\${row}"\` })) };
  },
});

export const rag = pipeline({
  name: "rag",
  build({ k = 2, strict = false }: { k?: number; strict?: boolean }) {
    const { rows } = load();
    const { recall } = evaluate({ rows, k });
    return { recall };
  },
});
`;

const scoreFile = (operator: string): string =>
  `export function score(rows: number[], k: number): number {\n  return rows.filter((row) => row ${operator} k).length / rows.length;\n}\n`;

async function makeProject() {
  const project = await openProject({ "rag.pipeline.ts": pipelineFile, "score.ts": scoreFile(">") });
  const start = (words: readonly string[]): Running => project.start([...project.bin, ...words]);
  const reprise = async (line: string): Promise<Finished> => await start(line.split(" ").filter(Boolean)).finished;
  return {
    path: project.path,
    start,
    reprise,
    async json(line: string): Promise<Record<string, never> & { ok: boolean }> {
      const { stdout } = await reprise(`${line} --json`);
      return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, never> & { ok: boolean };
    },
    edit: async (operator: string) => await writeFile(join(project.path, "score.ts"), scoreFile(operator)),
    [Symbol.asyncDispose]: async () => await project[Symbol.asyncDispose](),
  };
}

const withoutTimes = (text: string): string =>
  text.replaceAll(/\d+\.\d{3}s/gu, "0.000s").replaceAll(/rag-\w+-\d+_\d+_\d+_\d+/gu, "rag-NAME");

test("the second run takes everything from the cache, and an edit two files away runs what depends on it", async () => {
  await using project = await makeProject();
  const first = await project.reprise("run");
  assert.equal(first.code, 0, first.stderr);
  assert.equal(
    withoutTimes(first.stdout),
    [
      "Creating run for pipeline: rag",
      "Cache enabled for pipeline rag",
      "Using stack default to run pipeline rag...",
      "Step load has started.",
      "Step load has finished in 0.000s.",
      "Step evaluate has started.",
      "[evaluate] scoring",
      "Step evaluate has finished in 0.000s.",
      "Pipeline run rag-NAME has finished in 0.000s.",
      "",
    ].join("\n"),
  );
  const second = await project.reprise("run rag");
  assert.match(second.stdout, /Using cached version of load\.\n[^]*Using cached version of evaluate\./u);
  assert.match((await project.reprise("status")).stdout, /rag {2}fresh/u);
  assert.equal((await project.reprise("status --exit-code")).code, 0);

  await project.edit(">=");
  assert.equal((await project.reprise("status --exit-code")).code, 3);
  const plan = await project.reprise("plan --k 3");
  assert.match(plan.stdout, /would run 1 of 2/u);
  assert.match(plan.stdout, /evaluate {2}runs {5}score\.ts:2 changed, k 2→3/u);
  const third = await project.reprise("run --k 3 --tag baseline");
  assert.match(third.stdout, /Using cached version of load\./u);
  const why = await project.reprise("why evaluate");
  assert.match(
    why.stdout,
    /evaluate ran in r-\w+ because score\.ts#score changed \(score\.ts:2\), and 1 more \[import\]/u,
  );
  assert.match(why.stdout, /param k +2 +3 +changed/u);
  const diff = await project.reprise("diff v1 v2");
  assert.match(diff.stdout, /- {3}return rows\.filter\(\(row\) => row > k\)/u);
  assert.match(diff.stdout, /\+ {3}return rows\.filter\(\(row\) => row >= k\)/u);
  assert.match((await project.reprise("runs tag:baseline params.k:3")).stdout, /rag@v2/u);
  assert.match((await project.reprise("run --no-cache")).stdout, /enable_cache=False for this pipeline run/u);
});

test("a failing step shows its error, its line and exits with 1; what finished is kept", async () => {
  await using project = await makeProject();
  const { code, stdout } = await project.reprise("run --k 9");
  assert.equal(code, 1);
  assert.match(
    stdout,
    /Step evaluate has failed in [\d.]+s: TypeError: k is too large\n {2}at rag\.pipeline\.ts:10:\d+/u,
  );
  assert.match(stdout, /❯ 10 │ /u);
  const envelope = await project.json("run --k 9");
  assert.equal(envelope.ok, false);
  assert.match(JSON.stringify(envelope["error"]), /k is too large/u);
  const logs = await project.reprise("logs last:failed evaluate");
  assert.match(logs.stdout, /^scoring\nTypeError: k is too large/u);
  assert.match((await project.reprise("show")).stdout, /^rag r-\w+ {2}failed/u);
});

test("values, lineage, graphs and tags are read back", async () => {
  await using project = await makeProject();
  await project.reprise("run");
  assert.equal((await project.reprise("get recall")).stdout, "0.5\n");
  assert.equal(
    (await project.reprise("get evaluate.rows --format csv --head 2")).stdout,
    'row,"a,b"\r\n1,"""1"""\r\n2,"""2"""\r\n',
  );
  const { stdout } = await project.reprise("get recall --path");
  assert.equal(await readFile(stdout.trim(), "utf8"), "0.5");
  assert.equal((await project.reprise("get recall -o out.json")).code, 0);
  assert.equal(await readFile(join(project.path, "out.json"), "utf8"), "0.5");
  assert.equal((await project.reprise("get recall -o out.json")).code, 2);
  assert.match((await project.reprise("lineage recall --up")).stdout, /load\.rows@v1\n[^]*evaluate\.recall@v1/u);
  assert.equal((await project.reprise("graph")).stdout, "  load\n  └─ evaluate\n");
  assert.match((await project.reprise("graph --run last --format mermaid")).stdout, /n0\["load: completed"\]/u);
  assert.match((await project.reprise("tag last data=v2")).stdout, /data=v2/u);
  assert.match((await project.reprise("show data=v2")).stdout, /tags +data=v2/u);
  const doctor = await project.json("doctor --deep");
  assert.match(JSON.stringify(doctor["data"]), /"healthy":true/u);
});

test("an invalidated step runs again, and removed runs free their data", async () => {
  await using project = await makeProject();
  await project.reprise("run");
  const { code, stderr } = await project.reprise("invalidate load");
  assert.equal(code, 2);
  assert.match(stderr, /Nobody can be asked/u);
  assert.match((await project.reprise("invalidate load -n")).stdout, /Nothing was changed/u);
  assert.equal((await project.reprise("invalidate load --yes")).code, 0);
  assert.match((await project.reprise("plan")).stdout, /load +runs +its cached result was invalidated/u);
  await project.reprise("run --k 3");
  const preview = await project.json("rm last -n");
  const applied = await project.json("rm last --yes");
  const bytesOf = (envelope: object): number => (envelope as { data: { bytes: number } }).data.bytes;
  assert.ok(bytesOf(preview) > 0);
  assert.equal((applied as unknown as { data: { freed: number } }).data.freed, bytesOf(preview));
  assert.equal((await project.reprise("runs")).stdout.trim().split("\n").length, 2);
  assert.equal((await project.reprise("gc --yes")).code, 0);
});

test("what is not understood exits with 2 and names what is near, as text and as JSON", async () => {
  await using project = await makeProject();
  const cases = {
    rum: /There is no command "rum"\n {2}Did you mean "r(?:un|m)"\?/u,
    "run rgg": /There is no pipeline "rgg"[^]*Did you mean "rag"\?/u,
    "run nowhere.ts": /There is no file nowhere\.ts/u,
    "why evaluate": /There is no run yet/u,
    "run --bail --keep-going": /contradict/u,
    "run --force evaluat": /has no step "evaluat"/u,
  };
  for (const [line, message] of Object.entries(cases)) {
    const { code, stderr, stdout } = await project.reprise(line);
    assert.equal(code, 2, `${line}: ${stderr}`);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr + stdout, /\u001b/u); // oxlint-disable-line no-control-regex -- must not be there
  }
  const envelope = await project.json("run rgg");
  assert.deepEqual([envelope.ok, (envelope["error"] as unknown as { code: string }).code], [false, "RPS6002"]);
});

test("Ctrl-C cancels the run, exits with 130, and keeps what had finished", async () => {
  await using project = await makeProject();
  const running = project.start(["run", "--k", "7"]);
  await running.saw("waiting");
  running.process.kill("SIGINT");
  const { code, stdout } = await running.finished;
  assert.equal(code, 130);
  assert.match(stdout, /Pipeline run rag-\S+ was cancelled after/u);
  assert.match((await project.reprise("runs status:cancelled")).stdout, /r-\w+ +cancelled/u);
  assert.match((await project.reprise("run")).stdout, /Using cached version of load\./u);
});

test("help and version are told without a project, and a reader that stops early is no failure", async () => {
  await using project = await makeProject();
  assert.match((await project.reprise("--version")).stdout, /^\d+\.\d+\.\d+\n$/u);
  assert.match((await project.reprise("run --help")).stdout, /^Run a pipeline/u);
  const running = project.start(["completion", "zsh"]);
  running.process.stdout?.destroy();
  const { code, stderr } = await running.finished;
  assert.deepEqual([code, stderr], [0, ""]);
});

test("init adds what is missing and overwrites nothing", async () => {
  await using project = await makeProject();
  await writeFile(join(project.path, ".gitignore"), "dist");
  const first = await project.json("init");
  assert.match(JSON.stringify(first["data"]), /hello\.pipeline\.ts","done":"written"/u);
  assert.equal(await readFile(join(project.path, ".gitignore"), "utf8"), "dist\n.reprise/\n");
  const manifest = JSON.parse(await readFile(join(project.path, "package.json"), "utf8")) as Record<string, object>;
  assert.deepEqual(manifest["scripts"], { reprise: "reprise" });
  const again = await project.json("init");
  assert.doesNotMatch(JSON.stringify(again["data"]), /written|changed/u);
});

test("init writes modules, whatever package.json says of other files", async () => {
  await using project = await makeProject();
  await writeFile(join(project.path, "package.json"), JSON.stringify({ name: "plain", type: "commonjs" }));
  const { data } = await project.json("init");
  assert.match(JSON.stringify(data), /hello\.pipeline\.mts.*reprise\.config\.mts/u);
  assert.doesNotMatch(JSON.stringify((await project.json("init"))["data"]), /written|changed/u);
});

test("a file of modules in a CommonJS package is refused in one sentence, and Node prints no warning", async () => {
  await using project = await openProject({
    "rag.ts": `import "reprise";\n${pipelineFile}`,
    "score.ts": scoreFile(">"),
  });
  await project.write("package.json", JSON.stringify({ name: "project", type: "commonjs" }));
  const { code, stdout, stderr } = await project.reprise(["run", "rag.ts"]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.equal(
    stderr,
    [
      "✖ RPS6004  rag.ts is loaded as CommonJS, but has import statements",
      '  Set "type": "module" in package.json (npm pkg set type=module), or give the file the ending .mts',
      "",
    ].join("\n"),
  );
});

test("help explains an error code, and a code that is none gets the nearest", async () => {
  await using project = await makeProject();
  assert.match(
    (await project.reprise("help rps2104")).stdout,
    /^RPS2104 {2}a step returned a value that cannot be stored\n {2}Return data/u,
  );
  assert.equal((await project.json("help RPS2104"))["ok"], true);
  const { code, stderr } = await project.reprise("help RPS2105");
  assert.equal(code, 2);
  assert.match(stderr, /There is no error code "RPS2105"\n {2}Did you mean "RPS210\d"/u);
});

test("of several pipelines in a file each is offered with what to type", async () => {
  await using project = await openProject({
    "two.ts": `import { pipeline, step } from "reprise";
const one = step({ name: "one", run: () => 1 });
export const inner = pipeline({ name: "inner", build: () => one() });
export const outer = pipeline({ name: "outer", build: () => inner() });
`,
  });
  const { code, stderr } = await project.reprise(["run", "two.ts"]);
  assert.equal(code, 2);
  assert.match(stderr, /Choose one: two\.ts#inner, two\.ts#outer/u);
  assert.equal((await project.reprise(["run", "two.ts#outer"])).code, 0);
});

test("a folder that is not there is refused, and not made", async () => {
  await using project = await makeProject();
  const { code, stderr } = await project.reprise("runs --cwd elsewhere");
  assert.equal(code, 2);
  assert.match(stderr, /^✖ RPS6001 {2}--cwd names no folder: elsewhere/u);
  await assert.rejects(readFile(join(project.path, "elsewhere", ".reprise", "metadata.db")), { code: "ENOENT" });
  assert.match((await project.reprise("run --jobs 0")).stderr, /--jobs is 0/u);
});
