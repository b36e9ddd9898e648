/** What may go: runs that somebody named or a rule picked, and the data that nothing refers to after that. */
import { ConflictError } from "../error.ts";
import type { Digest } from "../hash/digest.ts";
import type { Artifact } from "../record/artifact.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { RunId, StepRunId } from "../record/id.ts";
import type { KeyDigest } from "../record/key.ts";
import type { ArtifactUse, Run, StepRun } from "../record/run.ts";
import type { BlobStat, BlobStore } from "../store/blob-store.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { isElsewhere, withLiveStatus } from "./live-status.ts";
import { artifactKey } from "./run-details.ts";

export interface RemovalPorts {
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
}

export interface RetentionRules {
  /** Runs that started before this go. Milliseconds since 1970. */
  readonly startedBefore?: number;
  /** The newest of each pipeline stay, the others go. */
  readonly keep?: number;
  /** The oldest runs go until the store's data is no larger. In bytes. */
  readonly maxSize?: number;
  /** Runs that failed, were cancelled or interrupted go. */
  readonly failed?: boolean;
}

/** What would be removed. Nothing is, until it is applied. */
export interface Removal {
  readonly runs: readonly Run[];
  /** Runs that a rule picked but that stay, and why. */
  readonly held: readonly { readonly run: Run; readonly why: string }[];
  /** Runs that stay, but lose the logs and metrics of steps that they reused from one that goes. */
  readonly losing: readonly { readonly run: Run; readonly from: Run }[];
  readonly cacheEntries: readonly Pick<CacheEntry, "key" | "trace">[];
  readonly artifacts: readonly Pick<Artifact, "name" | "version">[];
  readonly blobs: readonly BlobStat[];
  /** Of the blobs. */
  readonly bytes: number;
}

/** Data that nothing refers to is left alone for this long: somebody may be about to refer to it. */
const graceMs = 3_600_000;

/** Everything that is known, read once. */
interface Inventory {
  readonly runs: readonly Run[];
  readonly stepRuns: ReadonlyMap<RunId, readonly StepRun[]>;
  readonly entries: readonly CacheEntry[];
  readonly artifacts: readonly Artifact[];
  readonly blobs: readonly BlobStat[];
  readonly now: number;
}

/** Picks runs by rules; tagged runs stay, and so do runs whose results are reused by runs that stay. */
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
  const users = listUsers(inventory);
  for (const run of picked) {
    const user = users.get(run)?.find((each) => !picked.has(each));
    if (user !== undefined) hold(run, `run ${user.id} reuses its results`);
  }
  const removal = planFor(inventory, picked, held, { orphans: true });
  const total = inventory.blobs.reduce((sum, blob) => sum + blob.size, 0);
  if (rules.maxSize === undefined || total - removal.bytes <= rules.maxSize) return removal;
  return shrinkTo(inventory, rules.maxSize, total, picked, held);
}

/** Picks as few of the oldest runs as it takes. More runs never free less, so their number is found by halving. */
function shrinkTo(
  inventory: Inventory,
  maxSize: number,
  total: number,
  picked: ReadonlySet<Run>,
  held: Removal["held"],
): Removal {
  const order = orderByAge(inventory, picked);
  const planWith = (count: number): Removal =>
    planFor(inventory, new Set([...picked, ...order.slice(0, count)]), held, { orphans: true });
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
  const gone = new Set(picked);
  const order: Run[] = [];
  let waiting = inventory.runs.toReversed().filter((run) => !picked.has(run) && !isProtected(run));
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
  const removal = planFor(inventory, picked, [], { orphans: false });
  const users = listUsers(inventory);
  const losing = [...picked].flatMap((from) =>
    [...new Set(users.get(from))].filter((run) => !picked.has(run)).map((run) => ({ run, from })),
  );
  return options.data === "remove"
    ? { ...removal, losing }
    : { runs: removal.runs, held: [], losing, cacheEntries: [], artifacts: [], blobs: [], bytes: 0 };
}

