/**
 * An archive of stored results: a tar of what they are, as lines of JSON, and of their bytes by digest.
 *
 *     reprise-cache.json    what this is, and how much of it
 *     records.jsonl         a record a line
 *     blobs/sha256/…        bytes
 *     end.json              the digest of all before it
 *
 * Nothing in it is a path that is written to, and nothing is executed: records are data, and bytes go under their digest.
 */
import { open, rm } from "node:fs/promises";
import type { BlobRef } from "../../define/materializer.ts";
import { UsageError } from "../../error.ts";
import { Digester, isDigest, type Digest } from "../../hash/digest.ts";
import type { CacheEntry } from "../../record/cache-entry.ts";
import type { RunId, StepRunId } from "../../record/id.ts";
import type { KeyDigest, KeyRecord } from "../../record/key.ts";
import type { LogLine, MetricPoint, StepRun } from "../../record/run.ts";
import type { Trace } from "../../record/trace.ts";
import type { CodeRecord, NewArtifact } from "../../store/metadata-store.ts";
import { brokenArchive, newerArchive } from "./broken-archive.ts";
import * as shapes from "./record-shapes.ts";
import { count, digest, Misfit, object, text, type Shape } from "./shape.ts";
import { readTar, tarEnd, tarHeader, tarPadding, type TarFile } from "./tar.ts";

/** Raised when an older Reprise would misread what is written. */
export const archiveVersion = 1;

export interface ArchiveRecords {
  readonly versions: Map<Digest, shapes.ArchivedVersion>;
  readonly runs: Map<RunId, shapes.ArchivedRun>;
  readonly stepRuns: Map<StepRunId, StepRun>;
  readonly logs: LogLine[];
  readonly metrics: MetricPoint[];
  readonly entries: CacheEntry[];
  readonly keys: Map<KeyDigest, KeyRecord>;
  readonly traces: Map<Digest, Trace>;
  readonly code: Map<Digest, CodeRecord>;
  readonly sources: Map<Digest, string>;
  readonly artifacts: NewArtifact[];
}

export function makeRecords(): ArchiveRecords {
  return {
    versions: new Map(),
    runs: new Map(),
    stepRuns: new Map(),
    logs: [],
    metrics: [],
    entries: [],
    keys: new Map(),
    traces: new Map(),
    code: new Map(),
    sources: new Map(),
    artifacts: [],
  };
}

interface Manifest {
  readonly format: string;
  readonly version: number;
  readonly entries: number;
  readonly records: BlobRef;
  readonly blobs: { readonly count: number; readonly bytes: number };
}

const format = "reprise cache";
const manifestName = "reprise-cache.json";
const recordsName = "records.jsonl";
const blobsFolder = "blobs/sha256/";
const endName = "end.json";

const manifestShape = object<Manifest>({
  format: text,
  version: count,
  entries: count,
  records: object<BlobRef>({ digest, size: count }),
  blobs: object<Manifest["blobs"]>({ count, bytes: count }),
});
const endShape = object<{ readonly digest: Digest }>({ digest });

