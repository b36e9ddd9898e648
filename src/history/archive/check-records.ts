/** Whether the records of an archive fit together: each names only what is there, under the digest that it has. */
import { digestKey, keyScheme } from "../../cache/key.ts";
import type { Digest } from "../../hash/digest.ts";
import { digestContent } from "../../materializer/stored-value.ts";
import type { CacheEntry } from "../../record/cache-entry.ts";
import { digestTrace } from "../../record/digest-trace.ts";
import { toStepRunId } from "../../record/id.ts";
import type { NewArtifact } from "../../store/metadata-store.ts";
import type { ArchiveRecords, VerifiedArchive } from "./archive.ts";
import { brokenArchive } from "./broken-archive.ts";

/** Throws a StoreError (RPS4006) that says what does not fit. */
export function checkRecords(path: string, { records, blobs }: VerifiedArchive): void {
  const refuse: Refuse = (why) => {
    throw brokenArchive(path, why);
  };
  const artifacts = new Map(records.artifacts.map((artifact) => [artifactName(artifact), artifact]));
  for (const artifact of records.artifacts) checkArtifact(artifact, blobs, refuse);
  for (const [name, key] of records.keys) {
    // Of another way of keys nothing can be said, and such a result is reused nowhere here.
    if (key.scheme === keyScheme && digestKey(key) !== name) refuse(`the key ${name} is not what its digest says`);
  }
  for (const [name, trace] of records.traces) {
    if (digestTrace(trace) !== name) refuse(`what a step has read is not what its digest ${name} says`);
  }
  for (const entry of records.entries) checkEntry(entry, records, artifacts, refuse);
  for (const { id, run, node } of records.stepRuns.values()) {
    if (id !== toStepRunId(run, node) || !records.runs.has(run)) refuse(`the step run ${id} belongs to no run in it`);
  }
  for (const { id, pipeline, versionDigest } of records.runs.values()) {
    if (records.versions.get(versionDigest)?.pipeline !== pipeline) refuse(`the run ${id} has no version in it`);
  }
  for (const { stepRun } of [...records.logs, ...records.metrics]) {
    if (!records.stepRuns.has(stepRun)) refuse(`there are lines of ${stepRun}, which is not in it`);
  }
  const named = new Set(records.artifacts.flatMap(({ root, parts }) => [root, ...parts].map((blob) => blob.digest)));
  for (const blob of blobs.keys()) if (!named.has(blob)) refuse(`nothing in it names the bytes ${blob}`);
}

type Refuse = (why: string) => void;

/** What an artifact is found by, whatever its number is in a store. */
export function artifactName({ name, digest }: { readonly name: string; readonly digest: Digest }): string {
  return `${digest} ${name}`;
}

function checkArtifact(artifact: NewArtifact, blobs: ReadonlyMap<Digest, number>, refuse: Refuse): void {
  const { name, root, parts, type, typeVersion } = artifact;
  if (digestContent(type, typeVersion, root) !== artifact.digest) {
    refuse(`the artifact ${name} is not what its digest says`);
  }
  for (const { digest, size } of [root, ...parts]) {
    if (blobs.get(digest) !== size) refuse(`bytes of the artifact ${name} are not in it`);
  }
}

function checkEntry(
  entry: CacheEntry,
  { keys, traces, stepRuns }: ArchiveRecords,
  artifacts: ReadonlyMap<string, NewArtifact>,
  refuse: Refuse,
): void {
  const { step, key, trace, outputs, blobs, origin } = entry;
  const what = `a result of step "${step}"`;
  if (keys.get(key)?.step !== step) refuse(`${what} has no key in it`);
  if (trace !== undefined && !traces.has(trace)) refuse(`what ${what} has read is not in it`);
  const made = stepRuns.get(origin);
  if (made !== undefined && made.step !== step) refuse(`${what} was made by another step`);
  const own = outputs.map(({ artifact, digest }) => artifacts.get(artifactName({ name: artifact, digest })));
  const named = new Set(
    own.flatMap((artifact) => artifact && [artifact.root, ...artifact.parts]).map((ref) => ref?.digest),
  );
  const held = new Set(blobs.map(({ digest }) => digest));
  const isComplete = own.every((artifact) => artifact !== undefined);
  if (
    !isComplete ||
    named.size !== held.size ||
    [...named].some((digest) => digest === undefined || !held.has(digest))
  ) {
    refuse(`outputs of ${what} are not in it`);
  }
}
