/**
 * What a run writes of itself. A store that refuses, because its disk is full or others lock it or it may only be read,
 * does not end the run: what it refuses is kept here, in order, and offered again.
 */
import { InternalError, StoreError } from "../error.ts";
import type { Artifact } from "../record/artifact.ts";
import type { ArtifactUse, PipelineVersion } from "../record/run.ts";
import type { Change, MetadataStore, NewArtifact, Written } from "../store/metadata-store.ts";

/** The version of what the store has not numbered. */
export const unnumbered = 0;

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
  readonly #waitingArtifacts = new Map<string, NewArtifact>();
  /** What the store numbered in the end, by pipeline, or by name and digest. */
  readonly #numbers = new Map<string, number>();
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
    return this.#kept.length > 0 || this.#waitingVersion !== undefined || this.#waitingArtifacts.size > 0;
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
    return { lost: new Set() };
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

  /** As the store numbers them; {@link unnumbered} where it refuses to. */
  async numberArtifacts(artifacts: readonly NewArtifact[]): Promise<readonly Artifact[]> {
    // Who has waited for a lock once does not wait for it with each step.
    if (!(this.isRefused && this.#refusal?.data["busy"] === true)) {
      try {
        return await this.#metadata.recordArtifacts(artifacts);
      } catch (error) {
        this.refuse(error);
      }
    }
    for (const artifact of artifacts) this.#waitingArtifacts.set(keyOf(artifact.name, artifact.digest), artifact);
    return artifacts.map((artifact) => ({ ...artifact, version: unnumbered }));
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
        const { pipeline, version } = await this.#metadata.versionOf(this.#waitingVersion);
        this.#numbers.set(pipeline, version);
        this.#waitingVersion = undefined;
      }
      while (this.isRefused) {
        await this.#offerArtifacts();
        const changes = [...this.#kept];
        await this.#metadata.write(this.#toNumbered(changes));
        this.#hasWritten = true;
        this.#kept.splice(0, changes.length);
      }
    } catch (error) {
      if (error instanceof InternalError) throw error;
    }
  }

  async #offerArtifacts(): Promise<void> {
    const waiting = [...this.#waitingArtifacts.values()];
    if (waiting.length === 0) return;
    for (const { name, digest, version } of await this.#metadata.recordArtifacts(waiting)) {
      this.#numbers.set(keyOf(name, digest), version);
      this.#waitingArtifacts.delete(keyOf(name, digest));
    }
  }

  #toNumbered(changes: readonly Change[]): readonly Change[] {
    return this.#numbers.size === 0 ? changes : changes.map((change) => this.#numberChange(change));
  }

  #numberChange(change: Change): Change {
    switch (change.kind) {
      case "run": {
        const { pipeline, version } = change.run;
        return version === unnumbered
          ? { ...change, run: { ...change.run, version: this.#numbers.get(pipeline) ?? version } }
          : change;
      }
      case "step-run": {
        const { inputs, outputs } = change.stepRun;
        const numbered = { inputs: this.#numberUses(inputs), outputs: this.#numberUses(outputs) };
        return { ...change, stepRun: { ...change.stepRun, ...numbered } };
      }
      case "cache-entry":
        return { ...change, entry: { ...change.entry, outputs: this.#numberUses(change.entry.outputs) } };
      case "end-lease":
        return {
          ...change,
          changes: this.#toNumbered(change.changes),
          otherwise: this.#toNumbered(change.otherwise),
        };
      default:
        return change;
    }
  }

  #numberUses(uses: readonly ArtifactUse[]): readonly ArtifactUse[] {
    return uses.map((use) =>
      use.version === unnumbered
        ? { ...use, version: this.#numbers.get(keyOf(use.artifact, use.digest)) ?? use.version }
        : use,
    );
  }
}

function keyOf(name: string, digest: string): string {
  return `${name} ${digest}`;
}
