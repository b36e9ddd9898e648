/** Why nothing is stored under a key: the closest earlier key, and what differs from it. */
import type { CodeIdentity } from "../code/identity.ts";
import type { Digest } from "../hash/digest.ts";
import type { KeyRecord } from "../record/key.ts";
import type { Difference, Reason } from "../record/reason.ts";
import type { ArtifactUse, StepRun } from "../record/run.ts";
import type { CodeRecord, MetadataStore, StepRunQuery } from "../store/metadata-store.ts";
import { describeDifference } from "./describe-difference.ts";
import {
  countDifferences,
  explainDifferences,
  sameArgument,
  type DescribeArtifact,
  type ExplainedKey,
} from "./explain.ts";
import { digestKey, type Key } from "./key.ts";
import {
  candidatesHere,
  describeArtifact,
  nameArtifact,
  toEarlier,
  type EarlierStep,
  type RecentSteps,
} from "./recent-steps.ts";

/** How many earlier step runs are looked at to find the closest: of the same node, at first and then, and elsewhere. */
const candidatesAtFirst = 3;
const candidatesElsewhere = 50;

export interface MissQuestion {
  readonly node: string;
  readonly key: Key;
  readonly code: CodeIdentity;
  /** The artifacts among the arguments. */
  readonly inputs?: readonly ArtifactUse[];
  /** Arguments that are missing in the key, because nobody knows them yet: they do not count as differences. */
  readonly unknown?: readonly string[];
}

export type ExplainMiss = (question: MissQuestion) => Promise<Reason>;

/**
 * Answers for the nodes of one run why nothing is stored under their keys.
 *
 * @param recent - What is known of earlier step runs, to a run that is recorded. Its own step runs are not earlier ones.
 */
export function openMissExplainer(metadata: MetadataStore, pipeline: string, recent?: RecentSteps): ExplainMiss {
  const read = async ({ limit, ...query }: StepRunQuery & { readonly limit: number }): Promise<Earlier> => {
    const found = await metadata.stepRuns({ ...query, limit: limit + 1 });
    const stepRuns = found.filter(({ run }) => run !== recent?.run).slice(0, limit);
    const keys = await metadata.keys(stepRuns.flatMap(({ key }) => key ?? []));
    const steps = stepRuns.flatMap((stepRun) => toEarlier(stepRun, stepRun.key && keys.get(stepRun.key)) ?? []);
    return { steps, isAll: found.length <= limit };
  };
  // Many nodes of one step that are new ask for the same rows.
  const elsewhere = new Map<string, Promise<Earlier>>();
  const readElsewhere = (step: string): Promise<Earlier> => {
    const known = elsewhere.get(step) ?? read({ step, limit: candidatesElsewhere });
    elsewhere.set(step, known);
    return known;
  };
  const readHere = async (step: string, node: string, limit: number): Promise<Earlier> => {
    const steps = await recent?.of(
      node,
      step,
      async () => (await read({ step, pipeline, node, limit: candidatesHere })).steps,
    );
    return steps === undefined ? await read({ step, pipeline, node, limit }) : { steps, isAll: true };
  };
  return async (question) => {
    const closest = await findClosest(metadata, question, readHere, readElsewhere);
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
    const uses = { from: stepRun.inputs, to: question.inputs ?? [] };
    const differences = await compareKeys(metadata, key, to, texts, uses, recent);
    const [first] = differences;
    return {
      code: first?.code ?? "code",
      text: first === undefined ? "its key differs" : describeDifference(first, differences.length - 1),
      differences,
      against: stepRun.id,
    };
  };
}

/** The inputs of the step runs that keys are of, as far as they are known. */
export interface ComparedUses {
  readonly from: readonly ArtifactUse[];
  readonly to: readonly ArtifactUse[];
}

/** Compares a stored key with another, reading what is needed to say what changed. */
export async function compareKeys(
  metadata: MetadataStore,
  from: KeyRecord,
  to: ExplainedKey,
  newTexts: ReadonlyMap<Digest, string>,
  uses: ComparedUses = { from: [], to: [] },
  recent?: RecentSteps,
): Promise<readonly Difference[]> {
  const code = from.code === to.key.code ? undefined : (await metadata.code([from.code])).get(from.code);
  const oldUnits = code === undefined || to.code === undefined ? [] : changedUnits(code, to.code);
  const texts = new Map([...(oldUnits.length === 0 ? [] : await metadata.sources(oldUnits)), ...newTexts]);
  const artifacts = await describeArtifacts(metadata, from, to.key, uses, recent);
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
  readHere: (step: string, node: string, limit: number) => Promise<Earlier>,
  readElsewhere: (step: string) => Promise<Earlier>,
): Promise<Candidate | undefined> {
  const { step } = key.record;
  const newest = await readHere(step, node, candidatesAtFirst);
  const best = pickClosest(newest.steps, key.record);
  // Nothing older is closer than one difference, unless it has the very key; and that is not known.
  if (best?.cost === 1 && unknown.length === 0 && !(await metadata.keys([key.digest])).has(key.digest)) return best;
  const here = newest.isAll ? newest : await readHere(step, node, candidatesHere);
  if (here.steps.length > 0) return pickClosest(here.steps, key.record);
  return pickClosest((await readElsewhere(step)).steps, key.record, true);
}

/** Earlier step runs, newest first. */
interface Earlier {
  readonly steps: readonly EarlierStep[];
  /** Whether there are no more. */
  readonly isAll: boolean;
}

interface Candidate extends EarlierStep {
  /** How many parts of its key differ. */
  readonly cost: number;
}

/** The closest one, the newest of those that are equally close. */
function pickClosest(steps: readonly EarlierStep[], to: KeyRecord, sameCodeOnly = false): Candidate | undefined {
  let best: Candidate | undefined;
  for (const { stepRun, key } of steps) {
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

/** Of those that the differing arguments of two keys name: by their use, else by any of the same digest. */
async function describeArtifacts(
  metadata: MetadataStore,
  from: KeyRecord,
  to: KeyRecord,
  uses: ComparedUses,
  recent: RecentSteps | undefined,
): Promise<DescribeArtifact> {
  const described = new Map<string, string>();
  const unknown = new Set<Digest>();
  for (const name of new Set([...Object.keys(from.arguments), ...Object.keys(to.arguments)])) {
    const [old, now] = [from.arguments[name], to.arguments[name]];
    if (sameArgument(old, now)) continue;
    for (const [side, argument] of [["from", old] as const, ["to", now] as const]) {
      if (argument?.kind !== "artifact") continue;
      const use = findUse(uses[side], name);
      const known = use && (await recent?.artifact(use));
      if (known === undefined) unknown.add(argument.digest);
      else described.set(nameArtifact(use as ArtifactUse), known);
    }
  }
  const found = unknown.size === 0 ? [] : await metadata.artifacts({ digests: [...unknown] });
  for (const artifact of found) {
    const text = describeArtifact(artifact);
    described
      .set(artifact.digest, text)
      .set(nameArtifact({ artifact: artifact.name, version: artifact.version }), text);
  }
  return (name, side, digest) => {
    const use = findUse(uses[side], name);
    return (use && described.get(nameArtifact(use))) ?? described.get(digest);
  };
}

function findUse(uses: readonly ArtifactUse[], name: string): ArtifactUse | undefined {
  return uses.find(({ slot }) => slot === name);
}
