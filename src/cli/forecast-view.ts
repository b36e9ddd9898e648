/** A forecast as the terminal shows it. */
import type { Forecast } from "../runner/forecast.ts";
import { formatDuration } from "./format.ts";
import { cleanText, cutText, padText, type Printer } from "./print.ts";
import { describeReason } from "./reason-view.ts";

/** Prints what would run and why; steps that are reused share a line. */
export function printForecast(printer: Printer, forecasts: readonly Forecast[]): void {
  const { symbols } = printer;
  const runs = forecasts.filter((each) => each.verdict === "runs");
  const depends = forecasts.filter((each) => each.verdict === "depends");
  const known = [...runs, ...depends].flatMap((each) => each.expectedMs ?? []);
  const total = known.reduce((sum, ms) => sum + ms, 0);
  const about = known.length === 0 ? "" : ` ${symbols.dot} about ${formatDuration(total)}`;
  const more = depends.length === 0 ? "" : `, and ${depends.length} that may be reused`;
  printer.line(`  ${printer.style("bold", `would run ${runs.length} of ${forecasts.length}${more}`)}${about}`);
  const cached = forecasts.filter((each) => each.verdict === "cached").map((each) => each.node);
  const skipped = forecasts.filter((each) => each.verdict === "skipped").map((each) => each.node);
  if (cached.length > 0) printer.line(`  ${printer.style("blue", symbols.same)} cached: ${cached.join("  ")}`);
  const width = Math.min(28, Math.max(0, ...[...runs, ...depends].map((each) => each.node.length)));
  for (const each of forecasts) {
    if (each.verdict !== "runs" && each.verdict !== "depends") continue;
    const sign = each.verdict === "runs" ? printer.style("green", "~") : printer.style("yellow", "?");
    const word = padText(each.verdict, 7);
    const text = describeForecast(each);
    const room = printer.terminal.columns - width - 15;
    printer.line(
      `  ${sign} ${padText(each.node, width)}  ${word}  ${cutText(cleanText(text), Math.max(12, room), symbols.more)}`,
    );
  }
  if (depends.length > 0) {
    printer.line(printer.style("dim", "  ? is reused if what it depends on gives the same output again, else it runs"));
  }
  if (skipped.length > 0)
    printer.line(printer.style("dim", `  ${symbols.skipped} not selected: ${skipped.join("  ")}`));
}

/** Why a step would run, or what decides it: `on embed, search`. */
export function describeForecast({ verdict, reason, on }: Forecast): string {
  return verdict === "depends" ? `on ${on.join(", ")}` : describeReason(reason);
}
