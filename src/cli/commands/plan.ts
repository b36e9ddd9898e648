/** `reprise plan`. */
import { forecastPlan } from "../../runner/forecast.ts";
import type { Handler } from "../context.ts";
import { printForecast } from "../forecast-view.ts";
import { planCommand } from "../plan-command.ts";

export const plan: Handler<"plan"> = async (context) => {
  const stack = await context.openStack();
  const planned = await planCommand(context, stack);
  const forecasts = await forecastPlan(planned.plan, stack, planned.options);
  context.answer({ pipeline: planned.plan.pipeline, steps: forecasts }, () =>
    printForecast(context.printer, forecasts),
  );
};
