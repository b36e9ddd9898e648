/** What differs between two keys, part by part, from what to what: computed from what is stored, never guessed. */
import { hiddenSecret } from "../define/secret-mask.ts";
import { shortDigest, type Digest } from "../hash/digest.ts";
import type { KeyArgument, KeyRecord } from "../record/key.ts";
import type { Difference, MissCode } from "../record/reason.ts";
import type { CodeRecord, CodeUnitRecord } from "../store/metadata-store.ts";

/** A key with what is known behind its digests. */
export interface ExplainedKey {
  readonly key: KeyRecord;
  /** Undefined when it was not kept. */
  readonly code: CodeRecord | undefined;
}

export interface ExplainSources {
  /** Source texts of units, as far as they are kept. */
  readonly texts: ReadonlyMap<Digest, string>;
  /** What produced the artifact that an argument was or is, in words: `splitter.trainSet@v3 by r-1/splitter`. */
  readonly artifacts: DescribeArtifact;
}

export type DescribeArtifact = (name: string, side: "from" | "to", digest: Digest) => string | undefined;

/** The order in which differences are told: the first gives the reason its code. */
export const tellingOrder: readonly MissCode[] = [
  "version",
  "cache-key",
  "code",
  "import",
  "package",
  "param",
  "input",
  "runtime",
];

/** Everything that differs, most telling first. Empty exactly when the keys have the same digest. */
export function explainDifferences(
  from: ExplainedKey,
  to: ExplainedKey,
  sources: ExplainSources,
): readonly Difference[] {
  const differences: Difference[] = [
    ...explainCode(from, to, sources),
    ...explainArguments(from.key, to.key, sources),
    ...explainRest(from.key, to.key),
  ];
  return differences.toSorted((a, b) => tellingOrder.indexOf(a.code) - tellingOrder.indexOf(b.code));
}

/** How many parts differ: to find the closest of several earlier keys without reading their code. */
export function countDifferences(from: KeyRecord, to: KeyRecord): number {
  let count = from.code === to.code ? 0 : 1;
  for (const name of unionOfNames(from.arguments, to.arguments)) {
    if (!sameArgument(from.arguments[name], to.arguments[name])) count += 1;
  }
  return count + explainRest(from, to).length;
}

function explainCode(from: ExplainedKey, to: ExplainedKey, { texts }: ExplainSources): Difference[] {
  if (from.key.code === to.key.code) return [];
  if (from.code === undefined || to.code === undefined) {
    return [{ code: "code", part: to.key.step, from: shortDigest(from.key.code), to: shortDigest(to.key.code) }];
  }
  const own = new Set([...from.code.own, ...to.code.own]);
  const before = new Map(from.code.units.map((unit) => [unit.id, unit]));
  const after = new Map(to.code.units.map((unit) => [unit.id, unit]));
  const differences: Difference[] = [];
  for (const id of new Set([...after.keys(), ...before.keys()])) {
    const old = before.get(id);
    const now = after.get(id);
    if (old?.digest === now?.digest) continue;
    differences.push(explainUnit(id, own.has(id), old, now, texts));
  }
  if (differences.length === 0) {
    // Every unit is as it was: what changed is how they are bound to each other, or the order of effects.
    differences.push({
      code: "code",
      part: to.key.step,
      from: shortDigest(from.key.code),
      to: shortDigest(to.key.code),
      detail: "the same declarations, bound or evaluated in another order",
    });
  }
  return differences;
}

function explainUnit(
  id: string,
  isOwn: boolean,
  old: CodeUnitRecord | undefined,
  now: CodeUnitRecord | undefined,
  texts: ReadonlyMap<Digest, string>,
): Difference {
  const unit = (now ?? old) as CodeUnitRecord;
  const code: MissCode = unit.kind === "package" ? "package" : isOwn ? "code" : "import";
  const place = now?.lines === undefined ? undefined : `${fileOf(id)}:${changedLine(old, now, texts) ?? now.lines[0]}`;
  return {
    code,
    part: id,
    from: old && (old.version ?? shortDigest(old.digest)),
    to: now && (now.version ?? shortDigest(now.digest)),
    ...(place === undefined ? {} : { place }),
  };
}

/** The first line, counted in its file, in which a unit's text differs from what it was. */
function changedLine(
  old: CodeUnitRecord | undefined,
  now: CodeUnitRecord,
  texts: ReadonlyMap<Digest, string>,
): number | undefined {
  const before = old && texts.get(old.digest)?.split("\n");
  const after = texts.get(now.digest)?.split("\n");
  if (before === undefined || after === undefined || now.lines === undefined) return undefined;
  const index = after.findIndex((line, at) => line !== before[at]);
  return now.lines[0] + (index === -1 ? Math.max(after.length - 1, 0) : index);
}

