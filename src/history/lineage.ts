/** What was made from what, across runs and pipelines. A reused step run stands for the one that executed. */
import type { Artifact } from "../record/artifact.ts";
import type { StepRunId } from "../record/id.ts";
import type { Run, StepRun } from "../record/run.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { artifactKey } from "./run-details.ts";

export interface LineageOptions {
  readonly direction?: "up" | "down" | "both";
  /** Step runs away; all by default. */
  readonly depth?: number;
}

export type LineageNode =
  | { readonly kind: "artifact"; readonly id: string; readonly artifact: Artifact }
  | { readonly kind: "step-run"; readonly id: StepRunId; readonly stepRun: StepRun };

/** Edges run the way of the data: from an input to the step run, from the step run to an output. */
export interface Lineage {
  /** Ids of what was asked for. */
  readonly roots: readonly string[];
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly { readonly from: string; readonly to: string; readonly slot: string }[];
}

/** The lineage of artifacts: by level, a handful of questions each, however many artifacts a level has. */
export async function traceArtifacts(
  metadata: MetadataStore,
  artifacts: readonly Artifact[],
  options: LineageOptions = {},
): Promise<Lineage> {
  const { direction = "both", depth = Number.POSITIVE_INFINITY } = options;
  const trace = new Trace(metadata);
  trace.addArtifacts(artifacts);
  if (direction !== "down") await trace.walkUp(artifacts, depth);
  if (direction !== "up") await trace.walkDown(artifacts, depth);
  return trace.result(artifacts.map(artifactKey));
}

/** The lineage of all that a run gave: of its outputs upwards, and of what other runs made from them. */
export async function traceRun(metadata: MetadataStore, run: Run, options: LineageOptions = {}): Promise<Lineage> {
  const stepRuns = await metadata.stepRuns({ runs: [run.id] });
  const digests = [...new Set(stepRuns.flatMap((stepRun) => stepRun.outputs.map((use) => use.digest)))];
  const names = new Set(stepRuns.flatMap((stepRun) => stepRun.outputs.map((use) => `${use.artifact}@v${use.version}`)));
  const found = digests.length === 0 ? [] : await metadata.artifacts({ digests });
  return await traceArtifacts(
    metadata,
    found.filter((artifact) => names.has(artifactKey(artifact))),
    options,
  );
}

class Trace {
  readonly #metadata: MetadataStore;
  readonly #nodes = new Map<string, LineageNode>();
  readonly #edges = new Map<string, Lineage["edges"][number]>();

  constructor(metadata: MetadataStore) {
    this.#metadata = metadata;
  }

  addArtifacts(artifacts: readonly Artifact[]): void {
    for (const artifact of artifacts) {
      const id = artifactKey(artifact);
      this.#nodes.set(id, { kind: "artifact", id, artifact });
    }
  }

  async walkUp(from: readonly Artifact[], depth: number): Promise<void> {
    const visited = new Set<StepRunId>();
    let level = from;
    for (let distance = 0; distance < depth && level.length > 0; distance += 1) {
      const wanted = [...new Set(level.map((artifact) => artifact.producer))].filter((id) => !visited.has(id));
      for (const id of wanted) visited.add(id);
      const producers = wanted.length === 0 ? [] : await this.#metadata.stepRuns({ ids: wanted });
      level = await this.#link(producers);
    }
  }

  async walkDown(from: readonly Artifact[], depth: number): Promise<void> {
    const visited = new Set<StepRunId>();
    let level = from;
    for (let distance = 0; distance < depth && level.length > 0; distance += 1) {
      const uses = await this.#metadata.uses({ artifacts: level.map(({ name, version }) => ({ name, version })) });
      const users = [...new Set(uses.filter((use) => use.role === "input").map((use) => use.stepRun))];
      const found = users.length === 0 ? [] : await this.#metadata.stepRuns({ ids: users });
      const executed = await this.#originsOf(found);
      const fresh = executed.filter((stepRun) => !visited.has(stepRun.id));
      for (const stepRun of fresh) visited.add(stepRun.id);
      await this.#link(fresh);
      level = this.#outputsOf(fresh);
    }
  }

  result(roots: readonly string[]): Lineage {
    return { roots, nodes: [...this.#nodes.values()], edges: [...this.#edges.values()] };
  }

  /** Adds step runs with all that they took and gave; answers with the artifacts they took. */
  async #link(stepRuns: readonly StepRun[]): Promise<readonly Artifact[]> {
    const uses = stepRuns.flatMap((stepRun) => [...stepRun.inputs, ...stepRun.outputs]);
    const digests = [...new Set(uses.map((use) => use.digest))];
    const wanted = new Set(uses.map((use) => `${use.artifact}@v${use.version}`));
    const records = digests.length === 0 ? [] : await this.#metadata.artifacts({ digests });
    this.addArtifacts(records.filter((artifact) => wanted.has(artifactKey(artifact))));
    for (const stepRun of stepRuns) {
      this.#nodes.set(stepRun.id, { kind: "step-run", id: stepRun.id, stepRun });
      for (const use of stepRun.inputs) this.#edge(`${use.artifact}@v${use.version}`, stepRun.id, use.slot);
      for (const use of stepRun.outputs) this.#edge(stepRun.id, `${use.artifact}@v${use.version}`, use.slot);
    }
    return this.#artifactsNamed(stepRuns.flatMap((stepRun) => stepRun.inputs));
  }

  #outputsOf(stepRuns: readonly StepRun[]): readonly Artifact[] {
    return this.#artifactsNamed(stepRuns.flatMap((stepRun) => stepRun.outputs));
  }

  #artifactsNamed(uses: StepRun["inputs"]): readonly Artifact[] {
    const ids = new Set(uses.map((use) => `${use.artifact}@v${use.version}`));
    return [...ids].flatMap((id) => {
      const node = this.#nodes.get(id);
      return node?.kind === "artifact" ? [node.artifact] : [];
    });
  }

  async #originsOf(stepRuns: readonly StepRun[]): Promise<readonly StepRun[]> {
    const ids = new Set(stepRuns.map((stepRun) => stepRun.origin ?? stepRun.id));
    const known = new Map(stepRuns.map((stepRun) => [stepRun.id, stepRun]));
    const missing = [...ids].filter((id) => !known.has(id));
    if (missing.length > 0) {
      for (const stepRun of await this.#metadata.stepRuns({ ids: missing })) known.set(stepRun.id, stepRun);
    }
    // Where the origin was removed, one of those that reused it stands for it.
    return [...ids].flatMap((id) => known.get(id) ?? stepRuns.find((stepRun) => stepRun.origin === id) ?? []);
  }

  /** An end that is no longer in the store has no edge. */
  #edge(from: string, to: string, slot: string): void {
    if (!this.#nodes.has(from) || !this.#nodes.has(to)) return;
    this.#edges.set(`${from}\n${to}\n${slot}`, { from, to, slot });
  }
}
