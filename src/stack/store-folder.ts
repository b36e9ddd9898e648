/** The folder of a store: whether there is one, and how it is made. */
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { StoreError } from "../error.ts";

/** Where a store's records are. */
export function metadataFile(storePath: string): string {
  return join(storePath, "metadata.db");
}

/** Makes the folder where it is missing. The store ignores itself in git. */
export function makeStoreFolder(path: string): void {
  const ignore = join(path, ".gitignore");
  if (existsSync(ignore)) return;
  try {
    makeFolder(path);
    writeFileSync(ignore, "*\n", { flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return;
    // What is there already and may only be read can still be looked at, and its results reused.
    if (existsSync(metadataFile(path))) return;
    throw new StoreError("RPS4001", `The store ${path} cannot be made: ${(cause as Error).message}`, {
      hint: "Choose a folder that can be written, with --store or REPRISE_STORE",
      cause,
    });
  }
}

/** One folder after the other: where none can be made, as below /proc, Node's recursive mkdir does not end. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

const pollMs = 10;
const patienceMs = 300;

/**
 * Refuses a store that was used and whose records are a file without bytes: they were lost, and nobody should find that
 * out from a store that looks new. Another process that makes the records at this moment is waited for.
 */
export async function refuseEmptied(storePath: string): Promise<void> {
  const file = metadataFile(storePath);
  for (let waitedMs = 0; isEmptied(file); waitedMs += pollMs) {
    if (!wasUsed(storePath)) return;
    if (waitedMs >= patienceMs) {
      throw new StoreError("RPS4001", `The records of the store ${storePath} are gone: ${file} is empty.`, {
        hint: `Put a copy of it in its place, or remove it to go on with new records: what is stored as files stays`,
        data: { path: file, isCorrupt: true },
      });
    }
    await setTimeout(pollMs);
  }
}

function isEmptied(file: string): boolean {
  const sizeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.size;
  return sizeOf(file) === 0 && (sizeOf(`${file}-wal`) ?? 0) === 0;
}

/** Whether something lies beside the records that only a run leaves: small blobs go with them, so there may be no file of data. */
function wasUsed(storePath: string): boolean {
  const objects = join(storePath, "objects", "sha256");
  return (
    list(join(storePath, "code")).length > 0 || list(objects).some((shelf) => list(join(objects, shelf)).length > 0)
  );
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
