/** Results whose bytes the store refused to take: kept in memory for their run, and offered once more at its end. */
import type { CacheEntry } from "../record/cache-entry.ts";
import type { StepRun } from "../record/run.ts";
import type { RunnerPorts } from "./ports.ts";
import type { Recorder } from "./recorder.ts";

/** What is recorded of a result when the store has taken its bytes after all. */
export interface Withheld {
  readonly stepRun: StepRun;
  readonly entry: CacheEntry;
}

/** Answers with the step runs whose results can be reused now, as they are to be recorded: that is queued. */
export async function offerWithheld(
  withheld: readonly Withheld[],
  { overflow, metadata }: Pick<RunnerPorts, "overflow" | "metadata">,
  recorder: Pick<Recorder, "add">,
): Promise<readonly StepRun[]> {
  await overflow.settle();
  const kept: StepRun[] = [];
  for (const { stepRun, entry } of withheld) {
    if (await overflow.holds(entry.blobs)) continue;
    kept.push(stepRun);
    recorder.add({ kind: "step-run", stepRun });
    // Its lease has ended: what somebody else has recorded meanwhile stays.
    const others = (await metadata.cacheEntries([entry.key])).get(entry.key) ?? [];
    if (others.every(({ trace }) => trace !== entry.trace)) recorder.add({ kind: "cache-entry", entry });
  }
  return kept;
}
