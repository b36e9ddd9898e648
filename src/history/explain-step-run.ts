/** Why a step ran or was reused: its key beside an earlier one, part by part. */
import { countDifferences, holdsArtifact, showBoth, showReads } from "../cache/explain.ts";
import { compareKeys } from "../cache/explain-miss.ts";
import { digestBytes, shortDigest, type Digest } from "../hash/digest.ts";
import type { KeyRecord } from "../record/key.ts";
import type { Difference } from "../record/reason.ts";
import type { Run, StepRun } from "../record/run.ts";
import type { Notice, ObservedRead, Trace } from "../record/trace.ts";
import { compareTraces } from "./compare-traces.ts";
import type { CodeRecord, CodeUnitRecord, MetadataStore } from "../store/metadata-store.ts";

/** One part of a key in both step runs. Undefined: it is not there, or nothing to compare with. */
export interface KeyPart {
  /** `code`, `imports`, `packages`, `param gamma`, `input trainSet`, `version`, `runtime` … */
  readonly part: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly same: boolean;
}

export interface StepExplanation {
  readonly run: Run;
  readonly stepRun: StepRun;
  /** The step run it is compared with; undefined when there is no other. */
  readonly against: StepRun | undefined;
  /** How much is known of the step's code. */
  readonly verdict: string | undefined;
  /** Why that is not all, a sentence each. */
  readonly notes: readonly string[];
  /** What was noticed of it when it executed. */
  readonly notices: readonly Notice[];
  /** What it read of the world when it executed. */
  readonly reads: readonly ObservedRead[];
  readonly parts: readonly KeyPart[];
  /** Every difference, most telling first. */
  readonly differences: readonly Difference[];
}

const candidates = 50;

/** Explains a step run. `against`: compared with that, instead of the closest earlier one. */
export async function explainStepRun(
  metadata: MetadataStore,
  run: Run,
  stepRun: StepRun,
  against?: StepRun,
): Promise<StepExplanation> {
  const other = against ?? (await findOther(metadata, run, stepRun));
  const executed = await executedOf(metadata, stepRun);
  const trace = await traceOf(metadata, executed);
  const otherTrace = other && (await traceOf(metadata, await executedOf(metadata, other)));
  const digests = [stepRun.key, other?.key].filter((digest) => digest !== undefined);
  const keys = await metadata.keys(digests);
  const to = stepRun.key === undefined ? undefined : keys.get(stepRun.key);
  const from = other?.key === undefined ? undefined : keys.get(other.key);
  if (to === undefined) {
    return {
      run,
      stepRun,
      against: other,
      verdict: undefined,
      notes: [],
      notices: executed.notices ?? [],
      reads: trace?.reads ?? [],
      parts: [],
      differences: stepRun.reason?.differences ?? [],
    };
  }
  const codes = await metadata.code([...new Set([to.code, ...(from === undefined ? [] : [from.code])])]);
  const toCode = codes.get(to.code);
  const fromCode = from && codes.get(from.code);
  return {
    run,
    stepRun,
    against: other,
    verdict: toCode?.verdict,
    notes: toCode?.notes ?? [],
    notices: executed.notices ?? [],
    reads: trace?.reads ?? [],
    parts: [...listCode(from, to, fromCode, toCode), ...listArguments(from, to), ...listRest(from, to)],
    differences:
      from === undefined
        ? []
        : [
            ...(await compareKeys(metadata, from, { key: to, code: toCode }, await textsOf(metadata, toCode), {
              from: other?.inputs ?? [],
              to: stepRun.inputs,
            })),
            ...compareTraces(otherTrace, trace),
          ],
  };
}

/** Of a reused one, its origin. */
async function executedOf(metadata: MetadataStore, stepRun: StepRun): Promise<StepRun> {
  if (stepRun.origin === undefined) return stepRun;
  const [executed] = await metadata.stepRuns({ ids: [stepRun.origin] });
  return executed ?? stepRun;
}

/** Empty when it read nothing, undefined when what it read is no longer known. */
async function traceOf(metadata: MetadataStore, { trace }: StepRun): Promise<Trace | undefined> {
  return trace === undefined ? { salt: "", reads: [] } : (await metadata.traces([trace])).get(trace);
}

