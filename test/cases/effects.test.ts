/** Nondeterminism, effects, secrets. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { cached, Playground, single } from "./playground.ts";

const stepOf = (body: string, options = ""): Record<string, string> => ({
  "pipeline.ts": single,
  "steps.ts": `
import { randomUUID } from "node:crypto";
import { step } from "reprise";
export const work = step({ name: "work", ${options} run: async () => { ${body} } });
void randomUUID;
`,
});

test("G1: a step that draws random numbers, makes ids or reads the clock says so in its first run", async () => {
  for (const [expression, notice] of [
    ["Math.random()", /draws random numbers/u],
    ["randomUUID()", /draws random numbers/u],
    ["Date.now()", /reads the clock/u],
  ] as const) {
    using project = Playground.open(stepOf(`return String(${expression});`));
    assert.match((await project.play()).told, notice, expression);
  }
});

test("G3: a step with an effect outside is executed in every run where it says so, and its result is recorded", async () => {
  using project = Playground.open(stepOf('return (globalThis.repriseCaseSent ??= []).push("mail");', "cache: false,"));
  for (const y of [1, 2, 3]) {
    const { steps, outputs } = await project.play();
    assert.deepEqual([steps, outputs], [["work completed: cache-off"], { y }]);
  }
});

test("G4: an error is no result: the step runs again, and its error and place are kept", async () => {
  using project = Playground.open(
    stepOf('if (!process.title.startsWith("well")) throw new Error("it broke"); return 1;'),
  );
  const { title } = process;
  try {
    for (const reason of ["first-run", "previous-failed"]) {
      const { steps, told } = await project.play();
      assert.deepEqual(steps, [`work failed: ${reason}`]);
      assert.match(told, /it broke/u);
    }
    process.title = "well";
    assert.deepEqual((await project.play()).steps, ["work completed: previous-failed"]);
    assert.deepEqual((await project.play()).steps, cached);
  } finally {
    process.title = title;
  }
});

test("G6: a secret is nowhere in the store in clear, in a variable or a param, and a new one runs nothing again where the step says so", async () => {
  await playWithVariable();
  await playWithParam('secrets: ["key"],', "work completed: param");
  await playWithParam('secrets: { key: "ignore" },', "work cached: same-fingerprint");
});

async function playWithVariable(): Promise<void> {
  const secret = "hunter2-correct-horse";
  using project = Playground.open(stepOf('return process.env["REPRISE_CASE_TOKEN"] === undefined ? 0 : 1;'));
  process.env["REPRISE_CASE_TOKEN"] = secret;
  try {
    assert.deepEqual((await project.play()).outputs, { y: 1 });
    assert.deepEqual((await project.play()).steps, cached);
  } finally {
    delete process.env["REPRISE_CASE_TOKEN"];
  }
  assertNowhere(project, secret);
}

async function playWithParam(secrets: string, second: string): Promise<void> {
  using project = Playground.open({
    "pipeline.ts": `
import { pipeline } from "reprise";
import { work } from "./steps.ts";
export const main = pipeline({ name: "main", build: ({ key }: { key: string }) => ({ y: work({ key }) }) });
`,
    "steps.ts": `
import { step } from "reprise";
export const work = step({
  name: "work",
  ${secrets}
  run: ({ key }: { key: string }) => { console.log("with", key); return key.length; },
});
`,
  });
  const keys = ["hunter2-correct-horse", "hunter3-correct-horse"];
  assert.deepEqual((await project.play({ params: { key: keys[0] } })).steps, ["work completed: first-run"]);
  assert.deepEqual((await project.play({ params: { key: keys[0] } })).steps, cached);
  assert.deepEqual((await project.play({ params: { key: keys[1] } })).steps, [second]);
  for (const key of keys) assertNowhere(project, key);
}

function assertNowhere(project: Playground, secret: string): void {
  assert.ok(existsSync(project.at(".reprise/metadata.db")));
  for (const entry of readdirSync(project.at(".reprise"), { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) assert.ok(!readFileSync(join(entry.parentPath, entry.name)).includes(secret), entry.name);
  }
}
