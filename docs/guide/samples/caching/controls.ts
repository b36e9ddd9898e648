import { pipeline, step } from "reprise";

/** Runs each time: it stands for what is outside of the project. */
export const importRates = step({
  name: "import_rates",
  cache: false,
  run: () => ({ rates: { CHF: 1, EUR: 0.93 } }),
});

/** A result is good for a day. */
export const importHolidays = step({
  name: "import_holidays",
  expires: "1d",
  run: () => ({ holidays: ["2026-12-25"] }),
});

/** Somebody improved a service that this step asks: another version is another key. */
export const convert = step({
  name: "convert",
  version: "2",
  run: ({ rates, amount }: { rates: Record<string, number>; amount: number }) => amount * (rates["EUR"] as number),
});

/** Stays cached, though the pipeline says otherwise: a step wins over its pipeline. */
export const planDays = step({
  name: "plan_days",
  cache: true,
  run: ({ holidays }: { holidays: string[] }) => ({ days: 365 - holidays.length }),
});

export const controls = pipeline({
  name: "controls",
  cache: false,
  build() {
    const { rates } = importRates();
    const { holidays } = importHolidays();
    const { days } = planDays({ holidays });
    const amount = convert({ rates, amount: 100 }, { cache: true });
    return { days, amount };
  },
});
