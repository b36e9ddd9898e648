/** The record in memory: the metadata port at its plainest, for tests and for runs that leave nothing behind. */
import type { Digest } from "../hash/digest.ts";
import type { Artifact } from "../record/artifact.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { RunId, StepRunId } from "../record/id.ts";
import type { KeyDigest, KeyRecord } from "../record/key.ts";
import type { Lease, LeaseToken } from "../record/lease.ts";
import type { Repeatable } from "../record/repeatable.ts";
import type { Trace } from "../record/trace.ts";
import type { LogLine, MetricPoint, PipelineVersion, PlanRecord, Run, StepRun } from "../record/run.ts";
import type {
  ArtifactQuery,
  ArtifactUseRow,
  AskedLease,
  Change,
  CodeRecord,
  FileDigest,
  LeaseAnswer,
  MetadataStore,
  NewArtifact,
  PipelineSummary,
  RepeatableAnswer,
  Reuse,
  RunQuery,
  StepRunQuery,
  Written,
} from "./metadata-store.ts";
import { notRepeatable, runsNeededBy, toRunId, unexpectedRun, unknownRun } from "./needed-runs.ts";
import { MemoryArtifacts } from "./memory-artifacts.ts";
import { newestEntryFirst } from "./entry-order.ts";
import { ascending, inPlanOrder } from "./plan-order.ts";
import { fitsArtifact, fitsRun, newestRunFirst } from "./fits-query.ts";
import { repeatStepRun } from "./repeat-step-run.ts";
import { toUseRows } from "./use-rows.ts";

export function openMemoryMetadataStore(): MetadataStore {
  return new MemoryMetadataStore();
}

class MemoryMetadataStore implements MetadataStore {
  readonly #runs = new Map<RunId, Run>();
  readonly #stepRuns = new Map<StepRunId, StepRun>();
  /** Runs that repeat another one, which they name. */
  readonly #repeats = new Map<RunId, RunId>();
  readonly #repeatables = new Map<Digest, { readonly repeatable: Repeatable; readonly entries: number }>();
  /** Grows when an entry that could be taken changes. */
  #entryCount = 0;
  /** By key and trace. */
  readonly #entries = new Map<string, CacheEntry>();
  readonly #traces = new Map<Digest, Trace>();
  readonly #fileDigests = new Map<string, FileDigest>();
  readonly #keys = new Map<KeyDigest, KeyRecord>();
  readonly #leases = new Map<KeyDigest, Lease>();
  readonly #code = new Map<Digest, CodeRecord>();
  readonly #sources = new Map<Digest, string>();
  readonly #versions = new Map<string, PipelineVersion[]>();
  readonly #artifacts = new MemoryArtifacts();
  #logs: LogLine[] = [];
  #points: MetricPoint[] = [];

  async write(changes: readonly Change[]): Promise<Written> {
    return this.#write(changes);
  }

