/** Order without data: which nodes an `after` names. */
import { showValue } from "../hash/show-value.ts";
import type { Build } from "./build.ts";
import type { NodeId } from "./plan.ts";
import { nameReference, readReference, report } from "./reference.ts";

/** The nodes behind an output, the result of a call of a step or a pipeline, or a list of these. */
export function resolveAfter(build: Build, after: unknown, where: string): readonly NodeId[] {
  const nodes = new Set<NodeId>();
  collect(build, after, where, nodes);
  return [...nodes];
}

function collect(build: Build, after: unknown, where: string, nodes: Set<NodeId>): void {
  if (after === undefined) return;
  const data = readReference(after);
  if (data !== undefined) {
    if (data.build === build) nodes.add(data.node);
    else {
      report({
        code: "RPS1009",
        message: `Option "after" of ${where} names ${nameReference(data)}, which belongs to another build`,
        hint: "Name a call of this build",
      });
    }
    return;
  }
  if (Array.isArray(after)) {
    for (const each of after) collect(build, each, where, nodes);
    return;
  }
  const members = readPipelineResult(after);
  if (members === undefined) {
    report({
      code: "RPS1012",
      message: `Option "after" of ${where} is ${showValue(after, 60)}; expected an output, the result of a call, or a list of these`,
      hint: "const saved = save({ rows }); report({}, { after: saved })",
    });
    return;
  }
  for (const node of members) nodes.add(node);
}

const membersKey = Symbol.for("reprise.pipeline-result");

/** What a call of a pipeline yields: the record that its build returned, together with the nodes that it added. */
export function createPipelineResult(outputs: object, nodes: readonly NodeId[]): object {
  const result = { ...outputs };
  Object.defineProperty(result, membersKey, { value: nodes });
  return Object.freeze(result);
}

function readPipelineResult(value: unknown): readonly NodeId[] | undefined {
  return value !== null && typeof value === "object"
    ? (value as { [membersKey]?: readonly NodeId[] })[membersKey]
    : undefined;
}
