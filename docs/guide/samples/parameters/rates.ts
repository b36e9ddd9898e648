import { pipeline, step } from "reprise";
import { z } from "zod";

const fetchBalance = step({
  name: "fetch_balance",
  run: ({ token }: { token: string }) => {
    console.log(`asking with Bearer ${token}`);
    return { cents: token.length * 100 };
  },
});

const fetchRates = step({
  name: "fetch_rates",
  secrets: { token: "ignore" },
  run: ({ token }: { token: string }) => ({ usd: token === "" ? 0 : 1.08 }),
});

export const rates = pipeline({
  name: "rates",
  params: z.object({ apiKey: z.string().min(12) }),
  secrets: ["apiKey"],
  build: ({ apiKey }) => ({ cents: fetchBalance({ token: apiKey }).cents, usd: fetchRates({ token: apiKey }).usd }),
});
