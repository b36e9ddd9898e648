/** What differs between two versions of a pipeline: its graph, and the code of its steps. */
import type { Digest } from "../hash/digest.ts";
import type { ArgumentRecord, NodeRecord, PipelineVersion, PlanRecord } from "../record/run.ts";
import type { CodeUnitRecord, MetadataStore } from "../store/metadata-store.ts";
import { diffLines, type LineChange } from "./diff-text.ts";

export interface GraphEdge {
  readonly from: string;
  /** The output that is handed over; undefined where only the order counts. */
  readonly output: string | undefined;
  readonly to: string;
  readonly argument: string | undefined;
}

/** A unit of code that differs. The lines are there when the source texts were kept. */
export interface UnitDiff {
  readonly id: string;
  readonly kind: CodeUnitRecord["kind"];
  readonly change: "added" | "removed" | "changed";
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Where it is now, else where it was: `src/score.ts:12`. */
  readonly place: string | undefined;
  readonly lines: readonly LineChange[] | undefined;
}

export interface StepDiff {
  readonly node: string;
  readonly change: "added" | "removed" | "changed";
  /** Of a changed node: the step that stands there, where another one took its place. */
  readonly step: readonly [from: string | undefined, to: string | undefined];
  readonly units: readonly UnitDiff[];
}

export interface VersionDiff {
  readonly from: PipelineVersion;
  readonly to: PipelineVersion;
  readonly steps: readonly StepDiff[];
  readonly edges: { readonly added: readonly GraphEdge[]; readonly removed: readonly GraphEdge[] };
  /** Nodes that are the same in both. */
  readonly same: readonly string[];
}

/** Compares two versions. Both belong to one pipeline, or to two that shall be compared. */
export async function diffVersions(
  metadata: MetadataStore,
  from: PipelineVersion,
  to: PipelineVersion,
): Promise<VersionDiff> {
  const before = new Map(from.plan.nodes.map((node) => [node.id, node]));
  const after = new Map(to.plan.nodes.map((node) => [node.id, node]));
  const codes = await metadata.code([...new Set([...Object.values(from.code), ...Object.values(to.code)])]);
  const steps: StepDiff[] = [];
  const same: string[] = [];
  for (const id of new Set([...after.keys(), ...before.keys()])) {
    const old = before.get(id);
    const now = after.get(id);
    if (old === undefined || now === undefined) {
      steps.push({
        node: id,
        change: old === undefined ? "added" : "removed",
        step: [old?.step, now?.step],
        units: [],
      });
      continue;
    }
    const oldCode = from.code[id];
    const newCode = to.code[id];
    if (oldCode === newCode && old.step === now.step && sameShape(old, now)) {
      same.push(id);
      continue;
    }
    const oldUnits = (oldCode && codes.get(oldCode)?.units) ?? [];
    const newUnits = (newCode && codes.get(newCode)?.units) ?? [];
    const units = oldCode === newCode ? [] : await diffUnits(metadata, oldUnits, newUnits);
    steps.push({ node: id, change: "changed", step: [old.step, now.step], units });
  }
  const oldEdges = new Map(listEdges(from.plan).map((edge) => [JSON.stringify(edge), edge]));
  const newEdges = new Map(listEdges(to.plan).map((edge) => [JSON.stringify(edge), edge]));
  return {
    from,
    to,
    steps,
    edges: {
      added: [...newEdges].filter(([key]) => !oldEdges.has(key)).map(([, edge]) => edge),
      removed: [...oldEdges].filter(([key]) => !newEdges.has(key)).map(([, edge]) => edge),
    },
    same,
  };
}

/** Every edge of a plan, data and order alike, in plan order. */
export function listEdges(plan: PlanRecord): readonly GraphEdge[] {
  return plan.nodes.flatMap((node) => [
    ...Object.entries(node.arguments).flatMap(([argument, record]) =>
      refsIn(record).map((ref) => ({ from: ref.node, output: ref.output, to: node.id, argument })),
    ),
    ...node.after.map((from) => ({ from, output: undefined, to: node.id, argument: undefined })),
  ]);
}

function refsIn(argument: ArgumentRecord): readonly Extract<ArgumentRecord, { kind: "ref" }>[] {
  if (argument.kind === "ref") return [argument];
  return argument.kind === "list" ? argument.items.flatMap(refsIn) : [];
}

function sameShape(a: NodeRecord, b: NodeRecord): boolean {
  return JSON.stringify([a.arguments, a.after]) === JSON.stringify([b.arguments, b.after]);
}

async function diffUnits(
  metadata: MetadataStore,
  from: readonly CodeUnitRecord[],
  to: readonly CodeUnitRecord[],
): Promise<readonly UnitDiff[]> {
  const before = new Map(from.map((unit) => [unit.id, unit]));
  const after = new Map(to.map((unit) => [unit.id, unit]));
  const changed = [...new Set([...after.keys(), ...before.keys()])].filter(
    (id) => before.get(id)?.digest !== after.get(id)?.digest,
  );
  const digests = changed.flatMap((id) => [before.get(id)?.digest, after.get(id)?.digest]);
  const texts = await metadata.sources([...new Set(digests.filter((digest) => digest !== undefined))]);
  return changed.map((id) => toUnitDiff(id, before.get(id), after.get(id), texts));
}

function toUnitDiff(
  id: string,
  old: CodeUnitRecord | undefined,
  now: CodeUnitRecord | undefined,
  texts: ReadonlyMap<Digest, string>,
): UnitDiff {
  const unit = (now ?? old) as CodeUnitRecord;
  const oldText = old && texts.get(old.digest);
  const newText = now && texts.get(now.digest);
  const known = (old === undefined || oldText !== undefined) && (now === undefined || newText !== undefined);
  const file = id.includes("#") ? id.slice(0, id.indexOf("#")) : id;
  return {
    id,
    kind: unit.kind,
    change: old === undefined ? "added" : now === undefined ? "removed" : "changed",
    from: old && (old.version ?? old.digest),
    to: now && (now.version ?? now.digest),
    place: unit.lines === undefined ? undefined : `${file}:${unit.lines[0]}`,
    lines: known ? diffTexts(oldText, newText) : undefined,
  };
}

function diffTexts(from: string | undefined, to: string | undefined): readonly LineChange[] {
  if (from === undefined) return (to ?? "").split("\n").map((text) => ({ kind: "added", text }));
  if (to === undefined) return from.split("\n").map((text) => ({ kind: "removed", text }));
  return diffLines(from, to);
}
