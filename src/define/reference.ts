/**
 * References: what calls in a build yield in place of values. A reference can be passed on, returned and named in
 * `after`; whatever would need its value (arithmetic, a template, iteration, `await`) is a problem of the build.
 *
 * Which outputs a step of the light form has shows when it runs, so the result of a call answers to any name. Truth and
 * identity (`if (accuracy)`, `accuracy === 1`) cannot be seen by a Proxy: the call signature of {@link Ref} makes the
 * compiler object to the first, its type to the second.
 */
import { inspect } from "node:util";
import { DefinitionError, type Problem } from "../error.ts";
import type { Build } from "./build.ts";
import { capturePlace } from "./capture-call-sites.ts";
import type { Mistake } from "./mistake.ts";
import { singleOutput, type NodeId, type OutputName, type StepDefinition } from "./plan.ts";
import { state } from "./state.ts";
import { suggestName } from "./suggest-name.ts";

declare const referenced: unique symbol;
declare const result: unique symbol;

/** The output of a step, while its pipeline is being built. */
export interface Ref<out T> {
  (mistake: "A reference is no function; its value is there when the steps run"): never;
  readonly [referenced]: T;
  // What functions have would otherwise pass for a member of the value.
  readonly length: Mistake<"A reference has no length; its value is there when the steps run">;
  readonly name: Mistake<"A reference has no name; its value is there when the steps run">;
}

/** The whole result of a call in a build, good for `after`. */
export interface NodeResult {
  readonly [result]: true;
}

/** What Reprise knows of a reference. */
export interface ReferenceData {
  readonly build: Build;
  readonly node: NodeId;
  readonly step: StepDefinition;
  /** Undefined: the whole result of the call. */
  readonly output: OutputName | undefined;
  /** Stands for a call that already failed: using it is no further problem. */
  readonly broken: boolean;
}

/** The result of a call: a reference itself, and one for each name that it is asked for. */
export function createCallResult(data: Omit<ReferenceData, "output">): unknown {
  return createReference({ ...data, output: undefined });
}

/** What stands behind a reference or a call's result; undefined for any other value. */
export function readReference(value: unknown): ReferenceData | undefined {
  return typeof value === "function" ? (value as { [dataKey]?: ReferenceData })[dataKey] : undefined;
}

/** The output that stands for the whole result, when there is one: a step's single output. */
export function wholeOutput(step: StepDefinition): OutputName | undefined {
  return step.outputs === undefined || Object.hasOwn(step.outputs, singleOutput) ? singleOutput : undefined;
}

/** `Output "model" of step "train"`, or `The result of step "train"`. */
export function nameReference({ node, output }: ReferenceData): string {
  return output === undefined ? `the result of step "${node}"` : `output "${output}" of step "${node}"`;
}

const dataKey = Symbol.for("reprise.reference");

/** A function, so that calling it is seen as well. */
interface Target {
  (): void;
  readonly data: ReferenceData;
  /** The references to single outputs that were asked for. */
  readonly outputs: Map<OutputName, unknown>;
}

function createReference(data: ReferenceData): unknown {
  const show = (): string => `[${nameReference(data)}]`;
  return new Proxy(
    Object.assign(() => {}, { data, outputs: new Map(), [inspect.custom]: show }),
    traps,
  );
}

