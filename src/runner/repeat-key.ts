/** What decides which results the steps of a plan take, as one digest: two plans that share it share every result. Pure. */
import { describeDeclarations, keyScheme, runtimeOfThisProcess } from "../cache/key.ts";
import { ruleOut } from "../cache/look-up.ts";
import type { CodeIdentity } from "../code/identity.ts";
import type { RunOptions } from "../define/run-handle.ts";
import { resolveIdentity, resolveReads } from "../define/resolve-options.ts";
import type { Argument, Plan, PlanNode } from "../define/plan.ts";
import { assertInternal } from "../error.ts";
import { digestValue } from "../hash/canonical.ts";
import { digestBytes, type Digest } from "../hash/digest.ts";
import { mapRecord, toArgumentRecord } from "./plan-record.ts";
import { policyOf } from "./policy.ts";
import type { RunnerPorts } from "./ports.ts";
import type { Selection } from "./selection.ts";

export interface RepeatQuestion {
  readonly plan: Plan;
  readonly identities: ReadonlyMap<PlanNode["step"], CodeIdentity>;
  readonly options: RunOptions;
  readonly ports: Pick<RunnerPorts, "defaults" | "version">;
}

/**
 * The digest; undefined where each step is to be looked up: the run is about some of them or takes no stored results, a
 * secret is in the plan, or a function has to be asked.
 */
export function makeRepeatKey(question: RepeatQuestion): Digest | undefined {
  const { plan, options, ports } = question;
  const { only, from, until, force = [], require, signal } = options;
  const isPartial = only !== undefined || from !== undefined || until !== undefined || force.length > 0;
  if (isPartial || require !== undefined || signal?.aborted === true || plan.secrets !== undefined) return undefined;
  const kinds = new Kinds(question);
  // A text from the start: of thousands of nodes, lists of lists would be most of the work.
  let nodes = "";
  try {
    for (const node of plan.nodes) {
      const kind = kinds.of(node);
      if (kind === undefined) return undefined;
      nodes += `${quote(node.id)} ${kind}`;
      for (const name of Object.keys(node.arguments))
        nodes += ` ${quote(name)}=${essence(node.arguments[name] as Argument)}`;
      if (node.after.length > 0) nodes += ` after ${JSON.stringify(node.after)}`;
      nodes += "\n";
    }
  } catch {
    // A value without a canonical form, or a declaration that is none: the step that has it says so.
    return undefined;
  }
  const scheme = ["reprise repeat 1", ports.version, keyScheme, runtimeOfThisProcess];
  const rest = [scheme, plan.pipeline, kinds.described, mapRecord(plan.outputs, toArgumentRecord)];
  return digestBytes(`${JSON.stringify(rest)}\n${nodes}`);
}

interface Kind {
  readonly node: PlanNode;
  /** Undefined: its nodes are to be looked up. */
  readonly index: number | undefined;
}

/** Nodes of one step with the same options are of one kind, which is described once. */
class Kinds {
  readonly described: unknown[] = [];
  readonly #question: RepeatQuestion;
  /** The last one of each step: nodes of one step that stand next to each other are mostly of one kind. */
  readonly #last = new Map<PlanNode["step"], Kind>();

  constructor(question: RepeatQuestion) {
    this.#question = question;
  }

  of(node: PlanNode): number | undefined {
    const last = this.#last.get(node.step);
    if (last !== undefined && hasSameOptions(last.node, node)) return last.index;
    const description = this.#describe(node);
    const index = description === undefined ? undefined : this.described.push(description) - 1;
    this.#last.set(node.step, { node, index });
    return index;
  }

  #describe(node: PlanNode): unknown {
    const { identities, options, ports } = this.#question;
    const { step } = node;
    const code = identities.get(step);
    assertInternal(code, `step "${step.name}" has no code identity`);
    const { cache } = policyOf(node, options, everything, ports);
    const { version, cacheKey } = resolveIdentity(node);
    const reads = node.callOptions.reads ?? step.options.reads;
    if (ruleOut(cache, code) !== undefined || cacheKey !== undefined || typeof reads === "function") return undefined;
    return [
      [step.name, code.digest, code.verdict, describeDeclarations(step.outputs)],
      [version ?? null, resolveReads(node) ?? null, cache.mode, cache.expiresMs ?? null],
    ];
  }
}

/** No node is asked for in another way than the others. */
const everything: Selection = { selected: new Set(), needed: new Set(), reuseOnly: new Set(), forced: new Set() };

function hasSameOptions(left: PlanNode, right: PlanNode): boolean {
  const isSameCall =
    left.callOptions === right.callOptions ||
    (Object.keys(left.callOptions).length === 0 && Object.keys(right.callOptions).length === 0);
  if (!isSameCall || left.pipelineOptions.length !== right.pipelineOptions.length) return false;
  return left.pipelineOptions.every((options, index) => options === right.pipelineOptions[index]);
}

/** No two arguments with different keys have the same. */
function essence(argument: Argument): string {
  switch (argument.kind) {
    case "value": {
      const { value } = argument;
      if (typeof value === "string") return quote(value);
      if (isOwnText(value)) return String(value);
      return `digest ${digestValue(value)}`;
    }
    case "ref":
      return `${quote(argument.node)}.${quote(argument.output)}`;
    case "list":
      return `[${argument.items.map(essence).join(",")}]`;
  }
}

/** Whether its text tells the value from all others. */
function isOwnText(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  return typeof value === "boolean" || value === null;
}

/** Most names are plain: then nothing in them has to be made plain. */
function quote(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text);
}

const plain = /^[\w./-]*$/;
