/**
 * The model test through the command line: a process a run, two in five of them killed at a random event.
 *
 * `REPRISE_KILL_SEQUENCES` says how many sequences, `REPRISE_SEED` from which seed on.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import process from "node:process";
import { addReport, emptyTotals, memoryFolder, report, worldsOf } from "./play-sequences.ts";
import { runInProcesses } from "./run-process.ts";
import { playSequence } from "./sequence.ts";
import { ResourceServer } from "./server.ts";

const sequences = Number(process.env["REPRISE_KILL_SEQUENCES"] ?? 6);
const seed = Number(process.env["REPRISE_SEED"] ?? 1);

test("runs of the command line that are killed leave nothing that a later run takes wrongly", async (t) => {
  const folder = mkdtempSync(join(memoryFolder(), "reprise-model-"));
  const totals = emptyTotals();
  await using server = await ResourceServer.open();
  try {
    for (let each = seed; each < seed + sequences; each++) {
      const worlds = { ...worldsOf(each), writes: false, http: false };
      const report = await playSequence({
        folder,
        seed: each,
        worlds,
        server,
        run: runInProcesses,
        interrupts: "kill",
      });
      addReport(totals, report);
      if (report.failures.length > 0) {
        totals.failures.push([`seed ${each}`, ...report.story, ...report.failures].join("\n"));
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const line of report(totals)) t.diagnostic(line);
  assert.deepEqual(totals.failures, [], totals.failures.join("\n\n"));
});
