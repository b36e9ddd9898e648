/**
 * The metadata port: what adapters must do to remember. Writing is a list of changes, applied together or not at all;
 * reading is a handful of questions, each answered in one go for many at once.
 */
import type { Digest } from "../hash/digest.ts";
import type { Artifact, ArtifactName } from "../record/artifact.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { RunId, StepRunId } from "../record/id.ts";
import type { KeyDigest, KeyRecord } from "../record/key.ts";
import type { Lease, LeaseToken } from "../record/lease.ts";
import type { Repeatable } from "../record/repeatable.ts";
import type { Trace } from "../record/trace.ts";
import type { LogLine, MetricPoint, PipelineVersion, Run, RunStatus, StepRun } from "../record/run.ts";

/** A unit of code as it is remembered: see CodeUnit of the code room. */
export interface CodeUnitRecord {
  readonly id: string;
  readonly kind: "declaration" | "effect" | "file" | "package";
  readonly digest: Digest;
  readonly version?: string;
  readonly lines?: readonly [first: number, last: number];
}

export interface CodeRecord {
  readonly digest: Digest;
  readonly verdict: string;
  /** Why it is not proved, a sentence each. */
  readonly notes?: readonly string[];
  readonly own: readonly string[];
  readonly place: string | undefined;
  readonly units: readonly CodeUnitRecord[];
}

/** The digest that a file had when `stat` described it so: it need not be read again while `stat` says the same. */
export interface FileDigest {
  /** Absolute, of this machine. */
  readonly path: string;
  readonly stamp: string;
  readonly digest: Digest;
}

export type Change =
  /**
   * Inserts a run, or replaces the record of the same id, save its tags: once the run is there, only `tag-run` changes
   * them, so that the end of a run does not undo what somebody tagged meanwhile.
   */
  | { readonly kind: "run"; readonly run: Run }
  /** Keeps what a run left that reused every step, instead of what an earlier one of the same left, as of a count of entries. */
  | { readonly kind: "repeatable"; readonly repeatable: Repeatable; readonly entries: number }
  /**
   * Inserts a run whose steps are those of `of`, reused at this run's time. Refuses the whole write with a ConflictError
   * when `of` is not there any more, or the entries are not those of this count: some of them changed meanwhile.
   */
  | { readonly kind: "repeat"; readonly run: Run; readonly of: RunId; readonly entries: number }
  /** Records an artifact and numbers it: the old number when name and digest are known, else the next of the name. */
  | { readonly kind: "artifact"; readonly artifact: NewArtifact }
  /**
   * Inserts a step run, or replaces the record of the same id. Its run must be there: so for logs and metrics. An artifact
   * that it names as `unnumbered` gets the number under which name and digest are recorded by then; so in cache entries.
   */
  | { readonly kind: "step-run"; readonly stepRun: StepRun }
  /** Inserts, or replaces the entry of the same key and trace; what was pinned stays pinned. */
  | { readonly kind: "cache-entry"; readonly entry: CacheEntry }
  /** Keeps a key's parts; a digest already there is left alone. */
  | { readonly kind: "key"; readonly digest: KeyDigest; readonly key: KeyRecord }
  /** Keeps a trace; a digest already there is left alone. */
  | { readonly kind: "trace"; readonly digest: Digest; readonly trace: Trace }
  /** Remembers the digests of files, each instead of what was remembered of its path. */
  | { readonly kind: "file-digests"; readonly files: readonly FileDigest[] }
  /** Keeps a step's code; a digest already there is left alone. */
  | { readonly kind: "code"; readonly code: CodeRecord }
  /** Keeps the source text of units by their digest; a digest already there is left alone. */
  | { readonly kind: "source"; readonly digest: Digest; readonly text: string }
  | { readonly kind: "log"; readonly lines: readonly LogLine[] }
  | { readonly kind: "metric"; readonly points: readonly MetricPoint[] }
  /** Marks entries, so that the next look-up misses and can say why. Keys without an entry are left alone. */
  | { readonly kind: "invalidate"; readonly keys: readonly KeyDigest[]; readonly at: number }
  /** Sets tags of a run that must be there; null takes a tag off. */
  | { readonly kind: "tag-run"; readonly run: RunId; readonly tags: Readonly<Record<string, string | null>> }
  /** Removes runs with their step runs, uses, logs and metrics. Cache entries and artifacts stay until they are collected. */
  | { readonly kind: "remove-runs"; readonly runs: readonly RunId[] }
  /** Sets or takes off the pin of every entry under these keys; null takes it off. */
  | { readonly kind: "pin"; readonly keys: readonly KeyDigest[]; readonly at: number | null }
  | { readonly kind: "remove-cache-entries"; readonly entries: readonly Pick<CacheEntry, "key" | "trace">[] }
  /** Removes traces; those that an entry or a step run names are the caller's to spare. */
  | { readonly kind: "remove-traces"; readonly digests: readonly Digest[] }
  /** Removes the parts of keys; those that an entry or a step run names are the caller's to spare. */
  | { readonly kind: "remove-keys"; readonly digests: readonly KeyDigest[] }
  | { readonly kind: "remove-file-digests"; readonly paths: readonly string[] }
  /** Refuses the whole write with a ConflictError when there is a run that is not among these: it may need what goes. */
  | { readonly kind: "expect-runs"; readonly known: readonly RunId[] }
  /** Removes versions; their numbers are not given out again. */
  | {
      readonly kind: "remove-artifacts";
      readonly artifacts: readonly { readonly name: ArtifactName; readonly version: number }[];
    }
  /**
   * Ends a lease and applies `changes`, if it is still held under this token. If not, somebody took over from a holder
   * that gave no sign of life: then `otherwise` is applied, and who holds it now is left alone.
   */
  | {
      readonly kind: "end-lease";
      readonly lease: LeaseName;
      readonly changes: readonly Change[];
      readonly otherwise: readonly Change[];
    }
  /** Makes the beat of leases grow; those that are held under other tokens are left alone. */
  | { readonly kind: "beat-leases"; readonly leases: readonly LeaseName[] };

