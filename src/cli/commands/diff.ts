/** `reprise diff`. */
import { UsageError } from "../../error.ts";
import { openHistory, type History } from "../../history/history.ts";
import { findRun } from "../../history/find-run.ts";
import type { Run } from "../../record/run.ts";
import type { Stack } from "../../stack/stack.ts";
import { choosePipeline } from "../choose-pipeline.ts";
import type { Context, Handler } from "../context.ts";
import { printArtifactDiff, printRunDiff, printVersionDiff } from "../diff-view.ts";

export const diff: Handler<"diff"> = async (context) => {
  const stack = await context.openStack();
  const history = openHistory(stack);
  const { printer, flags } = context;
  const [a, b] = context.args;
  const numbers = [a, b].map((word) => /^v(?<number>\d+)$/u.exec(word ?? "")?.groups?.["number"]);
  if (numbers[0] !== undefined) {
    const pipeline = await choosePipelineOfVersions(history, stack, flags.pipeline);
    const to = numbers[1] ?? (await newestVersion(history, pipeline));
    const found = await history.diffVersions(pipeline, Number(numbers[0]), Number(to));
    return context.answer(found, () => printVersionDiff(printer, found, flags));
  }
  const runs = await findRuns(stack, a, b, flags.pipeline);
  if (runs !== undefined) {
    const found = await history.diffRuns(runs[0].id, runs[1].id);
    return context.answer(found, () => printRunDiff(printer, found, flags));
  }
  return await diffArtifacts(context, history, a ?? "", b);
};

async function diffArtifacts(
  context: Context<"diff">,
  history: History,
  a: string,
  b: string | undefined,
): Promise<void> {
  const to = b ?? a.replace(/@v?\d+$/u, "");
  const from = b === undefined && to === a ? await previousVersion(history, a) : a;
  const found = await history.diffArtifacts(from, to);
  context.answer(found, () => printArtifactDiff(context.printer, found, context.flags));
}

/** The two runs that are meant; undefined where a word names no run but may name an artifact. */
async function findRuns(
  { metadata }: Stack,
  a: string | undefined,
  b: string | undefined,
  pipeline: string | undefined,
): Promise<readonly [Run, Run] | undefined> {
  if (a === undefined) {
    // The last run, and the one before it of the same pipeline: two pipelines have little in common.
    const [last] = await metadata.runs({ ...(pipeline === undefined ? {} : { pipeline }), madeHere: true, limit: 1 });
    const [, before] =
      last === undefined ? [] : await metadata.runs({ pipeline: last.pipeline, madeHere: true, limit: 2 });
    if (last !== undefined && before !== undefined) return [before, last];
    throw new UsageError("RPS6002", "There are no two runs to compare yet", { hint: "Run a pipeline twice" });
  }
  try {
    return [await findRun(metadata, a), await findRun(metadata, b ?? "last")];
  } catch (error) {
    const isArtifact = (word: string): boolean => word.includes("@") || !word.startsWith("r-");
    const named = [a, ...(b === undefined ? [] : [b])];
    if (!(error instanceof UsageError) || named.some((word) => word.startsWith("last"))) throw error;
    if (!named.every(isArtifact)) throw error;
    const [known] = await metadata.artifacts({ nameEndsWith: a.replace(/@v?\d+$/u, ""), limit: 1 });
    if (known === undefined) throw error;
    return undefined;
  }
}

async function choosePipelineOfVersions(
  history: History,
  { metadata }: Stack,
  wanted: string | undefined,
): Promise<string> {
  if (wanted !== undefined) return wanted;
  const known = await history.pipelines();
  const [last] = await metadata.runs({ madeHere: true, limit: 1 });
  return known.length > 1 && last !== undefined ? last.pipeline : await choosePipeline(history, undefined);
}

async function newestVersion(history: History, pipeline: string): Promise<number> {
  return (await history.versions(pipeline)).at(-1)?.version ?? 1;
}

async function previousVersion(history: History, name: string): Promise<string> {
  const newest = await history.artifact(name);
  const all = await history.artifacts(newest.name);
  const before = all.find((artifact) => artifact.version < newest.version);
  if (before !== undefined) return `${before.name}@${before.version}`;
  throw new UsageError("RPS6002", `Artifact "${newest.name}" has one version only`, { hint: "Name another artifact" });
}
