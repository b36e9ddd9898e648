/** How a run is made, and what became of its nodes: read from its events, whoever makes them. */
import type { CacheMode } from "../../src/define/options.ts";
import type { RunEvent } from "../../src/record/event.ts";
import type { KeyDigest } from "../../src/record/key.ts";
import type { Written } from "./look.ts";
import type { Outputs } from "./model.ts";

export interface RunWay {
  readonly jobs: number;
  readonly cache: CacheMode | undefined;
  readonly forced: ReadonlySet<string>;
  readonly interrupt: Interrupt | undefined;
}

/** Nothing is asked for, and nothing comes in between. */
export const plainWay: RunWay = { jobs: 1, cache: undefined, forced: new Set(), interrupt: undefined };

export type Interrupt =
  /** Cancelled when so many steps have started. */
  | { readonly kind: "cancel"; readonly after: number }
  /** From some write on, of records or of bytes, the disk is full. */
  | { readonly kind: "refuse"; readonly after: number; readonly what: "records" | "bytes" }
  /** When so many steps have read what they read, somebody else does this. */
  | { readonly kind: "meanwhile"; readonly after: number; readonly deed: () => void }
  /** The process is killed after so many events. */
  | { readonly kind: "kill"; readonly after: number };

export interface NodeOutcome {
  readonly status: string;
  readonly executed: boolean;
  readonly reason: string;
  readonly outputs: Outputs;
  /** Of a run with a deed meanwhile: whether the node ended before, began after, or was at work. */
  readonly when: "before" | "during" | "after";
}

export interface RunResult {
  readonly nodes: ReadonlyMap<string, NodeOutcome>;
  /** Nodes that began to execute and whose end nobody saw. */
  readonly unfinished: ReadonlySet<string>;
  /** Artifact digests, and the blobs that each consists of. */
  readonly blobs: ReadonlyMap<string, readonly string[]>;
  /** Keys of a step, by its name. */
  readonly keys: ReadonlyMap<string, ReadonlySet<KeyDigest>>;
  /** Values of the pipeline's outputs, where they were loaded; undefined where the store said that the bytes are damaged. */
  readonly values: ReadonlyMap<string, string | undefined>;
  /** What became of steps in pipelines that steps ran, in the order of their ends. */
  readonly inner: readonly InnerOutcome[];
  /** What steps had written when it had ended; empty where they write nothing. */
  written: Written;
}

export interface InnerOutcome {
  /** Of the pipeline: it tells the step. */
  readonly pipeline: string;
  readonly param: unknown;
  readonly outcome: NodeOutcome;
}

/** Makes a run, or several at once. */
export type Runner = (root: string, ways: readonly RunWay[]) => Promise<readonly RunResult[]>;

export class Tally implements RunResult {
  readonly nodes = new Map<string, NodeOutcome>();
  readonly unfinished = new Set<string>();
  readonly blobs = new Map<string, readonly string[]>();
  readonly keys = new Map<string, Set<KeyDigest>>();
  readonly values = new Map<string, string | undefined>();
  readonly inner: InnerOutcome[] = [];
  written: Written = new Map();
  readonly #way: RunWay;
  readonly #interrupt: () => void;
  readonly #executed = new Set<string>();
  readonly #begunAfterDeed = new Set<string>();
  #counted = 0;
  #isDone = false;

  /** Calls `interrupt` when the way says that it is time. */
  constructor(way: RunWay, interrupt: () => void) {
    this.#way = way;
    this.#interrupt = interrupt;
  }

  readonly note = (event: RunEvent): void => {
    if (event.kind === "artifact") {
      const { digest, root, parts } = event.artifact;
      this.blobs.set(
        digest,
        [root, ...parts].map((blob) => blob.digest),
      );
    }
    if (event.kind === "step-started") {
      const { node } = event.step;
      this.#executed.add(node);
      this.unfinished.add(node);
      if (this.#isDone) this.#begunAfterDeed.add(node);
    }
    if (event.kind === "step-ended") this.#noteEnd(event.step);
    this.#count(event);
  };

  /** Takes over what became of the pipeline that a step ran. */
  addInner(pipeline: string, param: unknown, tally: Tally): void {
    for (const outcome of tally.nodes.values()) this.inner.push({ pipeline, param, outcome });
    for (const [digest, blobs] of tally.blobs) this.blobs.set(digest, blobs);
    for (const [step, keys] of tally.keys) this.#addKeys(step, keys);
  }

  #addKeys(step: string, keys: ReadonlySet<KeyDigest>): void {
    this.keys.set(step, (this.keys.get(step) ?? new Set()).union(keys));
  }

  #noteEnd({ node, step, status, reason, outputs, key }: Extract<RunEvent, { kind: "step-ended" }>["step"]): void {
    this.unfinished.delete(node);
    const begunAfter = this.#begunAfterDeed.has(node);
    this.nodes.set(node, {
      status,
      executed: this.#executed.has(node),
      reason: reason?.code ?? "none",
      outputs: Object.fromEntries(outputs.map(({ slot, digest }) => [slot, digest])),
      when: !this.#isDone ? "before" : begunAfter ? "after" : "during",
    });
    if (key !== undefined) this.#addKeys(step, new Set([key]));
  }

  #count({ kind }: RunEvent): void {
    const { interrupt } = this.#way;
    const counted = { cancel: "step-started", meanwhile: "log", refuse: undefined, kill: kind };
    if (interrupt === undefined || kind !== counted[interrupt.kind]) return;
    this.#counted += 1;
    if (interrupt.kind === "refuse" || this.#counted !== interrupt.after) return;
    this.#isDone = true;
    this.#interrupt();
  }
}
