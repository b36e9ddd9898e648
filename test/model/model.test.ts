/**
 * The cache against a model: random pipelines, random edits of code, params, files, variables, packages and of the store,
 * random interrupts. After each edit the run's outputs are those of a run from nothing, and what executed is what the
 * model says must.
 *
 * `REPRISE_SEQUENCES` says how many sequences, `REPRISE_SEED` from which seed on, `REPRISE_PROCESSES` in how many processes.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import process from "node:process";
import { playSequences, summarize, type Totals } from "./play-sequences.ts";
import type { Sabotage } from "./run-project.ts";

const sequences = Number(process.env["REPRISE_SEQUENCES"] ?? 120);
const seed = Number(process.env["REPRISE_SEED"] ?? 1);
const processes = Number(process.env["REPRISE_PROCESSES"] ?? 1);

test("every run gives what a run from nothing gives, and reuses only what the model says may be reused", async (t) => {
  const onProgress = (totals: Totals): void => {
    if (totals.sequences % 500 === 0) t.diagnostic(summarize(totals));
  };
  const startedAt = performance.now();
  const totals = await playSequences({ sequences, seed, processes, onProgress });
  t.diagnostic(summarize(totals));
  for (const [cause, count] of [...totals.causes].toSorted((a, b) => b[1] - a[1])) {
    t.diagnostic(`false misses after ${cause}: ${count}`);
  }
  t.diagnostic(`steps executed ${totals.executed}, reused ${totals.reused}; interrupted runs ${totals.interrupted}`);
  t.diagnostic(`decisions that the model leaves open ${totals.open}`);
  t.diagnostic(`took ${Math.round((performance.now() - startedAt) / 1000)}s in ${processes} process(es)`);
  assert.deepEqual(totals.failures, [], totals.failures.join("\n\n"));
  if (sequences >= 20) assert.ok(totals.executed > 0 && totals.reused > 0, "some steps execute, some are reused");
});

test("the model notices a cache that does not look at what steps read", async () => {
  assert.match(await playUntilFailure("observation"), /false hit/u);
});

test("the model notices a cache that does not look at what a step's function calls", async () => {
  assert.match(await playUntilFailure("code"), /false hit/u);
});

test("the model notices a cache that takes whole files for a step's code", async () => {
  const isShown = ({ causes }: Totals): boolean =>
    [...causes.keys()].some((cause) => cause.startsWith("unrelated code"));
  const totals = await playSequences({ sequences: 100, seed, processes, sabotage: "layout", isEnough: isShown });
  assert.ok(isShown(totals), "a step is executed again for code that it does not reach");
});

async function playUntilFailure(sabotage: Sabotage): Promise<string> {
  const isEnough = ({ failures }: Totals): boolean => failures.length > 0;
  const { failures } = await playSequences({ sequences: 100, seed, processes, sabotage, isEnough });
  return failures.join("\n");
}
