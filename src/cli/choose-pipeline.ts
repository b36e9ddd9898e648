/** A pipeline of the store by name; the only one when none is said. */
import { UsageError } from "../error.ts";
import type { History } from "../history/history.ts";

export async function choosePipeline(history: History, wanted: string | undefined): Promise<string> {
  if (wanted !== undefined) return wanted;
  const known = await history.pipelines();
  const [only, ...others] = known;
  if (only !== undefined && others.length === 0) return only.pipeline;
  throw new UsageError(
    "RPS6001",
    only === undefined ? "No pipeline has run yet" : "The store knows several pipelines",
    {
      hint:
        only === undefined
          ? "Run one first: reprise run FILE"
          : `Name one of: ${known.map((each) => each.pipeline).join(", ")}`,
    },
  );
}
