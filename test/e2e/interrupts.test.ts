/** Ctrl-C, kill -9 and many processes at once: what was finished is kept, and the next run goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeProject, type Project } from "../rig/project.ts";

/** Five steps in a row, each of which writes a line when it starts, and waits where the process is named after it: a name is no input. */
const chain = `
import { setTimeout as delay } from "node:timers/promises";
import { appendFileSync } from "node:fs";
import { pipeline, step } from "reprise";

const work = async (name: string, x: number, signal: AbortSignal) => {
  appendFileSync("executed.log", name + "\\n");
  console.log("working on " + name);
  if (process.title === "wait-" + name) await delay(60_000, undefined, { signal });
  return { x: x + 1, payload: new Uint8Array(50_000).fill(x) };
};
const first = step({ name: "first", run: (_: object, { signal }) => work("first", 0, signal) });
const second = step({ name: "second", run: ({ x }: { x: number }, { signal }) => work("second", x, signal) });
const third = step({ name: "third", run: ({ x }: { x: number }, { signal }) => work("third", x, signal) });
const fourth = step({ name: "fourth", run: ({ x }: { x: number }, { signal }) => work("fourth", x, signal) });
export const chain = pipeline({
  name: "chain",
  build: () => {
    const { x } = fourth({ x: third({ x: second({ x: first().x }).x }).x });
    return { x };
  },
});
if (import.meta.main) {
  const run = await chain.run({}, { reporter: "plain" });
  console.log("result " + (await run.outputs.x.load()));
}
`;

async function executedSince(project: Project, mark: number): Promise<string[]> {
  const lines = (await project.read("executed.log")).trim().split("\n");
  return lines.slice(mark);
}

test("Ctrl-C cancels the run, exits with 130, and the next run goes on after the last finished step", async () => {
  await using project = await makeProject({ "chain.ts": chain });
  for (const command of [["chain.ts"], undefined]) {
    const running =
      command === undefined
        ? project.start([...project.bin, "run", "chain.ts"], { nodeArguments: ["--title=wait-third"] })
        : project.start(command, { nodeArguments: ["--title=wait-third"] });
    await running.saw("working on third");
    running.process.kill("SIGINT");
    const ended = await running.finished;
    assert.equal(ended.code, 130, ended.stdout + ended.stderr);
    const { run, steps } = await project.json<{ run: { status: string }; steps: { stepRun: { status: string } }[] }>([
      "show",
      "last",
    ]);
    assert.equal(run.status, "cancelled");
    assert.deepEqual(steps.map(({ stepRun }) => stepRun.status).slice(2), ["cancelled", "skipped"]);
  }
  const mark = (await executedSince(project, 0)).length;
  const next = await project.node(["chain.ts"]);
  assert.match(next.stdout, /result 4$/mu);
  assert.deepEqual(await executedSince(project, mark), ["third", "fourth"]);
});

test("a second Ctrl-C ends a run at once whose step does not listen, and the next run goes on", async () => {
  await using project = await makeProject({
    "deaf.ts": `
import { pipeline, step } from "reprise";

const quick = step({ name: "quick", run: () => ({ x: 1 }) });
const deaf = step({
  name: "deaf",
  run: async ({ x }: { x: number }, { signal }) => {
    signal.addEventListener("abort", () => console.log("heard and ignored"));
    console.log("working");
    if (process.title === "wait-deaf") await new Promise(() => setInterval(() => {}, 1000));
    return { y: x + 1 };
  },
});
export const stubborn = pipeline({ name: "stubborn", build: () => deaf({ x: quick().x }) });
if (import.meta.main) await stubborn.run({}, { reporter: "plain" });
`,
  });
  for (const command of [["deaf.ts"], [...project.bin, "run", "deaf.ts"]]) {
    const running = project.start(command, { nodeArguments: ["--title=wait-deaf"] });
    await running.saw("working");
    running.process.kill("SIGINT");
    await running.saw("heard and ignored");
    await running.saw("press Ctrl-C again to end at once");
    running.process.kill("SIGINT");
    const { code, signal, stdout, stderr } = await running.finished;
    assert.ok(code === 130 || signal === "SIGINT", `${code} ${signal}\n${stdout}${stderr}`);
    const { run } = await project.json<{ run: { status: string } }>(["show", "last"]);
    assert.ok(["interrupted", "cancelled"].includes(run.status), run.status);
  }
  const next = await project.reprise(["run", "deaf.ts"]);
  assert.equal(next.code, 0, next.stderr);
  assert.match(next.stdout, /Using cached version of quick\./u);
});