/** Removes what was planned; what somebody has referred to since then stays. Answers with the bytes that were freed. */
export async function applyRemoval(ports: RemovalPorts, removal: Removal): Promise<number> {
  const { metadata, blobs } = ports;
  const going = (await metadata.runs({ status: ["running"] })).map(withLiveStatus);
  const named = new Set(removal.runs.map((run) => run.id));
  // Whoever names a run of another machine knows more about it than can be told from here.
  const live = going.find((run) => run.status === "running" && !(named.has(run.id) && isElsewhere(run)));
  if (live !== undefined && (removal.blobs.length > 0 || named.has(live.id))) {
    const where = isElsewhere(live) ? ` on ${live.environment.host}` : "";
    throw new ConflictError(
      "RPS5001",
      `Run ${live.id} of "${live.pipeline}" is going on${where}, and may need what would be removed`,
      {
        hint: isElsewhere(live)
          ? `Wait until it has ended; if it was killed there, remove it: reprise rm ${live.id}`
          : "Wait until it has ended, or stop it",
      },
    );
  }
  await metadata.write([
    ...(removal.runs.length === 0 ? [] : [{ kind: "remove-runs" as const, runs: removal.runs.map((run) => run.id) }]),
    ...(removal.cacheEntries.length === 0
      ? []
      : [{ kind: "remove-cache-entries" as const, entries: removal.cacheEntries }]),
    ...(removal.artifacts.length === 0 ? [] : [{ kind: "remove-artifacts" as const, artifacts: removal.artifacts }]),
  ]);
  if (removal.blobs.length === 0) return 0;
  const referenced = new Set<Digest>();
  for await (const digest of metadata.referencedBlobs()) referenced.add(digest);
  const now = await blobs.stat(removal.blobs.map((blob) => blob.digest));
  // A writer of the same bytes touches the blob, which makes it younger than it was when the removal was planned.
  const free = removal.blobs.filter(
    (blob) => !referenced.has(blob.digest) && now.get(blob.digest)?.modifiedAt === blob.modifiedAt,
  );
  await blobs.remove(free.map((blob) => blob.digest));
  return free.reduce((sum, blob) => sum + blob.size, 0);
}

async function takeInventory({ metadata, blobs }: RemovalPorts, now: number): Promise<Inventory> {
  const runs = (await metadata.runs({})).map(withLiveStatus);
  const stepRuns = Map.groupBy(await metadata.stepRuns({}), (stepRun) => stepRun.run);
  return {
    runs,
    stepRuns,
    entries: await metadata.cacheEntriesOf({}),
    artifacts: await metadata.artifacts({}),
    blobs: await listBlobs(blobs),
    now,
  };
}

async function listBlobs(blobs: BlobStore): Promise<readonly BlobStat[]> {
  const found: BlobStat[] = [];
  for await (const blob of blobs.list()) found.push(blob);
  return found;
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

/** The other runs that reuse a run's results. */
function listUsers(inventory: Inventory): ReadonlyMap<Run, readonly Run[]> {
  const byId = new Map(inventory.runs.map((run) => [run.id, run]));
  const users = new Map<Run, Run[]>();
  for (const [id, stepRuns] of inventory.stepRuns) {
    const user = byId.get(id);
    for (const { origin } of stepRuns) {
      const owner = origin === undefined ? undefined : byId.get(runOf(origin));
      if (user === undefined || owner === undefined || owner === user) continue;
      users.set(owner, [...(users.get(owner) ?? []), user]);
    }
  }
  return users;
}

/** All that nothing refers to when these runs are gone. `orphans`: also what nothing referred to before. */
function planFor(
  inventory: Inventory,
  gone: ReadonlySet<Run>,
  held: Removal["held"],
  { orphans }: { readonly orphans: boolean },
): Removal {
  const { now } = inventory;
  const keptKeys = new Set<KeyDigest>();
  const goneKeys = new Set<KeyDigest>();
  const used = new Set<string>();
  const released = new Set<string>();
  for (const run of inventory.runs) {
    for (const stepRun of inventory.stepRuns.get(run.id) ?? []) {
      const isGone = gone.has(run);
      if (stepRun.key !== undefined) (isGone ? goneKeys : keptKeys).add(stepRun.key);
      for (const use of [...stepRun.inputs, ...stepRun.outputs]) (isGone ? released : used).add(useKey(use));
    }
  }
  const cacheEntries: Pick<CacheEntry, "key" | "trace">[] = [];
  for (const entry of inventory.entries) {
    const isUnused = !keptKeys.has(entry.key);
    const isOld = entry.createdAt < now - graceMs;
    const isExpired = entry.expiresAt !== undefined && entry.expiresAt < now;
    const goes = (isUnused && (goneKeys.has(entry.key) || (orphans && isOld))) || (orphans && isExpired);
    if (goes) cacheEntries.push({ key: entry.key, trace: entry.trace });
    for (const use of entry.outputs) (goes ? released : used).add(useKey(use));
  }
  const artifacts: Artifact[] = [];
  const keptBlobs = new Set<Digest>();
  const goneBlobs = new Set<Digest>();
  for (const artifact of inventory.artifacts) {
    const key = artifactKey(artifact);
    const isOld = artifact.createdAt < now - graceMs;
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
    artifacts: artifacts.map(({ name, version }) => ({ name, version })),
    blobs,
    bytes: blobs.reduce((sum, blob) => sum + blob.size, 0),
  };
}

function useKey({ artifact, version }: ArtifactUse): string {
  return `${artifact}@v${version}`;
}

function runOf(stepRun: StepRunId): RunId {
  return stepRun.slice(0, stepRun.indexOf("/")) as RunId;
}
