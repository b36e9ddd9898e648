/** A plan as it is remembered: its topology, without values; and the digest that makes a pipeline's version. */
import type { KeySecrets } from "../cache/key.ts";
import type { CodeIdentity } from "../code/identity.ts";
import type { Argument, Plan, StepDefinition } from "../define/plan.ts";
import { hiddenSecret } from "../define/secret-mask.ts";
import { digestOwnData, digestValue, type OwnData } from "../hash/canonical.ts";
import { showValue } from "../hash/show-value.ts";
import type { Digest } from "../hash/digest.ts";
import type { JsonValue } from "../hash/json.ts";
import type { ArgumentRecord, ParamRecord, PipelineVersion, PlanRecord } from "../record/run.ts";

const shownLength = 200;
/** A parameter longer than this, as JSON, is kept as its digest and the beginning of its text. */
const keptLength = 4096;

/** The version that a plan and the code of its steps make; the store gives it its number. */
export function toVersion(
  plan: Plan,
  identities: ReadonlyMap<StepDefinition, CodeIdentity>,
  now: number,
): Omit<PipelineVersion, "version"> {
  const record = toPlanRecord(plan);
  const code: Record<string, Digest> = {};
  for (const node of plan.nodes) code[node.id] = (identities.get(node.step) as CodeIdentity).digest;
  return {
    pipeline: plan.pipeline,
    digest: digestOwnData(["pipeline version", record as unknown as OwnData, code]),
    plan: record,
    code,
    createdAt: now,
  };
}

export function toPlanRecord(plan: Plan): PlanRecord {
  return {
    nodes: plan.nodes.map((node) => ({
      id: node.id,
      step: node.step.name,
      arguments: mapRecord(node.arguments, toArgumentRecord),
      after: node.after,
    })),
    outputs: mapRecord(plan.outputs, toArgumentRecord),
  };
}

/** A plan's params. Of secrets, a digest that the store's key is needed for. */
export function toParamRecords({ params, secrets }: Plan, keyed: KeySecrets | undefined): Record<string, ParamRecord> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]): [string, ParamRecord] => {
      if (keyed !== undefined && secrets?.params.includes(name) === true) {
        return [name, { digest: keyed.digest(value, name), value: undefined, shown: hiddenSecret, secret: true }];
      }
      return [name, { digest: digestValue(value), value: toJson(value), shown: showValue(value, shownLength) }];
    }),
  );
}

export function toArgumentRecord(argument: Argument): ArgumentRecord {
  switch (argument.kind) {
    case "value":
      return { kind: "value" };
    case "ref":
      return { kind: "ref", node: argument.node, output: argument.output };
    case "list":
      return { kind: "list", items: argument.items.map(toArgumentRecord) };
  }
}

/** The value itself where JSON holds it exactly and it is short. */
function toJson(value: unknown): JsonValue | undefined {
  const text = toJsonText(value);
  if (text === undefined || text.length > keptLength) return undefined;
  const back = JSON.parse(text) as JsonValue;
  return digestValue(back) === digestValue(value) ? back : undefined;
}

function toJsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    // It holds a bigint, or itself.
    return undefined;
  }
}

export function mapRecord<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
