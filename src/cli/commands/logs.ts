/** `reprise logs`. */
import { UsageError } from "../../error.ts";
import { findStepRun } from "../../history/find-artifact.ts";
import { findRun } from "../../history/find-run.ts";
import { loadLog } from "../../history/step-results.ts";
import type { StepRun } from "../../record/run.ts";
import type { Stack } from "../../stack/stack.ts";
import type { Handler } from "../context.ts";
import { describeError, printBody } from "../error-view.ts";
import { cleanText } from "../print.ts";
import { showLine } from "../reporter/plain.ts";

export const logs: Handler<"logs"> = async (context) => {
  const { printer } = context;
  const stack = await context.openStack();
  const chosen = await chooseSteps(stack, context.args);
  const found = await Promise.all(
    chosen.map(async (stepRun) => ({ stepRun, lines: await loadLog(stack.metadata, stepRun) })),
  );
  const data = found.map(({ stepRun, lines }) => ({ node: stepRun.node, origin: stepRun.origin, lines }));
  context.answer(data, () => {
    for (const { stepRun, lines } of found) {
      if (lines.length === 0 && stepRun.error === undefined && chosen.length > 1) continue;
      if (chosen.length > 1) {
        const reused = stepRun.origin === undefined ? "" : `  reused from ${stepRun.origin}`;
        printer.line(`${printer.style("bold", stepRun.node)}${printer.style("dim", reused)}`);
      }
      const indent = chosen.length > 1 ? "  " : "";
      for (const line of lines) {
        const level = line.level === undefined || line.level === "info" ? "" : `${line.level}: `;
        const facts = line.data === undefined ? "" : ` ${JSON.stringify(line.data)}`;
        printer.line(`${indent}${level}${showLine(printer, line.text)}${printer.style("dim", cleanText(facts))}`);
      }
      if (stepRun.error === undefined) continue;
      printer.line(`${indent}${printer.style("red", describeError(stepRun.error))}`);
      printBody(printer, stepRun.error, { root: stack.root, indent: `${indent}  `, verbose: context.globals.verbose });
    }
  });
};

/** `logs RUN STEP`, `logs RUN`, `logs STEP` of the last run, or all of the last run. */
async function chooseSteps(
  { metadata }: Stack,
  [first = "last", step]: readonly string[],
): Promise<readonly StepRun[]> {
  try {
    const run = await findRun(metadata, first);
    const stepRuns = await metadata.stepRuns({ runs: [run.id] });
    return step === undefined ? stepRuns : [findStepRun(stepRuns, step)];
  } catch (error) {
    if (!(error instanceof UsageError) || step !== undefined || first.startsWith("last")) throw error;
    const [last] = await metadata.runs({ madeHere: true, limit: 1 });
    if (last === undefined) throw error;
    const stepRuns = await metadata.stepRuns({ runs: [last.id] });
    const named = stepRuns.filter((stepRun) => stepRun.node === first || stepRun.step === first);
    if (named.length === 0) throw error;
    return named;
  }
}
