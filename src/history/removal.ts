/** What may go: runs that somebody named or a rule picked, and the data that nothing refers to after that. */
import type { Digest } from "../hash/digest.ts";
import type { Artifact } from "../record/artifact.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { RunId, StepRunId } from "../record/id.ts";
import type { KeyDigest } from "../record/key.ts";
import type { Lease } from "../record/lease.ts";
import type { ArtifactUse, Run } from "../record/run.ts";
import type { BlobStat } from "../store/blob-store.ts";
import { listUsers, runOf, takeInventory, type Inventory, type RemovalPorts } from "./inventory.ts";
import { artifactKey } from "./run-details.ts";

export interface RetentionRules {
  /** Runs that started before this go. Milliseconds since 1970. */
  readonly startedBefore?: number;
  /** The newest of each pipeline stay, the others go. */
  readonly keep?: number;
  /** The oldest runs go until the store's data is no larger. In bytes. */
  readonly maxSize?: number;
  /** Runs that failed, were cancelled or interrupted go. */
  readonly failed?: boolean;
  /** Of each step, the results that were used last stay, the others are not reused any more. */
  readonly keepResults?: number;
}

/** What would be removed. Nothing is, until it is applied. */
export interface Removal {
  readonly runs: readonly Run[];
  /** Runs that a rule picked but that stay, and why. */
  readonly held: readonly { readonly run: Run; readonly why: string }[];
  /** Runs that stay, but lose the logs and metrics of steps that they reused from one that goes. */
  readonly losing: readonly { readonly run: Run; readonly from: Run }[];
  readonly cacheEntries: readonly CacheEntry[];
  /** Stored results that were named or picked by a rule, but stay because they are pinned. */
  readonly pinned: readonly CacheEntry[];
  readonly artifacts: readonly Pick<Artifact, "name" | "version">[];
  readonly blobs: readonly BlobStat[];
  /** Of the blobs: what their files hold. */
  readonly bytes: number;
  /** What steps read, where nothing names it any more. */
  readonly traces: readonly Digest[];
  /** Parts of keys that no result and no step run names any more. */
  readonly keys: readonly KeyDigest[];
  /** Leases that nobody holds any more: their processes are gone, or their runs are over. */
  readonly leases: readonly Lease[];
  /** Files that no remaining result has read as they were remembered. */
  readonly files: readonly string[];
  /** The runs that were there when this was planned. It is applied only if no other has come. */
  readonly known: readonly RunId[];
}

/** Data that nothing refers to is left alone for this long: somebody may be about to refer to it. */
const graceMs = 3_600_000;

/**
 * Picks runs and stored results by rules. Pinned results stay, and so do tagged runs, runs that go on, runs that made a
 * pinned result, and runs whose results are reused by runs that stay.
 */
export async function planCollection(ports: RemovalPorts, rules: RetentionRules, now: number): Promise<Removal> {
  const inventory = await takeInventory(ports, now);
  const picked = new Set(pickByRules(inventory.runs, rules));
  const held: { run: Run; why: string }[] = [];
  const hold = (run: Run, why: string): void => {
    picked.delete(run);
    held.push({ run, why });
  };
  for (const run of picked) {
    const tags = Object.keys(run.tags);
    if (tags.length > 0) hold(run, `it is tagged ${tags.join(", ")}`);
    else if (run.status === "running") hold(run, "it is running");
  }
  const makers = makersOfPinned(inventory);
  const users = listUsers(inventory);
  for (const run of picked) {
    const user = users.get(run)?.find((each) => !picked.has(each));
    if (makers.has(run.id)) hold(run, "it made a pinned result");
    else if (user !== undefined) hold(run, `run ${user.id} reuses its results`);
  }
  const dropped = new Set(pickEntries(inventory, rules));
  const removal = planFor(inventory, { gone: picked, dropped }, held, { orphans: true });
  const total = inventory.blobs.reduce((sum, blob) => sum + blob.size, 0);
  if (rules.maxSize === undefined || total - removal.bytes <= rules.maxSize) return removal;
  return shrinkTo(inventory, rules.maxSize, total, { gone: picked, dropped }, held);
}

/** Picks as few of the oldest runs as it takes. More runs never free less, so their number is found by halving. */
function shrinkTo(
  inventory: Inventory,
  maxSize: number,
  total: number,
  picked: Picked,
  held: Removal["held"],
): Removal {
  const order = orderByAge(inventory, picked.gone);
  const planWith = (count: number): Removal => {
    const gone = new Set([...picked.gone, ...order.slice(0, count)]);
    return planFor(inventory, { ...picked, gone }, held, { orphans: true });
  };
  let low = 1;
  let high = order.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (total - planWith(middle).bytes <= maxSize) high = middle;
    else low = middle + 1;
  }
  return planWith(high);
}

