import { pipeline, step } from "reprise";
import { z } from "zod";

export const square = step({
  name: "square",
  run: ({ numbers }: { numbers: number[] }, { log }) => {
    log(`${numbers.length} numbers`);
    return { squares: numbers.map((number) => number ** 2) };
  },
});

export const add = step({
  name: "add",
  run: ({ squares }: { squares: number[] }, { metric }) => {
    const sum = squares.reduce((total, each) => total + each, 0);
    metric("sum", sum);
    return { sum };
  },
});

export const squares = pipeline({
  name: "squares",
  params: z.object({ limit: z.number().int().default(3) }),
  build({ limit }) {
    const { squares } = square({ numbers: Array.from({ length: limit }, (_, at) => at + 1) });
    return add({ squares });
  },
});
