/** Plain values against a params schema, with the defaults filled in. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Problem } from "../error.ts";
import { isPlainRecord } from "./to-argument.ts";
import { describeIssue, issueMember, validate, type Secrets } from "./validate.ts";

export interface AcceptedParams {
  /** What was given, overlaid with what the schema yields; what the schema does not know survives. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: readonly Problem[];
}

/**
 * Validates the plain values among the arguments. `others` names the arguments that are references (or steps): those
 * cannot be what the schema gives. `owner` is as in `step "train"`. The mask learns the secrets, as given and as the schema
 * yields them.
 */
export function acceptParams(
  schema: StandardSchemaV1 | undefined,
  plain: Readonly<Record<string, unknown>>,
  others: readonly string[],
  owner: string,
  secrets: Secrets,
): AcceptedParams {
  for (const name of secrets.names) secrets.mask.add(plain[name]);
  if (schema === undefined) return { values: plain, problems: [] };
  const what = `The params schema of ${owner}`;
  const misplaced = others.filter((name) => isParam(schema, plain, name, what));
  if (misplaced.length > 0)
    return { values: plain, problems: misplaced.map((name) => misplacedReference(name, owner)) };

  const validation = validate(schema, plain, what);
  switch (validation.kind) {
    case "broken": {
      const { problem } = validation;
      return { values: plain, problems: [{ ...problem, message: secrets.mask.hide(problem.message) }] };
    }
    case "invalid":
      return {
        values: plain,
        problems: validation.issues.map((issue) => ({
          code: "RPS2002",
          message: `Params of ${owner} do not fit: ${describeIssue("params", issue, plain, secrets)}`,
          hint: issueMember(issue) === undefined ? "Mend the params" : `Mend "${issueMember(issue)}"`,
        })),
      };
    case "valid":
      if (isPlainRecord(validation.value)) {
        for (const name of secrets.names) secrets.mask.add(validation.value[name]);
        return { values: { ...plain, ...validation.value }, problems: [] };
      }
      return {
        values: plain,
        problems: [
          {
            code: "RPS1012",
            message: `${what} yields no record`,
            hint: "Use an object schema: its members are the params",
          },
        ],
      };
  }
}

/** Whether the schema gives a param of this name: it then objects to a value that nothing else can be, or yields another. */
function isParam(
  schema: StandardSchemaV1,
  plain: Readonly<Record<string, unknown>>,
  name: string,
  what: string,
): boolean {
  const probe = Symbol(name);
  const validation = validate(schema, { ...plain, [name]: probe }, what);
  if (validation.kind === "invalid") return validation.issues.some((issue) => issueMember(issue) === name);
  if (validation.kind === "broken" || !isPlainRecord(validation.value)) return false;
  return Object.hasOwn(validation.value, name) && validation.value[name] !== probe;
}

function misplacedReference(name: string, owner: string): Problem {
  return {
    code: "RPS1013",
    message: `Param "${name}" of ${owner} is a reference, but its params schema checks a plain value`,
    hint: `Move "${name}" from params to inputs, or pass a plain value`,
  };
}
