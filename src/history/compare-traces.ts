/** What two step runs found of the world, side by side. */
import type { Difference } from "../record/reason.ts";
import { toReadDifference } from "../record/read-difference.ts";
import type { ObservedRead, Trace } from "../record/trace.ts";

/** Differences of what was read; empty when one of them is not known. */
export function compareTraces(from: Trace | undefined, to: Trace | undefined): readonly Difference[] {
  if (from === undefined || to === undefined || from === to) return [];
  const nameOf = ({ kind, name }: ObservedRead): string => `${kind} ${name}`;
  const before = new Map(from.reads.map((read) => [nameOf(read), read]));
  const after = new Map(to.reads.map((read) => [nameOf(read), read]));
  const differences: Difference[] = [];
  for (const id of new Set([...after.keys(), ...before.keys()])) {
    const old = before.get(id);
    const now = after.get(id);
    const read = (now ?? old) as ObservedRead;
    // Variables are digested with the trace's own salt: digests of two salts say nothing about each other.
    const isComparable = read.kind !== "env" || from.salt === to.salt;
    if (old !== undefined && now !== undefined && (!isComparable || old.found === now.found)) continue;
    differences.push(toReadDifference(read, old?.found, now?.found));
  }
  return differences;
}
