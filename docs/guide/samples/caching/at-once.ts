import { setTimeout as delay } from "node:timers/promises";
import { pipeline, step } from "reprise";

export const embed = step({
  name: "embed",
  run: async ({ text }: { text: string }) => {
    // Stands for something that takes its time.
    await delay(500);
    return { vector: [text.length, 1] };
  },
});

export const embedding = pipeline({ name: "embedding", build: () => embed({ text: "a text" }) });

if (import.meta.main) {
  // As two terminals would, or two jobs of a CI with one store.
  await Promise.all([embedding.run({}, { reporter: "plain" }), embedding.run({}, { reporter: "plain" })]);
}
