/** Which stored results are meant. */
import { UsageError } from "../error.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { StepRunId } from "../record/id.ts";
import type { StepRun } from "../record/run.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { didYouMean } from "./did-you-mean.ts";
import { findRun } from "./find-run.ts";
import { orUndefined } from "./or-undefined.ts";

/**
 * Finds cache entries by their step, by the beginning of their key (six digits at least), by a step run (`r-7k3f2m/train`),
 * or by a run: those that it made and those that it reused. Newest first.
 *
 * Throws a UsageError (RPS6002) when nothing has that name, or nothing of it is stored.
 */
export async function findEntries(metadata: MetadataStore, selector: string): Promise<readonly CacheEntry[]> {
  const ofStep = await metadata.cacheEntriesOf({ step: selector });
  if (ofStep.length > 0) return ofStep;
  const start = /^(?:sha256:)?(?<digits>[0-9a-f]{6,64})$/u.exec(selector)?.groups?.["digits"];
  if (start !== undefined) {
    const all = await metadata.cacheEntriesOf({});
    const found = all.filter(({ key }) => key.startsWith(`sha256:${start}`));
    if (new Set(found.map(({ key }) => key)).size > 1) {
      throw new UsageError("RPS6002", `Several keys begin with "${selector}"`, { hint: "Write more of the key" });
    }
    if (found.length > 0) return found;
  }
  const stepRuns = await findStepRuns(metadata, selector);
  if (stepRuns === undefined) throw await nothingNamed(metadata, selector);
  const found = await entriesOfStepRuns(metadata, stepRuns);
  if (found.length > 0) return found;
  throw new UsageError("RPS6002", `Nothing that "${selector}" made or reused is stored for reuse`, {
    hint: `Look at why: reprise show ${selector}`,
  });
}

/** The entries that step runs made or reused, newest first. */
export async function entriesOfStepRuns(
  metadata: MetadataStore,
  stepRuns: readonly StepRun[],
): Promise<readonly CacheEntry[]> {
  const origins = [...new Set(stepRuns.map(({ id, origin }) => origin ?? id))];
  return origins.length === 0 ? [] : await metadata.cacheEntriesOf({ origins });
}

async function findStepRuns(metadata: MetadataStore, selector: string): Promise<readonly StepRun[] | undefined> {
  if (selector.includes("/")) {
    const found = await metadata.stepRuns({ ids: [selector as StepRunId] });
    if (found.length > 0) return found;
  }
  const run = await orUndefined(findRun(metadata, selector));
  return run === undefined ? undefined : await metadata.stepRuns({ runs: [run.id] });
}

async function nothingNamed(metadata: MetadataStore, selector: string): Promise<UsageError> {
  const stored = new Set((await metadata.cacheEntriesOf({})).map(({ step }) => step));
  const [ran] = await metadata.stepRuns({ step: selector, limit: 1 });
  if (ran !== undefined) {
    const why = ran.obstacle === undefined ? "" : `: its last result was not kept, because ${ran.obstacle.text}`;
    return new UsageError("RPS6002", `Nothing of step "${selector}" is stored for reuse${why}`, {
      hint: `See why it runs: reprise why ${selector}`,
    });
  }
  return new UsageError("RPS6002", `No step, key or run is named "${selector}"`, {
    hint: didYouMean(selector, stored) ?? "List what is stored: reprise cache ls",
  });
}
