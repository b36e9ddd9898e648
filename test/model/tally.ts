/** How a run is made, and what became of its nodes: read from its events, whoever makes them. */
import type { CacheMode } from "../../src/define/options.ts";
import type { RunEvent } from "../../src/record/event.ts";
import type { KeyDigest } from "../../src/record/key.ts";
import type { Outputs } from "./model.ts";

export interface RunWay {
  readonly jobs: number;
  readonly cache: CacheMode | undefined;
  readonly forced: ReadonlySet<string>;
  readonly interrupt: Interrupt | undefined;
}

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
}

export type Runner = (root: string, way: RunWay) => Promise<RunResult>;

export class Tally implements RunResult {
  readonly nodes = new Map<string, NodeOutcome>();
  readonly unfinished = new Set<string>();
  readonly blobs = new Map<string, readonly string[]>();
  readonly keys = new Map<string, Set<KeyDigest>>();
  readonly values = new Map<string, string | undefined>();
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
    if (key !== undefined) this.keys.set(step, (this.keys.get(step) ?? new Set()).add(key));
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
