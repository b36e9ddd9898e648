/** Observation: what a step reads of the world while it runs, and whether that still holds. */
import type { DeclaredRead } from "../define/declared-read.ts";
import type { HttpPolicy } from "../define/options.ts";
import type { Digest } from "../hash/digest.ts";
import type { Notice, Obstacle, Trace, TraceCheck } from "../record/trace.ts";

/** What was remembered of files, so that those that `stat` says are unchanged are not read again. */
export interface FileMemory {
  find(paths: readonly string[]): Promise<ReadonlyMap<string, RememberedFile>>;
  /** Asked to remember; may happen later. */
  keep(files: readonly RememberedFile[]): void;
}

export interface RememberedFile {
  /** Absolute. */
  readonly path: string;
  /** What `stat` said when the file had the digest. */
  readonly stamp: string;
  readonly digest: Digest;
}

export interface ObserverParts {
  /** The project's folder, absolute: names in traces are relative to it. */
  readonly root: string;
  /** The store's folder, absolute. Its blobs count as artifacts; a step that reads the rest of it reads its own past. */
  readonly storePath: string;
  /** Keys the digests of variables in new traces. */
  readonly salt: () => string;
  readonly files: FileMemory;
}

export interface ObservationParts {
  /** Names of state in modules that the step fills while it runs (a memo): whoever shares one shares what was read to fill it. */
  readonly memos: readonly string[];
  /** What the step says that it reads; undefined when it says nothing. */
  readonly declared: readonly DeclaredRead[] | undefined;
  readonly http: HttpPolicy;
  /** Names of the installed packages that the step's code reaches. Asked for only where one of them may read unseen. */
  readonly packages: () => Promise<ReadonlySet<string>>;
  /** Whether a text has a secret in it. */
  readonly isSecret?: (text: string) => boolean;
}

/** Of one step run, over all its attempts. */
export interface Observation {
  /** Runs work; what it reads, also later and from timers, promises and streams that it started, is noted. */
  run<T>(work: () => T): T;
  /** Ends it, and tells what was read. What is read from now on is not noted. */
  close(): Promise<Observed>;
}

export interface Observed {
  /** Undefined when nothing outside was read. */
  readonly trace: { readonly digest: Digest; readonly content: Trace } | undefined;
  /** Why the result must not be reused. */
  readonly obstacle: Obstacle | undefined;
  readonly notices: readonly Notice[];
}

/** Observes the steps of one run, and answers for that run what holds: each thing is looked at once. */
export interface Observer {
  observe(parts: ObservationParts): Observation;
  /** A result was taken that holds while this trace does: a step that runs a pipeline depends on what its steps read. */
  reused(trace: Digest): void;
  /** Checks traces by their digests. A trace that holds has no differences. */
  check(traces: ReadonlyMap<Digest, Trace>): Promise<ReadonlyMap<Digest, TraceCheck>>;
}
