/** Uses of artifacts as they are kept by the thousand: lists without names. */
import type { Digest } from "../hash/digest.ts";
import type { ArtifactUse } from "./run.ts";

export type PackedUse = readonly [slot: string, artifact: string, version: number, digest: Digest];

export function packUse({ slot, artifact, version, digest }: ArtifactUse): PackedUse {
  return [slot, artifact, version, digest];
}

export function unpackUse([slot, artifact, version, digest]: PackedUse): ArtifactUse {
  return { slot, artifact, version, digest };
}
