/** Executes what was stored once more, beside the store, and tells where the outputs differ. */
import type { KeySecrets } from "../cache/key.ts";
import type { BlobHealth } from "../cache/look-up.ts";
import { makeNodeKey, toKeyArguments } from "../cache/node-key.ts";
import type { CodeIdentity } from "../code/identity.ts";
import type { NodeId, Plan, PlanNode } from "../define/plan.ts";
import { resolveNodeOptions, resolveReads } from "../define/resolve-options.ts";
import { assertInternal } from "../error.ts";
import { diffValues, type ValueDifference } from "../materializer/diff-values.ts";
import { loadValue, type StoredValue } from "../materializer/stored-value.ts";
import type { ArtifactContent } from "../record/artifact.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { ErrorRecord, Run, StepRun } from "../record/run.ts";
import type { Notice } from "../record/trace.ts";
import type { ContentStore } from "../store/content-store.ts";
import { DamagedInput } from "./attempt.ts";
import { toErrorRecord } from "./error-record.ts";
import { attemptOnce } from "./execute-step.ts";
import { openLooker } from "./open-looker.ts";
import { toPlanPorts, type PlanPorts } from "./plan-ports.ts";
import type { RunnerPorts } from "./ports.ts";
import { makeNotes } from "./step-context.ts";

/** An output that came out otherwise. */
export interface OutputDifference {
  /** `output` for a step with a single one. */
  readonly output: string;
  /** The first places where it differs. Empty where the values are equal as data, and only their bytes are not. */
  readonly differences: readonly ValueDifference[];
}

export type Verification = {
  readonly node: NodeId;
  readonly step: string;
} & (
  | { readonly verdict: "equal"; readonly durationMs: number }
  | {
      readonly verdict: "differs";
      readonly durationMs: number;
      readonly outputs: readonly OutputDifference[];
      readonly text: string;
    }
  | { readonly verdict: "failed"; readonly durationMs: number; readonly error: ErrorRecord }
  /** It was not executed, or says nothing. */
  | { readonly verdict: "skipped"; readonly because: string }
);

export interface VerifyOptions {
  readonly run: Run;
  /** Of the run. */
  readonly stepRuns: readonly StepRun[];
  /** Only these. */
  readonly nodes: ReadonlySet<NodeId>;
  /** Where outputs go. */
  readonly scratch: ContentStore;
  readonly jobs?: number;
  readonly signal: AbortSignal;
  /** Told of each as it ends. */
  readonly onVerified?: (verified: Verification) => void;
}

/** Verifies steps of a run, planned anew with its params. In plan order. What differs is noted on the step run that made it. */
export async function verifyPlan(
  plan: Plan,
  stack: RunnerPorts,
  options: VerifyOptions,
): Promise<readonly Verification[]> {
  const ports = toPlanPorts(plan, stack);
  const nodes = plan.nodes.filter(({ id }) => options.nodes.has(id));
  const identities = await ports.code.identify([...new Set(nodes.map(({ step }) => step))]);
  const results = new Map<NodeId, Verification>();
  const rest = [...nodes];
  const work = async (): Promise<void> => {
    for (let node = rest.shift(); node !== undefined && !options.signal.aborted; node = rest.shift()) {
      const code = identities.get(node.step);
      assertInternal(code, `step "${node.step.name}" has no code identity`);
      const verified = await verifyNode({ ports, options, node, code });
      results.set(node.id, verified);
      options.onVerified?.(verified);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.jobs ?? ports.jobs) }, work));
  const inPlan = new Set(plan.nodes.map(({ id }) => id));
  const gone = options.stepRuns.filter(({ node }) => options.nodes.has(node as NodeId) && !inPlan.has(node as NodeId));
  return [
    ...nodes.flatMap(({ id }) => results.get(id) ?? []),
    ...gone.map(({ node, step }): Verification => ({
      node: node as NodeId,
      step,
      verdict: "skipped",
      because: "the pipeline has no such step any more",
    })),
  ];
}

interface NodeParts {
  readonly ports: PlanPorts;
  readonly options: VerifyOptions;
  readonly node: PlanNode;
  readonly code: CodeIdentity;
}

