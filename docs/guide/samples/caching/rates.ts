import { pipeline, step } from "reprise";

/** What the server answers is good for an hour. */
export const readRates = step({
  name: "read_rates",
  http: { ttl: "1h" },
  run: async ({ url }: { url: string }) => {
    const response = await fetch(url);
    return { rates: (await response.json()) as Record<string, number> };
  },
});

export const rates = pipeline({
  name: "rates",
  build: () => ({ rates: readRates({ url: "https://example.com/rates.json" }).rates }),
});
