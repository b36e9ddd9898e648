/** A runner's ports on a real store, a SQLite file and a folder of blobs; code identities are set by hand. */
import { join } from "node:path";
import { openFolder } from "../../src/blob/folder.ts";
import type { Digest } from "../../src/hash/digest.ts";
import { openSqlite } from "../../src/sql/sqlite.ts";
import { openContentStore } from "../../src/store/content-store.ts";
import { makePorts, type MemoryPorts } from "./ports.ts";

/** Opens the store in a folder, as another process does: with nothing known of what was found right before. */
export async function openStoredPorts(path: string): Promise<MemoryPorts & AsyncDisposable> {
  const metadata = await openSqlite({ path: join(path, "metadata.db") });
  const blobs = await openFolder({ path, durability: "none" });
  return {
    ...makePorts(),
    metadata,
    blobs,
    content: openContentStore(blobs),
    async [Symbol.asyncDispose]() {
      await metadata[Symbol.asyncDispose]();
      await blobs[Symbol.asyncDispose]();
    },
  };
}

/** Where a blob's bytes lie in a store. */
export function blobPath(path: string, digest: Digest): string {
  const hex = digest.slice("sha256:".length);
  return join(path, "objects", "sha256", hex.slice(0, 2), hex.slice(2));
}