/** The runs that may go, oldest first, none before those that reuse its results. */
function orderByAge(inventory: Inventory, picked: ReadonlySet<Run>): readonly Run[] {
  const users = listUsers(inventory);
  const makers = makersOfPinned(inventory);
  const gone = new Set(picked);
  const order: Run[] = [];
  let waiting = inventory.runs
    .toReversed()
    .filter((run) => !picked.has(run) && !isProtected(run) && !makers.has(run.id));
  for (;;) {
    const before = order.length;
    waiting = waiting.filter((run) => {
      if (users.get(run)?.some((user) => !gone.has(user))) return true;
      gone.add(run);
      order.push(run);
      return false;
    });
    if (order.length === before) return order;
  }
}

function isProtected(run: Run): boolean {
  return run.status === "running" || Object.keys(run.tags).length > 0;
}

function makersOfPinned({ entries }: Inventory): ReadonlySet<RunId> {
  return new Set(entries.flatMap(({ pinnedAt, origin }) => (pinnedAt === undefined ? [] : runOf(origin))));
}

/** Of each step, all but those that were used last. */
function pickEntries({ entries, usedAt }: Inventory, { keepResults }: RetentionRules): readonly CacheEntry[] {
  if (keepResults === undefined) return [];
  const lastUsedFirst = entries.toSorted((a, b) => (usedAt.get(b) ?? 0) - (usedAt.get(a) ?? 0));
  const bySteps = Map.groupBy(lastUsedFirst, ({ step }) => step);
  return [...bySteps.values()].flatMap((own) => own.slice(keepResults));
}

/** Plans to remove these runs, whatever refers to them; `data: "keep"` leaves everything but the records of the runs. */
export async function planRunRemoval(
  ports: RemovalPorts,
  runs: readonly Run[],
  options: { readonly data: "keep" | "remove" },
  now: number,
): Promise<Removal> {
  const inventory = await takeInventory(ports, now);
  const ids = new Set(runs.map((run) => run.id));
  const picked = new Set(inventory.runs.filter((run) => ids.has(run.id)));
  const removal = planFor(inventory, { gone: picked, dropped: new Set() }, [], { orphans: false });
  const users = listUsers(inventory);
  const losing = [...picked].flatMap((from) =>
    [...new Set(users.get(from))].filter((run) => !picked.has(run)).map((run) => ({ run, from })),
  );
  return options.data === "remove"
    ? { ...removal, losing }
    : { ...nothing, runs: removal.runs, losing, known: removal.known };
}

const nothing: Removal = {
  runs: [],
  held: [],
  losing: [],
  cacheEntries: [],
  pinned: [],
  artifacts: [],
  blobs: [],
  bytes: 0,
  traces: [],
  keys: [],
  leases: [],
  files: [],
  known: [],
};

/** Plans to remove stored results, and the data that nothing refers to after that. What runs name stays, and what is pinned. */
export async function planEntryRemoval(
  ports: RemovalPorts,
  entries: readonly CacheEntry[],
  now: number,
): Promise<Removal> {
  const inventory = await takeInventory(ports, now);
  const named = new Set(entries.map(entryName));
  const dropped = new Set(inventory.entries.filter((entry) => named.has(entryName(entry))));
  return planFor(inventory, { gone: new Set(), dropped }, [], { orphans: false });
}

function pickByRules(runs: readonly Run[], rules: RetentionRules): readonly Run[] {
  const seen = new Map<string, number>();
  return runs.filter((run) => {
    const newer = seen.get(run.pipeline) ?? 0;
    seen.set(run.pipeline, newer + 1);
    const isBad = run.status === "failed" || run.status === "cancelled" || run.status === "interrupted";
    const isOld = rules.startedBefore !== undefined && run.startedAt < rules.startedBefore;
    const isSurplus = rules.keep !== undefined && newer >= rules.keep;
    // "Older than 30 days, but keep 20": what both rules name goes.
    const byAge =
      rules.startedBefore !== undefined && rules.keep !== undefined ? isOld && isSurplus : isOld || isSurplus;
    return byAge || (rules.failed === true && isBad);
  });
}

