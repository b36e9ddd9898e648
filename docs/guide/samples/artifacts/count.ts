import { pipeline, step } from "reprise";
import { Histogram } from "./histogram.ts";

export const countLengths = step({
  name: "count_lengths",
  run: ({ words }: { words: string[] }) => {
    const counts = [0, 0, 0, 0, 0, 0];
    for (const { length } of words) counts[Math.min(length, 5)]! += 1;
    return new Histogram(counts);
  },
});

export const lengths = pipeline({
  name: "lengths",
  build: () => countLengths({ words: ["run", "it", "again", "and", "again"] }),
});
