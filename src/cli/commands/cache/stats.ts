/** `reprise cache stats`. */
import { UsageError } from "../../../error.ts";
import type { CacheStats, CacheUse, MissCause, StepUse } from "../../../history/cache-stats.ts";
import { openHistory } from "../../../history/history.ts";
import { parseAge } from "../../age.ts";
import type { Handler } from "../../context.ts";
import { formatAgo, formatBytes, formatCount, formatDuration } from "../../format.ts";
import { cleanText, printTable, type Printer } from "../../print.ts";
import { printFacts } from "../../run-view.ts";

export const stats: Handler<"cache stats"> = async (context) => {
  const { flags } = context;
  const now = Date.now();
  if (flags.runs === 0) throw new UsageError("RPS6001", "--runs is 0", { hint: "Count one run at least" });
  const found = await openHistory(await context.openStack()).cache.stats({
    ...(flags.since === undefined ? {} : { startedAfter: now - parseAge("since", flags.since) }),
    ...(flags.runs === undefined ? {} : { runs: flags.runs }),
  });
  context.answer(found, () => printStats(context.printer, found, now));
};

const shownCauses = 8;
const shownDays = 14;

function printStats(printer: Printer, found: CacheStats, now: number): void {
  const { stored, runs, use, days, steps, misses, neverHit, unsteady } = found;
  const title = (text: string): void => {
    printer.line();
    printer.line(printer.style("bold", text));
  };
  printer.line(printer.style("bold", "Stored"));
  const notValid = stored.entries - stored.valid;
  const states = [
    ...(notValid === 0 ? [] : [`${notValid} not valid`]),
    ...(stored.pinned === 0 ? [] : [`${stored.pinned} pinned`]),
  ];
  printFacts(printer, [
    ["results", [String(stored.entries), ...states].join(", ")],
    ["their bytes", `${formatBytes(stored.bytes)}; ${formatBytes(stored.logicalBytes)} if equal bytes were not shared`],
    ["the store", `${formatBytes(stored.storeBytes)} of data, ${formatBytes(stored.recordBytes)} of records`],
  ]);
  if (runs.count === 0) {
    printer.line();
    printer.line("  No run in this time");
    return;
  }
  title(`${formatCount(runs.count, "run")}, the first ${formatAgo(runs.from ?? now, now)}`);
  printFacts(printer, [
    [
      "reused",
      `${showRate(use)} of steps: ${formatCount(use.hits, "hit")}, ${formatCount(use.misses, "miss", "misses")}`,
    ],
    ["not asked", use.bypassed === 0 ? undefined : `${use.bypassed}: forced, or without the cache`],
    ["saved", formatDuration(use.savedMs)],
  ]);
  if (days.length > 1) {
    printer.line();
    printTable(printer, days.slice(-shownDays), [
      { title: "day", value: ({ day }) => day },
      { title: "runs", value: (day) => String(day.runs), align: "right" },
      { title: "reused", value: showRate, align: "right" },
      { title: "hits", value: ({ hits }) => String(hits), align: "right" },
      { title: "misses", value: (day) => String(day.misses), align: "right" },
      { title: "saved", value: ({ savedMs }) => formatDuration(savedMs), align: "right" },
    ]);
  }
  title("By step");
  printTable(printer, steps, [
    { title: "step", value: ({ step }) => step, flexible: true },
    { title: "results", value: ({ entries }) => String(entries), align: "right" },
    { title: "size", value: ({ bytes }) => formatBytes(bytes), align: "right" },
    { title: "reused", value: showRate, align: "right" },
    { title: "hits", value: ({ hits }) => String(hits), align: "right" },
    { title: "misses", value: (step) => String(step.misses), align: "right" },
    { title: "saved", value: ({ savedMs }) => (savedMs === 0 ? "" : formatDuration(savedMs)), align: "right" },
    { title: "", value: (step) => remark(step, found), style: () => "yellow" },
  ]);
  if (misses.length > 0) {
    title("What made steps miss");
    printTable(printer, misses.slice(0, shownCauses), [
      { title: "share", value: ({ share }) => formatShare(share), align: "right" },
      { title: "misses", value: ({ count }) => String(count), align: "right" },
      { title: "cause", value: describeCause, flexible: true },
      { title: "steps", value: (cause) => cause.steps.join(", "), flexible: true },
    ]);
    const left = misses.slice(shownCauses);
    if (left.length > 0) {
      const count = left.reduce((sum, cause) => sum + cause.count, 0);
      printer.line(
        printer.style("dim", `  and ${formatCount(left.length, "cause")} of ${formatCount(count, "miss", "misses")}`),
      );
    }
  }
  if (neverHit.length + unsteady.length > 0) printer.line();
  for (const step of neverHit) {
    printer.line(`  ${step} never hit: see ${printer.style("cyan", `reprise why ${step}`)}`);
  }
  for (const { step, stepRun, text } of unsteady) printer.line(`  ${step} ${cleanText(text)} (${stepRun})`);
}

function remark({ step }: StepUse, { neverHit, unsteady }: CacheStats): string {
  if (unsteady.some((each) => each.step === step)) return "nondeterministic";
  return neverHit.includes(step) ? "never hit" : "";
}

function showRate({ hitRate }: CacheUse): string {
  return hitRate === undefined ? "" : formatShare(hitRate);
}

/** Never 100 % where something is missing, nor 0 % where something is there. */
function formatShare(share: number): string {
  const percent = Math.round(share * 100);
  if (percent === 100 && share < 1) return "99 %";
  return percent === 0 && share > 0 ? "1 %" : `${percent} %`;
}

/** `src/score.ts changed`, `param gamma changed`. */
function describeCause({ code, part }: MissCause): string {
  if (part === undefined) return describeCode(code);
  const text = cleanText(part);
  switch (code) {
    case "param":
    case "input":
    case "package":
      return `${code} ${text}`;
    case "env":
      return `variable ${text}`;
    case "code":
    case "import":
    case "file":
    case "directory":
    case "http":
      return text;
    default:
      return text === code ? text : `${code} ${text}`;
  }
}

function describeCode(code: MissCause["code"]): string {
  switch (code) {
    case "first-run":
      return "ran for the first time";
    case "expired":
      return "the stored result had expired";
    case "invalidated":
      return "the stored result was invalidated";
    case "missing-output":
      return "a stored output was missing";
    case "corrupt-output":
      return "a stored output was altered";
    case "previous-failed":
      return "failed or did not finish before";
    case "opaque-code":
      return "code that cannot be known";
    case "unstable-input":
      return "what was read changed while the step ran";
    case "own-output":
      return "reads what it writes, or the store";
    case "unobserved":
      return "something read on its behalf where nobody sees it";
    default:
      return code;
  }
}
