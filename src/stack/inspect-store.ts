/** The health of a store's files, without opening it as a stack: a broken one can be looked at too. */
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { inspectDatabase } from "../sql/inspect-database.ts";

export interface StoreHealth {
  /** Whether there is a store at all. */
  readonly exists: boolean;
  /** What is wrong with the records; empty when nothing. */
  readonly problems: readonly string[];
  /** What to do about the problems. */
  readonly hint: string | undefined;
  /** Version of the schema; undefined when the records cannot be read. */
  readonly schema: number | undefined;
  /** Files that writers have not finished, and the age of the oldest. */
  readonly unfinished: { readonly count: number; readonly oldestMs: number };
}

/** Reads, and changes nothing. */
export async function inspectStore(storePath: string, now: number): Promise<StoreHealth> {
  const file = join(storePath, "metadata.db");
  const unfinished = await countUnfinished(join(storePath, "tmp"), now);
  if (!existsSync(file)) return { exists: false, problems: [], hint: undefined, schema: undefined, unfinished };
  return { exists: true, ...inspectDatabase(file), unfinished };
}

async function countUnfinished(folder: string, now: number): Promise<StoreHealth["unfinished"]> {
  const names = await readdir(folder).catch(() => []);
  let count = 0;
  let oldestMs = 0;
  for (const name of names) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found === undefined) continue;
    count += 1;
    oldestMs = Math.max(oldestMs, now - found.mtimeMs);
  }
  return { count, oldestMs };
}
