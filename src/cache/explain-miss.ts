/** Why nothing is stored under a key: the closest earlier key, and what differs from it. */
import type { CodeIdentity } from "../code/identity.ts";
import type { Digest } from "../hash/digest.ts";
import type { RunId } from "../record/id.ts";
import type { KeyDigest, KeyRecord } from "../record/key.ts";
import type { Difference, Reason } from "../record/reason.ts";
import type { StepRun } from "../record/run.ts";
import type { CodeRecord, MetadataStore, StepRunQuery } from "../store/metadata-store.ts";
import { describeDifference } from "./describe-difference.ts";
import { countDifferences, explainDifferences, sameArgument, type ExplainedKey } from "./explain.ts";
import { digestKey, type Key } from "./key.ts";

/** How many earlier step runs are looked at to find the closest: of the same node, at first and then, and elsewhere. */
const candidatesAtFirst = 3;
const candidatesHere = 10;
const candidatesElsewhere = 50;

export interface MissQuestion {
  readonly node: string;
  readonly key: Key;
  readonly code: CodeIdentity;
  /** Arguments that are missing in the key, because nobody knows them yet: they do not count as differences. */
  readonly unknown?: readonly string[];
}

export type ExplainMiss = (question: MissQuestion) => Promise<Reason>;

/** Answers for the nodes of one run why nothing is stored under their keys. The step runs of `ownRun` are not earlier ones. */
export function openMissExplainer(metadata: MetadataStore, pipeline: string, ownRun?: RunId): ExplainMiss {
  const find = async ({ limit, ...query }: StepRunQuery & { readonly limit: number }): Promise<readonly StepRun[]> =>
    (await metadata.stepRuns({ ...query, limit: limit + 1 }))
      .filter((stepRun) => stepRun.run !== ownRun)
      .slice(0, limit);
  // Many nodes of one step that are new ask for the same rows.
  const elsewhere = new Map<string, Promise<readonly StepRun[]>>();
  const findElsewhere = (step: string): Promise<readonly StepRun[]> => {
    const known = elsewhere.get(step) ?? find({ step, limit: candidatesElsewhere });
    elsewhere.set(step, known);
    return known;
  };
  return async (question) => {
    const closest = await findClosest(
      metadata,
      question,
      async (step, node, limit) => await find({ step, pipeline, node, limit }),
      findElsewhere,
    );
    if (closest === undefined) return { code: "first-run", text: "it runs for the first time", differences: [] };
    const { stepRun, key } = closest;
    const asked = fillUnknown(question, key);
    if (stepRun.key === asked.digest) return explainSameKey(stepRun, key);
    const isOtherCode = key.code !== asked.record.code;
    const to: ExplainedKey = {
      key: asked.record,
      code: isOtherCode ? await toCodeRecord(question.code) : undefined,
    };
    const texts = isOtherCode ? await textsOf(question.code) : new Map<Digest, string>();
    const differences = await compareKeys(metadata, key, to, texts);
    const [first] = differences;
    return {
      code: first?.code ?? "code",
      text: first === undefined ? "its key differs" : describeDifference(first, differences.length - 1),
      differences,
      against: stepRun.id,
    };
  };
}

/** Compares a stored key with another, reading what is needed to say what changed. */
export async function compareKeys(
  metadata: MetadataStore,
  from: KeyRecord,
  to: ExplainedKey,
  newTexts: ReadonlyMap<Digest, string>,
): Promise<readonly Difference[]> {
  const code = from.code === to.key.code ? undefined : (await metadata.code([from.code])).get(from.code);
  const oldUnits = code === undefined || to.code === undefined ? [] : changedUnits(code, to.code);
  const texts = new Map([...(oldUnits.length === 0 ? [] : await metadata.sources(oldUnits)), ...newTexts]);
  const artifacts = await describeArtifacts(metadata, from, to.key);
  return explainDifferences({ key: from, code }, to, { texts, artifacts });
}

/** The identity of a step's code as it is remembered. */
export async function toCodeRecord(code: CodeIdentity): Promise<CodeRecord> {
  const units = await code.units();
  return {
    digest: code.digest,
    verdict: code.verdict,
    ...(code.notes.length === 0 ? {} : { notes: code.notes.map(({ message }) => message) }),
    own: code.own,
    place: code.place && `${code.place.file}:${code.place.line}`,
    units: units.map(({ text: _text, ...unit }) => unit),
  };
}

/** The source texts of a step's code by their digest. */
export async function textsOf(code: CodeIdentity): Promise<ReadonlyMap<Digest, string>> {
  const texts = new Map<Digest, string>();
  for (const unit of await code.units()) if (unit.text !== undefined) texts.set(unit.digest, unit.text);
  return texts;
}

