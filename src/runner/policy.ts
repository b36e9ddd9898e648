/** How a node wants to be run: the options of all levels merged, and what they mean for the cache. */
import type { CachePolicy } from "../cache/look-up.ts";
import { resolveIdentity, resolveNodeOptions, type EffectiveOptions } from "../define/resolve-options.ts";
import type { RunOptions } from "../define/run-handle.ts";
import type { PlanNode } from "../define/plan.ts";
import type { RunnerPorts } from "./ports.ts";
import type { Selection } from "./selection.ts";

export interface NodePolicy {
  readonly options: EffectiveOptions;
  readonly cache: CachePolicy;
}

export function policyOf(
  node: PlanNode,
  run: RunOptions,
  selection: Selection,
  ports: Pick<RunnerPorts, "defaults">,
): NodePolicy {
  const asked = resolveNodeOptions(node, run, ports.defaults);
  const options = isTakenAsStored(node, asked, selection) ? { ...asked, cache: "use" as const } : asked;
  return {
    options,
    cache: {
      mode: options.cache,
      modeFrom: options.cacheLevel,
      expiresMs: options.expiresMs,
      forced: selection.forced.has(node.id),
      requireProved: run.require === "proved",
      hasVersion: resolveIdentity(node).version !== undefined,
    },
  };
}

/** "Run this step without the cache" says nothing of the steps above it that were not asked for. */
function isTakenAsStored(node: PlanNode, { cache, cacheLevel }: EffectiveOptions, selection: Selection): boolean {
  if (cache !== "refresh" && cache !== "off") return false;
  return selection.reuseOnly.has(node.id) || (cacheLevel === "run" && selection.needed.has(node.id));
}