export type LeaseName = Pick<Lease, "key" | "token">;

/** What a write found out. */
export interface Written {
  /** Leases that it named and that are not held under their tokens any more. */
  readonly lost: ReadonlySet<LeaseToken>;
  /** The artifacts that it recorded, as they are numbered, in the order of the changes. */
  readonly artifacts: readonly Artifact[];
}

/** A lease as it is asked for. */
export interface AskedLease extends Omit<Lease, "beat"> {
  /** Whose place is to be taken: a holder of this key, as it was seen last. */
  readonly insteadOf?: Pick<Lease, "token" | "beat">;
  /** The step runs that made all entries which were seen under the key: it is granted only while there is no other. */
  readonly seen?: readonly StepRunId[];
  /** Applied when it is granted. */
  readonly changes?: readonly Change[];
}

export type LeaseAnswer =
  | { readonly kind: "granted" }
  | { readonly kind: "held"; readonly lease: Lease }
  /** Nobody holds it, and there is an entry under the key that was not seen. */
  | { readonly kind: "unseen" };

export interface RunQuery {
  readonly ids?: readonly RunId[];
  readonly names?: readonly string[];
  readonly pipeline?: string;
  readonly version?: number;
  readonly status?: readonly RunStatus[];
  /** A tag's key, or its key and value as `key=value`. */
  readonly tag?: string;
  readonly startedBefore?: number;
  readonly startedAfter?: number;
  /** Not those that were imported from another store. */
  readonly madeHere?: true;
  /** Newest first is the only order. */
  readonly limit?: number;
  readonly offset?: number;
}

export interface StepRunQuery {
  readonly ids?: readonly StepRunId[];
  readonly runs?: readonly RunId[];
  readonly step?: string;
  readonly node?: string;
  readonly pipeline?: string;
  readonly status?: readonly StepRun["status"][];
  /** Only of runs that started before this one, to find the closest earlier run. None when this one is not there. */
  readonly before?: RunId;
  readonly limit?: number;
}

export interface ArtifactQuery {
  readonly name?: ArtifactName;
  /** Names that equal this or end in `.` and this. */
  readonly nameEndsWith?: string;
  readonly version?: number;
  readonly digests?: readonly Digest[];
  readonly type?: string;
  /** Newest version of each name only. */
  readonly latest?: boolean;
  readonly limit?: number;
}

/** How an artifact was used: by which step run, as what. */
export interface ArtifactUseRow {
  readonly artifact: ArtifactName;
  readonly version: number;
  readonly stepRun: StepRunId;
  readonly role: "input" | "output";
  readonly slot: string;
}

/** How often the result of a step run was reused. */
export interface Reuse {
  readonly count: number;
  /** When a step run that reused it last began, in milliseconds since 1970. */
  readonly lastAt: number;
}

export interface PipelineSummary {
  readonly pipeline: string;
  readonly versions: number;
  readonly runs: number;
  readonly lastRun: Run | undefined;
}

/** What an artifact is before it has a version number. */
export type NewArtifact = Omit<Artifact, "version">;

