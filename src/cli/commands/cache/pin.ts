/** `reprise cache pin` and `reprise cache unpin`. */
import { shortDigest } from "../../../hash/digest.ts";
import { openHistory } from "../../../history/history.ts";
import type { Context, Handler } from "../../context.ts";
import { formatAgo, formatCount } from "../../format.ts";
import { printTable } from "../../print.ts";

export const pin: Handler<"cache pin"> = async (context) => await change(context, "pin");

export const unpin: Handler<"cache unpin"> = async (context) => await change(context, "unpin");

async function change(context: Context<"cache pin" | "cache unpin">, verb: "pin" | "unpin"): Promise<void> {
  const { printer } = context;
  const changed = await openHistory(await context.openStack()).cache[verb](context.args);
  context.answer(changed, () => {
    if (changed.length > 0) {
      printTable(printer, changed, [
        { title: "step", value: (entry) => entry.step, flexible: true },
        { title: "key", value: (entry) => shortDigest(entry.key) },
        { title: "made", value: (entry) => formatAgo(entry.createdAt, Date.now()) },
        { title: "made by", value: (entry) => entry.origin, flexible: true },
      ]);
    }
    printer.line(`  ${verb === "pin" ? "Pinned" : "Unpinned"} ${formatCount(changed.length, "stored result")}`);
  });
}