  async acquireLease({ insteadOf, seen, changes = [], ...asked }: AskedLease): Promise<LeaseAnswer> {
    const held = this.#leases.get(asked.key);
    if (held !== undefined && (held.token !== insteadOf?.token || held.beat !== insteadOf.beat))
      return { kind: "held", lease: held };
    const entries = [...this.#entries.values()].filter((entry) => entry.key === asked.key);
    if (seen !== undefined && entries.some(({ origin }) => !seen.includes(origin))) return { kind: "unseen" };
    this.#write(changes);
    this.#leases.set(asked.key, { ...structuredClone(asked), beat: 0 });
    return { kind: "granted" };
  }

  async leases(keys?: readonly KeyDigest[]): Promise<ReadonlyMap<KeyDigest, Lease>> {
    return keys === undefined ? structuredClone(this.#leases) : pick(this.#leases, keys);
  }

  async versionOf(asked: Omit<PipelineVersion, "version">): Promise<PipelineVersion> {
    const versions = getOrInsert(this.#versions, asked.pipeline, () => []);
    const known = versions.find((each) => each.digest === asked.digest);
    if (known !== undefined) return known;
    const version: PipelineVersion = { ...structuredClone(asked), version: versions.length + 1 };
    versions.push(version);
    return version;
  }

  async recordArtifacts(artifacts: readonly NewArtifact[]): Promise<readonly Artifact[]> {
    return (await this.write(artifacts.map((artifact) => ({ kind: "artifact", artifact })))).artifacts;
  }

  async cacheEntries(keys: readonly KeyDigest[]): Promise<ReadonlyMap<KeyDigest, readonly CacheEntry[]>> {
    const asked = new Set(keys);
    const found = [...this.#entries.values()].filter((entry) => asked.has(entry.key)).sort(newestEntryFirst);
    return Map.groupBy(found, (entry) => entry.key);
  }

  async cacheEntriesOf(query: Parameters<MetadataStore["cacheEntriesOf"]>[0]): Promise<readonly CacheEntry[]> {
    return [...this.#entries.values()]
      .filter((entry) => query.step === undefined || entry.step === query.step)
      .filter((entry) => query.origins === undefined || query.origins.includes(entry.origin))
      .sort(newestEntryFirst)
      .slice(0, query.limit);
  }

  async repeatable(digest: Digest): Promise<RepeatableAnswer> {
    const kept = this.#repeatables.get(digest);
    const run = kept && this.#runs.get(kept.repeatable.run);
    const isCurrent = kept !== undefined && run !== undefined && kept.entries === this.#entryCount;
    return { entries: this.#entryCount, found: isCurrent ? { repeatable: kept.repeatable, run } : undefined };
  }

  async traces(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, Trace>> {
    return pick(this.#traces, digests);
  }

  async *allKeys(): AsyncGenerator<KeyDigest, void, undefined> {
    yield* this.#keys.keys();
  }

  async *allTraces(): AsyncGenerator<readonly [Digest, Trace], void, undefined> {
    yield* this.#traces;
  }

  async fileDigests(paths?: readonly string[]): Promise<ReadonlyMap<string, FileDigest>> {
    return paths === undefined ? new Map(this.#fileDigests) : pick(this.#fileDigests, paths);
  }

  async keys(digests: readonly KeyDigest[]): Promise<ReadonlyMap<KeyDigest, KeyRecord>> {
    return pick(this.#keys, digests);
  }

  async code(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, CodeRecord>> {
    return pick(this.#code, digests);
  }

  async sources(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, string>> {
    return pick(this.#sources, digests);
  }

  async pipelines(): Promise<readonly PipelineSummary[]> {
    const runs = await this.runs({});
    const names = new Set([...this.#versions.keys(), ...runs.map((run) => run.pipeline)]);
    return [...names].sort(ascending).map((pipeline) => {
      const own = runs.filter((run) => run.pipeline === pipeline);
      const versions = this.#versions.get(pipeline)?.length ?? 0;
      return { pipeline, versions, runs: own.length, lastRun: own[0] };
    });
  }

  async versions(pipeline: string, number?: number): Promise<readonly PipelineVersion[]> {
    const versions = this.#versions.get(pipeline) ?? [];
    return versions.filter(({ version }) => number === undefined || version === number);
  }

  async runs(query: RunQuery): Promise<readonly Run[]> {
    const { offset = 0, limit = Infinity } = query;
    return [...this.#runs.values()]
      .filter((run) => fitsRun(run, query))
      .sort(newestRunFirst)
      .slice(offset, offset + limit);
  }

  async stepRuns(query: StepRunQuery): Promise<readonly StepRun[]> {
    const found = this.#allStepRuns().filter((stepRun) => this.#fitsStepRun(stepRun, query));
    const { runs } = query;
    const ordered =
      runs === undefined
        ? found.sort(
            (left, right) =>
              newestRunFirst(this.#runOf(left), this.#runOf(right)) ||
              ascending(right.startedAt, left.startedAt) ||
              ascending(left.node, right.node),
          )
        : inPlanOrder(found, runs, new Map(runs.flatMap((run) => this.#planOf(run))));
    return ordered.slice(0, query.limit);
  }

  async reuses({ step }: { readonly step?: string }): Promise<ReadonlyMap<StepRunId, Reuse>> {
    const reuses = new Map<StepRunId, Reuse>();
    for (const { status, origin, startedAt, step: own } of this.#allStepRuns()) {
      if (status !== "cached" || origin === undefined || (step !== undefined && own !== step)) continue;
      const { count, lastAt } = reuses.get(origin) ?? { count: 0, lastAt: startedAt };
      reuses.set(origin, { count: count + 1, lastAt: Math.max(lastAt, startedAt) });
    }
    return reuses;
  }

  async artifacts(query: ArtifactQuery): Promise<readonly Artifact[]> {
    return [...(query.latest === true ? this.#artifacts.latest() : this.#artifacts.all())]
      .filter((artifact) => fitsArtifact(artifact, query))
      .sort(
        (left, right) =>
          ascending(right.createdAt, left.createdAt) ||
          ascending(left.name, right.name) ||
          ascending(right.version, left.version),
      )
      .slice(0, query.limit);
  }

  async uses(query: Parameters<MetadataStore["uses"]>[0]): Promise<readonly ArtifactUseRow[]> {
    const { artifacts, stepRuns } = query;
    return this.#allStepRuns()
      .filter((stepRun) => stepRuns === undefined || stepRuns.includes(stepRun.id))
      .flatMap((stepRun) => toUseRows(stepRun))
      .filter(
        (use) =>
          artifacts === undefined ||
          artifacts.some((each) => each.name === use.artifact && each.version === use.version),
      );
  }

  async logs(query: Parameters<MetadataStore["logs"]>[0]): Promise<readonly LogLine[]> {
    const { stepRuns, afterSeq = -1, limit } = query;
    return this.#logs.filter((line) => stepRuns.includes(line.stepRun) && line.seq > afterSeq).slice(0, limit);
  }

  async metrics({ stepRuns }: { readonly stepRuns: readonly StepRunId[] }): Promise<readonly MetricPoint[]> {
    return this.#points.filter((point) => stepRuns.includes(point.stepRun));
  }

  async *referencedBlobs(): AsyncGenerator<Digest, void, undefined> {
    for (const artifact of this.#artifacts.all()) {
      yield artifact.root.digest;
      for (const part of artifact.parts) yield part.digest;
    }
  }

  async size(): Promise<number> {
    return 0;
  }

  async compact(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #write(changes: readonly Change[]): Found {
    checkRuns(changes, this.#runs);
    this.#checkRepeats(changes);
    const found: Found = { lost: new Set(), artifacts: [] };
    // A copy: what the caller does with its records later is no business of the store.
    for (const change of structuredClone(changes)) this.#apply(change, found);
    return found;
  }

  #apply(change: Change, found: Found): void {
    const { lost } = found;
    switch (change.kind) {
      case "run": {
        const tags = this.#runs.get(change.run.id)?.tags ?? change.run.tags;
        this.#runs.set(change.run.id, { ...change.run, tags });
        return;
      }
      case "repeatable":
        this.#repeatables.set(change.repeatable.digest, change);
        return;
      case "repeat":
        this.#apply({ kind: "run", run: change.run }, found);
        this.#repeats.set(change.run.id, change.of);
        return;
      case "artifact":
        found.artifacts.push(this.#artifacts.number(change.artifact));
        return;
      case "step-run": {
        const { stepRun } = change;
        const numbered = {
          inputs: this.#artifacts.numberUses(stepRun.inputs),
          outputs: this.#artifacts.numberUses(stepRun.outputs),
        };
        this.#stepRuns.set(stepRun.id, { ...stepRun, ...numbered });
        return;
      }
      case "cache-entry":
        this.#putEntry(change.entry);
        return;
      case "trace":
        getOrInsert(this.#traces, change.digest, () => change.trace);
        return;
      case "file-digests":
        for (const file of change.files) this.#fileDigests.set(file.path, file);
        return;
      case "key":
        getOrInsert(this.#keys, change.digest, () => change.key);
        return;
      case "code":
        getOrInsert(this.#code, change.code.digest, () => change.code);
        return;
      case "source":
        getOrInsert(this.#sources, change.digest, () => change.text);
        return;
      case "log":
        this.#logs.push(...change.lines);
        return;
      case "metric":
        this.#points.push(...change.points);
        return;
      case "invalidate":
        this.#changeEntries(change.keys, { invalidatedAt: change.at });
        return;
      case "pin":
        this.#changeEntries(change.keys, { pinnedAt: change.at ?? undefined });
        return;
      case "tag-run":
        for (const run of pick(this.#runs, [change.run]).values()) {
          const tags = Object.entries({ ...run.tags, ...change.tags });
          const kept = tags.filter((tag): tag is [string, string] => tag[1] !== null);
          this.#runs.set(run.id, { ...run, tags: Object.fromEntries(kept) });
        }
        return;
      case "remove-runs":
        this.#removeRuns(new Set(change.runs));
        return;
      case "remove-cache-entries":
        for (const entry of change.entries) if (this.#entries.delete(entryName(entry))) this.#entryCount += 1;
        return;
      case "remove-traces":
        for (const digest of change.digests) this.#traces.delete(digest);
        return;
      case "remove-keys":
        for (const digest of change.digests) this.#keys.delete(digest);
        return;
      case "remove-file-digests":
        for (const path of change.paths) this.#fileDigests.delete(path);
        return;
      case "expect-runs":
        // Looked at before anything was changed.
        return;
      case "remove-artifacts":
        for (const { name, version } of change.artifacts) this.#artifacts.remove(name, version);
        return;
      case "end-lease": {
        const { key, token } = change.lease;
        const isHeld = this.#leases.get(key)?.token === token;
        if (isHeld) this.#leases.delete(key);
        else lost.add(token);
        for (const each of isHeld ? change.changes : change.otherwise) this.#apply(each, found);
        return;
      }
      case "beat-leases":
        for (const name of change.leases) {
          const lease = this.#leases.get(name.key);
          if (lease?.token === name.token) this.#leases.set(name.key, { ...lease, beat: lease.beat + 1 });
          else lost.add(name.token);
        }
        return;
    }
  }

  #putEntry(entry: CacheEntry): void {
    const name = entryName(entry);
    if ([...this.#entries.values()].some(({ key }) => key === entry.key)) this.#entryCount += 1;
    const pinnedAt = entry.pinnedAt ?? this.#entries.get(name)?.pinnedAt;
    this.#entries.set(name, { ...entry, outputs: this.#artifacts.numberUses(entry.outputs), pinnedAt });
  }

  #changeEntries(keys: readonly KeyDigest[], changes: Partial<CacheEntry>): void {
    const asked = new Set(keys);
    for (const [name, entry] of this.#entries) {
      if (!asked.has(entry.key)) continue;
      this.#entries.set(name, { ...entry, ...changes });
      if ("invalidatedAt" in changes) this.#entryCount += 1;
    }
  }

  #checkRepeats(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind !== "repeat") continue;
      const isThere = this.#runs.has(change.of) && !this.#repeats.has(change.of);
      if (!isThere || change.entries !== this.#entryCount) throw notRepeatable(change.of);
    }
  }

  #allStepRuns(): StepRun[] {
    const all = [...this.#stepRuns.values()];
    if (this.#repeats.size === 0) return all;
    const byRun = Map.groupBy(all, ({ run }) => run);
    for (const [id, of] of this.#repeats) {
      for (const stepRun of byRun.get(of) ?? []) all.push(repeatStepRun(stepRun, this.#runs.get(id) as Run));
    }
    return all;
  }

  /** Before a run is removed: the first of those that repeat it, and stay, takes its place. */
  #bequeath(run: RunId, removed: ReadonlySet<RunId>): void {
    const repeating = [...this.#repeats].filter(([id, of]) => of === run && !removed.has(id)).map(([id]) => id);
    const heir = repeating
      .map((id) => this.#runs.get(id) as Run)
      .sort(newestRunFirst)
      .at(-1);
    if (heir === undefined) return;
    for (const stepRun of this.#stepRuns.values()) {
      if (stepRun.run !== run) continue;
      const own = repeatStepRun(stepRun, heir);
      this.#stepRuns.set(own.id, own);
    }
    for (const id of repeating) this.#repeats.set(id, heir.id);
    this.#repeats.delete(heir.id);
    for (const [digest, { repeatable, entries }] of this.#repeatables) {
      if (repeatable.run === run)
        this.#repeatables.set(digest, { repeatable: { ...repeatable, run: heir.id }, entries });
    }
  }

  #removeRuns(runs: ReadonlySet<RunId>): void {
    for (const run of runs) this.#bequeath(run, runs);
    const gone = new Set<StepRunId>();
    for (const stepRun of this.#stepRuns.values()) if (runs.has(stepRun.run)) gone.add(stepRun.id);
    for (const run of runs) {
      this.#runs.delete(run);
      this.#repeats.delete(run);
    }
    for (const [digest, { repeatable }] of this.#repeatables) {
      if (runs.has(repeatable.run)) this.#repeatables.delete(digest);
    }
    for (const id of gone) this.#stepRuns.delete(id);
    this.#logs = this.#logs.filter((line) => !runs.has(toRunId(line.stepRun)));
    this.#points = this.#points.filter((point) => !runs.has(toRunId(point.stepRun)));
  }

  #fitsStepRun(stepRun: StepRun, query: StepRunQuery): boolean {
    const run = this.#runOf(stepRun);
    const before = query.before === undefined ? undefined : this.#runs.get(query.before);
    return (
      (query.ids === undefined || query.ids.includes(stepRun.id)) &&
      (query.runs === undefined || query.runs.includes(stepRun.run)) &&
      (query.step === undefined || stepRun.step === query.step) &&
      (query.node === undefined || stepRun.node === query.node) &&
      (query.pipeline === undefined || run.pipeline === query.pipeline) &&
      (query.status === undefined || query.status.includes(stepRun.status)) &&
      (query.before === undefined || (before !== undefined && newestRunFirst(before, run) < 0))
    );
  }

  #runOf(stepRun: StepRun): Run {
    return this.#runs.get(stepRun.run) as Run;
  }

  #planOf(id: RunId): [RunId, PlanRecord][] {
    const run = this.#runs.get(id);
    const version = run && this.#versions.get(run.pipeline)?.find((each) => each.version === run.version);
    return version === undefined ? [] : [[id, version.plan]];
  }
}

/** What a write found out, while it goes on. */
interface Found extends Written {
  readonly lost: Set<LeaseToken>;
  readonly artifacts: Artifact[];
}

function entryName({ key, trace }: Pick<CacheEntry, "key" | "trace">): string {
  return `${key} ${trace ?? ""}`;
}

/** Throws when a change is about a run that is neither there nor among the changes before it, or expects no such run. */
function checkRuns(changes: readonly Change[], runs: ReadonlyMap<RunId, Run>): void {
  const added = new Map<RunId, boolean>();
  for (const change of changes) {
    if (change.kind === "expect-runs") {
      const other = [...runs.keys()].find((run) => !change.known.includes(run));
      if (other !== undefined) throw unexpectedRun(other);
    }
    if (change.kind === "run" || change.kind === "repeat") added.set(change.run.id, true);
    if (change.kind === "remove-runs") for (const run of change.runs) added.set(run, false);
    for (const run of runsNeededBy(change)) {
      if (added.get(run) ?? runs.has(run)) continue;
      throw unknownRun(change, run);
    }
  }
}

function pick<K, V>(from: ReadonlyMap<K, V>, keys: readonly K[]): ReadonlyMap<K, V> {
  const picked = new Map<K, V>();
  for (const key of keys) {
    const value = from.get(key);
    if (value !== undefined) picked.set(key, value);
  }
  return picked;
}

function getOrInsert<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
