/** Stored results written to one file, with all that is known of how they were made. */
import type { BlobRef } from "../../define/materializer.ts";
import { UsageError } from "../../error.ts";
import type { Digest } from "../../hash/digest.ts";
import type { CacheEntry } from "../../record/cache-entry.ts";
import type { RunId, StepRunId } from "../../record/id.ts";
import type { Run, StepRun } from "../../record/run.ts";
import type { ContentStore } from "../../store/content-store.ts";
import type { MetadataStore, NewArtifact } from "../../store/metadata-store.ts";
import { findEntries } from "../find-entries.ts";
import { stateOf } from "../list-entries.ts";
import { withLiveStatus } from "../live-status.ts";
import { makeRecords, writeArchive, type ArchiveRecords } from "./archive.ts";
import { artifactName } from "./check-records.ts";

export interface ExportPorts {
  readonly metadata: MetadataStore;
  readonly content: ContentStore;
}

export interface ExportReport {
  readonly file: string;
  /** Of the file. */
  readonly bytes: number;
  readonly entries: number;
  /** Runs whose steps made them: their records go along, with logs and metrics of those steps. */
  readonly runs: number;
  readonly blobs: number;
  readonly blobBytes: number;
  /** What was left out, because it would not be reused anywhere. */
  readonly leftOut: { readonly invalidated: number; readonly expired: number; readonly damaged: number };
}

/**
 * Writes the results that are named (by step, key, step run or run), or all of them, to a file that is not there yet.
 * Those that are invalid or whose bytes are damaged are left out. Throws a UsageError when nothing is left to write.
 */
export async function exportEntries(
  { metadata, content }: ExportPorts,
  selectors: readonly string[],
  file: string,
  now: number,
): Promise<ExportReport> {
  const named = selectors.length === 0 ? [await metadata.cacheEntriesOf({})] : await findAll(metadata, selectors);
  const all = [...new Map(named.flat().map((entry) => [`${entry.key} ${entry.trace ?? ""}`, entry])).values()];
  const valid = all.filter((entry) => stateOf(entry, now) === "valid");
  const health = await content.verify(valid.flatMap((entry) => entry.blobs));
  const entries = valid.filter(({ blobs }) => blobs.every(({ digest }) => health.get(digest) === "ok"));
  const countOf = (state: string): number => all.filter((entry) => stateOf(entry, now) === state).length;
  if (entries.length === 0) {
    throw new UsageError("RPS6002", "There is no stored result to export", {
      hint: all.length === 0 ? "Run a pipeline first" : "What is there is not valid: reprise cache ls",
    });
  }
  const records = await collectRecords(metadata, entries);
  const blobs = new Map<Digest, BlobRef>(entries.flatMap((entry) => entry.blobs.map((ref) => [ref.digest, ref])));
  const refs = [...blobs.values()];
  return {
    file,
    bytes: await writeArchive(file, records, refs, (digest) => content.stream(digest)),
    entries: entries.length,
    runs: records.runs.size,
    blobs: refs.length,
    blobBytes: refs.reduce((sum, { size }) => sum + size, 0),
    leftOut: {
      invalidated: countOf("invalidated"),
      expired: countOf("expired"),
      damaged: valid.length - entries.length,
    },
  };
}

async function findAll(
  metadata: MetadataStore,
  selectors: readonly string[],
): Promise<readonly (readonly CacheEntry[])[]> {
  const found: (readonly CacheEntry[])[] = [];
  for (const selector of selectors) found.push(await findEntries(metadata, selector));
  return found;
}

async function collectRecords(metadata: MetadataStore, entries: readonly CacheEntry[]): Promise<ArchiveRecords> {
  const records = makeRecords();
  records.entries.push(...entries.map((entry) => ({ ...entry, pinnedAt: undefined })));
  const stepRuns = await metadata.stepRuns({ ids: [...new Set(entries.map(({ origin }) => origin))] });
  for (const stepRun of stepRuns) if (stepRun.status === "completed") records.stepRuns.set(stepRun.id, stepRun);
  await collectRuns(metadata, records);
  await collectArtifacts(metadata, entries, records);
  const keys = await metadata.keys([...new Set(entries.map(({ key }) => key))]);
  for (const [digest, key] of keys) records.keys.set(digest, key);
  const traces = [...new Set([...entries, ...records.stepRuns.values()].flatMap(({ trace }) => trace ?? []))];
  for (const [digest, trace] of await metadata.traces(traces)) records.traces.set(digest, trace);
  const codes = [...new Set([...keys.values()].map(({ code }) => code))];
  for (const [digest, code] of await metadata.code(codes)) records.code.set(digest, code);
  const units = [...records.code.values()].flatMap(({ units: own }) => own.map(({ digest }) => digest));
  for (const [digest, source] of await metadata.sources([...new Set(units)])) records.sources.set(digest, source);
  const origins = [...records.stepRuns.keys()];
  if (origins.length > 0) {
    records.logs.push(...(await metadata.logs({ stepRuns: origins })));
    records.metrics.push(...(await metadata.metrics({ stepRuns: origins })));
  }
  return records;
}

async function collectRuns(metadata: MetadataStore, records: ArchiveRecords): Promise<void> {
  const ids = [...new Set([...records.stepRuns.values()].map(({ run }) => run))];
  if (ids.length === 0) return;
  for (const run of (await metadata.runs({ ids })).map(withLiveStatus)) {
    const [version] = await metadata.versions(run.pipeline, run.version);
    if (version === undefined) continue;
    const { version: _number, ...content } = version;
    records.versions.set(version.digest, content);
    records.runs.set(run.id, toArchivedRun(run, version.digest));
  }
  forgetStepRunsWithoutRun(records);
}

function toArchivedRun(
  run: Run,
  versionDigest: Digest,
): ArchiveRecords["runs"] extends Map<RunId, infer R> ? R : never {
  const { version: _version, tags: _tags, imported: _imported, status, ...rest } = run;
  // How a run ended that goes on at this moment is not known there; whoever imports it is not to wait for it.
  return { ...rest, status: status === "running" ? "interrupted" : status, versionDigest };
}

function forgetStepRunsWithoutRun({ stepRuns, runs }: ArchiveRecords): void {
  for (const { id, run } of stepRuns.values()) if (!runs.has(run)) stepRuns.delete(id);
}

async function collectArtifacts(
  metadata: MetadataStore,
  entries: readonly CacheEntry[],
  records: ArchiveRecords,
): Promise<void> {
  const makers = new Map<string, StepRunId>();
  for (const { outputs, origin } of entries) {
    for (const { artifact: name, digest } of outputs) {
      const id = artifactName({ name, digest });
      if (!makers.has(id)) makers.set(id, origin);
    }
  }
  const digests = [...new Set(entries.flatMap(({ outputs }) => outputs.map(({ digest }) => digest)))];
  for (const { version: _version, ...artifact } of await metadata.artifacts({ digests })) {
    const maker = makers.get(artifactName(artifact));
    if (maker !== undefined) records.artifacts.push(withMaker(artifact, maker, records.stepRuns));
  }
}

/** The step run that first made an artifact may stay behind; then one that made it again stands for it. */
function withMaker(artifact: NewArtifact, maker: StepRunId, stepRuns: ReadonlyMap<StepRunId, StepRun>): NewArtifact {
  return stepRuns.has(artifact.producer) ? artifact : { ...artifact, producer: maker };
}
