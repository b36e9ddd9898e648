/** A step called in a build: a node of the plan. */
import type { Problem } from "../error.ts";
import { takeExactName, takeName, type Build, type Scope } from "./build.ts";
import type { CallOptions } from "./call-options.ts";
import { toPlace } from "./capture-call-sites.ts";
import { checkOptions } from "./check-options.ts";
import { checkName } from "./name.ts";
import { resolveAfter } from "./after.ts";
import type { Argument, NodeId, PlanNode, StepDefinition } from "./plan.ts";
import { createCallResult, report } from "./reference.ts";
import { isPlainRecord, toArgument } from "./to-argument.ts";
import { acceptParams } from "./accept-params.ts";
import { validate, isSchema } from "./validate.ts";

/** Adds the node to the build, and yields the references to its outputs. Problems go to the build. */
export function callStep(build: Build, step: StepDefinition, given: unknown, options: unknown): unknown {
  const { after, name, ...callOptions } = acceptCallOptions(
    "call",
    options,
    `the call of step "${step.name}"`,
  ) as CallOptions;
  const id = nameNode(build, step, name) as NodeId;
  const problemsBefore = build.problems.length;
  const args = collectArguments(build, step, id, given);
  const node: PlanNode = {
    id,
    step,
    arguments: args,
    after: orderNode(build, args, resolveAfter(build, after, `the call of step "${step.name}"`)),
    callOptions,
    pipelineOptions: build.scope.options,
  };
  build.nodes.push(node);
  return createCallResult({ build, node: id, step, broken: build.problems.length > problemsBefore });
}

/** The options of a call, once their problems are reported. */
export function acceptCallOptions(kind: "call" | "pipeline call", options: unknown, where: string): object {
  if (options === undefined) return {};
  if (!isPlainRecord(options)) {
    report({
      code: "RPS1012",
      message: `The options of ${where} are no record`,
      hint: 'Write the options as the second argument: train({ rows }, { name: "long" })',
    });
    return {};
  }
  for (const problem of checkOptions(kind, options, where)) report(problem);
  return options;
}

function nameNode(build: Build, step: StepDefinition, name: string | undefined): string {
  if (name !== undefined) return nameCall(build, name, `step "${step.name}"`);
  const known = build.scope.steps.get(step.name);
  if (known === undefined) build.scope.steps.set(step.name, step);
  else if (known !== step) report(sharedName(step, known));
  return takeName(build, step.name);
}

/** The name that a call gave itself, with the prefix; another one when it cannot have it. */
export function nameCall(build: Build, name: string, callee: string): string {
  const problem = checkName(`The name of a call of ${callee}`, name);
  if (problem !== undefined) {
    report(problem);
    return takeName(build, "unnamed");
  }
  if (takeExactName(build, name)) return build.scope.prefix + name;
  report({
    code: "RPS1006",
    message: `A call of ${callee} is named "${name}", as another call in pipeline "${build.scope.definition.name}" is`,
    hint: "Give one of the calls another name",
  });
  return takeName(build, name);
}

function sharedName(step: StepDefinition, known: StepDefinition): Problem {
  const place = toPlace(known.sites);
  const where = place === undefined ? "" : `; the other is defined at ${place.file}:${place.line}`;
  return {
    code: "RPS1006",
    message: `Two different steps are called "${step.name}" in one pipeline${where}`,
    hint: 'Rename one of them, or name the call: step({ … }, { name: "other" })',
  };
}