async function verifyNode(parts: NodeParts): Promise<Verification> {
  const { node, ports } = parts;
  const name = { node: node.id, step: node.step.name };
  const found = await findEntry(parts);
  if (typeof found === "string") return { ...name, verdict: "skipped", because: found };
  const startedAt = Date.now();
  const durationMs = (): number => Date.now() - startedAt;
  let executed: ReadonlyMap<string, StoredValue> | string;
  try {
    executed = await execute(parts, found.stepRun);
  } catch (thrown) {
    if (thrown instanceof DamagedInput) {
      return { ...name, verdict: "skipped", because: "the stored bytes of an input are missing or were altered" };
    }
    return { ...name, verdict: "failed", durationMs: durationMs(), error: toErrorRecord(thrown, ports) };
  }
  if (typeof executed === "string") return { ...name, verdict: "skipped", because: executed };
  const outputs = await compareOutputs(parts, found.entry, executed);
  if (outputs.length === 0) return { ...name, verdict: "equal", durationMs: durationMs() };
  const text = describe(outputs);
  await note(ports, found.entry, { kind: "nondeterministic", text: `gives another output each time: ${text}` });
  return { ...name, verdict: "differs", durationMs: durationMs(), outputs, text };
}

interface FoundEntry {
  readonly entry: CacheEntry;
  readonly stepRun: StepRun;
}

/** The stored result that a step run made or took, if executing the step now must give it again; else why not. */
async function findEntry({ ports, options, node, code }: NodeParts): Promise<FoundEntry | string> {
  const stepRun = options.stepRuns.find((each) => each.node === node.id);
  if (stepRun === undefined) return "the run had no such step";
  if (stepRun.status !== "completed" && stepRun.status !== "cached") return `it was ${stepRun.status} in this run`;
  const { cache } = resolveNodeOptions(node, {}, ports.defaults);
  if (cache === "off" || cache === "refresh") return "its results are not reused: its cache is off";
  if (stepRun.obstacle !== undefined) return `its result was not kept: ${stepRun.obstacle.text}`;
  if (stepRun.verdict === "opaque" || code.verdict === "opaque") return "its code cannot be known";
  const recorded = stepRun.key && (await ports.metadata.keys([stepRun.key])).get(stepRun.key);
  if (stepRun.key === undefined || recorded === undefined) return "its key was not kept";
  if (recorded.code !== code.digest) return "its code has changed since";
  const outputOf = (id: NodeId, output: string) =>
    options.stepRuns.find((each) => each.node === id)?.outputs.find(({ slot }) => slot === output)?.digest;
  const now = makeNodeKey(node, code, toKeyArguments(node, outputOf, ports.secrets), ports.secrets);
  if (now.digest !== stepRun.key) return "what it is given, or how it is defined, has changed since";
  const origin = stepRun.origin ?? stepRun.id;
  const entries = (await ports.metadata.cacheEntries([stepRun.key])).get(stepRun.key) ?? [];
  const entry = entries.find((each) => each.origin === origin);
  if (entry === undefined) return "its result is not kept for reuse any more";
  if (entry.trace !== undefined) {
    const checks = await openLooker(ports).check(await ports.metadata.traces([entry.trace]));
    const check = checks.get(entry.trace);
    if (check === undefined) return "what it read is no longer known";
    const [first] = check.differences;
    if (first !== undefined) return `what it read has changed since: ${first.part}`;
  }
  const health: ReadonlyMap<unknown, BlobHealth> = await ports.content.verify(entry.blobs);
  const damaged = entry.blobs.some(({ digest }) => health.get(digest) !== "ok");
  return damaged ? "its stored output is missing or was altered: a run mends it" : { entry, stepRun };
}

