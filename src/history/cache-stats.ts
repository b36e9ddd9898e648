/** How much the cache holds, how often it is used, what that saves, and why steps miss it. */
import type { MissCode } from "../record/reason.ts";
import type { RunId } from "../record/id.ts";
import type { Run, StepRun } from "../record/run.ts";
import type { BlobStore } from "../store/blob-store.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { sizeOf, stateOf } from "./list-entries.ts";

/** Of step runs that were to be taken from the cache where they could. */
export interface CacheUse {
  readonly hits: number;
  readonly misses: number;
  /** Step runs that did not ask: forced, or with the cache off or to be refreshed. */
  readonly bypassed: number;
  /** Hits among hits and misses; undefined where there were none of either. */
  readonly hitRate: number | undefined;
  /** What the hits took when they were executed. */
  readonly savedMs: number;
}

export interface StepUse extends CacheUse {
  readonly step: string;
  readonly entries: number;
  /** Of its entries, each blob once. */
  readonly bytes: number;
}

/** What made steps miss the cache. */
export interface MissCause {
  readonly code: MissCode;
  /** The file, package, parameter, variable or input that differed; undefined where the reason is no difference. */
  readonly part: string | undefined;
  readonly count: number;
  /** Of all misses, from 0 to 1. */
  readonly share: number;
  /** The steps that missed, in order. */
  readonly steps: readonly string[];
}

export interface CacheStats {
  readonly stored: {
    readonly entries: number;
    readonly valid: number;
    readonly pinned: number;
    /** As if each entry had its outputs for itself. */
    readonly logicalBytes: number;
    /** Of all blobs of entries, each once. */
    readonly bytes: number;
    /** Of all blobs in the store: those of runs whose results are not reused as well, and those that nothing refers to. */
    readonly storeBytes: number;
    /** Of the records: runs, logs, keys and what steps read. */
    readonly recordBytes: number;
  };
  /** The runs that the rest is about: made in this store. */
  readonly runs: { readonly count: number; readonly from: number | undefined; readonly to: number | undefined };
  readonly use: CacheUse;
  /** By the day on which the run started, in local time, oldest first. */
  readonly days: readonly (CacheUse & { readonly day: string; readonly runs: number })[];
  /** By name. */
  readonly steps: readonly StepUse[];
  /** Most frequent first. */
  readonly misses: readonly MissCause[];
  /** Steps that missed several times and never hit, by name. */
  readonly neverHit: readonly string[];
  /** Steps that were seen to give different outputs for equal inputs, the newest sighting of each. */
  readonly unsteady: readonly {
    readonly step: string;
    readonly stepRun: StepRun["id"];
    readonly text: string;
  }[];
}

export interface StatsQuery {
  /** Milliseconds since 1970. */
  readonly startedAfter?: number;
  /** Only the last so many runs. */
  readonly runs?: number;
}

/** Counts the cache and its use. */
export async function countCache(
  { metadata, blobs }: { readonly metadata: MetadataStore; readonly blobs: Pick<BlobStore, "list"> },
  query: StatsQuery,
  now: number,
): Promise<CacheStats> {
  const { startedAfter, runs: limit } = query;
  const runs = await metadata.runs({
    madeHere: true,
    ...(startedAfter === undefined ? {} : { startedAfter }),
    ...(limit === undefined ? {} : { limit }),
  });
  const counted = new Set(runs.map(({ id }) => id));
  const isAll = startedAfter === undefined && limit === undefined;
  // Of imported runs only those steps are here whose results came with them.
  const found = await metadata.stepRuns(isAll ? {} : { runs: [...counted] });
  const all = found.filter(({ run }) => counted.has(run));
  const asked = all.flatMap((stepRun) => judge(stepRun) ?? []);
  const entries = await metadata.cacheEntriesOf({});
  let storeBytes = 0;
  for await (const { size } of blobs.list()) storeBytes += size;
  const bySteps = Map.groupBy(asked, ({ stepRun }) => stepRun.step);
  const entriesOf = Map.groupBy(entries, ({ step }) => step);
  const steps = [...new Set([...bySteps.keys(), ...entriesOf.keys()])].sort().map((step): StepUse => {
    const own = entriesOf.get(step) ?? [];
    return { step, entries: own.length, bytes: sizeOf(...own), ...countUse(bySteps.get(step) ?? []) };
  });
  return {
    stored: {
      entries: entries.length,
      valid: entries.filter((entry) => stateOf(entry, now) === "valid").length,
      pinned: entries.filter((entry) => entry.pinnedAt !== undefined).length,
      logicalBytes: entries.reduce((sum, entry) => sum + sizeOf(entry), 0),
      bytes: sizeOf(...entries),
      storeBytes,
      recordBytes: await metadata.size(),
    },
    runs: { count: runs.length, from: runs.at(-1)?.startedAt, to: runs[0]?.startedAt },
    use: countUse(asked),
    days: countDays(runs, asked),
    steps,
    misses: rankCauses(all, asked),
    neverHit: steps.filter(({ hits, misses }) => hits === 0 && misses > 1).map(({ step }) => step),
    unsteady: findUnsteady(all),
  };
}