function collectArguments(build: Build, step: StepDefinition, id: NodeId, given: unknown): PlanNode["arguments"] {
  const owner = `step "${step.name}"`;
  const collected: Record<string, Argument> = {};
  const plain: Record<string, unknown> = {};
  const edges: string[] = [];
  const names = step.secrets === undefined ? noNames : new Set(Object.keys(step.secrets));
  let complete = true;
  for (const [name, value] of Object.entries(acceptArguments(given, owner))) {
    // An argument that is undefined and one that is left out are the same to a function that destructures them.
    if (value === undefined) continue;
    const argument = toArgument(build, value, `Argument "${name}" of ${owner}`);
    if (argument === undefined) complete = false;
    else if (argument.kind !== "value") edges.push(name);
    if (names.has(name) && argument?.kind === "value") build.mask.add(argument.value);
    else if (names.has(name) && argument !== undefined) report(storedSecret(`Argument "${name}" of ${owner}`));
    if (argument?.kind === "value" && !Object.hasOwn(step.inputs, name)) plain[name] = argument.value;
    else if (argument !== undefined) collected[name] = argument;
  }
  // What is left out because it is wrong would be missed here once more.
  if (!complete) return {};
  const { values, problems } = acceptParams(step.params, plain, edges, owner, { names, mask: build.mask });
  for (const [name, value] of Object.entries(values)) collected[name] = { kind: "value", value };
  for (const problem of [...problems, ...missingInputs(step, collected, id)]) report(problem);
  const order = Object.keys(collected);
  if (order.every((name, index) => index === 0 || (order[index - 1] as string) < name)) return collected;
  return Object.fromEntries(Object.entries(collected).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const noNames: ReadonlySet<string> = new Set();

/** An output is stored as it is, for whoever can read the store. */
export function storedSecret(what: string): Problem {
  return {
    code: "RPS1013",
    message: `${what} is marked secret, but is an output of a step, which is stored in clear`,
    hint: "Pass the secret as a param of the pipeline, or let the step that needs it get it itself",
  };
}

/** The named arguments of a call, once it is sure that they are named. */
export function acceptArguments(given: unknown, owner: string): Readonly<Record<string, unknown>> {
  if (given === undefined) return {};
  if (isPlainRecord(given)) return given;
  report({
    code: "RPS1013",
    message: `What ${owner} is called with is no record of named arguments`,
    hint: "Name the arguments: train({ rows, gamma: 0.02 })",
  });
  return {};
}

function missingInputs(step: StepDefinition, given: PlanNode["arguments"], id: NodeId): Problem[] {
  return Object.entries(step.inputs).flatMap(([name, declaration]): Problem[] => {
    if (Object.hasOwn(given, name)) return [];
    // Whether an input may be left out is for its schema to say.
    if (isSchema(declaration) && validate(declaration, undefined, "The input's schema").kind === "valid") return [];
    return [
      {
        code: "RPS2003",
        message: `Step "${id}" is called without its input "${name}"`,
        hint: `Pass it: ${step.name}({ ${name} })`,
      },
    ];
  });
}

/** `after` of the call, and that of the pipelines around it where this node is the first to depend on it. */
function orderNode(build: Build, args: PlanNode["arguments"], after: readonly NodeId[]): readonly NodeId[] {
  if (after.length === 0 && !isOrdered(build.scope)) return after;
  const dependencies = new Set([...after, ...Object.values(args).flatMap(nodesOf)]);
  const ordered = new Set(after);
  for (let scope: Scope | undefined = build.scope; scope !== undefined; scope = scope.outer) {
    const { prefix } = scope;
    // A node behind another one of the same pipeline waits for whatever that one waits for.
    if ([...dependencies].some((node) => node.startsWith(prefix))) break;
    for (const node of scope.after) ordered.add(node);
  }
  return [...ordered];
}

/** Whether there is anything that the nodes of a pipeline, or of those around it, wait for. */
function isOrdered(scope: Scope): boolean {
  return scope.after.length > 0 || (scope.outer !== undefined && isOrdered(scope.outer));
}

/** The nodes that an argument takes data from. */
export function nodesOf(argument: Argument): NodeId[] {
  if (argument.kind === "ref") return [argument.node];
  return argument.kind === "list" ? argument.items.flatMap(nodesOf) : [];
}

/** The build's steps are called in no other place, so this is a mistake in any case. */
export function reportCallOutside(step: StepDefinition): void {
  report({
    code: "RPS1002",
    message: `Step "${step.name}" was called outside of a pipeline's build`,
    hint: "Call it in the build of a pipeline, or run its function alone: await step.run({ … })",
  });
}

/** A promise in a build is of no use; most likely the call was meant. */
export function reportRunInside(what: string, name: string): void {
  report({
    code: "RPS1003",
    message: `The run of ${what} is started inside of a build, which cannot wait for it`,
    hint: `Call it instead: ${name}({ … })`,
  });
}
