/** `reprise pipelines`. */
import { openHistory } from "../../history/history.ts";
import type { Handler } from "../context.ts";
import { formatAgo } from "../format.ts";
import { printTable } from "../print.ts";
import { styleOfStatus } from "../status-style.ts";

export const pipelines: Handler<"pipelines"> = async (context) => {
  const found = await openHistory(await context.openStack()).pipelines();
  const { printer } = context;
  context.answer(found, () => {
    if (found.length === 0) {
      printer.line("  No pipeline has run yet: reprise run FILE");
      return;
    }
    printTable(printer, found, [
      { title: "pipeline", value: (each) => each.pipeline },
      { title: "versions", value: (each) => String(each.versions), align: "right" },
      { title: "runs", value: (each) => String(each.runs), align: "right" },
      { title: "last run", value: (each) => each.lastRun?.id ?? "" },
      {
        title: "status",
        value: (each) => each.lastRun?.status ?? "",
        style: (each) => (each.lastRun === undefined ? undefined : styleOfStatus(each.lastRun.status)),
      },
      {
        title: "started",
        value: (each) => (each.lastRun === undefined ? "" : formatAgo(each.lastRun.startedAt, Date.now())),
      },
    ]);
  });
};
