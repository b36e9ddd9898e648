import { pipeline, step, type Step } from "reprise";
import { fitLine, makePoints, type Point } from "./fit.ts";

const noisyPoints = step({
  name: "noisy_points",
  run: ({ count }: { count: number }): Point[] =>
    Array.from({ length: count }, (_, x) => ({ x, y: 3 * x + 1 + Math.sin(x * 12.9898) })),
});

export const fitAny = pipeline({
  name: "fit_any",
  build({ source, trainer }: Slots) {
    return trainer({ points: source() });
  },
});

interface Slots {
  source: Step<object, Point[]>;
  trainer: Step<{ points: Point[] }, { slope: number }>;
}

for (const source of [makePoints, noisyPoints]) {
  await fitAny.run({ source: source.with({ count: 20 }), trainer: fitLine.with({ epochs: 400 }) });
}
