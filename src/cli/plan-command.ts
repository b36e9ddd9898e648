/** From a command's words to a plan and the options of a run: what `run` and `plan` have in common. */
import { planPipeline } from "../define/plan-pipeline.ts";
import type { AnyPipeline } from "../define/pipeline-definition.ts";
import type { Plan } from "../define/plan.ts";
import type { RunOptions } from "../define/run-handle.ts";
import { UsageError, ValueError } from "../error.ts";
import type { Stack } from "../stack/stack.ts";
import type { Context } from "./context.ts";
import { findPipeline } from "./find-pipeline.ts";
import { readParamSources } from "./param-sources.ts";
import { parseParams } from "./params.ts";

export interface PlannedCommand {
  readonly plan: Plan;
  readonly options: RunOptions;
  /** Absolute. */
  readonly file: string;
}

type PlanFlags = Pick<
  Context<"run">["flags"],
  "param" | "param-env" | "param-file" | "cache" | "no-cache" | "force" | "only" | "from" | "until" | "require"
>;

/** Finds the pipeline, reads its parameters, and plans it. */
export async function planCommand(
  context: Pick<Context<"run">, "cwd" | "args" | "extra" | "io" | "notes" | "globals"> & { readonly flags: PlanFlags },
  stack: Stack,
): Promise<PlannedCommand> {
  const { pipeline, file } = await findPipeline(stack, context.cwd, context.args[0]);
  const plan = planWithWords(pipeline, await readParams(context, pipeline.definition.params), context.args[0]);
  if (!context.globals.quiet) warnOfWords(context, plan);
  return { plan, options: toRunOptions(context.flags), file };
}

/**
 * As planPipeline; params that do not fit are a mistake in the command line, and have no place in a source. `named` is the
 * word that the pipeline was found by.
 */
export function planWithWords(
  pipeline: AnyPipeline,
  params: Readonly<Record<string, unknown>>,
  named: string = pipeline.definition.name,
): Plan {
  try {
    return planPipeline(pipeline, params);
  } catch (error) {
    if (!(error instanceof ValueError) || error.code !== "RPS2002") throw error;
    throw new ValueError(error.code, error.message, {
      hint: `${error.hint ?? "Mend the parameters"}; reprise run ${named} --help lists them`,
      data: error.data,
    });
  }
}

/** The parameters that a command line gives. Throws a UsageError for words that are left over. */
export async function readParams(
  context: Pick<Context<"run">, "extra" | "cwd" | "io"> & {
    readonly flags: Pick<PlanFlags, "param" | "param-env" | "param-file">;
  },
  schema: Parameters<typeof parseParams>[0],
): Promise<Readonly<Record<string, unknown>>> {
  const { flags, extra } = context;
  const { params, loose } = await parseParams(schema, flags.param, extra, await readParamSources(flags, context));
  const [surplus] = loose;
  if (surplus === undefined) return params;
  throw new UsageError("RPS6001", `"${surplus}" stands behind a parameter that is a switch`, {
    hint: "Put the file before the parameters",
  });
}

/** A secret in a command line is known to the shell's history, and to whoever lists processes. */
function warnOfWords(
  context: Pick<Context<"run">, "extra" | "notes"> & { readonly flags: PlanFlags },
  { secrets }: Plan,
): void {
  const { flags, extra } = context;
  // `--api-key` is `apiKey` as well.
  const plain = (word: string): string => word.replaceAll("-", "").toLowerCase();
  const words = new Set(
    [...flags.param.map((pair) => pair.split("=", 1)[0] ?? ""), ...extra.map(({ name }) => name)].map(plain),
  );
  for (const name of secrets?.params ?? []) {
    if (!words.has(plain(name))) continue;
    // Asked for here: that opens standard error.
    const { notes } = context;
    notes.line(
      `  ${notes.symbols.warning} "${name}" is secret, and the shell remembers it: --param-env ${name}=VARIABLE and --param-file ${name}=FILE keep it out of command lines`,
    );
  }
}

function toRunOptions(flags: PlanFlags): RunOptions {
  if (flags["no-cache"] && flags.cache !== undefined && flags.cache !== "refresh") {
    throw new UsageError("RPS6001", `--no-cache and --cache ${flags.cache} contradict each other`, {
      hint: "Give one of them",
    });
  }
  const cache = flags["no-cache"] ? "refresh" : flags.cache;
  return {
    ...(cache === undefined ? {} : { cache }),
    ...(flags.force.length === 0 ? {} : { force: flags.force }),
    ...(flags.only.length === 0 ? {} : { only: flags.only }),
    ...(flags.from === undefined ? {} : { from: flags.from }),
    ...(flags.until === undefined ? {} : { until: flags.until }),
    ...(flags.require === undefined ? {} : { require: flags.require }),
  };
}
