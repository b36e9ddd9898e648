/** What a run needs from the outside; a stack provides it. */
import type { CodeIndex } from "../code/identity.ts";
import type { StepOptions } from "../define/options.ts";
import type { Registry } from "../materializer/registry.ts";
import type { FileMemory, Observer } from "../observe/observer.ts";
import type { ContentStore } from "../store/content-store.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import type { Overflow } from "../store/overflow.ts";

export interface RunnerPorts {
  /** The stack's name. */
  readonly name: string;
  /** The project's root folder; paths in records are relative to it. */
  readonly root: string;
  readonly metadata: MetadataStore;
  readonly content: ContentStore;
  /** Takes blobs that the store refuses; they are read through `content`. */
  readonly overflow: Pick<Overflow, "writer" | "holds" | "settle">;
  readonly registry: Registry;
  readonly code: CodeIndex;
  /** Opens what watches the steps of one run, and answers for that run what still holds. */
  readonly openObserver: (files: FileMemory) => Observer;
  /** Keys the digests of secrets; made when it is first asked for. Never leaves the store. */
  readonly secretKey: () => string;
  /** How many steps may execute at once. */
  readonly jobs: number;
  /** How long a process that gives no sign of life keeps others from executing what it was executing. */
  readonly leaseMs: number;
  /** Options below those of step and pipeline. */
  readonly defaults: StepOptions;
  /** Of Reprise. */
  readonly version: string;
}
