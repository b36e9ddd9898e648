/** What a run would do, step by step, without running anything. */
import { openMissExplainer, type ExplainMiss } from "../cache/explain-miss.ts";
import { digestKey } from "../cache/key.ts";
import { lookUp, ruleOut, type ToldMiss } from "../cache/look-up.ts";
import { dependenciesOf, makeNodeKey, toKeyArguments } from "../cache/node-key.ts";
import type { CodeIdentity } from "../code/identity.ts";
import type { RunOptions } from "../define/run-handle.ts";
import type { NodeId, OutputName, Plan, PlanNode } from "../define/plan.ts";
import { assertInternal } from "../error.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { KeyRecord } from "../record/key.ts";
import type { Reason } from "../record/reason.ts";
import { openLooker } from "./open-looker.ts";
import { policyOf, type NodePolicy } from "./policy.ts";
import type { Observer } from "../observe/observer.ts";
import { toPlanPorts, type PlanPorts } from "./plan-ports.ts";
import type { RunnerPorts } from "./ports.ts";
import { selectNodes } from "./selection.ts";

/**
 * - `cached`: a stored result will be taken.
 * - `runs`: it will execute, whatever the steps above it give.
 * - `depends`: steps above it run; it is reused if they give what they gave in some earlier run.
 * - `skipped`: it was not asked for.
 */
export type ForecastVerdict = "cached" | "runs" | "depends" | "skipped";

export interface Forecast {
  readonly node: NodeId;
  readonly step: string;
  readonly verdict: ForecastVerdict;
  readonly reason: Reason;
  /** For `depends`: the steps above that run or depend themselves. */
  readonly on: readonly NodeId[];
  /** For `cached`: how long the reused result took to make. */
  readonly savedMs: number | undefined;
  /** For the others: how long the last execution took, if there was one. */
  readonly expectedMs: number | undefined;
}

/** More stored keys of one step than this are not searched, and the step counts as `depends`. */
const searchedEntries = 2000;

/** Forecasts every node, in plan order. What it says `runs` runs, and what it says is `cached` is taken, if nothing changes in between. */
export async function forecastPlan(plan: Plan, stack: RunnerPorts, options: RunOptions): Promise<readonly Forecast[]> {
  const ports = toPlanPorts(plan, stack);
  const selection = selectNodes(plan, options);
  const identities = await ports.code.identify([...new Set(plan.nodes.map((node) => node.step))]);
  const explainMiss = openMissExplainer(ports.metadata, plan.pipeline);
  const observer = openLooker(ports);
  const hits = new Map<NodeId, CacheEntry>();
  const forecasts = new Map<NodeId, Forecast>();
  for (const node of plan.nodes) {
    const code = identities.get(node.step);
    assertInternal(code, `step "${node.step.name}" has no code identity`);
    const policy = policyOf(node, options, selection, ports);
    const on = [...dependenciesOf(node)].filter((id) => forecasts.get(id)?.verdict !== "cached");
    const forecast = selection.selected.has(node.id)
      ? await forecastNode({ node, code, policy, on, hits, ports, observer, explainMiss })
      : {
          verdict: "skipped" as const,
          reason: { code: "not-selected" as const, text: "it was not asked for", differences: [] },
        };
    forecasts.set(node.id, {
      node: node.id,
      step: node.step.name,
      verdict: forecast.verdict,
      reason: forecast.reason,
      on: forecast.verdict === "depends" ? on : [],
      savedMs: hits.get(node.id)?.durationMs,
      expectedMs: forecast.verdict === "cached" ? undefined : await lastDurationMs(ports, node),
    });
  }
  return [...forecasts.values()];
}

interface NodeQuestion {
  readonly node: PlanNode;
  readonly code: CodeIdentity;
  readonly policy: NodePolicy;
  /** Needs that are not cached. */
  readonly on: readonly NodeId[];
  readonly hits: Map<NodeId, CacheEntry>;
  readonly ports: PlanPorts;
  readonly observer: Observer;
  readonly explainMiss: ExplainMiss;
}

async function forecastNode(question: NodeQuestion): Promise<Pick<Forecast, "verdict" | "reason">> {
  const { node, code, policy, hits, ports, observer, explainMiss } = question;
  const told = ruleOut(policy.cache, code);
  if (told !== undefined) return { verdict: "runs", reason: toReason(told) };
  const outputOf = (id: NodeId, output: OutputName): CacheEntry["outputs"][number]["digest"] | undefined =>
    hits.get(id)?.outputs.find((use) => use.slot === output)?.digest;
  const args = toKeyArguments(node, outputOf, ports.secrets);
  const isComplete = Object.keys(node.arguments).every((name) => name in args);
  if (!isComplete) return await forecastIncomplete(question, args);
  const key = makeNodeKey(node, code, args, ports.secrets);
  const [found] = await lookUp(
    {
      metadata: ports.metadata,
      checkBlobs: (refs) => ports.content.verify(refs),
      checkTraces: (traces) => observer.check(traces),
    },
    [{ key, policy: policy.cache }],
    Date.now(),
  );
  assertInternal(found, "a look-up has no answer");
  if (found.kind === "hit") {
    hits.set(node.id, found.entry);
    const text = "nothing it depends on has changed";
    return {
      verdict: "cached",
      reason: { code: "same-fingerprint", text, differences: [], against: found.entry.origin },
    };
  }
  if (found.kind === "miss") return { verdict: "runs", reason: toReason(found.told, found.entry) };
  return { verdict: "runs", reason: await explainMiss({ node: node.id, key, code }) };
}

/** Some inputs are not known. If no stored key agrees with what is known, the step runs whatever they turn out to be. */
async function forecastIncomplete(
  { node, code, on, ports, explainMiss }: NodeQuestion,
  args: KeyRecord["arguments"],
): Promise<Pick<Forecast, "verdict" | "reason">> {
  const { metadata } = ports;
  const entries = await metadata.cacheEntriesOf({ step: node.step.name, limit: searchedEntries });
  const stored = [...(await metadata.keys(entries.map((entry) => entry.key))).values()];
  const known = makeNodeKey(node, code, args, ports.secrets);
  const fits = (other: KeyRecord): boolean =>
    digestKey({ ...other, arguments: pick(other.arguments, args) }) === known.digest;
  if (entries.length === searchedEntries || stored.some(fits)) {
    const text = `${on.map((id) => `"${id}"`).join(", ")} will run; if the output is the same, it is reused`;
    return { verdict: "depends", reason: { code: "input", text, differences: [] } };
  }
  const unknown = Object.keys(node.arguments).filter((name) => !(name in args));
  return { verdict: "runs", reason: await explainMiss({ node: node.id, key: known, code, unknown }) };
}

async function lastDurationMs(ports: RunnerPorts, node: PlanNode): Promise<number | undefined> {
  const [entry] = await ports.metadata.cacheEntriesOf({ step: node.step.name, limit: 1 });
  return entry?.durationMs;
}

function toReason({ code, text, differences = [] }: ToldMiss, entry?: CacheEntry): Reason {
  return { code, text, differences, ...(entry === undefined ? {} : { against: entry.origin }) };
}

function pick<T>(from: Readonly<Record<string, T>>, names: Readonly<Record<string, unknown>>): Record<string, T> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => name in names));
}
