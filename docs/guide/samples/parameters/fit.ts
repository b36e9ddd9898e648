import { pipeline, step } from "reprise";
import { z } from "zod";

export interface Point {
  x: number;
  y: number;
}

export const makePoints = step({
  name: "make_points",
  run: ({ count }: { count: number }): Point[] => Array.from({ length: count }, (_, x) => ({ x, y: 3 * x + 1 })),
});

export const fitLine = step({
  name: "fit_line",
  params: z.object({
    epochs: z.number().int().positive().default(200),
    rate: z.number().positive().default(0.003),
  }),
  run: ({ points, epochs, rate }: { points: Point[]; epochs: number; rate: number }, { metric }) => {
    let [slope, intercept] = [0, 0];
    for (let epoch = 0; epoch < epochs; epoch += 1) {
      const errors = points.map(({ x, y }) => slope * x + intercept - y);
      slope -= (rate * errors.reduce((sum, error, at) => sum + error * (points[at] as Point).x, 0)) / points.length;
      intercept -= (rate * errors.reduce((sum, error) => sum + error, 0)) / points.length;
    }
    metric("slope", slope);
    return { slope, intercept };
  },
});

export const fit = pipeline({
  name: "fit",
  params: z.object({
    count: z.number().int().min(2).default(20).describe("How many points"),
    epochs: z.number().int().positive().optional(),
    scale: z.boolean().default(false),
  }),
  build({ count, epochs, scale }) {
    const points = makePoints({ count });
    const { slope, intercept } = fitLine({ points, epochs, ...(scale ? { rate: 0.01 } : {}) });
    return { slope, intercept };
  },
});
