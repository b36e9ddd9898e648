/** A step's function on its own, and its borders: what goes in and comes out against what was declared. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { DefinitionError, ValueError } from "../error.ts";
import { acceptParams } from "./accept-params.ts";
import type { StepContext } from "./context.ts";
import { singleOutput, type Declaration, type StepDefinition } from "./plan.ts";
import { openTestContext } from "./test-context.ts";
import { throwProblems } from "./throw-problems.ts";
import { isPlainRecord } from "./to-argument.ts";
import { SecretMask } from "./secret-mask.ts";
import { stepSecrets } from "./step-secrets.ts";
import { describeIssue, isSchema, issueMember, validate } from "./validate.ts";

/** Validates, runs the function once and validates what it returns. Throws what the function throws, as it is. */
export async function runStepFunction(
  step: StepDefinition,
  given: unknown = {},
  context: Partial<StepContext> = {},
): Promise<unknown> {
  if (!isPlainRecord(given)) {
    throw new ValueError("RPS2003", `Step "${step.name}" was run with something else than a record of named inputs`, {
      hint: "Name the inputs: await train.run({ rows, gamma: 0.02 })",
    });
  }
  const mask = new SecretMask(stepSecrets());
  const inputs = validateInputs(step, acceptAll(step, given, mask), mask);
  const run = step.run as (inputs: unknown, context: StepContext) => unknown;
  const own = openTestContext({ step: { name: step.name, node: step.name, attempt: 1 } });
  // Not `using`: an older Node, which is to be told that it is one, cannot parse that.
  try {
    return validateOutputs(step, await run(inputs, { ...own, ...context }), mask);
  } finally {
    await own[Symbol.asyncDispose]();
  }
}

function secretsOf({ secrets = {} }: StepDefinition): ReadonlySet<string> {
  return new Set(Object.keys(secrets));
}

function acceptAll(
  step: StepDefinition,
  given: Readonly<Record<string, unknown>>,
  mask: SecretMask,
): Readonly<Record<string, unknown>> {
  const names = secretsOf(step);
  for (const name of names) mask.add(given[name]);
  const declared = Object.entries(given).filter(([name]) => Object.hasOwn(step.inputs, name));
  const others = Object.entries(given).filter(([name]) => !Object.hasOwn(step.inputs, name));
  const secrets = { names, mask };
  const { values, problems } = acceptParams(
    step.params,
    Object.fromEntries(others),
    [],
    `step "${step.name}"`,
    secrets,
  );
  throwProblems(problems);
  return { ...values, ...Object.fromEntries(declared) };
}

/**
 * A step's inputs as its function gets them: what is declared by a schema as the schema yields it, all else as it is.
 * Params are not looked at: they passed their schema when the plan was made. Throws a ValueError (RPS2003), without what
 * the mask knows.
 */
export function validateInputs(
  step: StepDefinition,
  inputs: Readonly<Record<string, unknown>>,
  mask: SecretMask = new SecretMask(),
): Readonly<Record<string, unknown>> {
  const names = secretsOf(step);
  const validated: Record<string, unknown> = { ...inputs };
  for (const [name, declaration] of Object.entries(step.inputs)) {
    if (!isSchema(declaration)) continue;
    const what = `Input "${name}" of step "${step.name}"`;
    const value = passBorder(declaration, inputs[name], name, what, mask, names.has(name));
    if (value !== undefined || Object.hasOwn(inputs, name)) validated[name] = value;
  }
  return validated;
}

/**
 * What a step returned, as its declared schemas yield it. Throws a ValueError (RPS2003), without what the mask knows; an
 * output that is missing is one.
 */
export function validateOutputs(step: StepDefinition, returned: unknown, mask: SecretMask = new SecretMask()): unknown {
  if (step.outputs === undefined) return returned;
  const names = Object.keys(step.outputs);
  if (isSingleValue(step, returned)) {
    return passDeclared(step.outputs[singleOutput]!, returned, singleOutput, step, mask);
  }
  if (!isPlainRecord(returned)) {
    throw new ValueError(
      "RPS2003",
      `Step "${step.name}" returned no record, but declares outputs ${names.join(", ")}`,
      {
        hint: `Return them by name: return { ${names.join(", ")} }`,
      },
    );
  }
  const validated: Record<string, unknown> = { ...returned };
  for (const [name, declaration] of Object.entries(step.outputs)) {
    validated[name] = passDeclared(declaration, returned[name], name, step, mask);
  }
  return validated;
}

/** Whether what a step returned is its one declared output itself, and no record that names it. */
export function isSingleValue(step: StepDefinition, returned: unknown): boolean {
  const names = Object.keys(step.outputs ?? {});
  if (names.length !== 1 || names[0] !== singleOutput) return false;
  return !(isPlainRecord(returned) && Object.keys(returned).join() === singleOutput);
}

function passDeclared(
  declaration: Declaration,
  value: unknown,
  name: string,
  step: StepDefinition,
  mask: SecretMask,
): unknown {
  const what = name === singleOutput ? `The output of step "${step.name}"` : `Output "${name}" of step "${step.name}"`;
  if (isSchema(declaration)) return passBorder(declaration, value, name, what, mask);
  if (value !== undefined) return value;
  throw new ValueError("RPS2003", `${what} is declared, but was not returned`, {
    hint: `Return it: return { ${name} }`,
  });
}

function passBorder(
  schema: StandardSchemaV1,
  value: unknown,
  name: string,
  what: string,
  mask: SecretMask,
  isSecret: boolean = false,
): unknown {
  const validation = validate(schema, value, `The schema of ${what.charAt(0).toLowerCase()}${what.slice(1)}`);
  switch (validation.kind) {
    case "valid":
      return validation.value;
    case "broken":
      throw new DefinitionError([{ ...validation.problem, message: mask.hide(validation.problem.message) }]);
    case "invalid": {
      const names = new Set(isSecret ? validation.issues.map((issue) => issueMember(issue) ?? "") : []);
      const issues = validation.issues.map((issue) => describeIssue(name, issue, value, { names, mask }));
      const message = issues.length === 1 ? ` ${issues[0]}` : `\n${issues.map((issue) => `  - ${issue}`).join("\n")}`;
      throw new ValueError("RPS2003", `${what} does not fit its schema:${message}`, {
        hint: "Mend what produced it, or its declaration",
        data: { issues },
      });
    }
  }
}
