/** Stored results taken in from an archive that another store wrote. */
import { resolve } from "node:path";
import { runtimeOfThisProcess } from "../../cache/key.ts";
import { UsageError } from "../../error.ts";
import type { Digest } from "../../hash/digest.ts";
import type { CacheEntry } from "../../record/cache-entry.ts";
import type { RunId } from "../../record/id.ts";
import type { ArtifactUse, StepRun } from "../../record/run.ts";
import type { ContentStore } from "../../store/content-store.ts";
import type { Change, MetadataStore } from "../../store/metadata-store.ts";
import { readBlobs, verifyArchive, type ArchiveRecords } from "./archive.ts";
import { brokenArchive } from "./broken-archive.ts";
import { artifactName, checkRecords } from "./check-records.ts";
import { findOutside, type Outside, type Permission } from "./find-outside.ts";

export interface ImportPorts {
  readonly metadata: MetadataStore;
  readonly content: ContentStore;
  /** The project's folder, absolute. */
  readonly root: string;
}

export interface ImportOptions {
  /** Only says what would be taken in. */
  readonly dryRun?: boolean;
  /** Hosts that results may have read from and that may be asked again, with a port where it is not the usual one. */
  readonly allowHosts?: readonly string[];
  /** Files and folders outside of the project that results may have read and that may be looked at, absolute. */
  readonly allowPaths?: readonly string[];
}

/** Why a result of the archive was not taken in. */
export type SkipReason =
  /** It is here already, with equal outputs. */
  | "same"
  /** What stands here for the same key is newer, or somebody dropped it after the other was made. */
  | "newer-here"
  /** It is older than the `expires` option of when it was made. */
  | "expired"
  /** Its step has read files outside of the project, or URLs on hosts that were not allowed. */
  | "reads-outside";

export interface ImportReport {
  readonly file: string;
  /** False when nothing was to be changed. */
  readonly applied: boolean;
  /** Results that were not here. */
  readonly added: readonly ImportedEntry[];
  /** Results that stand here now in place of older ones with other outputs. */
  readonly replaced: readonly ImportedEntry[];
  readonly skipped: readonly (ImportedEntry & { readonly why: SkipReason })[];
  /** Of those that were taken in: made on another runtime, so that no step of this one reuses them. */
  readonly foreign: number;
  /** Step runs that came with them. */
  readonly stepRuns: number;
  /** Blobs that were not here, and their bytes. */
  readonly blobs: number;
  readonly blobBytes: number;
  /** What is read by those that stay away for it, and was not allowed; each in code-unit order. */
  readonly outside: { readonly hosts: readonly string[]; readonly paths: readonly string[] };
  /** Inputs of those step runs that are in no store here: lineage ends there. */
  readonly inputsElsewhere: number;
}

export type ImportedEntry = Pick<CacheEntry, "step" | "key" | "trace">;

/**
 * Verifies an archive as a whole, then takes its results in; a second time changes nothing. What is here and newer is
 * left alone. A result is looked up by looking at what its step has read, and who wrote the archive says what that is: so
 * results that name anything outside of the project are left out, unless it is allowed. Throws a StoreError (RPS4006) for an archive that is not whole, was altered, or is of a newer Reprise: then
 * nothing was changed.
 */
export async function importEntries(
  { metadata, content, root }: ImportPorts,
  file: string,
  { dryRun = false, ...options }: ImportOptions,
  now: number,
): Promise<ImportReport> {
  const archive = await verifyArchive(file);
  checkRecords(file, archive);
  const { records } = archive;
  const permission = toPermission(options);
  const { inside, strays, outside } = sortOut(records, root, permission);
  const choice = await choose(metadata, inside, now);
  const taken = [...choice.added, ...choice.replaced];
  const wanted = new Map(taken.flatMap(({ blobs }) => blobs.map(({ digest, size }) => [digest, size] as const)));
  const refs = [...wanted].map(([digest, size]) => ({ digest, size }));
  const health = await content.verify(refs);
  const missing = new Map([...wanted].filter(([digest]) => health.get(digest) !== "ok"));
  const history = await planHistory(metadata, records, taken);
  if (!dryRun && taken.length > 0) {
    // Also what is there already: to put it again keeps it from being collected.
    await takeBlobs(content, file, new Set(wanted.keys()));
    // What a run has made meanwhile is newer.
    const { skipped } = await choose(metadata, taken, now);
    const late = new Set(skipped.map(({ entry }) => entry));
    await takeRecords(
      metadata,
      records,
      taken.filter((entry) => !late.has(entry)),
      history,
      now,
    );
  }
  return {
    file,
    applied: !dryRun && taken.length > 0,
    added: choice.added.map(toName),
    replaced: choice.replaced.map(toName),
    skipped: [
      ...choice.skipped.map(({ entry, why }) => ({ ...toName(entry), why })),
      ...strays.map((entry) => ({ ...toName(entry), why: "reads-outside" as const })),
    ],
    foreign: taken.filter(({ key }) => records.keys.get(key)?.runtime !== runtimeOfThisProcess).length,
    stepRuns: history.stepRuns.length,
    blobs: missing.size,
    blobBytes: [...missing.values()].reduce((sum, size) => sum + size, 0),
    outside,
    inputsElsewhere: history.inputsElsewhere,
  };
}

