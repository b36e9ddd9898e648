/** Why a stored result is taken. */
import type { CacheEntry } from "../record/cache-entry.ts";
import { toRunId } from "../store/needed-runs.ts";
import type { Reason } from "../record/reason.ts";
import type { StepRun } from "../record/run.ts";

/**
 * @param found - Whether it was stored when it was first looked for, and whether a step above ran in this run.
 */
export function toHitReason(
  { origin }: Pick<CacheEntry, "origin">,
  { run }: Pick<StepRun, "run">,
  found: { readonly meanwhile: boolean; readonly upstreamRan: boolean },
): Reason {
  const rest = { differences: [], against: origin };
  if (found.meanwhile) {
    const maker = toRunId(origin);
    const who = maker === run ? `"${origin.slice(maker.length + 1)}" of this run` : `run ${maker}`;
    return { code: "made-meanwhile", text: `${who} made it meanwhile`, ...rest };
  }
  return found.upstreamRan
    ? { code: "same-output-upstream", text: "what it depends on ran again and gave the same output", ...rest }
    : { code: "same-fingerprint", text: "nothing it depends on has changed", ...rest };
}
