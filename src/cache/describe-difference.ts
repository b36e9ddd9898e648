/** One difference in words. */
import { hiddenSecret } from "../define/secret-mask.ts";
import type { Difference } from "../record/reason.ts";

/** One sentence fragment for the most telling difference. */
export function describeDifference(difference: Difference, others = 0): string {
  const more = others === 0 ? "" : `, and ${others} more`;
  const change =
    difference.from === undefined
      ? `${difference.part} is new`
      : difference.to === undefined
        ? `${difference.part} is gone`
        : undefined;
  if (difference.to === hiddenSecret && change === undefined) return `${difference.part} changed (secret)${more}`;
  switch (difference.code) {
    case "code":
    case "import":
      return `${change ?? `${difference.part} changed`}${difference.place === undefined ? "" : ` (${difference.place})`}${more}`;
    case "param":
    case "package":
    case "runtime":
    case "version":
      return `${change ?? `${difference.part} changed: ${difference.from} → ${difference.to}`}${more}`;
    case "http":
      return `${difference.part} answers something else${more}`;
    default:
      return `${change ?? `${difference.part} changed`}${more}`;
  }
}
