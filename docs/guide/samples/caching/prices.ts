import { readFileSync } from "node:fs";
import { pipeline, step } from "reprise";

export const readPrices = step({
  name: "read_prices",
  run: ({ path }: { path: string }) => {
    const [, ...lines] = readFileSync(path, "utf8").trim().split("\n");
    return { prices: lines.map((line) => Number(line.split(",")[1])) };
  },
});

export const average = step({
  name: "average",
  run: ({ prices }: { prices: number[] }) => prices.reduce((sum, price) => sum + price, 0) / prices.length,
});

export const prices = pipeline({
  name: "prices",
  build: () => average({ prices: readPrices({ path: "prices.csv" }).prices }),
});
