/** `reprise show`. */
import { UsageError } from "../../error.ts";
import { findArtifact, findStepRun } from "../../history/find-artifact.ts";
import { findRun } from "../../history/find-run.ts";
import { loadRunDetails, type RunDetails, type StepDetails } from "../../history/run-details.ts";
import type { Artifact } from "../../record/artifact.ts";
import type { Run } from "../../record/run.ts";
import type { Stack } from "../../stack/stack.ts";
import { printArtifact } from "../artifact-view.ts";
import type { Handler } from "../context.ts";
import { printRun, printStep } from "../run-view.ts";

type Subject =
  | { readonly kind: "run"; readonly details: RunDetails }
  | { readonly kind: "step"; readonly details: RunDetails; readonly step: StepDetails }
  | { readonly kind: "artifact"; readonly artifact: Artifact };

export const show: Handler<"show"> = async (context) => {
  const stack = await context.openStack();
  const { printer } = context;
  const [what = "last", step] = context.args;
  const subject = await findSubject(stack, what, step);
  switch (subject.kind) {
    case "run": {
      const { artifacts, ...data } = subject.details;
      return context.answer({ ...data, artifacts: Object.fromEntries(artifacts) }, () =>
        printRun(printer, subject.details, stack.root),
      );
    }
    case "step":
      return context.answer(subject.step, () => printStep(printer, subject.details, subject.step, stack.root));
    case "artifact":
      return context.answer(subject.artifact, () => printArtifact(printer, subject.artifact));
  }
};

/** A run; else an artifact; else a step of the last run. The complaint names what runs there are. */
async function findSubject({ metadata }: Stack, what: string, step: string | undefined): Promise<Subject> {
  let run: Run;
  try {
    run = await findRun(metadata, what);
  } catch (error) {
    if (!(error instanceof UsageError) || step !== undefined || what.startsWith("last")) throw error;
    const artifact = await orUndefined(findArtifact(metadata, what));
    if (artifact !== undefined) return { kind: "artifact", artifact };
    const [last] = await metadata.runs({ madeHere: true, limit: 1 });
    if (last === undefined) throw error;
    const details = await loadRunDetails(metadata, await findRun(metadata, "last"));
    const found = await orUndefined(async () => findStep(details, what));
    if (found === undefined) {
      throw new UsageError("RPS6002", `No run, artifact or step of the last run is named "${what}"`, {
        hint: /@v?\d+$/u.test(what)
          ? "List the versions: reprise artifacts NAME"
          : (error.hint ?? "List runs: reprise runs"),
      });
    }
    return { kind: "step", details, step: found };
  }
  const details = await loadRunDetails(metadata, run);
  return step === undefined ? { kind: "run", details } : { kind: "step", details, step: findStep(details, step) };
}

function findStep(details: RunDetails, wanted: string): StepDetails {
  const stepRun = findStepRun(
    details.steps.map((each) => each.stepRun),
    wanted,
  );
  return details.steps.find((each) => each.stepRun === stepRun) as StepDetails;
}

async function orUndefined<T>(answer: Promise<T> | (() => Promise<T>)): Promise<T | undefined> {
  try {
    return await (typeof answer === "function" ? answer() : answer);
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}