function fileOf(unitId: string): string {
  const end = unitId.indexOf("#");
  return end === -1 ? unitId : unitId.slice(0, end);
}

function explainArguments(from: KeyRecord, to: KeyRecord, { artifacts }: ExplainSources): Difference[] {
  const differences: Difference[] = [];
  for (const name of unionOfNames(from.arguments, to.arguments)) {
    const old = from.arguments[name];
    const now = to.arguments[name];
    if (sameArgument(old, now)) continue;
    const isInput = holdsArtifact(now ?? old);
    const [shownOld, shownNow] = showBoth(old, now);
    const made = [
      old?.kind === "artifact" ? artifacts(name, "from", old.digest) : undefined,
      now?.kind === "artifact" ? artifacts(name, "to", now.digest) : undefined,
    ];
    differences.push({
      code: isInput ? "input" : "param",
      part: name,
      from: shownOld,
      to: shownNow,
      ...(made[0] === undefined && made[1] === undefined
        ? {}
        : { detail: `${made[0] ?? "no longer in the store"} → ${made[1] ?? "not in the store yet"}` }),
    });
  }
  return differences;
}

function explainRest(from: KeyRecord, to: KeyRecord): Difference[] {
  const differences: Difference[] = [];
  if (from.version !== to.version)
    differences.push({ code: "version", part: "version", from: from.version, to: to.version });
  if (!sameArgument(from.cacheKey, to.cacheKey)) {
    const [old, now] = showBoth(from.cacheKey, to.cacheKey);
    differences.push({ code: "cache-key", part: "cacheKey", from: old, to: now });
  }
  const [oldReads, reads] = [from.reads && showReads(from.reads), to.reads && showReads(to.reads)];
  if (oldReads !== reads) differences.push({ code: "cache-key", part: "reads", from: oldReads, to: reads });
  for (const name of unionOfNames(from.outputs, to.outputs)) {
    const [old, now] = [from.outputs[name], to.outputs[name]];
    if (old !== now) differences.push({ code: "code", part: `output ${name}`, from: old, to: now });
  }
  if (from.runtime !== to.runtime)
    differences.push({ code: "runtime", part: "runtime", from: from.runtime, to: to.runtime });
  if (from.scheme !== to.scheme) {
    differences.push({ code: "runtime", part: "key scheme", from: String(from.scheme), to: String(to.scheme) });
  }
  return differences;
}

/** Whether two arguments are the same as far as a key goes. */
export function sameArgument(a: KeyArgument | undefined, b: KeyArgument | undefined): boolean {
  if (a === undefined || b === undefined || a.kind !== b.kind) return a === b;
  if (a.kind === "list") {
    const others = (b as typeof a).items;
    return a.items.length === others.length && a.items.every((item, at) => sameArgument(item, others[at]));
  }
  return a.digest === (b as typeof a).digest;
}

/** Whether an argument is an artifact, or a list that holds one. */
export function holdsArtifact(argument: KeyArgument | undefined): boolean {
  return argument?.kind === "artifact" || (argument?.kind === "list" && argument.items.some(holdsArtifact));
}

/** An argument in short, for people. */
function showArgument(argument: KeyArgument): string {
  switch (argument.kind) {
    case "value":
      return argument.shown;
    case "artifact":
      return shortDigest(argument.digest);
    case "list":
      return `[${argument.items.map(showArgument).join(", ")}]`;
  }
}

/**
 * What an argument was and is, in short. Where one is secret, so is the other: it was stored before somebody said so.
 */
export function showBoth(
  from: KeyArgument | undefined,
  to: KeyArgument | undefined,
): readonly [from: string | undefined, to: string | undefined] {
  const isSecret = [from, to].some((argument) => argument !== undefined && holdsSecret(argument));
  const show = (argument: KeyArgument): string =>
    isSecret && !holdsSecret(argument) && argument.kind !== "artifact" ? hiddenSecret : showArgument(argument);
  return [from && show(from), to && show(to)];
}

function holdsSecret(argument: KeyArgument): boolean {
  // A text of the same three characters is shown in quotes.
  if (argument.kind === "value") return argument.shown.startsWith(hiddenSecret);
  return argument.kind === "list" && argument.items.some(holdsSecret);
}

/** What is declared to be read, for people. */
export function showReads(reads: readonly string[]): string {
  return reads.length === 0 ? "nothing else" : reads.join(", ");
}

function unionOfNames(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): readonly string[] {
  return [...new Set([...Object.keys(b), ...Object.keys(a)])].toSorted();
}
