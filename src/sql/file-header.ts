/**
 * What the first bytes of a SQLite file say, read without SQLite: to open a database may already change it, by taking
 * over a log that its last writer left.
 */
import { closeSync, openSync, readSync, statSync } from "node:fs";

export interface FileHeader {
  readonly applicationId: number;
  readonly userVersion: number;
  /** Bytes that the file should have, and has. Where there is a log, the log may hold the rest. */
  readonly expectedBytes: number;
  readonly bytes: number;
  readonly hasLog: boolean;
}

const headerBytes = 100;
const magic = "SQLite format 3\0";

/** Undefined when there is no file, or no header that could be told from other bytes: SQLite will say what it is. */
export function readFileHeader(path: string): FileHeader | undefined {
  const bytes = sizeOf(path);
  if (bytes < headerBytes) return undefined;
  const header = Buffer.alloc(headerBytes);
  const descriptor = openSync(path, "r");
  try {
    readSync(descriptor, header, 0, headerBytes, 0);
  } finally {
    closeSync(descriptor);
  }
  if (header.toString("latin1", 0, magic.length) !== magic) return undefined;
  const pageBytes = header.readUInt16BE(16);
  const pages = header.readUInt32BE(28);
  // The count of pages is to be believed only if whoever wrote it also wrote the rest of the header.
  const isCounted = header.readUInt32BE(24) === header.readUInt32BE(92);
  return {
    applicationId: header.readInt32BE(68),
    userVersion: header.readInt32BE(60),
    expectedBytes: isCounted ? pages * (pageBytes === 1 ? 65_536 : pageBytes) : 0,
    bytes,
    hasLog: sizeOf(`${path}-wal`) > 0,
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
