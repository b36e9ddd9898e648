/** Looking leaves no trace: not where there is no store, and not in a store that may only be read. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeProject, type Project } from "../rig/project.ts";
import { copyStore, countCached, makeFlowProject, playFlow, stepsOfFlow } from "./flow.ts";
import { makeReadOnly, noReadOnly } from "./read-only.ts";
import { databaseOf, killWriter, toFirstSchema } from "./store-states.ts";

let project: Project;
let healthy: string;

before(async () => {
  project = await makeFlowProject();
  healthy = join(project.path, "healthy");
  for (const n of ["1", "2"]) assert.equal((await playFlow(project, healthy, n)).code, 0);
});
after(() => project[Symbol.asyncDispose]());

const looks: readonly (readonly string[])[] = [
  ["runs"],
  ["show", "last"],
  ["why", "sum"],
  ["logs", "last"],
  ["artifacts"],
  ["get", "sum.sum"],
  ["diff", "last~1", "last"],
  ["lineage", "sum.sum"],
  ["versions", "flow"],
  ["cache", "ls"],
  ["cache", "stats"],
  ["plan", "flow.ts", "--n", "2"],
  ["run", "flow.ts", "--n", "2", "--dry-run"],
  ["status", "flow.ts"],
  ["doctor"],
];

test("a command that looks makes no store, and says that there is none and what to do", async () => {
  await using empty = await makeProject({ "flow.ts": await project.read("flow.ts") });
  const before = readdirSync(empty.path);
  for (const look of looks) {
    const { stdout, stderr } = await empty.reprise(look);
    const isAboutFile = look.includes("flow.ts");
    if (isAboutFile) assert.doesNotMatch(stderr, /no store/u);
    else if (look[0] === "doctor") assert.match(stdout, /is not there yet: a run makes it/u);
    else
      assert.match(stderr, /There is no store at .*\.reprise yet\. Run a pipeline: reprise run FILE/u, look.join(" "));
    assert.deepEqual(readdirSync(empty.path), before, look.join(" "));
  }
  const script = `
    import { reprise } from "reprise";
    import { flow } from "./flow.ts";
    const before = (await reprise.runs()).length;
    await flow.run({ n: 1 }, { reporter: "silent" });
    console.log(before, (await reprise.runs()).length);
  `;
  await empty.write("look.ts", script);
  // A program that looked before there was a store sees the one that its run made.
  assert.equal((await empty.node(["look.ts"])).stdout, "0 1\n");
});

test("stored results are imported into a store that is made for them", async () => {
  const file = join(project.path, "results.tar");
  const exported = await project.reprise(["cache", "export", "-o", file, "--store", healthy]);
  assert.equal(exported.code, 0, exported.stderr);
  const store = join(project.path, "imported");
  const imported = await project.reprise(["cache", "import", file, "--store", store]);
  assert.equal(imported.code, 0, imported.stderr);
  assert.equal(countCached(await playFlow(project, store, "2")), stepsOfFlow);
});

test(
  "a store in a place where no folder can be made is refused at once",
  { skip: !existsSync("/proc/self") },
  async () => {
    const { code, stderr } = await project.reprise(["run", "flow.ts", "--n", "1", "--store", "/proc/nowhere/store"]);
    assert.equal(code, 1);
    assert.match(stderr, /RPS4001.*cannot be made/u);
  },
);

const states: Readonly<Record<string, (store: string) => void | Promise<void>>> = {
  "that was closed": () => {},
  "whose last writer was killed": (store) => killWriter(store, "UPDATE runs SET name = name || ' again'"),
  "whose log has lost its index": (store) => {
    killWriter(store, "UPDATE runs SET name = name || ' again'");
    rmSync(`${databaseOf(store)}-shm`);
  },
  "of an older schema": toFirstSchema,
};

for (const [state, prepare] of Object.entries(states)) {
  test(
    `a store ${state} that may only be read can be looked at, and says what it says elsewhere`,
    { skip: noReadOnly },
    async () => {
      const store = copyStore(project, healthy, `read ${state}`);
      await prepare(store);
      const elsewhere = copyStore(project, store, `elsewhere ${state}`);
      using _readOnly = makeReadOnly(store);
      for (const look of looks) {
        if (look[0] === "doctor") continue;
        const [there, here] = [
          await project.reprise([...look, "--store", elsewhere]),
          await project.reprise([...look, "--store", store]),
        ];
        assert.equal(here.code, 0, here.stdout + here.stderr);
        assert.deepEqual(
          [hideNumbers(here.stdout), here.stderr],
          [hideNumbers(there.stdout), there.stderr],
          look.join(" "),
        );
      }
      const { code, stdout } = await project.reprise(["doctor", "--store", store]);
      assert.equal(code, 0, stdout);
      assert.match(stdout, /cannot be written/u);
      assert.match(stdout, /a run is not recorded/u);
    },
  );
}

/** What depends on the moment, and on the room that the log takes. */
function hideNumbers(text: string): string {
  return text
    .replaceAll(/\d+(?:\.\d+)? ?(?:ms|s|h)\b/gu, "…")
    .replaceAll(/… ago|just now|\d+ kB of records/gu, "…")
    .replaceAll(/ +/gu, " ");
}
