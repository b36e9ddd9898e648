/** What keys the digests of values that must not be read from a store. */
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/**
 * Answers with the store's salt, made when it is first asked for. In a store that cannot be written it lasts as long as the
 * process. Traces carry it, so that another store can check them.
 */
export function openSalt(storePath: string): () => string {
  return openRandom(join(storePath, "salt"), 16);
}

/** The same for the key of secrets, which nothing carries: whoever has the records alone cannot try secrets out on them. */
export function openSecretKey(storePath: string): () => string {
  return openRandom(join(storePath, "secret-key"), 32);
}

function openRandom(path: string, bytes: number): () => string {
  let text: string | undefined;
  return () => (text ??= readOrMake(path, bytes));
}

/** Whole from the start under its name: of two processes that make it at once, both take the same. */
function make(path: string, text: string): boolean {
  const own = `${path}.${process.pid}`;
  const options = { flag: "wx", mode: 0o600 };
  try {
    writeFileSync(own, text, options);
    linkSync(own, path);
    return true;
  } catch (error) {
    // Somebody made it first, or nobody can.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(String((error as NodeJS.ErrnoException).code)))
      return false;
  } finally {
    rmSync(own, { force: true });
  }
  // A disk without links.
  try {
    writeFileSync(path, text, options);
    return true;
  } catch {
    return false;
  }
}

function readOrMake(path: string, bytes: number): string {
  const made = randomBytes(bytes).toString("hex");
  if (make(path, made)) return made;
  try {
    const found = readFileSync(path, "utf8");
    return found.length === made.length ? found : made;
  } catch {
    return made;
  }
}
