import { pipeline, step } from "reprise";

export const score = step({
  name: "score",
  run: async ({ plugin }: { plugin: string }) => {
    const { rate } = (await import(plugin)) as { rate: (text: string) => number };
    return rate("a text");
  },
});

export const scoring = pipeline({
  name: "scoring",
  build: () => score({ plugin: new URL("by-length.ts", import.meta.url).href }),
});
