/** What became of one thing that a step read, as a difference. */
import { shortDigest, isDigest } from "../hash/digest.ts";
import type { Difference, MissCode } from "./reason.ts";
import type { ObservedRead, ReadKind } from "./trace.ts";

const codes: Readonly<Record<ReadKind, MissCode>> = {
  file: "file",
  stat: "file",
  link: "file",
  realpath: "file",
  directory: "directory",
  tree: "directory",
  glob: "directory",
  folder: "directory",
  env: "env",
  variables: "env",
  http: "http",
};

/** The difference between what was found of a thing and what is found now; undefined: it was not read. */
export function toReadDifference(
  read: Pick<ObservedRead, "kind" | "name">,
  from: string | undefined,
  to: string | undefined,
): Difference {
  const show = (found: string | undefined): string | undefined => showFound(read.kind, found);
  return { code: codes[read.kind], part: nameRead(read), from: show(from), to: show(to) };
}

/** What was read, for people. */
export function nameRead({ kind, name }: Pick<ObservedRead, "kind" | "name">): string {
  if (kind === "folder") return "the current folder";
  if (kind === "variables") return "the names of all variables";
  if (kind !== "glob") return name;
  const at = name.indexOf(" ");
  const folder = name.slice(0, at);
  return folder === "." ? name.slice(at + 1) : `${decodeURI(folder)}/${name.slice(at + 1)}`;
}

/** Undefined where there was nothing. Values of variables are not shown, nor are digests of them. */
function showFound(kind: ReadKind, found: string | undefined): string | undefined {
  if (found === undefined || found === "absent" || found === "unset") return undefined;
  if (kind === "env") return "set";
  if (isDigest(found)) return shortDigest(found);
  return found.replace(
    listing,
    (_, count: string, what: string) => `${count} ${count === "1" ? singular[what] : what}`,
  );
}

/** `3 names 1f0c…`, of a directory, a pattern or the environment. */
const listing = /^(\d+) (names|entries) [0-9a-f]{32}$/u;
const singular: Readonly<Record<string, string>> = { names: "name", entries: "entry" };
