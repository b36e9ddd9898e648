/** Collecting while others work: no run loses what it needs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeProject } from "../rig/project.ts";

const pipelineFile = `
import { pipeline, step } from "reprise";

const make = step({ name: "make", run: ({ size }: { size: number }) => ({ text: "x".repeat(size) }) });
const double = step({ name: "double", run: ({ text }: { text: string }) => ({ twice: text + text }) });
const measure = step({ name: "measure", run: ({ twice }: { twice: string }) => ({ length: twice.length }) });

export const sizes = pipeline({
  name: "sizes",
  build: ({ size }: { size: number }) => measure({ twice: double({ text: make({ size }).text }).twice }),
});
`;

/** Runs again and again, with breaks in which a collection finds nobody at work. */
const runner = `
import { sizes } from "./sizes.pipeline.ts";

for (let round = 0; round < 25; round += 1) {
  const size = 1000 + (round % 4);
  const run = await sizes.run({ size }, { reporter: "silent" });
  if (run.status !== "completed") throw new Error(run.status);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
}
`;

interface Answer {
  readonly ok: boolean;
  readonly data?: { readonly applied: boolean; readonly runs: readonly string[] };
  readonly error?: { readonly code: string };
}

test("runs come to their end while another process collects all it may", async () => {
  await using project = await makeProject({ "sizes.pipeline.ts": pipelineFile, "runner.ts": runner });
  const runners = [project.start(["runner.ts"]), project.start(["runner.ts"])];
  const isOver = (): boolean =>
    runners.every(({ process: { exitCode, signalCode } }) => (exitCode ?? signalCode) !== null);
  let collected = 0;
  let refused = 0;
  while (!isOver()) {
    const { stdout } = await project.reprise(["gc", "--keep", "1", "--keep-results", "1", "--yes", "--json"]);
    const answer = JSON.parse(stdout) as Answer;
    if (answer.ok) collected += answer.data?.runs.length ?? 0;
    else {
      // Somebody was at work, or began: then nothing was removed.
      assert.equal(answer.error?.code, "RPS5001", stdout);
      refused += 1;
    }
  }
  for (const { code, stderr } of await Promise.all(runners.map(({ finished }) => finished)))
    assert.equal(code, 0, stderr);
  assert.ok(collected + refused > 0);
  const { checks } = await project.json<{ checks: { name: string; state: string }[] }>(["doctor", "--deep"]);
  assert.deepEqual(
    checks.filter(({ state }) => state === "broken"),
    [],
  );
  const last = await project.json<{ runs: string[] }>(["gc", "--keep", "1", "--yes"]);
  assert.ok(collected + last.runs.length > 0);
});
