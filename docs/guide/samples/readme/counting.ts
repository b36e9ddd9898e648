import { pipeline, step } from "reprise";

const load = step({ name: "load", run: () => ({ words: ["run", "it", "again", "and", "again"] }) });

const count = step({
  name: "count",
  run: ({ words, least }: { words: string[]; least: number }) => words.filter((word) => word.length >= least).length,
});

export const counting = pipeline({
  name: "counting",
  build: ({ least = 3 }: { least?: number }) => count({ words: load().words, least }),
});
