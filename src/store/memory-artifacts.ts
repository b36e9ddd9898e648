/** Artifacts in memory, and the numbers that they were given. */
import { unnumbered, type Artifact, type ArtifactName } from "../record/artifact.ts";
import type { ArtifactUse } from "../record/run.ts";
import type { NewArtifact } from "./metadata-store.ts";

export class MemoryArtifacts {
  /** Of each name, oldest first. */
  readonly #versions = new Map<ArtifactName, Artifact[]>();
  /** The last number given out, which a removed version keeps. */
  readonly #last = new Map<ArtifactName, number>();

  *all(): Generator<Artifact, void, undefined> {
    for (const versions of this.#versions.values()) yield* versions;
  }

  /** The newest version of each name. */
  *latest(): Generator<Artifact, void, undefined> {
    for (const versions of this.#versions.values()) yield* versions.slice(-1);
  }

  /** The old number where name and digest are known, else the next of the name. */
  number(asked: NewArtifact): Artifact {
    const { name, digest } = asked;
    const known = this.#find(name, digest);
    if (known !== undefined) return known;
    const artifact: Artifact = { ...asked, version: (this.#last.get(name) ?? 0) + 1 };
    const versions = this.#versions.get(name);
    if (versions === undefined) this.#versions.set(name, [artifact]);
    else versions.push(artifact);
    this.#last.set(name, artifact.version);
    return artifact;
  }

  /** The numbers of artifacts that are named without one; those that are not there stay without. */
  numberUses(uses: readonly ArtifactUse[]): readonly ArtifactUse[] {
    return uses.map((use) =>
      use.version === unnumbered
        ? { ...use, version: this.#find(use.artifact, use.digest)?.version ?? unnumbered }
        : use,
    );
  }

  remove(name: ArtifactName, version: number): void {
    const versions = this.#versions.get(name);
    if (versions !== undefined)
      this.#versions.set(
        name,
        versions.filter((each) => each.version !== version),
      );
  }

  #find(name: ArtifactName, digest: Artifact["digest"]): Artifact | undefined {
    return this.#versions.get(name)?.find((each) => each.digest === digest);
  }
}
