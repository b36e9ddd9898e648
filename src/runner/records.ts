/**
 * What a run writes of itself. A store that refuses, because its disk is full or others lock it or it may only be read,
 * does not end the run: what it refuses is kept here, in order, and offered again.
 */
import { InternalError, StoreError } from "../error.ts";
import { unnumbered } from "../record/artifact.ts";
import type { PipelineVersion } from "../record/run.ts";
import type { Change, MetadataStore, Written } from "../store/metadata-store.ts";

/** So often is the store asked at most, while it refuses. */
const offerEveryMs = 1000;

type NewVersion = Omit<PipelineVersion, "version">;

export class Records {
  readonly #metadata: MetadataStore;
  #listener: ((refusal: StoreError) => void) | undefined;
  #refusal: StoreError | undefined;
  #hasWritten = false;
  /** Refused and not written yet, oldest first. */
  readonly #kept: Change[] = [];
  #waitingVersion: NewVersion | undefined;
  /** What the store numbered in the end. */
  #version: PipelineVersion | undefined;
  #offering: Promise<void> | undefined;
  #offeredAt = -Infinity;

  constructor(metadata: MetadataStore) {
    this.#metadata = metadata;
  }

  /** Why the store refused something of this run, for the first time. */
  get refusal(): StoreError | undefined {
    return this.#refusal;
  }

  /** Whether the store may only be read, and was so from the start. */
  get isReadOnly(): boolean {
    return this.#refusal?.data["isReadOnly"] === true && !this.#hasWritten;
  }

  /** Whether the store has refused something that it has not taken since. */
  get isRefused(): boolean {
    return this.#kept.length > 0 || this.#waitingVersion !== undefined;
  }

  /** Tells the first refusal, at once where it has happened already. */
  onRefusal(listener: (refusal: StoreError) => void): void {
    this.#listener = listener;
    if (this.#refusal !== undefined) listener(this.#refusal);
  }

  /** Notes that the store refused. What is no refusal of a write is thrown again. */
  refuse(error: unknown): void {
    if (!(error instanceof StoreError) || error.code !== "RPS4005") throw error;
    if (this.#refusal !== undefined) return;
    this.#refusal = error;
    this.#listener?.(error);
  }

  /** Writes changes after all that is kept, or keeps them. */
  async write(changes: readonly Change[]): Promise<Written> {
    if (!this.isRefused) {
      try {
        const written = await this.#metadata.write(this.#toNumbered(changes));
        this.#hasWritten ||= changes.length > 0;
        return written;
      } catch (error) {
        this.refuse(error);
      }
    }
    this.#kept.push(...changes);
    this.#offerSoon();
    return { lost: new Set(), artifacts: [] };
  }

  /** As the store numbers it; {@link unnumbered} where it refuses to. */
  async numberVersion(version: NewVersion): Promise<PipelineVersion> {
    try {
      return await this.#metadata.versionOf(version);
    } catch (error) {
      this.refuse(error);
    }
    this.#waitingVersion = version;
    return { ...version, version: unnumbered };
  }

  /** Offers what is kept for the last time. Answers whether the store has taken everything. */
  async settle(): Promise<boolean> {
    await this.#offering;
    if (this.isRefused) await this.#offer();
    return !this.isRefused;
  }

  #offerSoon(): void {
    if (this.#offering !== undefined || performance.now() < this.#offeredAt + offerEveryMs) return;
    this.#offering = this.#offer().finally(() => {
      this.#offeredAt = performance.now();
      this.#offering = undefined;
    });
  }

  /** Never rejects: what is refused again stays kept. */
  async #offer(): Promise<void> {
    try {
      if (this.#waitingVersion !== undefined) {
        this.#version = await this.#metadata.versionOf(this.#waitingVersion);
        this.#waitingVersion = undefined;
      }
      while (this.isRefused) {
        const changes = [...this.#kept];
        await this.#metadata.write(this.#toNumbered(changes));
        this.#hasWritten = true;
        this.#kept.splice(0, changes.length);
      }
    } catch (error) {
      if (error instanceof InternalError) throw error;
    }
  }

  /** The run with the number that its version was given since. */
  #toNumbered(changes: readonly Change[]): readonly Change[] {
    const { version } = this.#version ?? {};
    if (version === undefined) return changes;
    return changes.map((change) =>
      change.kind === "run" && change.run.version === unnumbered
        ? { ...change, run: { ...change.run, version } }
        : change,
    );
  }
}
