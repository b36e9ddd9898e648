/** An artifact: bytes with a digest and a type, and a place in the sequence of versions of its name. */
import type { BlobRef, Preview } from "../define/materializer.ts";
import type { Digest } from "../hash/digest.ts";
import type { JsonObject } from "../hash/json.ts";
import type { StepRunId } from "./id.ts";

/** What is needed to read an artifact's value, and what keys compare. */
export interface ArtifactContent {
  /** Of the type, its version and the root blob: equal digests are equal values. */
  readonly digest: Digest;
  /** The materializer's name, and the version of its byte format. */
  readonly type: string;
  readonly typeVersion: number;
  readonly root: BlobRef;
  readonly parts: readonly BlobRef[];
}

/** `step.output`; an artifact of a single-output step is named by its step alone. */
export type ArtifactName = string;

export interface Artifact extends ArtifactContent {
  readonly name: ArtifactName;
  /** From 1 within the name; equal digests share a version, so going back to old bytes goes back to the old number. */
  readonly version: number;
  /** Root and parts, in bytes. */
  readonly size: number;
  readonly mediaType: string;
  readonly extension: string;
  readonly preview: Preview | undefined;
  readonly metadata: JsonObject;
  /** The step run that first made it. */
  readonly producer: StepRunId;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** The version of what no store has numbered yet. */
export const unnumbered = 0;

export function toArtifactName(step: string, output: string, singleOutput: string): ArtifactName {
  return output === singleOutput ? step : `${step}.${output}`;
}
