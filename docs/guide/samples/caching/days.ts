import { pipeline, step } from "reprise";

/** Good for a day: the day joins the key. */
export const greetToday = step({
  name: "greet_today",
  cacheKey: () => new Date().toISOString().slice(0, 10),
  run: () => ({ greeting: "Good day" }),
});

export const days = pipeline({ name: "days", build: () => greetToday() });