export interface RepeatableAnswer {
  /**
   * Another number whenever what a look-up finds may be other than it was: an entry was changed or removed, or came
   * beside another one under its key. An entry under a new key does not count.
   */
  readonly entries: number;
  readonly found: { readonly repeatable: Repeatable; readonly run: Run } | undefined;
}

export interface MetadataStore extends AsyncDisposable {
  /** Applies all changes in order, in one transaction. Throws a StoreError and changes nothing when one cannot be applied. */
  write(changes: readonly Change[]): Promise<Written>;

  /** The number of this version: the old one when the digest is known, else the next, given out once whoever asks. */
  versionOf(version: Omit<PipelineVersion, "version">): Promise<PipelineVersion>;
  /** Records artifacts and numbers them: the old number when name and digest are known, else the next of the name. In the order asked. */
  recordArtifacts(artifacts: readonly NewArtifact[]): Promise<readonly Artifact[]>;

  /**
   * Grants the lease of a key that nobody holds, or whose holder is still just as `insteadOf` says. All in one
   * transaction, with the changes that go with it: of several that ask at once, one gets it. Throws a StoreError and
   * grants nothing when one of these cannot be applied.
   */
  acquireLease(asked: AskedLease): Promise<LeaseAnswer>;
  /** Who holds these keys now; all keys when none are named. */
  leases(keys?: readonly KeyDigest[]): Promise<ReadonlyMap<KeyDigest, Lease>>;

  /** All entries under these keys, newest first. Keys without any are left out. */
  cacheEntries(keys: readonly KeyDigest[]): Promise<ReadonlyMap<KeyDigest, readonly CacheEntry[]>>;
  /** Entries of a step, newest first. */
  cacheEntriesOf(query: {
    readonly step?: string;
    readonly origins?: readonly StepRunId[];
    readonly limit?: number;
  }): Promise<readonly CacheEntry[]>;
  /** What was left by a run under this digest, if the entries are still what they were then. */
  repeatable(digest: Digest): Promise<RepeatableAnswer>;
  traces(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, Trace>>;
  /** Every key whose parts are kept, for garbage collection. What is written or removed meanwhile may be left out. */
  allKeys(): AsyncIterable<KeyDigest>;
  /** Every trace, for garbage collection. What is written or removed meanwhile may be left out. */
  allTraces(): AsyncIterable<readonly [digest: Digest, trace: Trace]>;
  /** What was remembered of files, by path; of all files when none are named. */
  fileDigests(paths?: readonly string[]): Promise<ReadonlyMap<string, FileDigest>>;
  keys(digests: readonly KeyDigest[]): Promise<ReadonlyMap<KeyDigest, KeyRecord>>;
  code(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, CodeRecord>>;
  sources(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, string>>;

  /** By name, in code-unit order. */
  pipelines(): Promise<readonly PipelineSummary[]>;
  /** Oldest first; only the one of a number where that is given. */
  versions(pipeline: string, number?: number): Promise<readonly PipelineVersion[]>;
  runs(query: RunQuery): Promise<readonly Run[]>;
  /** Of the given runs: run by run as asked, in plan order. Else newest run first, latest start first. */
  stepRuns(query: StepRunQuery): Promise<readonly StepRun[]>;
  /** By the step run that had executed, of those whose results were reused; of all steps, or of one. */
  reuses(query: { readonly step?: string }): Promise<ReadonlyMap<StepRunId, Reuse>>;
  /** Newest first. */
  artifacts(query: ArtifactQuery): Promise<readonly Artifact[]>;
  /** Who used these artifacts, and which artifacts these step runs used; of both together when both are given. */
  uses(query: {
    readonly artifacts?: readonly { readonly name: ArtifactName; readonly version: number }[];
    readonly stepRuns?: readonly StepRunId[];
  }): Promise<readonly ArtifactUseRow[]>;
  /** In the order they were written. */
  logs(query: {
    readonly stepRuns: readonly StepRunId[];
    readonly afterSeq?: number;
    readonly limit?: number;
  }): Promise<readonly LogLine[]>;
  metrics(query: { readonly stepRuns: readonly StepRunId[] }): Promise<readonly MetricPoint[]>;
  /** Every blob that some artifact names, for garbage collection. One may come several times. */
  referencedBlobs(): AsyncIterable<Digest>;
  /** What the records take on the disk at this moment, in bytes, without blobs that lie beside them in the same file. */
  size(): Promise<number>;
  /** Gives room that removed records left back to the disk, where it is worth it. */
  compact(): Promise<void>;
}
