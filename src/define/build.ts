/** A build while it runs: what has been called so far, and in which pipeline. */
import type { Problem } from "../error.ts";
import type { StepOptions } from "./options.ts";
import type { NodeId, PipelineDefinition, PlanNode, StepDefinition } from "./plan.ts";
import type { SecretMask } from "./secret-mask.ts";

export interface Build {
  readonly nodes: PlanNode[];
  readonly problems: Problem[];
  /** Names that nodes and nested pipelines have, with their prefixes, and the count that the next wish for one starts at. */
  readonly taken: Map<string, number>;
  /** Knows what was found to be secret so far. */
  readonly mask: SecretMask;
  /** Of the pipeline whose build runs at this moment. */
  scope: Scope;
}

/** One call of a pipeline. */
export interface Scope {
  readonly definition: PipelineDefinition;
  /** What the names of its nodes start with: `""`, `sub/`, `sub_2/inner/`. */
  readonly prefix: string;
  /** Of the pipelines around its steps, innermost first. */
  readonly options: readonly StepOptions[];
  /** What must be there before any of its nodes starts. */
  readonly after: readonly NodeId[];
  readonly outer: Scope | undefined;
  /** The steps that were called without a name of their own, by theirs. */
  readonly steps: Map<string, StepDefinition>;
}

/** Takes a name for a node or nested pipeline: the wanted one, else the first of `name_2`, `name_3` … that is free. */
export function takeName(build: Build, name: string): string {
  const full = build.scope.prefix + name;
  let free = full;
  let count = build.taken.get(full) ?? 1;
  for (; build.taken.has(free); count++) free = `${full}_${count + 1}`;
  build.taken.set(full, count);
  if (free !== full) build.taken.set(free, 1);
  return free;
}

/** Takes exactly this name; false when it is taken. */
export function takeExactName(build: Build, name: string): boolean {
  const full = build.scope.prefix + name;
  if (build.taken.has(full)) return false;
  build.taken.set(full, 1);
  return true;
}
