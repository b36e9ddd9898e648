import { pipeline, step, table } from "reprise";

const readWords = step({ name: "read", run: () => ({ words: ["cold", "mild", "warm"] }) });

const split = step({
  name: "split",
  run: ({ words }: { words: string[] }) => ({
    parts: table(words.map((word) => ({ word, weight: Math.random() }))),
  }),
});

export const shuffle = pipeline({ name: "shuffle", build: () => split({ words: readWords().words }) });
