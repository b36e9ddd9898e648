import { pipeline, step, table } from "reprise";
import { z } from "zod";

interface Price {
  day: number;
  price: number;
}

export const load = step({
  name: "load",
  outputs: { prices: table<Price>(), source: z.string().min(1) },
  run: () => ({ prices: [{ day: 2, price: 12.5 }], source: "exchange" }),
});

export const check = step({
  name: "check",
  inputs: { prices: z.array(z.object({ day: z.number(), price: z.number().positive() })) },
  run: ({ prices }) => prices.length,
});

export const declared = pipeline({
  name: "declared",
  build: () => check({ prices: load().prices }),
});