test("Ctrl-C cancels every run of the process, and waits for the slowest", async () => {
  await using project = await makeProject({
    "many.ts": `
import { setTimeout as delay } from "node:timers/promises";
import { pipeline, step } from "reprise";
let started = 0;
const wait = step({
  name: "wait",
  run: async ({ n }: { n: number }, { signal }) => {
    started += 1;
    if (started === 12) console.log("all wait");
    await delay(60_000, undefined, { signal }).catch(() => {});
    // The later ones take some time to stop.
    await delay(n * 20);
    return { n };
  },
});
const waiting = pipeline({ name: "waiting", build: ({ n }: { n: number }) => void wait({ n }) });
await Promise.allSettled(Array.from({ length: 12 }, (_, n) => waiting.run({ n }, { reporter: "plain" })));
`,
  });
  const running = project.start(["many.ts"]);
  await running.saw("all wait");
  running.process.kill("SIGINT");
  const ended = await running.finished;
  assert.equal(ended.code, 130, ended.stdout + ended.stderr);
  assert.doesNotMatch(ended.stderr, /MaxListeners/u);
  const listed = await project.json<{ run: { status: string } }[]>(["runs", "--limit", "100"]);
  assert.deepEqual(
    listed.map(({ run }) => run.status),
    Array.from({ length: 12 }, () => "cancelled"),
  );
});

test("a run that is killed is shown as interrupted, and the next run goes on after the last finished step", async () => {
  await using project = await makeProject({ "chain.ts": chain });
  const running = project.start(["chain.ts"], { nodeArguments: ["--title=wait-third"] });
  await running.saw("working on third");
  running.process.kill("SIGKILL");
  await running.finished;
  const { run } = await project.json<{ run: { status: string } }>(["show", "last"]);
  assert.equal(run.status, "interrupted");
  const mark = (await executedSince(project, 0)).length;
  const next = await project.node(["chain.ts"]);
  assert.match(next.stdout, /result 4$/mu);
  assert.deepEqual(await executedSince(project, mark), ["third", "fourth"]);
});

test("a process that ends in the middle of a run says which step was running, and is no success", async () => {
  const source = (body: string): string => `
import { pipeline, step } from "reprise";
const ends = step({ name: "ends", run: async () => { ${body} return { x: 1 }; } });
export const short = pipeline({ name: "short", build: () => void ends() });
if (import.meta.main) await short.run();
`;
  await using project = await makeProject({});
  for (const [body, code, message] of [
    ["process.exit(0);", 1, /Warning in ends: the process is ended while it is running, by process\.exit/u],
    ["process.exit(7);", 7, /Warning in ends: the process is ended/u],
    ["await new Promise(() => {});", 13, /Warning in ends: it waits for a promise that nothing/u],
  ] as const) {
    await project.write("short.pipeline.ts", source(body));
    for (const ended of [await project.reprise(["run", "short"]), await project.node(["short.pipeline.ts"])]) {
      assert.match(ended.stdout + ended.stderr, message);
      assert.equal(ended.code, code);
    }
  }
  const { run } = await project.json<{ run: { status: string } }>(["show", "last"]);
  assert.equal(run.status, "interrupted");
});

test("eight processes run the same pipelines against one store, and no record is lost or doubled", async () => {
  await using project = await makeProject({
    "chain.ts": chain,
    "many.ts": `
import { chain } from "./chain.ts";
const ids = [];
for (let round = 0; round < 4; round += 1) {
  const run = await chain.run({}, { reporter: "silent", cache: round % 2 === 0 ? true : false });
  ids.push(run.id);
}
console.log(JSON.stringify(ids));
`,
  });
  const ended = await Promise.all(Array.from({ length: 8 }, () => project.node(["many.ts"])));
  for (const each of ended) assert.equal(each.code, 0, each.stderr);
  const ids = ended.flatMap(({ stdout }) => JSON.parse(stdout.trim().split("\n").at(-1) as string) as string[]);
  assert.equal(new Set(ids).size, 32);
  const listed = await project.json<{ run: { id: string; status: string; version: number; name: string } }[]>([
    "runs",
    "--limit",
    "100",
  ]);
  const runs = listed.map(({ run }) => run);
  assert.deepEqual(runs.map(({ id }) => id).toSorted(), ids.toSorted());
  assert.ok(runs.every(({ status, version }) => status === "completed" && version === 1));
  assert.equal(new Set(runs.map(({ name }) => name)).size, 32);
});
