/** Reasons in a few words, as they stand on a step's line. */
import { shortenDigests } from "./format.ts";
import type { Difference, Reason } from "../record/reason.ts";

/** `gamma 0.01→0.02`, `src/score.ts:12 changed`, `train_set changed, and 2 more`. */
export function describeReason(reason: Reason): string {
  return shortenDigests(describeWhole(reason));
}

function describeWhole(reason: Reason): string {
  const [first, ...others] = reason.differences;
  if (first === undefined) return describeCode(reason);
  const seen = new Set([describeDifference(first)]);
  for (const other of others.slice(0, 2)) seen.add(describeDifference(other));
  const left = reason.differences.length - Math.min(3, reason.differences.length);
  return [...seen, ...(left > 0 ? [`and ${left} more`] : [])].join(", ");
}

function describeCode(reason: Reason): string {
  switch (reason.code) {
    case "first-run":
      return "first time";
    case "same-fingerprint":
      return "nothing changed";
    case "made-meanwhile":
      return reason.text.replace(/^(?:run )?(.*) made it meanwhile$/u, "made meanwhile by $1");
    case "same-output-upstream":
      return "input unchanged";
    case "cache-off":
      return reason.text.replace("its cached result is not to be used", "no reuse");
    default:
      return reason.text;
  }
}

function describeDifference(difference: Difference): string {
  const { code, part, from, to, place } = difference;
  switch (code) {
    case "code":
    case "import": {
      const what = place ?? part;
      return from === undefined ? `${what} is new` : to === undefined ? `${part} is gone` : `${what} changed`;
    }
    case "input":
      return from === undefined ? `${part} is new` : to === undefined ? `${part} is gone` : `${part} changed`;
    default:
      if (from === undefined) return `${part} is new: ${to ?? ""}`.trimEnd();
      if (to === undefined) return `${part} is gone`;
      // Of secrets, both look alike.
      return from === to ? `${part} changed` : `${part} ${from}→${to}`;
  }
}
