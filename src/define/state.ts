/**
 * What the definition layer has to remember between calls. It hangs on `globalThis`, so that a step from one copy of
 * Reprise works in a pipeline from another, and the command line finds the pipelines of a file that loads its own copy.
 */
import type { Build } from "./build.ts";
import type { CallSite } from "./call-site.ts";
import type { AnyPipeline } from "./pipeline-definition.ts";

/** A pipeline, and where `pipeline()` was called. */
export interface DefinedPipeline {
  readonly pipeline: AnyPipeline;
  readonly sites: readonly CallSite[];
}

interface DefineState {
  /** The build that runs at this moment. A build is synchronous, so there is at most one. */
  build: Build | undefined;
  readonly pipelines: DefinedPipeline[];
}

const stateKey = Symbol.for("reprise.define.1");

const holder = globalThis as unknown as Record<typeof stateKey, DefineState | undefined>;

export const state: DefineState = (holder[stateKey] ??= { build: undefined, pipelines: [] });

/** Every pipeline that was defined in this process, exported or not, in the order of their definition. */
export function definedPipelines(): readonly DefinedPipeline[] {
  return [...state.pipelines];
}
