/** A small pipeline that writes all that a run can: small and large blobs, what several steps share, a log, a metric. */
import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { makeProject, type Finished, type ProcessOptions, type Project } from "../rig/project.ts";

const source = `
import { pipeline, step } from "reprise";

const numbers = step({
  name: "numbers",
  run: ({ n }: { n: number }, { metric }) => {
    metric("n", n);
    console.log("made");
    return { numbers: [n, n + 1] };
  },
});
const bytes = step({
  name: "bytes",
  run: ({ numbers }: { numbers: number[] }) => ({ bytes: new Uint8Array(200_000).fill(numbers[1]!) }),
});
const sum = step({
  name: "sum",
  run: ({ bytes }: { bytes: Uint8Array }) => ({ sum: bytes.reduce((a, b) => a + b, 0) }),
});
const report = step({
  name: "report",
  run: ({ sum, numbers }: { sum: number; numbers: number[] }) => ({ text: "sum " + sum + " of " + numbers.join() }),
});
export const flow = pipeline({
  name: "flow",
  build: ({ n }: { n: number }) => {
    const made = numbers({ n });
    return report({ sum: sum({ bytes: bytes({ numbers: made.numbers }).bytes }).sum, numbers: made.numbers });
  },
});
if (import.meta.main) {
  const run = await flow.run({ n: Number(process.env.N) }, { reporter: "plain", jobs: 1 });
  console.log("result " + (await run.outputs.text.load()));
}
`;

export const stepsOfFlow = 4;

export async function makeFlowProject(): Promise<Project> {
  return await makeProject({ "flow.ts": source });
}

/** One run on a store, with its param. */
export async function playFlow(
  project: Project,
  store: string,
  n: string,
  { env, ...options }: ProcessOptions = {},
): Promise<Finished> {
  return await project.node(["flow.ts"], { ...options, env: { ...env, REPRISE_STORE: store, N: n } });
}

/** What the run of the flow printed. */
export function resultOf({ stdout, stderr }: Finished): string {
  const result = /^result .*$/mu.exec(stdout);
  assert.ok(result, stdout + stderr);
  return result[0];
}

export function countCached({ stdout }: Finished): number {
  return stdout.match(/Using cached version/gu)?.length ?? 0;
}

/** A copy of a store, with the times that are the seals of its blobs. */
export function copyStore(project: Project, from: string, name: string): string {
  const store = join(project.path, name);
  cpSync(from, store, { recursive: true, preserveTimestamps: true });
  return store;
}
