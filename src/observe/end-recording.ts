/** The end of a recording: whether all that was read is still as it was when it was read, and the trace of it. */
import { sameStamp, isRacy } from "../code/stamp.ts";
import { digestTrace } from "../record/digest-trace.ts";
import type { ObservedRead, Obstacle, Trace } from "../record/trace.ts";
import { nameRead } from "../record/read-difference.ts";
import { isWithin } from "./listing.ts";
import type { Observed } from "./observer.ts";
import type { FileRead, Reads } from "./reads.ts";
import type { Recording } from "./recording.ts";
import { showStat, stampQuietly } from "./stat-text.ts";
import type { World } from "./world.ts";

export interface EndParts {
  readonly recording: Recording;
  readonly world: World;
  readonly salt: () => string;
  /** Whether somebody vouches for what nobody saw. */
  readonly isVouched: boolean;
}

/** Looks once more at everything that was read. */
export async function endRecording({ recording, world, salt, isVouched }: EndParts): Promise<Observed> {
  const { reads } = recording;
  await world.prepare(reads.files.keys());
  const traced: ObservedRead[] = [];
  for (const file of reads.files.values()) {
    const found = await settleFile(file, world);
    const name = recording.nameOf(file.path);
    if (found === undefined && recording.changes.has(file.path)) recording.wrote(file.path);
    if (found === undefined) reads.changed.add(name);
    else traced.push({ kind: "file", name, found });
  }
  for (const { kind, path, detail, level } of reads.telling()) {
    await trace({ kind, name: recording.nameOf(path), found: showStat(detail, level) });
  }
  for (const { read } of reads.others.values()) await trace(read);
  const obstacle = findOwnOutput(recording) ?? findChange(reads) ?? (isVouched ? undefined : findBlindness(recording));
  return { trace: toTrace(traced, salt), obstacle, notices: recording.notices };

  async function trace(read: ObservedRead): Promise<void> {
    traced.push(read);
    // It was so before the step changed it.
    if (read.kind === "env" && recording.hasSet(read.name)) return;
    if (read.kind !== "http" && (await world.look(read, salt)) !== read.found) reads.changed.add(nameRead(read));
  }
}

/** What a file held when it was read; undefined when it does not hold it any more, or may not have held it all the time. */
async function settleFile({ path, found, stamp, readAtMs }: FileRead, world: World): Promise<string | undefined> {
  const now = stampQuietly(path);
  const isSame = sameStamp(now, stamp);
  if (found === undefined) {
    const digest = isSame ? await world.file(path) : undefined;
    return digest !== undefined && sameStamp(stampQuietly(path), stamp) ? digest : undefined;
  }
  if (isSame && (stamp === undefined || !isRacy(stamp, readAtMs))) {
    if (stamp !== undefined) world.remember(path, stamp, readAtMs, found);
    return found;
  }
  return (await world.file(path)) === found ? found : undefined;
}

function findOwnOutput(recording: Recording): Obstacle | undefined {
  const { reads, written } = recording;
  if (recording.touchedStore) return { code: "own-output", text: "it reads or writes the store itself" };
  if (written.size === 0) return undefined;
  const paths = [...reads.files.keys(), ...[...reads.looks.values()].map(({ path }) => path)];
  const own = paths.find((path) => recording.isWritten(path));
  if (own !== undefined) {
    return { code: "own-output", text: `it reads or looks for ${recording.nameOf(own)}, which it writes itself` };
  }
  for (const { read, path } of reads.others.values()) {
    if (path === undefined) continue;
    const inside = [...written.keys()].find((each) =>
      read.kind === "tree" ? isWithin(each, path) : each === path || isDirectlyIn(each, path),
    );
    if (inside !== undefined || recording.isWritten(path)) {
      const what = recording.nameOf(inside ?? path);
      return { code: "own-output", text: `it lists ${read.name}, where it writes ${what} itself` };
    }
  }
  return undefined;
}

function isDirectlyIn(path: string, folder: string): boolean {
  return isWithin(path, folder) && !/[\\/]/u.test(path.slice(folder.length + 1));
}

function findChange({ changed }: Reads): Obstacle | undefined {
  const [first, ...others] = changed;
  if (first === undefined) return undefined;
  const more = others.length === 0 ? "" : `, and ${others.length} more,`;
  return { code: "unstable-input", text: `${first}${more} changed while it ran` };
}

function findBlindness({ blind }: Recording): Obstacle | undefined {
  const [first] = blind;
  return first === undefined
    ? undefined
    : { code: "unobserved", text: `it ${first}; say what is read there with the option reads` };
}

function toTrace(reads: readonly ObservedRead[], salt: () => string): Observed["trace"] {
  if (reads.length === 0) return undefined;
  const ordered = reads.toSorted((one, other) => compare(one.kind, other.kind) || compare(one.name, other.name));
  const content: Trace = { salt: ordered.some(({ kind }) => kind === "env") ? salt() : "", reads: ordered };
  return { digest: digestTrace(content), content };
}

function compare(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