function toPermission({ allowHosts = [], allowPaths = [] }: ImportOptions): Permission {
  const hosts = allowHosts.map((host) => {
    const url = URL.canParse(`http://${host}`) ? new URL(`http://${host}`) : undefined;
    // As it is compared: in lower case, without the usual port.
    if (url !== undefined && url.href === `http://${url.host}/`) return url.host;
    throw new UsageError("RPS6001", `"${host}" is no host`, {
      hint: "Write it as in a URL, with a port where it is not the usual one: api.example.com, localhost:8080",
    });
  });
  return { hosts: new Set(hosts), paths: allowPaths.map((path) => resolve(path)) };
}

/** Entries whose traces stay in the project or in what is permitted, and the others with what they name. */
function sortOut(
  { entries, traces }: ArchiveRecords,
  root: string,
  permission: Permission,
): {
  readonly inside: readonly CacheEntry[];
  readonly strays: readonly CacheEntry[];
  readonly outside: ImportReport["outside"];
} {
  const strays = new Set<CacheEntry>();
  const hosts = new Set<string>();
  const paths = new Set<string>();
  const known = new Map<Digest, Outside>();
  for (const entry of entries) {
    const trace = entry.trace === undefined ? undefined : traces.get(entry.trace);
    if (entry.trace === undefined || trace === undefined) continue;
    const found = known.get(entry.trace) ?? findOutside(trace, root, permission);
    known.set(entry.trace, found);
    if (found.hosts.size + found.paths.size === 0) continue;
    strays.add(entry);
    for (const host of found.hosts) hosts.add(host);
    for (const path of found.paths) paths.add(path);
  }
  return {
    inside: entries.filter((entry) => !strays.has(entry)),
    strays: [...strays],
    outside: { hosts: [...hosts].sort(), paths: [...paths].sort() },
  };
}

interface Choice {
  readonly added: readonly CacheEntry[];
  readonly replaced: readonly CacheEntry[];
  readonly skipped: readonly { readonly entry: CacheEntry; readonly why: SkipReason }[];
}

async function choose(metadata: MetadataStore, entries: readonly CacheEntry[], now: number): Promise<Choice> {
  const here = await metadata.cacheEntries([...new Set(entries.map(({ key }) => key))]);
  const added: CacheEntry[] = [];
  const replaced: CacheEntry[] = [];
  const skipped: { entry: CacheEntry; why: SkipReason }[] = [];
  for (const entry of entries) {
    const own = here.get(entry.key)?.find(({ trace }) => trace === entry.trace);
    const since = own && Math.max(own.createdAt, own.invalidatedAt ?? 0);
    if (entry.expiresAt !== undefined && entry.expiresAt <= now) skipped.push({ entry, why: "expired" });
    else if (own === undefined || since === undefined) added.push(entry);
    else if (own.invalidatedAt === undefined && sameOutputs(own, entry)) skipped.push({ entry, why: "same" });
    else if (since >= entry.createdAt) skipped.push({ entry, why: "newer-here" });
    else replaced.push(entry);
  }
  return { added, replaced, skipped };
}

function sameOutputs(one: CacheEntry, other: CacheEntry): boolean {
  const list = ({ outputs }: CacheEntry): string =>
    outputs
      .map(({ slot, digest }) => `${slot} ${digest}`)
      .sort()
      .join("\n");
  return list(one) === list(other);
}

interface PlannedHistory {
  /** Origins of the entries that are not here yet. */
  readonly stepRuns: readonly StepRun[];
  readonly inputsElsewhere: number;
}

async function planHistory(
  metadata: MetadataStore,
  records: ArchiveRecords,
  taken: readonly CacheEntry[],
): Promise<PlannedHistory> {
  const origins = [...new Set(taken.map(({ origin }) => origin))];
  const here = origins.length === 0 ? [] : await metadata.stepRuns({ ids: origins });
  const known = new Set(here.map(({ id }) => id));
  const coming = origins.flatMap((id) => (known.has(id) ? [] : (records.stepRuns.get(id) ?? [])));
  // A run that was made here has all of its step runs: whatever else says that it belongs to one does not.
  const runs = [...new Set(coming.map(({ run }) => run))];
  const own = new Set(
    (runs.length === 0 ? [] : await metadata.runs({ ids: runs, madeHere: true })).map(({ id }) => id),
  );
  const stepRuns = coming.filter(({ run }) => !own.has(run));
  const inputs = stepRuns.flatMap((stepRun) => stepRun.inputs);
  const artifacts = await findVersions(metadata, inputs);
  const made = new Set(taken.flatMap(({ outputs }) => outputs.map(nameOfUse)));
  const inputsElsewhere = inputs.filter((use) => !artifacts.has(nameOfUse(use)) && !made.has(nameOfUse(use))).length;
  return { stepRuns, inputsElsewhere };
}

