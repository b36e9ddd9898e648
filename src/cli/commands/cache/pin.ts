/** `reprise cache pin` and `reprise cache unpin`. */
import { shortDigest } from "../../../hash/digest.ts";
import { pinEntries } from "../../../history/pinning.ts";
import type { Context, Handler } from "../../context.ts";
import { formatAgo, formatCount } from "../../format.ts";
import { printTable } from "../../print.ts";

export const pin: Handler<"cache pin"> = async (context) => await setPin(context, Date.now());

export const unpin: Handler<"cache unpin"> = async (context) => await setPin(context, undefined);

async function setPin(context: Context<"cache pin" | "cache unpin">, at: number | undefined): Promise<void> {
  const { printer } = context;
  const { metadata } = await context.openStack();
  const changed = await pinEntries(metadata, context.args, at);
  context.answer(changed, () => {
    if (changed.length > 0) {
      printTable(printer, changed, [
        { title: "step", value: (entry) => entry.step, flexible: true },
        { title: "key", value: (entry) => shortDigest(entry.key) },
        { title: "made", value: (entry) => formatAgo(entry.createdAt, Date.now()) },
        { title: "made by", value: (entry) => entry.origin, flexible: true },
      ]);
    }
    printer.line(`  ${at === undefined ? "Unpinned" : "Pinned"} ${formatCount(changed.length, "stored result")}`);
  });
}
