/** `reprise tag`. */
import { UsageError } from "../../error.ts";
import { findRun } from "../../history/find-run.ts";
import type { Handler } from "../context.ts";

export const tag: Handler<"tag"> = async (context) => {
  const { metadata } = await context.openStack();
  const [selector = "", ...words] = context.args;
  const run = await findRun(metadata, selector);
  const tags: Record<string, string | null> = {};
  for (const word of words) {
    const at = word.indexOf("=");
    const key = at === -1 ? word : word.slice(0, at);
    if (!/^[\w.-]+$/u.test(key)) {
      throw new UsageError("RPS6001", `"${key}" is not usable as a tag`, {
        hint: "Use letters, digits, dots, dashes and underscores",
      });
    }
    tags[key] = context.flags.remove ? null : at === -1 ? "" : word.slice(at + 1);
  }
  await metadata.write([{ kind: "tag-run", run: run.id, tags }]);
  const [after = run] = await metadata.runs({ ids: [run.id], limit: 1 });
  context.answer({ run: after.id, tags: after.tags }, () => {
    const shown = Object.entries(after.tags).map(([key, value]) => (value === "" ? key : `${key}=${value}`));
    context.printer.line(`${after.id}  ${shown.length === 0 ? "no tags" : shown.join(" ")}`);
  });
};