interface Picked {
  readonly gone: ReadonlySet<Run>;
  readonly dropped: ReadonlySet<CacheEntry>;
}

/** All that nothing refers to when these are gone. `orphans`: also what nothing referred to before. */
function planFor(
  inventory: Inventory,
  { gone, dropped }: Picked,
  held: Removal["held"],
  { orphans }: { readonly orphans: boolean },
): Removal {
  const { now } = inventory;
  /** Step runs that executed, for runs that stay and for runs that go. */
  const keptOrigins = new Set<StepRunId>();
  const goneOrigins = new Set<StepRunId>();
  const keptTraces = new Set<Digest>();
  const keptKeys = new Set<KeyDigest>();
  const used = new Set<string>();
  const released = new Set<string>();
  for (const run of inventory.runs) {
    const isGone = gone.has(run);
    for (const stepRun of inventory.stepRuns.get(run.id) ?? []) {
      (isGone ? goneOrigins : keptOrigins).add(stepRun.origin ?? stepRun.id);
      if (!isGone && stepRun.trace !== undefined) keptTraces.add(stepRun.trace);
      if (!isGone && stepRun.key !== undefined) keptKeys.add(stepRun.key);
      for (const use of [...stepRun.inputs, ...stepRun.outputs]) (isGone ? released : used).add(useKey(use));
    }
  }
  const cacheEntries: CacheEntry[] = [];
  const pinned: CacheEntry[] = [];
  for (const entry of inventory.entries) {
    const isUnused = !keptOrigins.has(entry.origin);
    const isOld = entry.createdAt < now - graceMs;
    const isExpired = entry.expiresAt !== undefined && entry.expiresAt < now;
    const isPicked =
      dropped.has(entry) ||
      (isUnused && (goneOrigins.has(entry.origin) || (orphans && isOld))) ||
      (orphans && isExpired);
    const goes = isPicked && entry.pinnedAt === undefined;
    if (goes) cacheEntries.push(entry);
    else if (isPicked) pinned.push(entry);
    if (!goes && entry.trace !== undefined) keptTraces.add(entry.trace);
    if (!goes) keptKeys.add(entry.key);
    for (const use of entry.outputs) (goes ? released : used).add(useKey(use));
  }
  // Who has just written or wanted the bytes of an artifact is about to refer to it: an import brings old ones.
  const young = new Set(
    inventory.blobs.flatMap(({ digest, modifiedAt }) => (modifiedAt < now - graceMs ? [] : digest)),
  );
  const artifacts: Artifact[] = [];
  const keptBlobs = new Set<Digest>();
  const goneBlobs = new Set<Digest>();
  for (const artifact of inventory.artifacts) {
    const key = artifactKey(artifact);
    const isOld = artifact.createdAt < now - graceMs && !young.has(artifact.root.digest);
    const goes = !used.has(key) && (released.has(key) || (orphans && isOld));
    if (goes) artifacts.push(artifact);
    for (const { digest } of [artifact.root, ...artifact.parts]) (goes ? goneBlobs : keptBlobs).add(digest);
  }
  const blobs = inventory.blobs.filter(
    ({ digest, modifiedAt }) =>
      !keptBlobs.has(digest) && (goneBlobs.has(digest) || (orphans && modifiedAt < now - graceMs)),
  );
  return {
    runs: inventory.runs.filter((run) => gone.has(run)),
    held,
    losing: [],
    cacheEntries,
    pinned,
    artifacts: artifacts.map(({ name, version }) => ({ name, version })),
    blobs,
    bytes: blobs.reduce((sum, blob) => sum + blob.size, 0),
    ...planObservations(inventory, keptTraces),
    keys: inventory.keys.filter((key) => !keptKeys.has(key)),
    leases: orphans ? inventory.leftLeases : [],
    known: inventory.runs.map(({ id }) => id),
  };
}

/** Traces that nothing names, and what was remembered of files that none of the others has read so. */
function planObservations({ traces, files }: Inventory, kept: ReadonlySet<Digest>): Pick<Removal, "traces" | "files"> {
  const read = new Set([...kept].flatMap((digest) => traces.get(digest) ?? []));
  return {
    traces: [...traces.keys()].filter((digest) => !kept.has(digest)),
    files: files.filter(({ digest }) => !read.has(digest)).map(({ path }) => path),
  };
}

function useKey({ artifact, version }: ArtifactUse): string {
  return `${artifact}@v${version}`;
}

function entryName({ key, trace }: CacheEntry): string {
  return `${key} ${trace ?? ""}`;
}
