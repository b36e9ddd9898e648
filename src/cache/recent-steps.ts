/**
 * What the runs of this process have left of earlier step runs: where a pipeline is run again and again, the steps that
 * run need not be read back from the store to be compared with. It counts as long as nobody else has run the pipeline.
 */
import { unnumbered, type Artifact } from "../record/artifact.ts";
import type { RunId } from "../record/id.ts";
import type { KeyRecord } from "../record/key.ts";
import type { ArtifactUse, StepRun } from "../record/run.ts";
import type { MetadataStore } from "../store/metadata-store.ts";

/** A step run that has ended, and its key. */
export interface EarlierStep {
  readonly stepRun: StepRun;
  readonly key: KeyRecord;
}

/** Undefined for a step run that tells nothing: it has not ended or was not begun, or its key is not known. */
export function toEarlier(stepRun: StepRun, key: KeyRecord | undefined): EarlierStep | undefined {
  return key === undefined || stepRun.status === "running" || stepRun.status === "skipped"
    ? undefined
    : { stepRun, key };
}

/** How many step runs of a node are looked at. */
export const candidatesHere = 10;
/** More nodes than these, and artifacts, are asked of the store. */
const mostNodes = 1000;
const mostArtifacts = 10_000;

interface Known {
  /** The last run of the pipeline; undefined: there was none. */
  readonly run: RunId | undefined;
  /** By node and step, newest first. */
  readonly steps: Map<string, readonly EarlierStep[]>;
  /** By name and version, in words. */
  readonly artifacts: Map<string, string>;
}

const knownOf = new WeakMap<MetadataStore, Map<string, Known>>();

/** What is known to one run of a pipeline. */
export class RecentSteps {
  readonly #metadata: MetadataStore;
  readonly #pipeline: string;
  /** The run itself. */
  readonly run: RunId;
  #known: Promise<Known> | undefined;

  constructor(metadata: MetadataStore, pipeline: string, run: RunId) {
    this.#metadata = metadata;
    this.#pipeline = pipeline;
    this.run = run;
  }

  /**
   * The step runs of a node, newest first; undefined where they are to be asked of the store.
   *
   * @param read - Reads {@link candidatesHere} of them.
   */
  async of(
    node: string,
    step: string,
    read: () => Promise<readonly EarlierStep[]>,
  ): Promise<readonly EarlierStep[] | undefined> {
    const { run, steps } = await (this.#known ??= this.#find());
    const name = nameOf(node, step);
    const known = steps.get(name);
    if (known !== undefined) return known;
    if (run === undefined && steps.size < mostNodes) steps.set(name, []);
    if (run === undefined) return [];
    // A process that runs the pipeline for the first time may do so for the last time, and reads as little as it can.
    if (knownOf.get(this.#metadata)?.get(this.#pipeline)?.run !== run || steps.size >= mostNodes) return undefined;
    const found = await read();
    steps.set(name, found);
    return found;
  }

  /** An artifact in words, if it is known. */
  async artifact(use: Pick<ArtifactUse, "artifact" | "version">): Promise<string | undefined> {
    return (await (this.#known ??= this.#find())).artifacts.get(nameArtifact(use));
  }

  /** Notes artifacts that this run has made. */
  async made(artifacts: readonly Artifact[]): Promise<void> {
    const known = await (this.#known ??= this.#find());
    for (const artifact of artifacts) {
      if (artifact.version === unnumbered || known.artifacts.size >= mostArtifacts) continue;
      known.artifacts.set(
        nameArtifact({ artifact: artifact.name, version: artifact.version }),
        describeArtifact(artifact),
      );
    }
  }

  /** Notes the step runs of this run, which has ended. */
  async ended(ownSteps: readonly EarlierStep[]): Promise<void> {
    if (this.#known === undefined) return;
    const { steps, artifacts } = await this.#known;
    for (const own of ownSteps) {
      const { node, step, status, attempts } = own.stepRun;
      const name = nameOf(node, step);
      const earlier = steps.get(name);
      if (earlier === undefined) continue;
      // Of one that failed before it was attempted, the key may not be recorded: what is, is to be read.
      if (status === "failed" && attempts.length === 0) steps.delete(name);
      else steps.set(name, [own, ...earlier].slice(0, candidatesHere));
    }
    const ofStore = knownOf.get(this.#metadata) ?? new Map<string, Known>();
    knownOf.set(this.#metadata, ofStore.set(this.#pipeline, { run: this.run, steps, artifacts }));
  }

  async #find(): Promise<Known> {
    const runs = await this.#metadata.runs({ pipeline: this.#pipeline, limit: 2 });
    const run = runs.find(({ id }) => id !== this.run)?.id;
    const known = knownOf.get(this.#metadata)?.get(this.#pipeline);
    return known !== undefined && known.run === run ? known : { run, steps: new Map(), artifacts: new Map() };
  }
}

/** An artifact in words: what it is called, and who made it. */
export function describeArtifact({ name, version, producer }: Artifact): string {
  return `${nameArtifact({ artifact: name, version })} by ${producer}`;
}

export function nameArtifact({ artifact, version }: Pick<ArtifactUse, "artifact" | "version">): string {
  return `${artifact}@v${version}`;
}

function nameOf(node: string, step: string): string {
  return `${node}\0${step}`;
}
