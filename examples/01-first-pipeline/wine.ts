/** The wine data: 178 Italian wines of three cultivars, 13 measurements each. See README.md for the source. */
import { readFileSync } from "node:fs";

export interface Wine {
  /** In the order of the file's columns. */
  readonly features: number[];
  /** Which of the three cultivars: 0, 1 or 2. */
  readonly target: number;
}

export function readWines(): Wine[] {
  const [, ...lines] = readFileSync(new URL("wine.csv", import.meta.url), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => {
    const values = line.split(",").map(Number);
    return { features: values.slice(0, -1), target: values.at(-1) as number };
  });
}

/** A copy in random order; equal seeds give equal orders (mulberry32, Fisher and Yates). */
export function shuffle<T>(items: readonly T[], seed: number): T[] {
  const shuffled = [...items];
  let state = seed;
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    const pick = ((bits ^ (bits >>> 14)) >>> 0) % (last + 1);
    [shuffled[last], shuffled[pick]] = [shuffled[pick] as T, shuffled[last] as T];
  }
  return shuffled;
}

/** Brings every feature to mean 0 and deviation 1, by what the first set shows of it. */
export function standardize(
  trainSet: readonly Wine[],
  testSet: readonly Wine[],
): { trainSet: Wine[]; testSet: Wine[] } {
  const scales = (trainSet[0]?.features ?? []).map((_, column) => {
    const values = trainSet.map((wine) => wine.features[column] as number);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    return { mean, deviation };
  });
  const scale = (wine: Wine): Wine => ({
    ...wine,
    features: wine.features.map((value, column) => {
      const { mean, deviation } = scales[column] as (typeof scales)[number];
      return (value - mean) / deviation;
    }),
  });
  return { trainSet: trainSet.map(scale), testSet: testSet.map(scale) };
}

/** The share of right answers. */
export function accuracyOf(predicted: readonly number[], wines: readonly Wine[]): number {
  return wines.filter((wine, index) => wine.target === predicted[index]).length / wines.length;
}
