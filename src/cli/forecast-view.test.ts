import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeId } from "../define/plan.ts";
import type { Forecast } from "../runner/forecast.ts";
import { printForecast } from "./forecast-view.ts";
import { createPrinter } from "./print.ts";

test("steps that depend on others say on which, and what that means is said once", () => {
  const forecast = (node: string, verdict: Forecast["verdict"], on: readonly string[] = []): Forecast => ({
    node: node as NodeId,
    step: node,
    verdict,
    reason: { code: "first-run", text: "", differences: [] },
    on: on as readonly NodeId[],
    savedMs: undefined,
    expectedMs: undefined,
  });
  const forecasts = [
    forecast("split", "runs"),
    forecast("embed", "depends", ["split", "load"]),
    forecast("weigh", "depends", ["split"]),
  ];
  let text = "";
  const write = (part: string): void => void (text += part);
  printForecast(createPrinter({ write, columns: 80, color: false, unicode: true, live: false }), forecasts);
  assert.deepEqual(text.trimEnd().split("\n"), [
    "  would run 1 of 3, and 2 that may be reused",
    "  ~ split  runs     first time",
    "  ? embed  depends  on split, load",
    "  ? weigh  depends  on split",
    "  ? is reused if what it depends on gives the same output again, else it runs",
  ]);
});
