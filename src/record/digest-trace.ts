/** The digest of a trace: what entries and step runs name it by. */
import { digestOwnData } from "../hash/canonical.ts";
import type { Digest } from "../hash/digest.ts";
import type { Trace } from "./trace.ts";

export function digestTrace({ salt, reads }: Trace): Digest {
  return digestOwnData(["reprise trace", salt, reads.map(({ kind, name, found }) => [kind, name, found])]);
}
