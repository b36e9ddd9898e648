/** `step()`: a function with a name, as a building block of pipelines. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Problem } from "../error.ts";
import type { CallOptions } from "./call-options.ts";
import { callStep, reportCallOutside, reportRunInside } from "./call-step.ts";
import { captureCallSites } from "./capture-call-sites.ts";
import { checkOptions } from "./check-options.ts";
import type { StepContext } from "./context.ts";
import type {
  CallArguments,
  CallParameters,
  CallResult,
  CheckedDeclarations,
  CheckedInputs,
  CheckedName,
  CheckedParams,
  Declarations,
  DeclaredArguments,
  DeclaredReturn,
  EdgeInputs,
  None,
  NoSchema,
  Remaining,
  StepResult,
} from "./infer.ts";
import { stepMark } from "./definition-mark.ts";
import { checkName } from "./name.ts";
import type { SecretsOption, SecretUse, StepIdentityOptions, StepOptions } from "./options.ts";
import { singleOutput, type Declaration, type StepDefinition } from "./plan.ts";
import { runStepFunction } from "./run-step-function.ts";
import { state } from "./state.ts";
import { throwProblems } from "./throw-problems.ts";
import { isSchema } from "./validate.ts";

/**
 * A step: call it in a build, where arguments are values or references. `Inputs` is what may be either, `Params` what the
 * params schema takes and must be plain, `Result` what its function returns.
 *
 * As the type of a slot that a step is passed in for, `Step<Split, { model: Model }>` takes any step that can be called
 * with a `Split` and returns a `model` among other things.
 */
export interface Step<Inputs = None, Result = unknown, Params = None> {
  /** Inside a build: adds a node, and yields references to its outputs. */
  (...given: CallParameters<CallArguments<Inputs, Params>, CallOptions>): CallResult<Result>;
  /**
   * Runs the function alone, as a unit test does: no store, no cache. Params and what is declared are validated, and
   * defaults filled in.
   */
  run(...given: CallParameters<Inputs & Params, Partial<StepContext>>): Promise<Result>;
  /** The same step with some of its arguments already given. */
  with<const Some extends Partial<CallArguments<Inputs, Params>>>(
    some: Some,
  ): Step<Remaining<Inputs, keyof Some>, Result, Remaining<Params, keyof Some>>;
  readonly definition: StepDefinition;
}

/** What a step is defined by; `name` and `run` are enough. */
export interface StepSource<
  Name extends string,
  R,
  P extends StandardSchemaV1,
  D extends Declarations,
  O extends Declaration | Declarations | undefined,
  I,
>
  extends StepOptions, StepIdentityOptions {
  readonly name: CheckedName<Name>;
  /** Gets its inputs and params by name; what it returns are its outputs: a record gives one for each member. */
  readonly run: ((inputs: I, context: StepContext) => R) & CheckedInputs<I>;
  /** Checks the plain arguments when the plan is made, and fills in defaults. */
  readonly params?: P & CheckedParams<P, I>;
  /** A schema checks an input before the step runs; a materializer names its type. */
  readonly inputs?: D & CheckedDeclarations<D, I>;
  /** A schema checks an output before it is stored; a materializer says how it is stored. One alone is of a single output. */
  readonly outputs?: O;
  /** Arguments whose values are never kept and never shown, as `["apiKey"]`. What holds one of them is secret as a whole. */
  readonly secrets?: SecretsOption<keyof NoInfer<I> & string>;
}

/**
 * Defines a step. The types of a call are inferred from the signature of `run`.
 *
 * Throws a DefinitionError with all that is wrong with the definition.
 */
export function step<
  const Name extends string,
  R extends DeclaredReturn<O>,
  P extends StandardSchemaV1 = NoSchema,
  const D extends Declarations = None,
  const O extends Declaration | Declarations | undefined = undefined,
  I = DeclaredArguments<P, D>,
>(
  source: StepSource<Name, R, P, D, O, I>,
): Step<EdgeInputs<I, P, D>, StepResult<R, O>, StandardSchemaV1.InferInput<P>> {
  const sites = captureCallSites(1);
  // The checks in the types leave nothing that the function could use.
  const given = source as unknown as LooseSource;
  throwProblems(checkSource(given), sites);
  const { name, run, params, inputs = {}, outputs, secrets, ...options } = given;
  const definition: StepDefinition = {
    name,
    run,
    params,
    inputs,
    outputs: toOutputs(outputs),
    options,
    ...(secrets === undefined ? {} : { secrets: toSecrets(secrets) }),
    sites,
  };
  return createStep(definition, {}) as never;
}