/**
 * The same place in the same pipeline is what a person compares with; another use of the step is second best, if it is
 * the same step: of the same name and the same code.
 */
async function findClosest(
  metadata: MetadataStore,
  { node, key, unknown = [] }: MissQuestion,
  findHere: (step: string, node: string, limit: number) => Promise<readonly StepRun[]>,
  findElsewhere: (step: string) => Promise<readonly StepRun[]>,
): Promise<Candidate | undefined> {
  const { step } = key.record;
  const newest = await findHere(step, node, candidatesAtFirst);
  const keys = await metadata.keys([key.digest, ...keysOf(newest)]);
  const best = pickClosest(newest, keys, key.record);
  // Nothing older is closer than one difference, unless it has the very key; and that is not known.
  if (best?.cost === 1 && unknown.length === 0 && !keys.has(key.digest)) return best;
  const here = newest.length < candidatesAtFirst ? newest : await findHere(step, node, candidatesHere);
  const recent = here.length > 0 ? here : await findElsewhere(step);
  const known = recent === newest ? keys : await metadata.keys(keysOf(recent));
  return pickClosest(recent, known, key.record, here.length === 0);
}

interface Candidate {
  readonly stepRun: StepRun;
  readonly key: KeyRecord;
  /** How many parts of its key differ. */
  readonly cost: number;
}

function keysOf(stepRuns: readonly StepRun[]): KeyDigest[] {
  return stepRuns.flatMap(({ key }) => key ?? []);
}

/** The closest of step runs that have ended, the newest of those that are equally close. */
function pickClosest(
  stepRuns: readonly StepRun[],
  keys: ReadonlyMap<KeyDigest, KeyRecord>,
  to: KeyRecord,
  sameCodeOnly = false,
): Candidate | undefined {
  let best: Candidate | undefined;
  for (const stepRun of stepRuns) {
    const key = stepRun.key === undefined ? undefined : keys.get(stepRun.key);
    if (key === undefined || stepRun.status === "running" || stepRun.status === "skipped") continue;
    if (sameCodeOnly && key.code !== to.code) continue;
    const cost = countDifferences(key, to);
    if (best === undefined || cost < best.cost) best = { stepRun, key, cost };
  }
  return best;
}

/** The key, with what is not known taken as it was. */
function fillUnknown({ key, unknown = [] }: MissQuestion, from: KeyRecord): Key {
  if (unknown.length === 0) return key;
  const assumed = Object.entries(from.arguments).filter(([name]) => unknown.includes(name));
  const record = { ...key.record, arguments: { ...Object.fromEntries(assumed), ...key.record.arguments } };
  return { digest: digestKey(record), record };
}

function explainSameKey(stepRun: StepRun, key: KeyRecord): Reason {
  const against = { differences: [], against: stepRun.id };
  switch (stepRun.status) {
    case "failed":
      return { code: "previous-failed", text: "it failed the last time", ...against };
    case "cancelled":
    case "interrupted":
    case "running":
      return { code: "previous-failed", text: "it did not finish the last time", ...against };
    default:
      if (stepRun.obstacle !== undefined) {
        const { code, text } = stepRun.obstacle;
        return { code, text: `its last result was not kept: ${text}`, ...against };
      }
      if (stepRun.verdict === "opaque" && key.version === undefined) {
        return { code: "opaque-code", text: "its last result was not kept: its code could not be known", ...against };
      }
      return stepRun.cache === "off"
        ? { code: "cache-off", text: "its last result was made with the cache off, so it was not kept", ...against }
        : { code: "missing-output", text: "its result is no longer in the store", ...against };
  }
}

function changedUnits(from: CodeRecord, to: CodeRecord): Digest[] {
  const now = new Map(to.units.map((unit) => [unit.id, unit.digest]));
  return from.units.filter((unit) => now.has(unit.id) && now.get(unit.id) !== unit.digest).map((unit) => unit.digest);
}

/** Those that the differing arguments of two keys name. */
async function describeArtifacts(
  metadata: MetadataStore,
  from: KeyRecord,
  to: KeyRecord,
): Promise<Map<Digest, string>> {
  const digests = new Set<Digest>();
  for (const name of new Set([...Object.keys(from.arguments), ...Object.keys(to.arguments)])) {
    const [old, now] = [from.arguments[name], to.arguments[name]];
    if (sameArgument(old, now)) continue;
    for (const argument of [old, now]) if (argument?.kind === "artifact") digests.add(argument.digest);
  }
  const described = new Map<Digest, string>();
  if (digests.size === 0) return described;
  for (const artifact of await metadata.artifacts({ digests: [...digests] })) {
    described.set(artifact.digest, `${artifact.name}@v${artifact.version} by ${artifact.producer}`);
  }
  return described;
}
