/**
 * A plan: what a build yields, as plain data. It can be drawn, versioned, keyed, diffed and explained before anything runs.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Place } from "../error.ts";
import type { CallSite } from "./call-site.ts";
import type { Materializer } from "./materializer.ts";
import type { SecretUse, StepIdentityOptions, StepOptions } from "./options.ts";
import type { SecretMask } from "./secret-mask.ts";

/** The name of a node: unique within its plan, `splitter`, `splitter_2`, `sub/splitter` inside a nested pipeline. */
export type NodeId = string & { readonly __brand: "NodeId" };

/** What an input or output was declared to be. */
export type Declaration = StandardSchemaV1 | Materializer<never> | Materializer;

/** A step as its author defined it. */
export interface StepDefinition {
  readonly name: string;
  /** The function itself: takes named inputs and a context, returns named outputs. */
  readonly run: (inputs: never, context: never) => unknown;
  readonly params: StandardSchemaV1 | undefined;
  readonly inputs: Readonly<Record<string, Declaration>>;
  readonly outputs: Readonly<Record<string, Declaration>> | undefined;
  readonly options: StepOptions & StepIdentityOptions;
  /** The arguments that are secret; left out when none is. */
  readonly secrets?: Readonly<Record<string, SecretUse>>;
  /** The frames that were on the stack when `step()` was called, innermost first, without Reprise's own. */
  readonly sites: readonly CallSite[];
}

/** A pipeline as its author defined it. */
export interface PipelineDefinition {
  readonly name: string;
  readonly params: StandardSchemaV1 | undefined;
  readonly build: (params: never) => unknown;
  readonly options: StepOptions;
  /** The params that are secret; left out when none is. */
  readonly secrets?: readonly string[];
  /** The frames that were on the stack when `pipeline()` was called, innermost first, without Reprise's own. */
  readonly sites: readonly CallSite[];
}

/** One argument of a node: a plain value (a parameter), another node's output (an edge), or a list of these (a fan-in). */
export type Argument =
  | {
      readonly kind: "value";
      readonly value: unknown;
      /** Said of a value that is a secret, or has one in it. */
      readonly secret?: SecretUse;
    }
  | { readonly kind: "ref"; readonly node: NodeId; readonly output: OutputName }
  | { readonly kind: "list"; readonly items: readonly Argument[] };

/** An output's name. A step that returns a single value that is no record has one output, named {@link singleOutput}. */
export type OutputName = string;
export const singleOutput = "output" satisfies OutputName;

/** A step's place in a plan. */
export interface PlanNode {
  readonly id: NodeId;
  readonly step: StepDefinition;
  /** By name, in code-unit order of the names. Plain values have passed the step's params schema. */
  readonly arguments: Readonly<Record<string, Argument>>;
  /** Nodes that must have ended well before this one starts, besides those it takes data from. */
  readonly after: readonly NodeId[];
  /** The options of each level, not merged: {@link StepOptions} of the call, and of the pipelines around it, innermost first. */
  readonly callOptions: StepOptions & StepIdentityOptions;
  readonly pipelineOptions: readonly StepOptions[];
}

/** What a build yields. Nodes stand in the order of their calls, so a node never stands before one it depends on. */
export interface Plan {
  readonly pipeline: string;
  /** Where `pipeline()` was called, the file as an absolute path. */
  readonly place: Place | undefined;
  /** Validated, defaults filled in. A step or pipeline that was passed in is here by its name. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly nodes: readonly PlanNode[];
  /**
   * What the build returned: outputs by name, or one argument under {@link singleOutput}; empty when it returned nothing.
   * A build may return the whole result of a call: one reference under {@link singleOutput} to a node's output of that
   * name. When the node's step turns out to return a record, that record's outputs stand in its place.
   */
  readonly outputs: Readonly<Record<OutputName, Argument>>;
  readonly options: StepOptions;
  /** Left out when nothing is secret. */
  readonly secrets?: PlanSecrets;
}

/** What must not be shown of a plan. */
export interface PlanSecrets {
  /** Names of the params that are secret, or have a secret in them. */
  readonly params: readonly string[];
  readonly mask: SecretMask;
}
