/** What the numbers of a run on the screen are compared with. */
import { summarizeRuns } from "../history/list-runs.ts";
import type { Stack } from "../stack/stack.ts";
import type { PreviousRun } from "./reporter/reporter.ts";

/** The last run of a pipeline that completed. */
export async function findPreviousRun(
  { metadata }: Pick<Stack, "metadata">,
  pipeline: string,
): Promise<PreviousRun | undefined> {
  const [last] = await metadata.runs({ pipeline, status: ["completed"], madeHere: true, limit: 1 });
  if (last === undefined) return undefined;
  const [summary] = await summarizeRuns(metadata, [last]);
  return { params: last.params, metrics: summary?.metrics ?? {} };
}
