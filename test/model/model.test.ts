/**
 * The cache against a model: random pipelines, random edits of code, params, files, links, variables, URLs, packages and
 * of the store, random interrupts, two runs at once. After each edit the run's outputs are those of a run from nothing,
 * and what executed is what the model says must.
 *
 * `REPRISE_SEQUENCES` says how many sequences, `REPRISE_SEED` from which seed on, `REPRISE_PROCESSES` in how many processes.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import process from "node:process";
import { plainWorld, playSequences, report, summarize, type Totals } from "./play-sequences.ts";
import type { Worlds } from "./project.ts";
import type { Sabotage } from "./run-project.ts";

const sequences = Number(process.env["REPRISE_SEQUENCES"] ?? 100);
const seed = Number(process.env["REPRISE_SEED"] ?? 1);
const processes = Number(process.env["REPRISE_PROCESSES"] ?? 1);
/** As many as a mistake needs to show, and more. */
const some = { sequences: 100, processes: 1 } as const;

test("every run gives what a run from nothing gives, and reuses only what the model says may be reused", async (t) => {
  const startedAt = performance.now();
  const took = (): string => `${Math.round((performance.now() - startedAt) / 1000)}s in ${processes} process(es)`;
  // At once, where the runner keeps what a test says until it has ended.
  const tell = (line: string): void => {
    if (process.env["REPRISE_SEQUENCES"] === undefined) t.diagnostic(line);
    else process.stdout.write(`${line}\n`);
  };
  const onProgress = (totals: Totals): void => {
    if (totals.sequences % 100 === 0) tell(`${summarize(totals)}, after ${took()}`);
  };
  const totals = await playSequences({ sequences, seed, processes, onProgress });
  for (const line of report(totals)) tell(line);
  tell(`took ${took()}`);
  assert.deepEqual(totals.failures, [], totals.failures.join("\n\n"));
  if (sequences >= 20) assert.ok(totals.executed > 0 && totals.reused > 0, "some steps execute, some are reused");
});

/** Each with the part of the world that it takes, and a seed soon after which it shows. */
const blindness: readonly (readonly [what: string, sabotage: Sabotage, part: keyof Worlds, seed: number])[] = [
  ["does not look at what steps read", "observation", "files", 9],
  ["does not look at what a step's function calls", "code", "files", 14],
  ["does not ask again what a URL answers", "answers", "http", 13],
  ["reuses steps that start processes", "processes", "processes", 10],
  ["does not look where links lead", "links", "links", 24],
  ["does not count what is read in a pipeline that a step runs", "inside", "nesting", 51],
  ["does not look at what steps read where the whole run is as the one before", "repeats", "files", 11],
];

for (const [what, sabotage, part, from] of blindness) {
  test(`the model notices a cache that ${what}`, async () => {
    const isEnough = ({ failures }: Totals): boolean => failures.length > 0;
    const worlds = (): Worlds => ({ ...plainWorld, [part]: true });
    const { failures } = await playSequences({ ...some, seed: from, sabotage, worlds, isEnough });
    assert.match(failures.join("\n"), /false hit/u);
  });
}

test("the model notices a cache that takes whole files for a step's code", async () => {
  const isShown = ({ causes }: Totals): boolean =>
    [...causes.keys()].some((cause) => cause.startsWith("unrelated code"));
  const totals = await playSequences({ ...some, seed: 33, sabotage: "layout", isEnough: isShown });
  assert.ok(isShown(totals), "a step is executed again for code that it does not reach");
});