interface Asked {
  readonly stepRun: StepRun;
  readonly answer: "hit" | "miss" | "bypassed";
}

/** Undefined for what was skipped, and for what ended before it was looked up. */
function judge(stepRun: StepRun): Asked | undefined {
  if (stepRun.status === "cached") return { stepRun, answer: "hit" };
  if (stepRun.status === "skipped" || stepRun.reason === undefined) return undefined;
  const isBypassed = stepRun.reason.code === "forced" || stepRun.cache === "off" || stepRun.cache === "refresh";
  return { stepRun, answer: isBypassed ? "bypassed" : "miss" };
}

function countUse(asked: readonly Asked[]): CacheUse {
  const count = (answer: Asked["answer"]): number => asked.filter((each) => each.answer === answer).length;
  const hits = count("hit");
  const misses = count("miss");
  return {
    hits,
    misses,
    bypassed: count("bypassed"),
    hitRate: hits + misses === 0 ? undefined : hits / (hits + misses),
    savedMs: asked.reduce((sum, { stepRun }) => sum + (stepRun.savedMs ?? 0), 0),
  };
}

function countDays(runs: readonly Run[], asked: readonly Asked[]): CacheStats["days"] {
  const dayOfRun = new Map(runs.map(({ id, startedAt }) => [id, dayOf(startedAt)]));
  const byDay = Map.groupBy(asked, ({ stepRun }) => dayOfRun.get(stepRun.run));
  const runsByDay = Map.groupBy(dayOfRun.values(), (day) => day);
  return [...runsByDay].reverse().map(([day, own]) => ({ day, runs: own.length, ...countUse(byDay.get(day) ?? []) }));
}

function dayOf(time: number): string {
  const date = new Date(time);
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function rankCauses(all: readonly StepRun[], asked: readonly Asked[]): readonly MissCause[] {
  const missed = asked.filter(({ answer }) => answer === "miss").map(({ stepRun }) => stepRun);
  const runs = Map.groupBy(all, ({ run }) => run);
  const causes = Map.groupBy(missed, (stepRun) => JSON.stringify(causeOf(stepRun, runs)));
  return [...causes]
    .map(([text, own]): MissCause => {
      const [code, part] = JSON.parse(text) as [MissCode, string?];
      const steps = [...new Set(own.map(({ step }) => step))].sort();
      return { code, part, count: own.length, share: own.length / missed.length, steps };
    })
    .sort((a, b) => b.count - a.count);
}

/** What differed first. Where that is an output of a step of the same run, what made that step run. */
function causeOf(stepRun: StepRun, runs: ReadonlyMap<RunId, readonly StepRun[]>): [code: string, part?: string] {
  const reason = stepRun.reason;
  const [first] = reason?.differences ?? [];
  if (reason === undefined || first === undefined) return [reason?.code ?? "first-run"];
  if (first.code === "input") {
    const use = stepRun.inputs.find(({ slot }) => slot === first.part || slot.startsWith(`${first.part}[`));
    const made = runs
      .get(stepRun.run)
      ?.find(({ id, status, outputs }) =>
        id === stepRun.id || status === "cached"
          ? false
          : outputs.some(({ artifact, version }) => artifact === use?.artifact && version === use.version),
      );
    if (made !== undefined) return causeOf(made, runs);
  }
  const isCode = first.code === "code" || first.code === "import";
  const end = first.part.indexOf("#");
  // Which step's own code a file is does not matter here: a change of the file is one cause.
  return isCode && end !== -1 ? ["code", first.part.slice(0, end)] : [first.code, first.part];
}

function findUnsteady(all: readonly StepRun[]): CacheStats["unsteady"] {
  const found = new Map<string, CacheStats["unsteady"][number]>();
  for (const { id, step, notices = [] } of all) {
    const notice = notices.find(({ kind }) => kind === "nondeterministic");
    if (notice !== undefined && !found.has(step)) found.set(step, { step, stepRun: id, text: notice.text });
  }
  return [...found.values()].sort((a, b) => (a.step < b.step ? -1 : 1));
}
