import type { JsonObject } from "../hash/json.ts";

/** Least, greatest and mean of numbers; NaN is counted apart. Bigints are compared exactly and written as text. */
export function summarizeNumbers(items: ArrayLike<number | bigint>): JsonObject {
  return (typeof items[0] === "bigint" ? undefined : summarizeDense(items as ArrayLike<number>)) ?? summarizeAny(items);
}

/** In one tight loop, by a sum; undefined where there are bigints among them, NaNs, or too large a sum. */
function summarizeDense(items: ArrayLike<number>): JsonObject | undefined {
  const { length } = items;
  if (length === 0) return {};
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  for (let index = 0; index < length; index++) {
    const item = items[index] as number;
    if (typeof item !== "number") return undefined;
    sum += item;
    if (item < min) min = item;
    if (item > max) max = item;
  }
  if (!Number.isFinite(sum)) return undefined;
  return { min: toJson(min), max: toJson(max), mean: sum / length };
}

function summarizeAny(items: ArrayLike<number | bigint>): JsonObject {
  let count = 0;
  let notNumbers = 0;
  let min: number | bigint | undefined;
  let max: number | bigint | undefined;
  let mean = 0;
  for (let index = 0; index < items.length; index++) {
    const item = items[index] as number | bigint;
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