/** The numbers that artifacts have in this store. */
async function findVersions(
  metadata: MetadataStore,
  uses: readonly ArtifactUse[],
): Promise<ReadonlyMap<string, number>> {
  const digests = [...new Set(uses.map(({ digest }) => digest))];
  const found = digests.length === 0 ? [] : await metadata.artifacts({ digests });
  return new Map(found.map((artifact) => [artifactName(artifact), artifact.version]));
}

function nameOfUse({ artifact, digest }: ArtifactUse): string {
  return artifactName({ name: artifact, digest });
}

async function takeBlobs(content: ContentStore, file: string, wanted: ReadonlySet<Digest>): Promise<void> {
  for await (const { digest, bytes } of readBlobs(file)) {
    if (!wanted.has(digest)) continue;
    const put = await content.put(bytes);
    if (put.digest !== digest) throw brokenArchive(file, "it was altered while it was read");
  }
}

async function takeRecords(
  metadata: MetadataStore,
  records: ArchiveRecords,
  taken: readonly CacheEntry[],
  { stepRuns }: PlannedHistory,
  now: number,
): Promise<void> {
  const outputs = new Set(taken.flatMap((entry) => entry.outputs.map(nameOfUse)));
  const artifacts = records.artifacts.filter((artifact) => outputs.has(artifactName(artifact)));
  const numbered = await metadata.recordArtifacts(artifacts.toSorted((a, b) => a.createdAt - b.createdAt));
  const versions = new Map(
    await findVersions(
      metadata,
      stepRuns.flatMap((stepRun) => stepRun.inputs),
    ),
  );
  for (const artifact of numbered) versions.set(artifactName(artifact), artifact.version);
  // An artifact that is in no store here has no number here: the use of it is left out.
  const translate = (uses: readonly ArtifactUse[]): readonly ArtifactUse[] =>
    uses.flatMap((use) => {
      const version = versions.get(nameOfUse(use));
      return version === undefined ? [] : [{ ...use, version }];
    });
  const changes: Change[] = await toRunChanges(metadata, records, stepRuns, now);
  const ids = new Set(stepRuns.map(({ id }) => id));
  for (const stepRun of stepRuns) {
    const { inputs, outputs: made } = stepRun;
    changes.push({ kind: "step-run", stepRun: { ...stepRun, inputs: translate(inputs), outputs: translate(made) } });
  }
  const keys = new Set(taken.map(({ key }) => key));
  const codes = new Set<Digest>();
  for (const [digest, key] of records.keys) {
    if (!keys.has(digest)) continue;
    changes.push({ kind: "key", digest, key });
    codes.add(key.code);
  }
  const traces = new Set([...taken, ...stepRuns].flatMap(({ trace }) => trace ?? []));
  for (const [digest, trace] of records.traces) if (traces.has(digest)) changes.push({ kind: "trace", digest, trace });
  const units = new Set<Digest>();
  for (const code of records.code.values()) {
    if (!codes.has(code.digest)) continue;
    changes.push({ kind: "code", code });
    for (const { digest } of code.units) units.add(digest);
  }
  for (const [digest, text] of records.sources) if (units.has(digest)) changes.push({ kind: "source", digest, text });
  for (const entry of taken)
    changes.push({ kind: "cache-entry", entry: { ...entry, outputs: translate(entry.outputs) } });
  const logs = records.logs.filter(({ stepRun }) => ids.has(stepRun));
  const metrics = records.metrics.filter(({ stepRun }) => ids.has(stepRun));
  if (logs.length > 0) changes.push({ kind: "log", lines: logs });
  if (metrics.length > 0) changes.push({ kind: "metric", points: metrics });
  await metadata.write(changes);
}

/** Runs that are not here, each with its pipeline's version under the number that it has or gets here. */
async function toRunChanges(
  metadata: MetadataStore,
  records: ArchiveRecords,
  stepRuns: readonly StepRun[],
  now: number,
): Promise<Change[]> {
  const ids = [...new Set(stepRuns.map(({ run }) => run))];
  const startOf = (id: RunId): number => records.runs.get(id)?.startedAt ?? 0;
  // Oldest first, so that versions are numbered in the order in which they came to be.
  ids.sort((a, b) => startOf(a) - startOf(b));
  const here = new Set((ids.length === 0 ? [] : await metadata.runs({ ids })).map(({ id }) => id));
  const changes: Change[] = [];
  for (const id of ids) {
    const archived = records.runs.get(id);
    const content = archived && records.versions.get(archived.versionDigest);
    if (here.has(id) || archived === undefined || content === undefined) continue;
    const { versionDigest: _digest, ...run } = archived;
    const { version } = await metadata.versionOf(content);
    changes.push({ kind: "run", run: { ...run, version, tags: {}, imported: now } });
  }
  return changes;
}

function toName({ step, key, trace }: CacheEntry): ImportedEntry {
  return { step, key, trace };
}
