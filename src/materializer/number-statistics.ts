import type { JsonObject } from "../hash/json.ts";

/** Least, greatest and mean of numbers; NaN is counted apart. Bigints are compared exactly and written as text. */
export function summarizeNumbers(items: Iterable<number | bigint>): JsonObject {
  let count = 0;
  let notNumbers = 0;
  let min: number | bigint | undefined;
  let max: number | bigint | undefined;
  let mean = 0;
  for (const item of items) {
    if (Number.isNaN(item)) {
      notNumbers++;
      continue;
    }
    if (min === undefined || item < min) min = item;
    if (max === undefined || item > max) max = item;
    count++;
    // A running mean does not overflow where a sum would.
    mean += (Number(item) - mean) / count;
  }
  return {
    ...(min === undefined ? {} : { min: toJson(min) }),
    ...(max === undefined ? {} : { max: toJson(max) }),
    ...(Number.isFinite(mean) && count > 0 ? { mean } : {}),
    ...(notNumbers === 0 ? {} : { notNumbers }),
  };
}

function toJson(value: number | bigint): number | string {
  return typeof value === "number" && Number.isFinite(value) ? value + 0 : String(value);
}
