/** What is wrong with the options that a user wrote: unknown names, and values that they cannot have. */
import type { Problem } from "../error.ts";
import { showValue } from "../hash/show-value.ts";
import { captureCallSites } from "./capture-call-sites.ts";
import { toDeclaredReads } from "./declared-read.ts";
import { durationHint, toMilliseconds } from "./duration.ts";
import { checkName } from "./name.ts";
import type { SecretUse } from "./options.ts";
import type { RunOptions } from "./run-handle.ts";
import { suggestName } from "./suggest-name.ts";
import { throwProblems } from "./throw-problems.ts";

/** What is wrong with a value of an option: what it should have been, and a hint when that does not say enough. */
type Fault = readonly [expected: string, hint?: string] | undefined;
type Check = (value: unknown) => Fault;

const whole = (value: unknown, least: number): Fault =>
  Number.isInteger(value) && (value as number) >= least ? undefined : [`a whole number of at least ${least}`];
const oneOf =
  (...choices: readonly unknown[]): Check =>
  (value) => {
    if (choices.includes(value)) return undefined;
    const near =
      typeof value === "string"
        ? suggestName(
            value,
            choices.filter((each) => typeof each === "string"),
          )
        : undefined;
    return [
      `one of ${choices.map((each) => showValue(each)).join(", ")}`,
      near === undefined ? undefined : `Did you mean "${near}"?`,
    ] as Fault;
  };
const text: Check = (value) => (typeof value === "string" && value !== "" ? undefined : ["a text"]);
const texts: Check = (value) =>
  Array.isArray(value) && value.every((each) => typeof each === "string") ? undefined : ["a list of names"];
const callable: Check = (value) => (typeof value === "function" ? undefined : ["a function"]);
const anything: Check = () => undefined;

const policies = ["revalidate", "ignore"];
const httpHint = 'Write "revalidate", "ignore" or { ttl: "1h" }';
const http: Check = (value) => {
  if (typeof value !== "object" || value === null) {
    const fault = oneOf(...policies)(value);
    return fault && [`${policies.map((each) => `"${each}"`).join(", ")} or a ttl`, fault[1] ?? httpHint];
  }
  const { ttl, ...others } = value as Readonly<Record<string, unknown>>;
  const isRight = Object.keys(others).length === 0 && toMilliseconds(ttl) !== undefined;
  return isRight ? undefined : ["a ttl alone, with a duration", httpHint];
};
const reads: Check = (value) => {
  if (typeof value === "function") return undefined;
  const found = toDeclaredReads(value);
  return "expected" in found ? [found.expected, found.hint] : undefined;
};

const secretsHint = 'Write ["apiKey"], or { apiKey: "ignore" }';
const secrets: Check = (value) => {
  if (Array.isArray(value)) return texts(value);
  const isRight =
    typeof value === "object" && value !== null && Object.values(value).every((use) => uses.includes(use as string));
  return isRight ? undefined : ['a list of names, or "compare" or "ignore" by name', secretsHint];
};
const uses: readonly string[] = ["compare", "ignore"] satisfies readonly SecretUse[];

const levelChecks = {
  cache: oneOf(true, false, "use", "refresh", "off", "require"),
  expires: (value) => (toMilliseconds(value) === undefined ? ["a duration", durationHint] : undefined),
  retry: (value) => whole(value, 0),
  timeout: (value) => ((toMilliseconds(value) ?? 0) > 0 ? undefined : ["a duration of more than 0", durationHint]),
  http,
} satisfies Record<string, Check>;

const identityChecks = { version: text, cacheKey: callable, reads } satisfies Record<string, Check>;

const checks = {
  step: {
    name: anything,
    run: anything,
    params: anything,
    inputs: anything,
    outputs: anything,
    secrets,
    ...levelChecks,
    ...identityChecks,
  },
  pipeline: { name: anything, params: anything, build: anything, secrets: texts, ...levelChecks },
  call: { name: anything, after: anything, ...levelChecks, ...identityChecks },
  "pipeline call": { name: anything, after: anything, ...levelChecks },
  defaults: levelChecks,
  run: {
    ...levelChecks,
    name: text,
    tags: (value) =>
      typeof value === "object" && value !== null && Object.values(value).every((each) => typeof each === "string")
        ? undefined
        : ["a record of texts"],
    stack: text,
    store: text,
    jobs: (value) => whole(value, 1),
    force: texts,
    from: text,
    only: texts,
    until: text,
    onFailure: oneOf("stop-dependents", "stop-all"),
    signal: (value) => (value instanceof AbortSignal ? undefined : ["an AbortSignal"]),
    reporter: oneOf("auto", "pretty", "plain", "json", "silent"),
    require: oneOf("proved"),
    throwOnFailure: oneOf(true, false),
  },
} satisfies Record<string, Record<string, Check>>;

/** Problems of one bag of options; `where` names it, as in `step "train"`. An option that is undefined was not given. */
export function checkOptions(kind: keyof typeof checks, options: object, where: string): Problem[] {
  const known: Readonly<Record<string, Check>> = checks[kind];
  return Object.entries(options).flatMap(([name, value]): Problem[] => {
    const check = Object.hasOwn(known, name) ? known[name] : undefined;
    if (check === undefined) return [unknownOption(name, Object.keys(known), where)];
    if (value === undefined) return [];
    const fault = check(value);
    if (fault === undefined) return [];
    const [expected, hint] = fault;
    const message = `Option "${name}" of ${where} is ${showValue(value, 60)}; expected ${expected}`;
    return [{ code: "RPS1012", message, hint: hint ?? `Give it ${expected}` }];
  });
}

/** Throws a DefinitionError for options of a run that cannot be. */
export function checkRunOptions(options: RunOptions, pipeline: string): void {
  const problems = checkOptions("run", options, `the run of pipeline "${pipeline}"`);
  if (options.name !== undefined) problems.push(...checkRunName(options.name));
  if (problems.length > 0) throwProblems(problems, captureCallSites(0));
}

function checkRunName(name: string): Problem[] {
  const problem = checkName("The name of the run", name);
  return problem === undefined ? [] : [problem];
}

function unknownOption(name: string, known: readonly string[], where: string): Problem {
  const near = suggestName(name, known);
  return {
    code: "RPS1007",
    message: `"${name}" is no option of ${where}`,
    hint: near === undefined ? `The options are ${known.join(", ")}` : `Did you mean "${near}"?`,
  };
}
