/** What keys the digests of values that must not be read from a store: a secret of the store. */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Answers with the store's salt, made when it is first asked for. In a store that cannot be written it lasts as long as the process. */
export function openSalt(storePath: string): () => string {
  let salt: string | undefined;
  return () => (salt ??= readOrMake(join(storePath, "salt")));
}

function readOrMake(path: string): string {
  const made = randomBytes(16).toString("hex");
  try {
    writeFileSync(path, made, { flag: "wx", mode: 0o600 });
    return made;
  } catch {
    // Somebody made it first, or nobody can.
  }
  try {
    const found = readFileSync(path, "utf8");
    return found.length === made.length ? found : made;
  } catch {
    return made;
  }
}
