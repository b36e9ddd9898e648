/** What was observed of a step, without secrets. */
import type { SecretMask } from "../define/secret-mask.ts";
import type { Observed } from "../observe/observer.ts";
import { digestTrace } from "../record/digest-trace.ts";
import type { Obstacle } from "../record/trace.ts";

/** What is named by a secret is not kept, so nobody can look at it again. */
const unnameable: Obstacle = { code: "unobserved", text: "it reads something that is named by a secret" };

export function hideObserved({ trace, obstacle, notices }: Observed, mask: SecretMask): Observed {
  const reads = trace?.content.reads.filter(({ name, found }) => !mask.holds(name) && !mask.holds(found)) ?? [];
  const isWhole = reads.length === (trace?.content.reads.length ?? 0);
  const rest = trace && { ...trace.content, reads };
  return {
    trace: isWhole ? trace : rest && { digest: digestTrace(rest), content: rest },
    obstacle:
      obstacle === undefined ? (isWhole ? undefined : unnameable) : { ...obstacle, text: mask.hide(obstacle.text) },
    notices: notices.map((notice) => ({ ...notice, text: mask.hide(notice.text) })),
  };
}
