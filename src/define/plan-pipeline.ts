/** A pipeline's build, run once: a plan, or everything that is wrong with it. */
import { DefinitionError, type Problem } from "../error.ts";
import { acceptParams } from "./accept-params.ts";
import { captureCallSites, toPlace } from "./capture-call-sites.ts";
import { createPipelineResult, resolveAfter } from "./after.ts";
import { takeName, type Build, type Scope } from "./build.ts";
import { acceptArguments, acceptCallOptions, nameCall, storedSecret } from "./call-step.ts";
import type { PipelineCallOptions } from "./call-options.ts";
import { isPipeline, isStep } from "./definition-mark.ts";
import { hideInError } from "./hide-in-error.ts";
import { markSecrets } from "./mark-secrets.ts";
import { singleOutput, type Argument, type PipelineDefinition, type Plan } from "./plan.ts";
import { createCallResult, readReference, report } from "./reference.ts";
import { SecretMask } from "./secret-mask.ts";
import { state } from "./state.ts";
import { stepSecrets } from "./step-secrets.ts";
import { throwProblems } from "./throw-problems.ts";
import { holdsReference, isPlainRecord, toArgument } from "./to-argument.ts";

/** A pipeline as far as planning needs it. */
export interface Plannable {
  readonly definition: PipelineDefinition;
}

/**
 * Validates the params and runs the build. Executes no step and reads no clock: equal params give equal plans.
 *
 * Throws a ValueError (RPS2002) when params do not fit, and a DefinitionError with all problems of the build. What the
 * build itself throws comes through as it is.
 */
export function planPipeline(pipeline: Plannable, params: Readonly<Record<string, unknown>> = {}): Plan {
  const { definition } = pipeline;
  const owner = `pipeline "${definition.name}"`;
  const mask = new SecretMask(stepSecrets());
  const { values, problems } = acceptPipelineParams(definition, params, mask);
  if (problems.length > 0) throwProblems(problems, captureCallSites(0));
  const scope: Scope = {
    definition,
    prefix: "",
    options: [definition.options],
    after: [],
    outer: undefined,
    steps: new Map(),
  };
  const build: Build = { nodes: [], problems: [], taken: new Map(), mask, scope };
  const outputs = runInBuild(build, () => {
    const returned = runBuild(definition, values);
    return toOutputs(build, returned, owner);
  });
  const plan: Plan = {
    pipeline: definition.name,
    place: toPlace(definition.sites),
    params: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toPlainParam(value)])),
    nodes: build.nodes,
    outputs,
    options: definition.options,
  };
  return mask.isUsed ? markSecrets(plan, definition.secrets ?? [], mask) : plan;
}

/** A pipeline called in the build of another one: its nodes join the plan, under its name. */
export function callPipeline(build: Build, definition: PipelineDefinition, given: unknown, options: unknown): unknown {
  const outer = build.scope;
  const owner = `pipeline "${definition.name}"`;
  const where = `the call of ${owner}`;
  const { after, name, ...callOptions } = acceptCallOptions("pipeline call", options, where) as PipelineCallOptions;
  const id = name === undefined ? takeName(build, definition.name) : nameCall(build, name, owner);
  const afterNodes = resolveAfter(build, after, where);
  const cycle = findCycle(outer, definition);
  if (cycle !== undefined) {
    report({
      code: "RPS1005",
      message: `Pipeline "${definition.name}" calls itself: ${cycle.join(" → ")}`,
      hint: "Take the call out of the circle; to repeat steps, write a loop in the build",
    });
    return createBroken(build, definition);
  }
  const { values, problems } = acceptPipelineParams(definition, acceptArguments(given, owner), build.mask);
  for (const problem of problems) report(problem);
  if (problems.length > 0) return createBroken(build, definition);

  const first = build.nodes.length;
  build.scope = {
    definition,
    prefix: `${id}/`,
    options: [callOptions, definition.options, ...outer.options],
    after: afterNodes,
    outer,
    steps: new Map(),
  };
  try {
    const returned = runBuild(definition, values);
    if (returned !== undefined && !isPlainRecord(returned)) return returned;
    return createPipelineResult(
      returned ?? {},
      build.nodes.slice(first).map((node) => node.id),
    );
  } finally {
    build.scope = outer;
  }
}

