/** Which bytes of a file this process has loaded as a module, of those that it loads after it was asked for the code of steps. */
import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

/** By path: the digest of what was loaded last, or what is no digest where it changed while it was loaded. */
const loaded = new Map<string, string>();
let isWatching = false;

/** Notes from now on what is loaded: a step may import a module in the middle of its run, when it has been edited. */
export function watchLoads(): void {
  if (isWatching) return;
  isWatching = true;
  registerHooks({
    load(url, context, nextLoad) {
      if (!url.startsWith("file:") || url.includes("/node_modules/")) return nextLoad(url, context);
      const path = fileURLToPath(url.replace(/[?#].*$/u, ""));
      const before = digestOf(path);
      const result = nextLoad(url, context);
      if (before !== undefined) loaded.set(path, digestOf(path) === before ? before : "edited");
      return result;
    },
  });
}

/** The digest of the bytes that were loaded, where that was seen. */
export function loadedSince(path: string): string | undefined {
  return loaded.get(path);
}

function digestOf(path: string): string | undefined {
  try {
    return hash("sha256", readFileSync(path), "base64url");
  } catch {
    return undefined;
  }
}