/** Writes an archive to a file that is not there yet. Answers with its size in bytes. Equal content gives equal bytes. */
export async function writeArchive(
  path: string,
  records: ArchiveRecords,
  blobs: readonly BlobRef[],
  read: (digest: Digest) => AsyncIterable<Uint8Array>,
): Promise<number> {
  const file = await open(path, "wx").catch((cause: NodeJS.ErrnoException) => {
    const why =
      cause.code === "EEXIST" ? "is there already, and nothing is overwritten" : `cannot be made: ${cause.message}`;
    throw new UsageError("RPS6001", `The file ${path} ${why}`, { hint: "Name another file", cause });
  });
  const whole = new Digester();
  const write = async (bytes: Uint8Array): Promise<void> => {
    if (bytes.byteLength === 0) return;
    whole.update(bytes);
    await file.writeFile(bytes);
  };
  const add = async (name: string, bytes: Uint8Array): Promise<void> => {
    await write(tarHeader(name, bytes.byteLength));
    await write(bytes);
    await write(tarPadding(bytes.byteLength));
  };
  try {
    const lines = [...toLines(records)].map((line) => Buffer.from(`${JSON.stringify(line)}\n`));
    const digester = new Digester();
    for (const line of lines) digester.update(line);
    const { size } = digester;
    await add(manifestName, toJsonFile(describe(records, blobs, { digest: digester.digest(), size })));
    await write(tarHeader(recordsName, size));
    for (const line of lines) await write(line);
    await write(tarPadding(size));
    for (const blob of blobs) {
      await write(tarHeader(`${blobsFolder}${blob.digest.slice("sha256:".length)}`, blob.size));
      for await (const chunk of read(blob.digest)) await write(chunk);
      await write(tarPadding(blob.size));
    }
    const { size: before } = whole;
    const end = toJsonFile({ digest: whole.digest() });
    const last = Buffer.concat([tarHeader(endName, end.byteLength), end, tarPadding(end.byteLength), tarEnd]);
    await file.writeFile(last);
    return before + last.byteLength;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

function describe(records: ArchiveRecords, blobs: readonly BlobRef[], lines: BlobRef): Manifest {
  const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
  const { entries } = records;
  const blobCounts = { count: blobs.length, bytes };
  return { format, version: archiveVersion, entries: entries.length, records: lines, blobs: blobCounts };
}

function toJsonFile(value: object): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Line by line `[kind, record]`; what is named comes before what names it. */
function* toLines(records: ArchiveRecords): Generator<readonly [kind: string, ...record: unknown[]]> {
  for (const each of records.versions.values()) yield ["version", each];
  for (const each of records.runs.values()) yield ["run", each];
  for (const each of records.stepRuns.values()) yield ["step-run", each];
  for (const [name, each] of records.keys) yield ["key", name, each];
  for (const [name, each] of records.traces) yield ["trace", name, each];
  for (const each of records.code.values()) yield ["code", each];
  for (const [name, each] of records.sources) yield ["source", name, each];
  for (const each of records.artifacts) yield ["artifact", each];
  for (const each of records.entries) yield ["entry", each];
  for (const each of records.logs) yield ["log", each];
  for (const each of records.metrics) yield ["metric", each];
}

export interface VerifiedArchive {
  readonly records: ArchiveRecords;
  readonly blobs: ReadonlyMap<Digest, number>;
}

/**
 * Reads an archive to its end and verifies every byte of it: that it is whole, that no record is other than records are,
 * and that blobs are what their digests say. Throws a StoreError (RPS4006) that says what is wrong.
 */
export async function verifyArchive(path: string): Promise<VerifiedArchive> {
  const whole = new Digester();
  const blobs = new Map<Digest, number>();
  let manifest: Manifest | undefined;
  let records: ArchiveRecords | undefined;
  let isEnded = false;
  for await (const file of readTar(path)) {
    if (isEnded) throw brokenArchive(path, "there is something behind its end");
    if (file.name === endName) {
      const end = parseJson(path, endName, await readText(path, file), endShape);
      if (end.digest !== whole.digest()) throw brokenArchive(path, "it was altered");
      isEnded = true;
      continue;
    }
    whole.update(file.header);
    const own = new Digester();
    const bytes = tee(file.bytes, (chunk) => {
      whole.update(chunk);
      own.update(chunk);
    });
    if (manifest === undefined) {
      if (file.name !== manifestName) throw brokenArchive(path, "it holds no stored results");
      manifest = parseManifest(path, await readText(path, { ...file, bytes }));
    } else if (records === undefined) {
      if (file.name !== recordsName) throw brokenArchive(path, `"${file.name}" stands where its records should be`);
      records = await parseRecords(path, bytes);
      if (own.digest() !== manifest.records.digest) throw brokenArchive(path, "its records were altered");
    } else {
      const named = digestOfName(path, file.name);
      if (blobs.has(named)) throw brokenArchive(path, `it holds ${named} twice`);
      for await (const _ of bytes);
      if (own.digest() !== named) throw brokenArchive(path, `the bytes of ${named} were altered`);
      blobs.set(named, file.size);
    }
    whole.update(tarPadding(file.size));
  }
  if (manifest === undefined || records === undefined || !isEnded) throw brokenArchive(path, "it is cut off");
  return { records, blobs };
}

/** Hands out the blobs of an archive that was verified. */
export async function* readBlobs(
  path: string,
): AsyncGenerator<{ readonly digest: Digest; readonly bytes: AsyncIterable<Uint8Array> }, void, undefined> {
  for await (const { name, bytes } of readTar(path)) {
    if (name.startsWith(blobsFolder)) yield { digest: digestOfName(path, name), bytes };
  }
}

function digestOfName(path: string, name: string): Digest {
  const named = `sha256:${name.slice(blobsFolder.length)}`;
  if (name.startsWith(blobsFolder) && isDigest(named)) return named;
  throw brokenArchive(path, `it holds "${name}", which belongs in no such archive`);
}

async function* tee(
  chunks: AsyncIterable<Uint8Array>,
  see: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    see(chunk);
    yield chunk;
  }
}

/** Nothing that is read as a whole is longer. */
const longestText = 1024 * 1024;

async function readText(path: string, { name, size, bytes }: TarFile): Promise<string> {
  if (size > longestText) throw brokenArchive(path, `"${name}" in it is too long`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function parseManifest(path: string, json: string): Manifest {
  const { format: found, version } = parseJson(
    path,
    manifestName,
    json,
    object<Pick<Manifest, "format" | "version">>({ format: text, version: count }),
  );
  if (found !== format) throw brokenArchive(path, "it holds no stored results");
  if (version > archiveVersion) throw newerArchive(path, version, archiveVersion);
  return parseJson(path, manifestName, json, manifestShape);
}

async function parseRecords(path: string, bytes: AsyncIterable<Uint8Array>): Promise<ArchiveRecords> {
  const records = makeRecords();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  /** What has come of a line whose end has not. */
  let pieces: string[] = [];
  let number = 0;
  const parse = (line: string): void => {
    number += 1;
    addLine(path, `record ${number}`, line, records);
  };
  try {
    for await (const chunk of bytes) {
      const [first = "", ...others] = decoder.decode(chunk, { stream: true }).split("\n");
      pieces.push(first);
      for (const next of others) {
        parse(pieces.join(""));
        pieces = [next];
      }
    }
    pieces.push(decoder.decode());
  } catch (cause) {
    if (cause instanceof TypeError) throw brokenArchive(path, "its records are no text", cause);
    if (cause instanceof RangeError) throw brokenArchive(path, "a record in it is longer than a text can be", cause);
    throw cause;
  }
  if (pieces.join("") !== "") throw brokenArchive(path, "its records are cut off");
  return records;
}

function addLine(path: string, name: string, line: string, records: ArchiveRecords): void {
  const parsed = parseJson(path, name, line, (value) => value);
  const [kind, ...rest] = Array.isArray(parsed) ? (parsed as unknown[]) : [];
  const [first, second] = rest;
  const take = <T>(shape: Shape<T>, value: unknown): T => fit(path, `${name} (${String(kind)})`, value, shape);
  switch (kind) {
    case "version": {
      const found = take(shapes.version, first);
      return void records.versions.set(found.digest, found);
    }
    case "run": {
      const found = take(shapes.run, first);
      return void records.runs.set(found.id, found);
    }
    case "step-run": {
      const found = take(shapes.stepRun, first);
      return void records.stepRuns.set(found.id, found);
    }
    case "key":
      return void records.keys.set(take(digest, first), take(shapes.key, second));
    case "trace":
      return void records.traces.set(take(digest, first), take(shapes.trace, second));
    case "code": {
      const found = take(shapes.codeRecord, first);
      return void records.code.set(found.digest, found);
    }
    case "source":
      return void records.sources.set(take(digest, first), take(text, second));
    case "artifact":
      return void records.artifacts.push(take(shapes.artifact, first));
    case "entry":
      return void records.entries.push(take(shapes.entry, first));
    case "log":
      return void records.logs.push(take(shapes.logLine, first));
    case "metric":
      return void records.metrics.push(take(shapes.metricPoint, first));
    default:
      throw brokenArchive(path, `${name} is of a kind that is not known`);
  }
}

function parseJson<T>(path: string, name: string, json: string, shape: Shape<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw brokenArchive(path, `${name} in it is no JSON`, cause);
  }
  return fit(path, name, value, shape);
}

function fit<T>(path: string, name: string, value: unknown, shape: Shape<T>): T {
  try {
    return shape(value, name);
  } catch (cause) {
    // Data so deep that it cannot be walked is no record either.
    if (!(cause instanceof Misfit) && !(cause instanceof RangeError)) throw cause;
    throw brokenArchive(path, cause.message, cause);
  }
}
