/** What a caller of `pipeline.run` gets back: the outcome, with outputs that can be loaded. */
import { copyValue } from "../define/copy-value.ts";
import type { Argument, OutputName, Plan } from "../define/plan.ts";
import type { ArtifactInfo, OutputHandle, RunHandle, StepSummary, ValueHandle } from "../define/run-handle.ts";
import { assertInternal, RunError } from "../error.ts";
import { loadValue } from "../materializer/stored-value.ts";
import { unnumbered } from "../record/artifact.ts";
import type { ArtifactUse, StepRun } from "../record/run.ts";
import { registryOf } from "../runner/plan-registry.ts";
import type { RunOutcome } from "../runner/run.ts";
import type { Stack } from "./stack.ts";

/** Makes the handle. It reads from the stack's store, which must stay open. */
export function toRunHandle(
  plan: Plan,
  outcome: RunOutcome,
  stack: Stack,
): RunHandle<Record<OutputName, OutputHandle<unknown>>> {
  const { run } = outcome;
  const store: Reading = { ...stack, registry: registryOf(plan, stack.registry) };
  const outputs: Record<OutputName, OutputHandle<unknown>> = {};
  for (const [name, argument] of Object.entries(outcome.outputs))
    outputs[name] = toHandle(name, argument, outcome, store);
  let steps: readonly StepSummary[] | undefined;
  return {
    id: run.id,
    name: run.name,
    pipeline: run.pipeline,
    version: run.version,
    status: run.status,
    // Of thousands, told when somebody asks.
    get steps() {
      return (steps ??= outcome.steps.map(toSummary));
    },
    recorded: outcome.recorded === "yes",
    outputs,
  };
}

type Reading = Pick<Stack, "metadata" | "registry" | "content">;

function toHandle(name: string, argument: Argument, outcome: RunOutcome, store: Reading): OutputHandle<unknown> {
  const load: ValueHandle<unknown>["load"] = async () => await loadArgument(name, argument, outcome, store);
  return {
    load,
    get artifact(): ArtifactInfo {
      assertInternal(argument.kind === "ref", `output "${name}" is no artifact of its own`);
      const { artifact, version, digest } = findUse(name, argument, outcome);
      return { name: artifact, version, digest };
    },
  };
}

async function loadArgument(name: string, argument: Argument, outcome: RunOutcome, store: Reading): Promise<unknown> {
  switch (argument.kind) {
    case "value":
      // As at each call, the caller's own.
      return copyValue(argument.value);
    case "list":
      return await Promise.all(argument.items.map((item) => loadArgument(name, item, outcome, store)));
    case "ref": {
      const { artifact, version, digest } = findUse(name, argument, outcome);
      const [content] =
        version === unnumbered
          ? [outcome.contents.get(digest)]
          : await store.metadata.artifacts({ name: artifact, version, limit: 1 });
      assertInternal(content, `artifact "${artifact}" version ${version} is not recorded`);
      return await loadValue(content, { registry: store.registry, blobs: store.content });
    }
  }
}

function findUse(name: string, ref: Extract<Argument, { kind: "ref" }>, { artifacts, run }: RunOutcome): ArtifactUse {
  const use = artifacts.get(ref.node)?.get(ref.output);
  if (use === undefined) {
    throw new RunError(
      "RPS3005",
      `Output "${name}" of run ${run.id} is not there: step "${ref.node}" did not finish, or does not return it`,
      {
        hint: `Look at the run: reprise show ${run.id}`,
      },
    );
  }
  return use;
}

function toSummary(step: StepRun): StepSummary {
  const { node, status, reason, startedAt, finishedAt, savedMs } = step;
  return {
    node,
    step: step.step,
    status,
    reason: reason && { code: reason.code, text: reason.text },
    durationMs: finishedAt === undefined ? undefined : finishedAt - startedAt,
    savedMs,
  };
}
