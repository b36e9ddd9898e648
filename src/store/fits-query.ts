/** Whether a record is among those that a question asks for, and the order of runs: what a store in memory answers by. */
import type { Artifact } from "../record/artifact.ts";
import type { Run } from "../record/run.ts";
import type { ArtifactQuery, RunQuery } from "./metadata-store.ts";
import { ascending } from "./plan-order.ts";
import { parseTagQuery } from "./tag-query.ts";

export function fitsRun(run: Run, query: RunQuery): boolean {
  const tag = query.tag === undefined ? undefined : parseTagQuery(query.tag);
  return (
    (query.ids === undefined || query.ids.includes(run.id)) &&
    (query.names === undefined || query.names.includes(run.name)) &&
    (query.pipeline === undefined || run.pipeline === query.pipeline) &&
    (query.version === undefined || run.version === query.version) &&
    (query.status === undefined || query.status.includes(run.status)) &&
    (query.startedBefore === undefined || run.startedAt < query.startedBefore) &&
    (query.startedAfter === undefined || run.startedAt > query.startedAfter) &&
    (query.madeHere === undefined || run.imported === undefined) &&
    (tag === undefined || (Object.hasOwn(run.tags, tag.key) && (tag.value ?? run.tags[tag.key]) === run.tags[tag.key]))
  );
}

export function newestRunFirst(left: Run, right: Run): number {
  return ascending(right.startedAt, left.startedAt) || ascending(right.id, left.id);
}

export function fitsArtifact(artifact: Artifact, query: ArtifactQuery): boolean {
  const end = query.nameEndsWith;
  return (
    (query.name === undefined || artifact.name === query.name) &&
    (end === undefined || artifact.name === end || artifact.name.endsWith(`.${end}`)) &&
    (query.version === undefined || artifact.version === query.version) &&
    (query.digests === undefined || query.digests.includes(artifact.digest)) &&
    (query.type === undefined || artifact.type === query.type)
  );
}