/** Calls the step as a run does. What it says goes nowhere. */
async function execute(
  { ports, options, node, code }: NodeParts,
  stepRun: StepRun,
): Promise<ReadonlyMap<string, StoredValue> | string> {
  const effective = resolveNodeOptions(node, {}, ports.defaults);
  for (let attempt = 1; ; attempt += 1) {
    const observation = openLooker(ports).observe({
      memos: code.memos,
      declared: resolveReads(node),
      http: effective.http,
      packages: () => code.packages(),
      isSecret: (text) => ports.secrets?.mask.holds(text) === true,
    });
    try {
      const outputs = await attemptOnce(
        {
          ports,
          recorder: { line: () => {}, point: () => {} },
          run: options.run,
          node,
          stepRun,
          options: effective,
          signal: options.signal,
          contentOf: async (ref) => await contentOf(ports, options.stepRuns, ref),
          notes: makeNotes(),
          heal: false,
          target: options.scratch,
        },
        observation,
        attempt,
      );
      const { obstacle } = await observation.close();
      return obstacle === undefined ? outputs : `nothing can be told of it: ${obstacle.text}`;
    } catch (error) {
      await observation.close();
      if (error instanceof DamagedInput || attempt > effective.retry || options.signal.aborted) throw error;
    }
  }
}

async function contentOf(
  { metadata }: RunnerPorts,
  stepRuns: readonly StepRun[],
  ref: { readonly node: NodeId; readonly output: string },
): Promise<ArtifactContent> {
  const use = stepRuns.find(({ node }) => node === ref.node)?.outputs.find(({ slot }) => slot === ref.output);
  assertInternal(use, `output "${ref.output}" of node "${ref.node}" is read without being in the key`);
  const [found] = await metadata.artifacts({ name: use.artifact, version: use.version, limit: 1 });
  assertInternal(found, `artifact "${use.artifact}" version ${use.version} is not recorded`);
  return found;
}

async function compareOutputs(
  { ports, options }: NodeParts,
  entry: CacheEntry,
  executed: ReadonlyMap<string, StoredValue>,
): Promise<readonly OutputDifference[]> {
  const stored = new Map(entry.outputs.map((use) => [use.slot, use]));
  const differing: OutputDifference[] = [];
  for (const output of new Set([...stored.keys(), ...executed.keys()])) {
    const [use, value] = [stored.get(output), executed.get(output)];
    if (use?.digest === value?.digest) continue;
    if (use === undefined || value === undefined) {
      const [from, to] = [use && "returned", value && "returned"];
      differing.push({ output, differences: [{ path: "", from, to }] });
      continue;
    }
    const [artifact] = await ports.metadata.artifacts({ name: use.artifact, version: use.version, limit: 1 });
    assertInternal(artifact, `artifact "${use.artifact}" version ${use.version} is not recorded`);
    const { registry } = ports;
    const from = await loadValue(artifact, { registry, blobs: ports.content });
    const to = await loadValue(value, { registry, blobs: options.scratch });
    const differences = await diffValues(from, to);
    const { secrets } = ports;
    differing.push({
      output,
      differences: secrets === undefined ? differences : hideDifferences(differences, secrets),
    });
  }
  return differing;
}

function hideDifferences(differences: readonly ValueDifference[], { mask }: KeySecrets): readonly ValueDifference[] {
  return differences.map(({ path, from, to }) => ({
    path: mask.hide(path),
    from: from && mask.hide(from),
    to: to && mask.hide(to),
  }));
}

/** `rows[3].score 0.91 → 0.87, and more`. */
function describe(outputs: readonly OutputDifference[]): string {
  const [first] = outputs as [OutputDifference];
  const [place] = first.differences;
  const count = outputs.reduce((sum, { differences }) => sum + differences.length, 0);
  const more = count > 1 ? ", and more" : "";
  if (place === undefined) return `${first.output} is equal as data, but its bytes differ${more}`;
  const where = place.path === "" ? first.output : `${first.output} at ${place.path}`;
  return `${where}: ${place.from ?? "nothing"} → ${place.to ?? "nothing"}${more}`;
}

/** Notes it where whoever looks at the step run, or takes its result, comes by. */
async function note({ metadata }: RunnerPorts, entry: CacheEntry, notice: Notice): Promise<void> {
  const [maker] = await metadata.stepRuns({ ids: [entry.origin] });
  const others = maker?.notices?.filter(({ kind }) => kind !== notice.kind) ?? [];
  await metadata.write([
    ...(maker === undefined
      ? []
      : [{ kind: "step-run" as const, stepRun: { ...maker, notices: [...others, notice] } }]),
    { kind: "cache-entry", entry: { ...entry, unsteady: notice.text } },
  ]);
}
