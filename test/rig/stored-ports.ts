/** A runner's ports on a real store, a SQLite file and a folder of blobs; code identities are set by hand. */
import { join } from "node:path";
import { openFolder } from "../../src/blob/folder.ts";
import { openSqlite } from "../../src/sql/sqlite.ts";
import { openContentStore } from "../../src/store/content-store.ts";
import { openSizedBlobStore } from "../../src/store/sized-blob-store.ts";
import { makePorts, type MemoryPorts } from "./ports.ts";

/**
 * Opens the store in a folder, as another process does: with nothing known of what was found right before.
 *
 * @param small - Where small blobs go: to rows, as the stack has it, or to files as well, as earlier versions had it.
 */
export async function openStoredPorts(
  path: string,
  small: "rows" | "files" = "rows",
): Promise<MemoryPorts & AsyncDisposable> {
  const metadata = await openSqlite({ path: join(path, "metadata.db") });
  const folder = await openFolder({ path, durability: "none" });
  const blobs = small === "files" ? folder : openSizedBlobStore({ small: metadata.blobs, large: folder });
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
