/** An artifact's value outside of a program: as JSON, as rows, as a file. */
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { UsageError } from "../error.ts";
import type { JsonValue } from "../hash/json.ts";
import type { StoredFile } from "../materializer/stored-file.ts";
import { loadValue } from "../materializer/stored-value.ts";
import type { Artifact } from "../record/artifact.ts";
import { artifactKey } from "./run-details.ts";
import type { HistoryPorts } from "./ports.ts";

/** Writes an artifact's bytes to a file, or its files to a folder. Answers with the path; refuses to overwrite. */
export async function saveArtifact(ports: HistoryPorts, artifact: Artifact, path: string): Promise<string> {
  const target = resolve(path);
  const value = isOfFiles(artifact) ? await loadValue(artifact, toLoadPorts(ports)) : undefined;
  if (existsSync(target)) throw refuseToOverwrite(target);
  if (isCopyable(value)) return await value.copyTo(target);
  await mkdir(dirname(target), { recursive: true });
  const file = createWriteStream(target, { flags: "wx" });
  try {
    await pipeline(Readable.from(ports.content.stream(artifact.root.digest)), file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw refuseToOverwrite(target, cause);
    // Half a file would look like a whole one.
    if (file.path === target && file.bytesWritten > 0) await rm(target, { force: true });
    throw cause;
  }
  return target;
}

/** A local path of an artifact's bytes, which belong to the store. A directory has none: its files lie apart. */
export async function pathOfArtifact(ports: HistoryPorts, artifact: Artifact): Promise<string> {
  const value = isOfFiles(artifact) ? await loadValue(artifact, toLoadPorts(ports)) : undefined;
  if (artifact.type === "file" && isStoredFile(value)) return await value.path();
  if (value !== undefined) {
    throw new UsageError("RPS6001", `${artifactKey(artifact)} consists of several files and has no path of its own`, {
      hint: `Copy it: reprise get ${artifactKey(artifact)} -o FOLDER`,
    });
  }
  const path = await ports.content.path(artifact.root.digest);
  // A copy would be gone when this process is.
  if ((await ports.blobs.localPath(artifact.root.digest)) === undefined) {
    throw new UsageError("RPS6001", `${artifactKey(artifact)} has no file in the store, which cannot be written`, {
      hint: `Copy it: reprise get ${artifactKey(artifact)} -o FILE`,
    });
  }
  return path;
}

/** The bytes that a reader means: of a file those of the file, else those of the artifact's root. */
export async function openBytes(ports: HistoryPorts, artifact: Artifact): Promise<AsyncIterable<Uint8Array>> {
  const value = artifact.type === "file" ? await loadValue(artifact, toLoadPorts(ports)) : undefined;
  return isStoredFile(value) ? value.stream() : ports.content.stream(artifact.root.digest);
}

/** The value as JSON has it. Maps become objects or pairs, sets and typed arrays lists, dates and big integers texts. */
export function toJson(value: unknown, ancestors: readonly unknown[] = []): JsonValue {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object") return null;
  if (ancestors.includes(value)) return "[circular]";
  const inner = [...ancestors, value];
  const records = toRecords(value);
  if (records !== undefined && !Array.isArray(value)) return records.map((record) => toJson(record, inner));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL || value instanceof RegExp) return String(value);
  if (value instanceof Map) {
    const entries = [...value];
    return entries.every(([key]) => typeof key === "string")
      ? Object.fromEntries(entries.map(([key, each]) => [key, toJson(each, inner)]))
      : entries.map(([key, each]) => [toJson(key, inner), toJson(each, inner)]);
  }
  if (value instanceof Set) return [...value].map((each) => toJson(each, inner));
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as unknown as ArrayLike<number | bigint>, (each) => toJson(each, inner));
  }
  if (Array.isArray(value)) return value.map((each) => toJson(each, inner));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => typeof each !== "function" && each !== undefined)
      .map(([key, each]) => [key, toJson(each, inner)]),
  );
}

/** The rows of a table, or of a list of records; undefined for any other value. */
export function toRecords(value: unknown): readonly Readonly<Record<string, unknown>>[] | undefined {
  if (hasRecords(value)) return value.toRecords();
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const isRecord = (each: unknown): boolean =>
    typeof each === "object" && each !== null && [Object.prototype, null].includes(Object.getPrototypeOf(each));
  return value.every(isRecord) ? value : undefined;
}

/** Rows as RFC 4180 has them, with a header. */
export function toCsv(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const quote = (cell: unknown): string => {
    const plain = toJson(cell);
    const text = plain === null ? "" : typeof plain === "string" ? plain : JSON.stringify(plain);
    return /[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [names, ...rows.map((row) => names.map((name) => row[name]))]
    .map((cells) => `${cells.map(quote).join(",")}\r\n`)
    .join("");
}

/** Whether the root is only a list of what was stored: an empty directory has a root and no parts. */
function isOfFiles(artifact: Artifact): boolean {
  return artifact.parts.length > 0 || artifact.type === "file" || artifact.type === "directory";
}

function refuseToOverwrite(target: string, cause?: unknown): UsageError {
  return new UsageError("RPS6001", `${target} is already there`, {
    hint: "Name another place, or remove what is there",
    ...(cause === undefined ? {} : { cause }),
  });
}

function isStoredFile(value: unknown): value is StoredFile {
  return typeof (value as { stream?: unknown } | undefined)?.stream === "function";
}

function toLoadPorts({ registry, content }: HistoryPorts): Parameters<typeof loadValue>[1] {
  return { registry, blobs: content };
}

function isCopyable(value: unknown): value is { copyTo(path: string): Promise<string> } {
  return typeof (value as { copyTo?: unknown } | undefined)?.copyTo === "function";
}

function hasRecords(value: unknown): value is { toRecords(): Readonly<Record<string, unknown>>[] } {
  return typeof (value as { toRecords?: unknown } | null | undefined)?.toRecords === "function";
}