/** Runs a function as the build of this moment, and throws what was reported meanwhile as one error. */
function runInBuild<T>(build: Build, run: () => T): T {
  const before = state.build;
  state.build = build;
  let answer: T;
  try {
    answer = run();
  } catch (error) {
    if (error instanceof DefinitionError) throwProblems([...build.problems, ...error.problems]);
    // A build that goes on with a reference in place of a value often ends in an error of its own: a mere consequence.
    throwProblems(build.problems, [], hideInError(error, build.mask));
    throw hideInError(error, build.mask);
  } finally {
    state.build = before;
  }
  throwProblems(build.problems);
  return answer;
}

function runBuild(definition: PipelineDefinition, values: Readonly<Record<string, unknown>>): unknown {
  const returned = (definition.build as (params: unknown) => unknown)(values);
  if (!isThenable(returned)) return returned;
  // What it rejects with comes from steps called after the build has ended: a consequence.
  Promise.resolve(returned).catch(() => {});
  report(asyncBuild(definition.name));
  return undefined;
}

export function asyncBuild(name: string): Problem {
  return {
    code: "RPS1003",
    message: `The build of pipeline "${name}" is asynchronous`,
    hint: "Remove async and await: calls in a build return at once; do the waiting inside of steps",
  };
}

function isThenable(value: unknown): boolean {
  if (readReference(value) !== undefined) return false;
  return value !== null && typeof value === "object" && typeof (value as PromiseLike<unknown>).then === "function";
}

/** Steps, pipelines and references among the params pass as they are; the rest goes through the schema. */
function acceptPipelineParams(
  definition: PipelineDefinition,
  given: Readonly<Record<string, unknown>>,
  mask: SecretMask,
): ReturnType<typeof acceptParams> {
  const owner = `pipeline "${definition.name}"`;
  if (!isPlainRecord(given)) {
    const hint = "Name the params: firstPipeline.run({ gamma: 0.02 })";
    return { values: {}, problems: [{ code: "RPS1013", message: `The params of ${owner} are no record`, hint }] };
  }
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  const slots = entries.filter(([, value]) => isStep(value) || isPipeline(value));
  const edges = entries.filter(([name, value]) => !slots.some(([slot]) => slot === name) && holdsReference(value));
  const apart = [...slots, ...edges];
  const plain = Object.fromEntries(entries.filter(([name]) => !apart.some(([other]) => other === name)));
  const names = new Set(definition.secrets);
  const { values, problems } = acceptParams(
    definition.params,
    plain,
    edges.map(([name]) => name),
    owner,
    { names, mask },
  );
  const stored = edges.flatMap(([name]) => (names.has(name) ? storedSecret(`Param "${name}" of ${owner}`) : []));
  return { values: { ...values, ...Object.fromEntries(apart) }, problems: [...problems, ...stored] };
}

/** A step or pipeline in a slot is kept by its name: a plan is plain data. */
function toPlainParam(value: unknown): unknown {
  if (isStep(value)) return value.definition.name;
  return isPipeline(value) ? value.definition.name : value;
}

function toOutputs(build: Build, returned: unknown, owner: string): Plan["outputs"] {
  if (returned === undefined) return {};
  const data = readReference(returned);
  if (data !== undefined && data.output === undefined && data.step.outputs !== undefined) {
    const names = Object.keys(data.step.outputs);
    return Object.fromEntries(names.map((name) => [name, { kind: "ref", node: data.node, output: name } as const]));
  }
  if (data !== undefined || !isPlainRecord(returned)) {
    const single = toArgument(build, returned, `What the build of ${owner} returns`);
    return single === undefined ? {} : { [singleOutput]: single };
  }
  const outputs: Record<string, Argument> = {};
  for (const [name, value] of Object.entries(returned)) {
    const output = value === undefined ? undefined : toArgument(build, value, `Output "${name}" of ${owner}`);
    if (output !== undefined) outputs[name] = output;
  }
  return outputs;
}

/** The names of the pipelines from the outer call of a pipeline to the one that would call it again. */
function findCycle(scope: Scope, definition: PipelineDefinition): string[] | undefined {
  const names = [definition.name];
  for (let each: Scope | undefined = scope; each !== undefined; each = each.outer) {
    names.unshift(each.definition.name);
    if (each.definition === definition) return names;
  }
  return undefined;
}

/** Stands for the result of a call that went wrong, so that the build goes on and shows what else is wrong. */
function createBroken(build: Build, { name, sites }: PipelineDefinition): unknown {
  const step = { name, run: () => undefined, params: undefined, inputs: {}, outputs: undefined, options: {}, sites };
  return createCallResult({ build, node: name as never, step, broken: true });
}
