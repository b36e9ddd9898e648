/** Records as text: what most summaries do not have is left out. Of an earlier process, hundreds are read for one edit. */
import type { FileRecord, Summary, UnitRecord } from "./record.ts";

interface PackedSummary extends Partial<Omit<Summary, "given" | "chains">> {
  readonly given?: readonly (Omit<NonNullable<Summary["given"]>[number], "inner"> & Inner)[];
  readonly chains?: readonly (Omit<Summary["chains"][number], "inner"> & Inner)[];
}

interface Inner {
  readonly inner?: PackedSummary;
}

interface PackedUnit extends Omit<UnitRecord, "eval" | "body"> {
  readonly eval?: PackedSummary;
  readonly body?: PackedSummary;
}

export function packRecord(record: FileRecord): string {
  const units = record.units.map(({ eval: evaluation, body, ...unit }): PackedUnit => {
    const packed = packSummary(evaluation);
    return {
      ...unit,
      ...(Object.keys(packed).length === 0 ? {} : { eval: packed }),
      ...(body === undefined ? {} : { body: packSummary(body) }),
    };
  });
  return JSON.stringify({ ...record, units });
}

/** Throws for what is no packed record. What summaries have in common, such as being empty, they share: it must not be changed. */
export function unpackRecord(text: string): FileRecord {
  const record = JSON.parse(text) as Omit<FileRecord, "units"> & { readonly units: readonly PackedUnit[] };
  for (const unit of record.units) {
    const full = unit as unknown as { eval: Summary; body?: Summary };
    full.eval = unit.eval === undefined ? emptySummary : unpackSummary(unit.eval);
    if (unit.body !== undefined) full.body = unpackSummary(unit.body);
  }
  return record as FileRecord;
}

function packSummary({ impure, given, chains, ...rest }: Summary): PackedSummary {
  const filled = Object.entries(rest).filter(([, value]) => !Array.isArray(value) || value.length > 0);
  return {
    ...(impure ? { impure } : {}),
    ...(Object.fromEntries(filled) as Omit<PackedSummary, "given" | "chains">),
    ...(chains.length === 0 ? {} : { chains: chains.map(packInner) }),
    ...(given === undefined ? {} : { given: given.map(packInner) }),
  };
}

function packInner<T extends { readonly inner?: Summary }>({ inner, ...rest }: T): Omit<T, "inner"> & Inner {
  return { ...rest, ...(inner === undefined ? {} : { inner: packSummary(inner) }) };
}

const none: never[] = [];
Object.freeze(none);

function unpackSummary(packed: PackedSummary): Summary {
  const { impure = false, calls = none, reads = none, runs = none, writes = none, uses = none } = packed;
  const { world = none, requests = none, unknown, given } = packed;
  const chains = packed.chains === undefined ? none : unpackInner(packed.chains);
  // In the order in which the parser makes them: texts of records are compared.
  const summary: Summary = { impure, calls, chains, reads, runs, writes, uses, world, requests };
  if (unknown !== undefined) summary.unknown = unknown;
  if (given !== undefined) summary.given = unpackInner(given);
  return summary;
}

function unpackInner<T extends Inner>(packed: readonly T[]): (Omit<T, "inner"> & { inner?: Summary })[] {
  for (const each of packed) {
    if (each.inner !== undefined) (each as { inner: PackedSummary | Summary }).inner = unpackSummary(each.inner);
  }
  return packed as unknown as (Omit<T, "inner"> & { inner?: Summary })[];
}

const emptySummary: Summary = Object.freeze(unpackSummary({}));
