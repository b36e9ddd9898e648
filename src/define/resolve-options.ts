/** Who wins where several levels set an option: run, call, step, pipelines from the innermost out, defaults. */
import { parseDuration } from "./duration.ts";
import { toDeclaredReads, type DeclaredRead } from "./declared-read.ts";
import { DefinitionError } from "../error.ts";
import { showValue } from "../hash/show-value.ts";
import type { CacheMode, CacheOption, HttpOption, HttpPolicy, StepIdentityOptions, StepOptions } from "./options.ts";
import { plainArguments } from "./plain-arguments.ts";
import type { PlanNode } from "./plan.ts";

export type OptionLevel = "run" | "call" | "step" | "pipeline" | "default";

export interface OptionLevels {
  readonly run?: StepOptions;
  readonly call?: StepOptions;
  readonly step?: StepOptions;
  /** Innermost first. */
  readonly pipelines?: readonly StepOptions[];
  readonly defaults?: StepOptions;
}

/** What holds for one node of one run. */
export interface EffectiveOptions {
  readonly cache: CacheMode;
  /** The level that decided on `cache`. */
  readonly cacheLevel: OptionLevel;
  /** Undefined: a result never expires. */
  readonly expiresMs: number | undefined;
  readonly retry: number;
  /** Undefined: a step may take as long as it likes. */
  readonly timeoutMs: number | undefined;
  readonly http: HttpPolicy;
}

/** The options that hold, each decided by the highest level that sets it. */
export function resolveOptions(levels: OptionLevels): EffectiveOptions {
  const ranked: readonly (readonly [OptionLevel, StepOptions])[] = [
    ["run", levels.run ?? {}],
    ["call", levels.call ?? {}],
    ["step", levels.step ?? {}],
    ...(levels.pipelines ?? []).map((options) => ["pipeline", options] as const),
    ["default", levels.defaults ?? {}],
  ];
  const cache = ranked.find(([, options]) => options.cache !== undefined);
  const pick = <Name extends keyof StepOptions>(name: Name): StepOptions[Name] | undefined =>
    ranked.find(([, options]) => options[name] !== undefined)?.[1][name];
  return {
    cache: toCacheMode(cache?.[1].cache ?? true),
    cacheLevel: cache?.[0] ?? "default",
    expiresMs: toLimit(pick("expires")),
    retry: pick("retry") ?? 0,
    timeoutMs: toLimit(pick("timeout")),
    http: toHttpPolicy(pick("http") ?? "revalidate"),
  };
}

/** {@link resolveOptions} for a node of a plan: its call, its step and the pipelines around it. */
export function resolveNodeOptions(
  node: PlanNode,
  run: StepOptions = {},
  defaults: StepOptions = {},
): EffectiveOptions {
  return resolveOptions({
    run,
    call: node.callOptions,
    step: node.step.options,
    pipelines: node.pipelineOptions,
    defaults,
  });
}

/** A node's version and cache key: the call's where it has one, else the step's. */
export function resolveIdentity(node: PlanNode): StepIdentityOptions {
  const version = node.callOptions.version ?? node.step.options.version;
  const cacheKey = node.callOptions.cacheKey ?? node.step.options.cacheKey;
  return { ...(version === undefined ? {} : { version }), ...(cacheKey === undefined ? {} : { cacheKey }) };
}

/**
 * What a node is declared to read: the call's declaration where it has one, else the step's. Undefined when nothing is
 * declared. Throws what a function throws that declares it, and a DefinitionError (RPS1012) when it returns something else.
 */
export function resolveReads(node: PlanNode): readonly DeclaredRead[] | undefined {
  const reads = node.callOptions.reads ?? node.step.options.reads;
  if (reads === undefined) return undefined;
  const given: unknown = typeof reads === "function" ? reads(plainArguments(node)) : reads;
  const resolved = toDeclaredReads(given);
  if (!("expected" in resolved)) return resolved;
  const { expected, hint } = resolved;
  const message = `"reads" of step "${node.id}" returned ${showValue(given, 60)}; expected ${expected}`;
  throw new DefinitionError([{ code: "RPS1012", message, hint }]);
}

/** A cache option without its shorthands. */
export function toCacheMode(option: CacheOption): CacheMode {
  if (option === true) return "use";
  if (option === false) return "refresh";
  return option;
}

function toLimit(duration: StepOptions["expires"]): number | undefined {
  if (duration === undefined) return undefined;
  const milliseconds = parseDuration(duration);
  return milliseconds === Infinity ? undefined : milliseconds;
}

function toHttpPolicy(option: HttpOption): HttpPolicy {
  return typeof option === "string" ? option : { ttlMs: parseDuration(option.ttl) };
}
