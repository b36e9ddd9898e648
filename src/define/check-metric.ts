/** What a step says of itself is checked when it says it: a store refuses what it cannot keep together with all that comes with it. */
import { ValueError } from "../error.ts";
import { showValue } from "../hash/show-value.ts";

/** Throws a ValueError (RPS2004) for a point that cannot be recorded. The types say the same; plain JavaScript has none. */
export function checkMetric(name: unknown, value: unknown, at: unknown): void {
  if (typeof name !== "string") {
    throw new ValueError("RPS2004", `The name of a metric is ${showValue(name, 60)}, and should be a text`, {
      hint: 'Write metric("loss", 0.1)',
    });
  }
  if (typeof value !== "number") {
    throw new ValueError("RPS2004", `Metric "${name}" is ${showValue(value, 60)}, and should be a number`, {
      hint: "Pass a number, or use metadata() for other facts",
    });
  }
  if (at === undefined || (typeof at === "number" && Number.isFinite(at))) return;
  throw new ValueError("RPS2004", `Metric "${name}" is given at ${showValue(at, 60)}, which is no number`, {
    hint: `Write the epoch or the batch itself: metric(${JSON.stringify(name)}, ${value}, 1)`,
  });
}
