/** The small JSON texts that name further blobs. What is read is checked: a store may have been tampered with. */
import { ValueError } from "../error.ts";

export function readManifest(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw unreadable("artifact");
  return value as Record<string, unknown>;
}

export function unreadable(what: string, why = "its list of content is not one that Reprise writes"): ValueError {
  return new ValueError("RPS2103", `The stored ${what} cannot be read: ${why}.`, {
    hint: "Run the step again with --no-cache to store it anew.",
  });
}

/** Whether a path stays below the directory it starts at, on every system. */
export function isInside(path: unknown): path is string {
  if (typeof path !== "string" || path === "" || path.includes("\0") || path.includes("\\")) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..") && !/^[A-Za-z]:/u.test(path);
}
