/** Which run is meant. */
import { UsageError } from "../error.ts";
import type { RunId } from "../record/id.ts";
import type { Run, RunStatus } from "../record/run.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { didYouMean } from "./did-you-mean.ts";
import { withLiveStatus } from "./live-status.ts";

const statuses: readonly RunStatus[] = ["running", "completed", "failed", "cancelled", "interrupted"];
const pageSize = 200;

/**
 * Finds a run by `last`, `last~2` (two before it), `last:failed`, `last:failed~1` (of those made in this store), by id, by name, by a tag (`baseline`,
 * `dataset=v2`; the newest with it), or by the beginning or the end of an id that no other run has.
 *
 * Throws a UsageError (RPS6002) when there is none, or several.
 */
export async function findRun(metadata: MetadataStore, selector: string): Promise<Run> {
  const last = /^last(?::(?<status>[a-z]+))?(?:~(?<back>\d+))?$/u.exec(selector);
  if (last !== null)
    return await findLast(metadata, selector, last.groups?.["status"], Number(last.groups?.["back"] ?? 0));
  const [byId] = await metadata.runs({ ids: [selector as RunId], limit: 1 });
  const found = byId ?? (await metadata.runs({ names: [selector], limit: 1 }))[0];
  const tagged = found ?? (await metadata.runs({ tag: selector, limit: 1 }))[0];
  return withLiveStatus(tagged ?? (await findByPart(metadata, selector)));
}

async function findLast(
  metadata: MetadataStore,
  selector: string,
  status: string | undefined,
  back: number,
): Promise<Run> {
  if (status !== undefined && !statuses.includes(status as RunStatus)) {
    throw new UsageError("RPS6002", `A run is never "${status}"`, {
      hint: didYouMean(status, statuses) ?? `Its status is one of: ${statuses.join(", ")}`,
    });
  }
  if (status === undefined) {
    const [run] = await metadata.runs({ madeHere: true, limit: 1, offset: back });
    if (run !== undefined) return withLiveStatus(run);
  } else {
    const stored: readonly RunStatus[] = status === "interrupted" ? ["running", "interrupted"] : [status as RunStatus];
    let left = back;
    for (let offset = 0; ; offset += pageSize) {
      const page = await metadata.runs({ status: stored, madeHere: true, limit: pageSize, offset });
      for (const run of page.map(withLiveStatus)) {
        if (run.status !== status) continue;
        if (left === 0) return run;
        left -= 1;
      }
      if (page.length < pageSize) break;
    }
  }
  const [any] = await metadata.runs({ madeHere: true, limit: 1 });
  const what = status === undefined ? "run" : `${status} run`;
  throw new UsageError("RPS6002", any === undefined ? "There is no run yet" : `There is no ${what} "${selector}"`, {
    hint: any === undefined ? "Run a pipeline first: reprise run FILE" : "List them: reprise runs",
  });
}

async function findByPart(metadata: MetadataStore, selector: string): Promise<Run> {
  const runs = await metadata.runs({});
  const prefixes = [selector, `r-${selector}`];
  // Ids begin with the time, so the end tells runs of one day apart sooner.
  const found = runs.filter(
    (run) => prefixes.some((prefix) => run.id.startsWith(prefix)) || (selector.length > 2 && run.id.endsWith(selector)),
  );
  const [first, ...others] = found;
  if (first !== undefined && others.length === 0) return first;
  if (first !== undefined) {
    throw new UsageError("RPS6002", `Several runs are named like "${selector}": ${listIds(found)}`, {
      hint: "Write more of the id",
    });
  }
  const names = runs.flatMap((run) => [run.id, run.name, ...Object.keys(run.tags)]);
  throw new UsageError("RPS6002", `There is no run "${selector}"`, {
    hint: didYouMean(selector, names) ?? "List them: reprise runs",
  });
}

function listIds(runs: readonly Run[]): string {
  const shown = runs.slice(0, 5).map((run) => run.id);
  return `${shown.join(", ")}${runs.length > shown.length ? " …" : ""}`;
}