const traps: ProxyHandler<Target> = {
  get(target, key) {
    const { data } = target;
    if (key === dataKey) return data;
    if (typeof key === "symbol") return readSymbol(key, data);
    if (key === "then") {
      misuse(data, "is awaited", "Remove the await: calls in a build return references at once");
      return undefined;
    }
    const method = valueMethods.get(key);
    if (method !== undefined) {
      misuse(data, method.how);
      return method.stand;
    }
    if (data.output !== undefined) misuse(data, `is asked for its "${key}"`);
    else if (!data.broken && data.step.outputs !== undefined && !Object.hasOwn(data.step.outputs, key)) {
      report(unknownOutput(data.step, key, Object.keys(data.step.outputs)));
    }
    return getOutput(target, key);
  },
  apply: ({ data }) => misuse(data, "is called like a function"),
  has({ data }, key) {
    misuse(data, `is searched for "${String(key)}"`);
    return false;
  },
  set({ data }, key) {
    misuse(data, `is given a "${String(key)}"`);
    return true;
  },
  defineProperty({ data }, key) {
    misuse(data, `is given a "${String(key)}"`);
    return false;
  },
  deleteProperty({ data }, key) {
    misuse(data, `loses its "${String(key)}"`);
    return true;
  },
  ownKeys({ data }) {
    const names = knownOutputs(data);
    if (names === undefined) misuse(data, "is listed or spread", spreadHint);
    return [...(names ?? [])];
  },
  getOwnPropertyDescriptor(target, key) {
    if (typeof key === "symbol" || !knownOutputs(target.data)?.includes(key)) return undefined;
    return { value: getOutput(target, key), enumerable: true, configurable: true, writable: true };
  },
};

function getOutput({ data, outputs }: Target, name: OutputName): unknown {
  if (!outputs.has(name)) outputs.set(name, createReference({ ...data, output: name }));
  return outputs.get(name);
}

/** The names of a whole result's outputs, where they are declared. */
function knownOutputs({ output, step }: ReferenceData): readonly OutputName[] | undefined {
  return output === undefined && step.outputs !== undefined ? Object.keys(step.outputs) : undefined;
}

function misuse(data: ReferenceData, how: string, hint: string = moveHint): void {
  if (data.broken) return;
  const subject = nameReference(data);
  report({
    code: "RPS1004",
    message: `${subject.charAt(0).toUpperCase()}${subject.slice(1)} ${how}, but while a pipeline is being built it is a reference, not a value`,
    hint,
  });
}

const moveHint = "Do this inside of a step's run, where the value is there";
const spreadHint = "Name the outputs: const { model, accuracy } = train(…)";

const valueMethods: ReadonlyMap<string, { readonly how: string; readonly stand: unknown }> = new Map([
  ["toJSON", { how: "is turned into JSON", stand: undefined }],
  ["toString", { how: "is turned into text", stand: () => "[reference]" }],
  ["toLocaleString", { how: "is turned into text", stand: () => "[reference]" }],
  ["valueOf", { how: "is used as a value", stand: () => Number.NaN }],
]);

function readSymbol(key: symbol, data: ReferenceData): unknown {
  switch (key) {
    case Symbol.toPrimitive:
      return (hint: string) => {
        misuse(data, hint === "number" ? "is calculated with" : "is turned into text or calculated with");
        return hint === "number" ? Number.NaN : "[reference]";
      };
    case Symbol.iterator:
    case Symbol.asyncIterator:
      misuse(data, "is iterated", data.output === undefined ? spreadHint : moveHint);
      return function* () {};
    default:
      return undefined;
  }
}

function unknownOutput(step: StepDefinition, name: string, names: readonly string[]): Problem {
  const near = suggestName(name, names);
  return {
    code: "RPS1011",
    message: `Step "${step.name}" declares no output "${name}", only ${names.map((each) => `"${each}"`).join(", ")}`,
    hint: near === undefined ? "Take one of the declared outputs" : `Did you mean "${near}"?`,
  };
}

/** Adds a problem to the build that runs, with its place in the user's source; without a build, throws it. */
export function report(problem: Problem): void {
  const place = problem.place ?? capturePlace();
  const placed = place === undefined ? problem : { ...problem, place };
  if (state.build === undefined) throw new DefinitionError([placed]);
  const { problems, mask } = state.build;
  const message = mask.hide(placed.message);
  const known = problems.some(
    (each) => each.message === message && each.place?.line === place?.line && each.place?.file === place?.file,
  );
  const { hint } = placed;
  if (!known) problems.push({ ...placed, message, ...(hint === undefined ? {} : { hint: mask.hide(hint) }) });
}
