/** `reprise cache rm`. */
import { findEntries } from "../../../history/find-entries.ts";
import { planEntryRemoval } from "../../../history/removal.ts";
import type { Handler } from "../../context.ts";
import { offerRemoval } from "../../removal-view.ts";

export const rm: Handler<"cache rm"> = async (context) => {
  const stack = await context.openStack();
  const named = [];
  for (const selector of context.args) named.push(...(await findEntries(stack.metadata, selector)));
  return await offerRemoval(context, await planEntryRemoval(stack, named, Date.now()), context.flags);
};