type LooseSource = StepOptions &
  StepIdentityOptions & {
    readonly name: string;
    readonly run: StepDefinition["run"];
    readonly params: StandardSchemaV1 | undefined;
    readonly inputs?: Readonly<Record<string, Declaration>>;
    readonly outputs: Declaration | Readonly<Record<string, Declaration>> | undefined;
    readonly secrets?: SecretsOption<string>;
  };

function createStep(definition: StepDefinition, preset: Readonly<Record<string, unknown>>): unknown {
  const call = (given?: unknown, options?: unknown): unknown => {
    if (state.build === undefined) return reportCallOutside(definition);
    return callStep(state.build, definition, withPreset(preset, given), options);
  };
  const members = {
    run: async (inputs?: unknown, context?: Partial<StepContext>): Promise<unknown> => {
      if (state.build !== undefined) return reportRunInside(`step "${definition.name}"`, definition.name);
      return await runStepFunction(definition, withPreset(preset, inputs), context);
    },
    with: (some: Readonly<Record<string, unknown>>) => createStep(definition, { ...preset, ...some }),
    definition,
    ...stepMark,
  };
  Object.defineProperty(call, "name", { value: definition.name });
  return Object.assign(call, members);
}

/** Later arguments win. What is no record of arguments is passed on, to be reported as such. */
function withPreset(preset: Readonly<Record<string, unknown>>, given: unknown): unknown {
  if (Object.keys(preset).length === 0) return given;
  return given === undefined || (typeof given === "object" && given !== null) ? { ...preset, ...given } : given;
}

function toSecrets(secrets: SecretsOption<string>): Readonly<Record<string, SecretUse>> {
  if (!isList(secrets)) return secrets as Readonly<Record<string, SecretUse>>;
  return Object.fromEntries(secrets.map((name) => [name, "compare"]));
}

function isList(secrets: SecretsOption<string>): secrets is readonly string[] {
  return Array.isArray(secrets);
}

function toOutputs(outputs: LooseSource["outputs"]): StepDefinition["outputs"] {
  if (outputs === undefined) return undefined;
  return isDeclaration(outputs) ? { [singleOutput]: outputs } : outputs;
}

function isDeclaration(value: unknown): value is Declaration {
  if (isSchema(value)) return true;
  if (value === null || typeof value !== "object") return false;
  const { name, read, write } = value as { readonly name?: unknown; readonly read?: unknown; readonly write?: unknown };
  return typeof name === "string" && typeof read === "function" && typeof write === "function";
}

function checkSource(source: LooseSource): Problem[] {
  const name = checkName("A step's name", source.name);
  const where = name === undefined ? `step "${source.name}"` : "a step";
  const problems = name === undefined ? [] : [name];
  problems.push(...checkOptions("step", source, where));
  const wrong = (option: string, expected: string, hint: string): void => {
    problems.push({ code: "RPS1012", message: `Option "${option}" of ${where} is not ${expected}`, hint });
  };
  if (typeof source.run !== "function") wrong("run", "a function", "Write run: async ({ rows }) => { … }");
  if (source.params !== undefined && !isSchema(source.params)) {
    wrong("params", "a Standard Schema", "Use an object schema of zod, valibot, arktype or another library");
  }
  if (source.outputs !== undefined && !isDeclaration(source.outputs)) checkDeclarations("outputs", source.outputs);
  if (source.inputs !== undefined) checkDeclarations("inputs", source.inputs);
  return problems;

  function checkDeclarations(option: "inputs" | "outputs", declarations: unknown): void {
    const hint = `Declare each by its name: ${option}: { rows: z.array(Row) }`;
    if (declarations === null || typeof declarations !== "object")
      return wrong(option, "a record of declarations", hint);
    for (const [name, declaration] of Object.entries(declarations)) {
      if (!isDeclaration(declaration)) wrong(`${option}.${name}`, "a Standard Schema or a materializer", hint);
    }
  }
}
