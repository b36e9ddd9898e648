/** Values against Standard Schemas, synchronously. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Problem } from "../error.ts";
import { showValue } from "../hash/show-value.ts";
import { formatPath, type PathStep } from "../hash/value-path.ts";
import type { SecretMask } from "./secret-mask.ts";

/** What is secret of the values that are validated. */
export interface Secrets {
  /** Members that are secret by their name. */
  readonly names: ReadonlySet<string>;
  /** Knows their values. */
  readonly mask: SecretMask;
}

export type Validation =
  | { readonly kind: "valid"; readonly value: unknown }
  | { readonly kind: "invalid"; readonly issues: readonly StandardSchemaV1.Issue[] }
  /** The schema itself cannot be used. */
  | { readonly kind: "broken"; readonly problem: Problem };

/** Validates a value; `what` names the schema in a problem, as in `The params schema of step "train"`. */
export function validate(schema: StandardSchemaV1, value: unknown, what: string): Validation {
  let answer: ReturnType<StandardSchemaV1["~standard"]["validate"]>;
  try {
    answer = schema["~standard"].validate(value);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      kind: "broken",
      problem: {
        code: "RPS2002",
        message: `${what} threw instead of answering: ${message}`,
        hint: "Report what is wrong as an issue of the schema",
      },
    };
  }
  if ("then" in answer) {
    // Nobody will wait for it.
    answer.then(undefined, () => {});
    return {
      kind: "broken",
      problem: {
        code: "RPS1010",
        message: `${what} answers with a promise`,
        // Zod does so after a transform that threw as well.
        hint: "Keep the schema synchronous, and let it report issues instead of throwing",
      },
    };
  }
  return answer.issues === undefined
    ? { kind: "valid", value: answer.value }
    : { kind: "invalid", issues: answer.issues };
}

/** Whether a value is a Standard Schema; those of some libraries are functions. */
export function isSchema(value: unknown): value is StandardSchemaV1 {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  const standard = (value as Partial<StandardSchemaV1>)["~standard"] as Partial<StandardSchemaV1.Props> | undefined;
  return typeof standard?.validate === "function";
}

/**
 * An issue as a sentence: where, what was expected (in the words of the schema's library), what was found. Of a secret,
 * only that there is one.
 */
export function describeIssue(
  root: string,
  issue: StandardSchemaV1.Issue,
  value: unknown,
  { names, mask }: Secrets,
): string {
  const path = pathOf(issue);
  const found = readPath(value, path);
  const isNamed = path.length === 0 ? names.size > 0 : names.has(String(path[0]));
  const isSecret = found !== undefined && (isNamed || mask.holds(found));
  const where = path.length === 0 ? root : formatPath(root, path);
  const message = mask.hide(issue.message.replace(/\.$/u, ""));
  return `${where}: ${message}; found ${isSecret ? "what is not shown, as it is secret" : showValue(found, 60)}`;
}

/** The name of the member that an issue is about; undefined when it is about the whole value. */
export function issueMember(issue: StandardSchemaV1.Issue): string | undefined {
  const [first] = pathOf(issue);
  return first === undefined ? undefined : String(first);
}

function pathOf({ path }: StandardSchemaV1.Issue): PathStep[] {
  return (path ?? []).map((segment) => {
    const key = typeof segment === "object" ? segment.key : segment;
    return typeof key === "number" ? key : String(key);
  });
}

function readPath(value: unknown, path: readonly PathStep[]): unknown {
  let part = value;
  for (const key of path) {
    if (part === null || typeof part !== "object") return undefined;
    part = (part as Record<string, unknown>)[String(key)];
  }
  return part;
}