/** The one that its reason names; else the earlier one with the fewest differences. */
async function findOther(metadata: MetadataStore, run: Run, stepRun: StepRun): Promise<StepRun | undefined> {
  const named = stepRun.reason?.against ?? stepRun.origin;
  if (named !== undefined) {
    const [found] = await metadata.stepRuns({ ids: [named as StepRun["id"]] });
    if (found !== undefined) return found;
  }
  if (stepRun.key === undefined) return undefined;
  const earlier = await metadata.stepRuns({
    pipeline: run.pipeline,
    node: stepRun.node,
    before: run.id,
    limit: candidates,
  });
  const keyed = earlier.filter((each) => each.key !== undefined);
  const keys = await metadata.keys([stepRun.key, ...keyed.map((each) => each.key as Digest)]);
  const own = keys.get(stepRun.key);
  let best: { readonly stepRun: StepRun; readonly cost: number } | undefined;
  for (const each of keyed) {
    const key = keys.get(each.key as Digest);
    if (key === undefined || own === undefined) continue;
    const cost = countDifferences(key, own);
    if (best === undefined || cost < best.cost) best = { stepRun: each, cost };
  }
  return best?.stepRun;
}

async function textsOf(metadata: MetadataStore, code: CodeRecord | undefined): Promise<ReadonlyMap<Digest, string>> {
  const own = code?.units.filter((unit) => unit.kind === "declaration" || unit.kind === "effect") ?? [];
  return own.length === 0 ? new Map() : await metadata.sources(own.map((unit) => unit.digest));
}

function listCode(
  from: KeyRecord | undefined,
  to: KeyRecord,
  fromCode: CodeRecord | undefined,
  toCode: CodeRecord | undefined,
): KeyPart[] {
  if (toCode === undefined || (from !== undefined && fromCode === undefined)) {
    return [toPart("code", from && shortDigest(from.code), shortDigest(to.code), from !== undefined)];
  }
  const groups: readonly (readonly [name: string, belongs: (unit: CodeUnitRecord, code: CodeRecord) => boolean])[] = [
    ["code", (unit, code) => code.own.includes(unit.id)],
    ["imports", (unit, code) => unit.kind !== "package" && !code.own.includes(unit.id)],
    ["packages", (unit) => unit.kind === "package"],
  ];
  return groups.flatMap(([name, belongs]) => {
    const old = fromCode?.units.filter((unit) => belongs(unit, fromCode)) ?? [];
    const now = toCode.units.filter((unit) => belongs(unit, toCode));
    if (old.length === 0 && now.length === 0) return [];
    const title = name === "code" ? name : `${name} (${now.length})`;
    return [toPart(title, fromCode && digestUnits(old), digestUnits(now), from !== undefined)];
  });
}

function digestUnits(units: readonly CodeUnitRecord[]): string | undefined {
  const [only, ...others] = units;
  if (only === undefined) return undefined;
  if (others.length === 0) return only.version === undefined ? shortDigest(only.digest) : `${only.id} ${only.version}`;
  return shortDigest(
    digestBytes(
      units
        .map((unit) => `${unit.id} ${unit.digest}`)
        .sort()
        .join("\n"),
    ),
  );
}

function listArguments(from: KeyRecord | undefined, to: KeyRecord): KeyPart[] {
  const names = [...new Set([...Object.keys(to.arguments), ...Object.keys(from?.arguments ?? {})])].sort();
  return names.map((name) => {
    const old = from?.arguments[name];
    const now = to.arguments[name];
    const kind = holdsArtifact(now ?? old) ? "input" : "param";
    const same = JSON.stringify(old) === JSON.stringify(now);
    const part = toPart(`${kind} ${name}`, ...showBoth(old, now), from !== undefined);
    return { ...part, same: from !== undefined && same };
  });
}

function listRest(from: KeyRecord | undefined, to: KeyRecord): KeyPart[] {
  const compared = from !== undefined;
  const outputs = (key: KeyRecord | undefined): string | undefined => {
    const shown = Object.entries(key?.outputs ?? {}).map(([name, type]) => `${name}: ${type}`);
    return shown.length === 0 ? undefined : shown.join(", ");
  };
  const parts = [
    toPart("version", from?.version, to.version, compared),
    toPart("cacheKey", ...showBoth(from?.cacheKey, to.cacheKey), compared),
    toPart("reads", from?.reads && showReads(from.reads), to.reads && showReads(to.reads), compared),
    toPart("outputs", outputs(from), outputs(to), compared),
    toPart("runtime", from?.runtime, to.runtime, compared),
  ];
  return parts.filter((part) => part.from !== undefined || part.to !== undefined);
}

function toPart(part: string, from: string | undefined, to: string | undefined, compared: boolean): KeyPart {
  return { part, from, to, same: compared && from === to };
}
