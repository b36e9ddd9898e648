/** Who is making what a step waits for. */
import { hostname } from "node:os";
import type { LeaseHolder } from "../../record/lease.ts";
import type { StepRunId } from "../../record/id.ts";
import { cleanText } from "../print.ts";
import { nodeOf } from "./reporter.ts";

/** `run r-7k2p (process 123)`, `"embed" of this run`. */
export function describeHolder({ process, stepRun }: LeaseHolder, waiting: StepRunId): string {
  const [run, own] = [stepRun, waiting].map((id) => id.slice(0, -nodeOf(id).length - 1));
  if (run === own) return `"${nodeOf(stepRun)}" of this run`;
  const where = process.host === hostname() ? "" : ` on ${cleanText(process.host)}`;
  return `run ${run} (process ${process.pid}${where})`;
}
