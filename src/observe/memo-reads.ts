/** State of modules that steps share, such as a memo: who takes from it depends on what was read to fill it. */
import { Reads } from "./reads.ts";

/** By the project and the state's name: what steps that have ended read while they could fill it. */
const filled = new Map<string, Reads>();
const open = new Map<string, Set<Reads>>();

/** Counts reads that go on as ones that may fill the state. */
export function openMemos(ids: readonly string[], reads: Reads): void {
  for (const id of ids) {
    const sharing = open.get(id);
    if (sharing === undefined) open.set(id, new Set([reads]));
    else sharing.add(reads);
  }
}

/** Adds to the reads of a step those that others made who share state with it, and leaves its own to those who come. */
export function closeMemos(ids: readonly string[], reads: Reads, name: (path: string) => string): void {
  const own = new Reads();
  own.addAll(reads, name);
  for (const id of ids) {
    const sharing = open.get(id);
    sharing?.delete(reads);
    for (const other of sharing ?? []) reads.addAll(other, name);
    if (sharing?.size === 0) open.delete(id);
    const known = filled.get(id);
    if (known !== undefined) reads.addAll(known, name);
  }
  if (own.size === 0) return;
  for (const id of ids) {
    const known = filled.get(id) ?? new Reads();
    // What is read now of a thing takes the place of what was read of it long ago only where nothing was: the state may hold either.
    known.addAll(own, name);
    filled.set(id, known);
  }
}
