/** What a caller of `pipeline.run` says and gets. */
import type { Digest } from "../hash/digest.ts";
import type { None } from "./infer.ts";
import type { StepOptions } from "./options.ts";
import type { singleOutput } from "./plan.ts";
import type { NodeResult, Ref } from "./reference.ts";

/** The options of one run. Those of {@link StepOptions} win over every other level. */
export interface RunOptions extends StepOptions {
  /** The run's name, instead of one made from the pipeline's name and the time. */
  readonly name?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** The stack to run on, as named in the configuration. */
  readonly stack?: string;
  /** The folder of the store, instead of the stack's. */
  readonly store?: string;
  /** How many steps may run at once. */
  readonly jobs?: number;
  /** Nodes to execute even where a stored result fits. */
  readonly force?: readonly string[];
  /** Run this node and what depends on it; take what they need from the cache where it is there, also with `cache: false`. */
  readonly from?: string;
  /** Run these nodes alone; take what they need from the cache, also with `cache: false`. */
  readonly only?: readonly string[];
  /** Run up to this node and what it needs. */
  readonly until?: string;
  /** After a failed step: stop what depends on it (the default), or everything. */
  readonly onFailure?: "stop-dependents" | "stop-all";
  /** Cancels the run when aborted. */
  readonly signal?: AbortSignal;
  readonly reporter?: "auto" | "pretty" | "plain" | "json" | "silent";
  /** `proved`: reuse only results of steps whose code is known completely. */
  readonly require?: "proved";
  /** Whether a run that did not complete is thrown as a RunError; true by default. */
  readonly throwOnFailure?: boolean;
}

/** Which artifact an output became. */
export interface ArtifactInfo {
  readonly name: string;
  readonly version: number;
  readonly digest: Digest;
}

/** An output of a run that is no artifact of its own: a list of them, or a plain value that the build returned. */
export interface ValueHandle<T> {
  /** Reads the value from the store, anew at each call. Rejects with a RunError (RPS3005) when its step did not finish. */
  load(): Promise<T>;
}

/** An output of a run. */
export interface OutputHandle<T> extends ValueHandle<T> {
  /** Throws a RunError (RPS3005) when its step did not finish. */
  readonly artifact: ArtifactInfo;
}

/** How one step of a run went. */
export interface StepSummary {
  readonly node: string;
  readonly step: string;
  readonly status: "running" | "completed" | "cached" | "failed" | "skipped" | "cancelled" | "interrupted";
  /** Why it ran or did not: a stable code, and a fragment of a sentence. */
  readonly reason: { readonly code: string; readonly text: string } | undefined;
  readonly durationMs: number | undefined;
  /** Of a reused step: how long its result took to make. */
  readonly savedMs: number | undefined;
}

/** A run that has ended. */
export interface RunHandle<Outputs> {
  readonly id: string;
  readonly name: string;
  readonly pipeline: string;
  /** Of the pipeline. */
  readonly version: number;
  readonly status: "running" | "completed" | "failed" | "cancelled" | "interrupted";
  /** In the order of the plan. */
  readonly steps: readonly StepSummary[];
  /**
   * Whether the store took the run and its results. Where it did not (its disk is full, it may only be read), the outputs
   * can be loaded while this process lives, and the next run executes what could not be kept.
   */
  readonly recorded: boolean;
  /** By name, as the build returned them. */
  readonly outputs: Outputs;
}

/** The outputs of a run, from what its build returns. */
export type OutputHandles<B> = 0 extends 1 & B
  ? Record<string, OutputHandle<unknown>>
  : B extends Ref<infer T>
    ? { readonly [Name in typeof singleOutput]: OutputHandle<T> }
    : B extends void
      ? None
      : B extends readonly unknown[]
        ? { readonly [Name in typeof singleOutput]: ValueHandle<OutputValue<B>> }
        : { readonly [Name in Exclude<keyof B, keyof NodeResult>]: HandleOf<B[Name]> };

type HandleOf<T> = T extends Ref<infer V> ? OutputHandle<V> : ValueHandle<OutputValue<T>>;

type OutputValue<T> =
  T extends Ref<infer V> ? V : T extends readonly unknown[] ? { [Index in keyof T]: OutputValue<T[Index]> } : T;
