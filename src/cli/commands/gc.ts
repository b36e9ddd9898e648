/** `reprise gc`, and `reprise cache gc`. */
import { UsageError } from "../../error.ts";
import { planCollection } from "../../history/removal.ts";
import { parseAge } from "../age.ts";
import type { Handler } from "../context.ts";
import { offerRemoval } from "../removal-view.ts";

export const gc: Handler<"gc" | "cache gc"> = async (context) => {
  const { flags } = context;
  const now = Date.now();
  const { "older-than": age, "max-size": size, "keep-results": keepResults, keep, failed } = flags;
  const rules = {
    ...(age === undefined ? {} : { startedBefore: now - parseAge("older-than", age) }),
    ...(keepResults === undefined ? {} : { keepResults }),
    ...(keep === undefined ? {} : { keep }),
    ...(size === undefined ? {} : { maxSize: parseSize(size) }),
    failed,
  };
  const stack = await context.openStack();
  const removal = await planCollection(stack, rules, now);
  return await offerRemoval(context, removal, flags, { unfinishedMs });
};

/** What a writer has not finished in this time will not be finished. */
const unfinishedMs = 3_600_000;

const unitBytes: Readonly<Record<string, number>> = { "": 1, b: 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

function parseSize(text: string): number {
  const match = /^(?<count>\d+(?:\.\d+)?)\s*(?<unit>[kmgt]?)b?$/iu.exec(text);
  const unit = unitBytes[match?.groups?.["unit"]?.toLowerCase() ?? "none"];
  if (match?.groups !== undefined && unit !== undefined) return Number(match.groups["count"]) * unit;
  throw new UsageError("RPS6001", `--max-size needs a size, but got "${text}"`, { hint: "Write 500mb or 5gb" });
}
