/** `reprise rm`. */
import { findRun } from "../../history/find-run.ts";
import { planRunRemoval } from "../../history/removal.ts";
import type { Run } from "../../record/run.ts";
import type { Handler } from "../context.ts";
import { offerRemoval } from "../removal-view.ts";

export const rm: Handler<"rm"> = async (context) => {
  const stack = await context.openStack();
  const runs = new Map<string, Run>();
  for (const selector of context.args) {
    const run = await findRun(stack.metadata, selector);
    runs.set(run.id, run);
  }
  const data = context.flags["keep-artifacts"] ? "keep" : "remove";
  const removal = await planRunRemoval(stack, [...runs.values()], { data }, Date.now());
  return await offerRemoval(context, removal, context.flags);
};
