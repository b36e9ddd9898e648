/**
 * The pipelines of this process. The list hangs on `globalThis`, so that the command line finds the pipelines of a file
 * that loads its own copy of Reprise.
 */
import type { CallSite } from "./call-site.ts";
import type { AnyPipeline } from "./pipeline-definition.ts";

/** A pipeline, and where `pipeline()` was called. */
export interface DefinedPipeline {
  readonly pipeline: AnyPipeline;
  readonly sites: readonly CallSite[];
}

const listKey = Symbol.for("reprise.pipelines.1");

const holder = globalThis as unknown as Record<typeof listKey, DefinedPipeline[] | undefined>;

const pipelines = (holder[listKey] ??= []);

/** Every pipeline that was defined in this process, exported or not, in the order of their definition. */
export function definedPipelines(): readonly DefinedPipeline[] {
  return [...pipelines];
}

export function rememberPipeline(pipeline: AnyPipeline): void {
  pipelines.push({ pipeline, sites: pipeline.definition.sites });
}
