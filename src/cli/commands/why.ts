/** `reprise why`. */
import { openHistory } from "../../history/history.ts";
import type { StepExplanation } from "../../history/explain-step-run.ts";
import { nameRead, toReadDifference } from "../../record/read-difference.ts";
import type { StepRun } from "../../record/run.ts";
import type { Handler } from "../context.ts";
import { formatDuration, shortenDigests } from "../format.ts";
import { cleanText, printTable, type Printer } from "../print.ts";

export const why: Handler<"why"> = async (context) => {
  const stack = await context.openStack();
  const { run, against } = context.flags;
  const [step = ""] = context.args;
  const explanation = await openHistory(stack).why(step, { run, ...(against === undefined ? {} : { against }) });
  context.answer(explanation, () => printExplanation(context.printer, explanation));
};

function printExplanation(
  printer: Printer,
  { run, stepRun, against, parts, differences, verdict, notes, notices, reads }: StepExplanation,
): void {
  const reason = stepRun.reason;
  const because =
    reason === undefined ? "; no reason was recorded" : ` because ${shortenDigests(cleanText(reason.text))}`;
  const code = reason === undefined ? "" : printer.style("dim", ` [${reason.code}]`);
  printer.line(`${printer.style("bold", stepRun.node)} ${describeStatus(stepRun)} in ${run.id}${because}${code}`);
  if (against !== undefined && against.id !== stepRun.id) {
    const role = stepRun.origin === against.id ? "reused from" : "closest earlier run";
    printer.line(printer.style("dim", `  ${role}: ${against.run}`));
  }
  if (stepRun.savedMs !== undefined) printer.line(printer.style("dim", `  saved ${formatDuration(stepRun.savedMs)}`));
  if (parts.length > 0) {
    printer.line();
    const compared = against !== undefined && parts.some((part) => part.from !== undefined);
    printTable(printer, parts, [
      { title: "part", value: (part) => part.part },
      ...(compared
        ? [{ title: against.run, value: (part: Part) => shortenDigests(part.from ?? "none"), flexible: true }]
        : []),
      { title: stepRun.run, value: (part) => shortenDigests(part.to ?? "none"), flexible: true },
      ...(compared
        ? [
            {
              title: "",
              value: (part: Part) => (part.same ? "same" : "changed"),
              style: (part: Part) => (part.same ? ("dim" as const) : ("yellow" as const)),
            },
          ]
        : []),
    ]);
  }
  if (verdict !== undefined && verdict !== "proved") {
    printer.line();
    printer.line(`  its code is ${verdict}: not all that it can reach is known`);
    for (const note of notes) printer.line(printer.style("dim", `    ${cleanText(note)}`));
  }
  printReads(printer, reads);
  if (notices.length > 0 || stepRun.obstacle !== undefined) printer.line();
  if (stepRun.obstacle !== undefined) {
    printer.line(`  ${printer.style("yellow", "not kept")}  ${cleanText(stepRun.obstacle.text)}`);
  }
  for (const { kind, text, place } of notices) {
    const isGrave = kind === "nondeterministic";
    const mark = isGrave ? `${printer.style("yellow", printer.symbols.warning)} ${stepRun.step} ` : "";
    const where = place === undefined ? "" : printer.style("dim", ` (${place.file}:${place.line})`);
    printer.line(`  ${mark}${cleanText(text)}${where}`);
  }
  if (differences.length === 0) return;
  printer.line();
  for (const { code: kind, part, from, to, place, detail } of differences) {
    // Of secrets, both look alike.
    const both = from === to ? "changed" : `${from} ${printer.symbols.arrow} ${to}`;
    const change = from === undefined ? "new" : to === undefined ? "gone" : both;
    const where = place === undefined || place === part ? "" : `  ${printer.style("cyan", place)}`;
    printer.line(
      `  ${printer.style("yellow", kind)}  ${cleanText(part)}  ${shortenDigests(cleanText(change))}${where}`,
    );
    if (detail !== undefined) printer.line(printer.style("dim", `      ${cleanText(detail)}`));
  }
}

const shownReads = 12;

function printReads(printer: Printer, reads: StepExplanation["reads"]): void {
  if (reads.length === 0) return;
  printer.line();
  const rows = reads
    .slice(0, shownReads)
    .map((read) => ({ read, to: toReadDifference(read, undefined, read.found).to }));
  printTable(printer, rows, [
    { title: "read", value: ({ read }) => read.kind },
    { title: "what", value: ({ read }) => cleanText(nameRead(read)), flexible: true },
    { title: "found", value: ({ to }) => shortenDigests(cleanText(to ?? "nothing")), flexible: true },
  ]);
  const more = reads.length - rows.length;
  if (more > 0) printer.line(printer.style("dim", `  and ${more} more: --json lists them`));
}

type Part = StepExplanation["parts"][number];

function describeStatus({ status }: StepRun): string {
  switch (status) {
    case "completed":
      return "ran";
    case "cached":
      return "was reused";
    case "skipped":
      return "was not run";
    case "running":
      return "is running";
    default:
      return `ran and ${status === "failed" ? "failed" : `was ${status}`}`;
  }
}
