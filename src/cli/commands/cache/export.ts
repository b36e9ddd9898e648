/** `reprise cache export`. */
import { resolve } from "node:path";
import { UsageError } from "../../../error.ts";
import { openHistory } from "../../../history/history.ts";
import type { Handler } from "../../context.ts";
import { formatBytes, formatCount } from "../../format.ts";

export const exportResults: Handler<"cache export"> = async (context) => {
  const { output } = context.flags;
  if (output === undefined) {
    throw new UsageError("RPS6001", "reprise cache export needs a file to write", { hint: "Write -o cache.tar" });
  }
  const history = openHistory(await context.openStack());
  const report = await history.cache.export(resolve(context.cwd, output), context.args);
  context.answer(report, () => {
    const { printer } = context;
    const { entries, runs, blobs, bytes, leftOut } = report;
    printer.line(
      `  Exported ${formatCount(entries, "stored result")} of ${formatCount(runs, "run")}, ` +
        `${formatCount(blobs, "blob")}: ${output}, ${formatBytes(bytes)}`,
    );
    for (const [what, count] of Object.entries(leftOut)) {
      if (count > 0) printer.line(`  Left out ${formatCount(count, "stored result")}: ${what}`);
    }
  });
};
