/** `reprise verify`. */
import { relative, resolve } from "node:path";
import type { NodeId } from "../../define/plan.ts";
import { UsageError } from "../../error.ts";
import { findStepRun } from "../../history/find-artifact.ts";
import { findRun } from "../../history/find-run.ts";
import { orUndefined } from "../../history/or-undefined.ts";
import type { Run, StepRun } from "../../record/run.ts";
import { verifyPlan, type Verification } from "../../runner/verify.ts";
import type { Stack } from "../../stack/stack.ts";
import type { Context, Handler } from "../context.ts";
import { describeError } from "../error-view.ts";
import { findPipeline } from "../find-pipeline.ts";
import { formatCount, formatDuration } from "../format.ts";
import { planWithWords, readParams } from "../plan-command.ts";
import { cleanText, padText, type Printer } from "../print.ts";

export const verify: Handler<"verify"> = async (context) => {
  const { flags, globals, signal, printer } = context;
  if (flags.jobs === 0) {
    throw new UsageError("RPS6001", "--jobs is 0", { hint: "Let one step run at least: --jobs 1" });
  }
  const stack = await context.openStack();
  const { run, stepRuns, nodes } = await findSubject(context, stack);
  const { pipeline } = await findPipeline(stack, stack.root, wordFor(run, stack.root));
  const given = await readParams({ ...context, extra: [] }, pipeline.definition.params);
  const plan = planWithWords(pipeline, { ...keptParams(run, given), ...given });
  await using scratch = await stack.openScratch();
  const width = Math.min(28, Math.max(0, ...[...nodes].map((node) => node.length)));
  if (!globals.json && !globals.quiet)
    printer.line(`${printer.style("bold", `${run.pipeline} ${run.id}`)}  executing again`);
  const found = await verifyPlan(plan, stack, {
    run,
    stepRuns,
    nodes,
    scratch,
    signal,
    ...(flags.jobs === undefined ? {} : { jobs: flags.jobs }),
    onVerified: (verified) => {
      if (!globals.json) printVerified(printer, verified, width);
    },
  });
  context.answer({ run: run.id, steps: found }, () => printEnd(printer, found));
  if (signal.aborted) return 130;
  if (found.some(({ verdict }) => verdict === "differs")) return 4;
  return found.some(({ verdict }) => verdict === "failed") ? 1 : 0;
};

interface Subject {
  readonly run: Run;
  readonly stepRuns: readonly StepRun[];
  readonly nodes: ReadonlySet<NodeId>;
}

/** A run, or a step of the last one. */
async function findSubject({ args, flags }: Context<"verify">, { metadata }: Stack): Promise<Subject> {
  const [what = "last", step] = args;
  const isStep = step === undefined && args.length > 0 && !what.startsWith("last");
  const named = isStep ? await orUndefined(findRun(metadata, what)) : await findRun(metadata, what);
  const run = named ?? (await findRun(metadata, "last"));
  const stepRuns = await metadata.stepRuns({ runs: [run.id] });
  const steps = [...(named === undefined ? [what] : []), ...(step === undefined ? [] : [step]), ...flags.only];
  const chosen = steps.length === 0 ? stepRuns : steps.flatMap((each) => findStepRuns(stepRuns, each));
  return { run, stepRuns, nodes: new Set(chosen.map(({ node }) => node as NodeId)) };
}

/** A step's name stands for all of its nodes. */
function findStepRuns(stepRuns: readonly StepRun[], wanted: string): readonly StepRun[] {
  const ofStep = stepRuns.filter(({ step }) => step === wanted);
  return ofStep.length > 0 ? ofStep : [findStepRun(stepRuns, wanted)];
}

/** The file of an imported run is what the archive says: its pipeline is looked for by name. */
function wordFor(run: Run, root: string): string {
  return run.file === undefined || run.imported !== undefined
    ? run.pipeline
    : `./${relative(root, resolve(root, run.file))}#${run.pipeline}`;
}

/** The params of a run. What was not kept must be given, and only that. */
function keptParams(run: Run, given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const kept: Record<string, unknown> = {};
  for (const [name, { value, secret }] of Object.entries(run.params)) {
    if (value !== undefined) kept[name] = value;
    else if (!Object.hasOwn(given, name)) {
      const why = secret === true ? "secret" : "long or no JSON";
      throw new UsageError("RPS6001", `The value of parameter "${name}" was not kept, as it is ${why}`, {
        hint: `Give it again: --param-env ${name}=VARIABLE, or --param-file ${name}=FILE`,
      });
    }
  }
  const doubled = Object.keys(given).find((name) => Object.hasOwn(kept, name));
  if (doubled === undefined) return kept;
  throw new UsageError("RPS6001", `Run ${run.id} has its own value of parameter "${doubled}"`, {
    hint: "Give only what was not kept, or run the pipeline with other values: reprise run",
  });
}

function printVerified(printer: Printer, verified: Verification, width: number): void {
  const name = padText(verified.node, width);
  const { symbols } = printer;
  switch (verified.verdict) {
    case "equal":
      return printer.line(
        `  ${printer.style("green", symbols.done)} ${name}  equal  ${formatDuration(verified.durationMs)}`,
      );
    case "skipped":
      return printer.line(
        `  ${printer.style("dim", `${symbols.skipped} ${name}  not executed: ${cleanText(verified.because)}`)}`,
      );
    case "failed":
      return printer.line(
        `  ${printer.style("red", symbols.failed)} ${name}  failed: ${cleanText(describeError(verified.error))}`,
      );
    case "differs":
      printer.line(`  ${printer.style("yellow", symbols.failed)} ${name}  nondeterministic`);
      for (const { output, differences } of verified.outputs) {
        if (differences.length === 0) printer.line(`      ${output}  equal as data, but its bytes differ`);
        for (const { path, from, to } of differences) {
          const where = path === "" ? output : `${output} at ${path}`;
          printer.line(
            `      ${cleanText(where)}  ${cleanText(from ?? "nothing")} ${symbols.arrow} ${cleanText(to ?? "nothing")}`,
          );
        }
      }
  }
  return undefined;
}

function printEnd(printer: Printer, found: readonly Verification[]): void {
  const count = (verdict: Verification["verdict"]): number => found.filter((each) => each.verdict === verdict).length;
  const others = [
    [count("differs"), "nondeterministic"],
    [count("failed"), "failed"],
    [count("skipped"), "not executed"],
  ] as const;
  const told = others.flatMap(([number, what]) => (number === 0 ? [] : [`${number} ${what}`]));
  printer.line();
  printer.line(`  ${[`${formatCount(count("equal"), "step")} equal`, ...told].join(`, `)}`);
  if (count("differs") === 0) return;
  printer.line(
    printer.style(
      "dim",
      "  Seed what is random, pass times as params, or say cache: false where each run is to have a new one",
    ),
  );
}
