/** What a user passes, as an argument of the plan. */
import type { Problem } from "../error.ts";
import { formatPath, type PathStep } from "../hash/value-path.ts";
import type { Build } from "./build.ts";
import { copyValue } from "./copy-value.ts";
import { isPipeline, isStep } from "./definition-mark.ts";
import type { Argument } from "./plan.ts";
import { nameReference, readReference, report, wholeOutput, type ReferenceData } from "./reference.ts";

/**
 * A plain value, a reference or a list of these; undefined for what is neither, once that is reported to the build.
 * `owner` names who was given it, as in `Argument "rows" of step "train"`.
 */
export function toArgument(build: Build, value: unknown, owner: string): Argument | undefined {
  const data = readReference(value);
  if (data !== undefined) return toEdge(build, data, owner);
  if (isPrimitive(value)) return { kind: "value", value };
  const found = inspectValue(value);
  if (found.wrong !== undefined) {
    report(wrongArgument(owner, found.wrong));
    return undefined;
  }
  // As it is now: a list that the build goes on filling is another argument for the next call.
  if (!found.reference) return { kind: "value", value: copyValue(value) };
  const items = (value as readonly unknown[]).map((item, index) => toArgument(build, item, `${owner}[${index}]`));
  return items.includes(undefined) ? undefined : { kind: "list", items: items as Argument[] };
}

function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol");
}

/** Whether anything in a value is a reference. */
export function holdsReference(value: unknown): boolean {
  const { reference, wrong } = inspectValue(value);
  return reference || wrong?.kind === "nested-reference";
}

interface Wrong {
  readonly kind: "nested-reference" | "step" | "function" | "symbol" | "promise";
  readonly path: readonly PathStep[];
}

interface Found {
  /** A reference, by itself or in a list, or in a list of lists. */
  reference: boolean;
  wrong?: Wrong;
}

/** Looks into lists, records, maps and sets; what else there is, is for whoever stores the value. */
function inspectValue(value: unknown): Found {
  const found: Found = { reference: false };
  const path: PathStep[] = [];
  const seen = new Set<object>();
  visit(value);
  return found;

  function visit(part: unknown): void {
    if (found.wrong !== undefined) return;
    if (typeof part === "function") visitFunction(part);
    else if (typeof part === "symbol") refuse("symbol");
    else if (typeof part === "object" && part !== null && !seen.has(part)) visitObject(part);
  }
  function visitFunction(part: unknown): void {
    if (readReference(part) === undefined) refuse(isStep(part) || isPipeline(part) ? "step" : "function");
    else if (path.every((step) => typeof step === "number")) found.reference = true;
    else refuse("nested-reference");
  }
  function visitObject(part: object): void {
    seen.add(part);
    if (part instanceof Promise) refuse("promise");
    else if (Array.isArray(part)) part.forEach((item, index) => visitMember(index, item));
    else if (part instanceof Map) {
      for (const [key, item] of part as ReadonlyMap<unknown, unknown>) visitMember({ map: "value", at: key }, item);
    } else if (part instanceof Set) {
      let at = 0;
      for (const item of part as ReadonlySet<unknown>) visitMember({ map: "item", at: at++ }, item);
    } else if (isPlainRecord(part)) {
      for (const key of Object.keys(part)) visitMember(key, part[key]);
    }
  }
  function visitMember(step: PathStep, member: unknown): void {
    // Most members of most values are numbers and texts.
    if (isPrimitive(member)) return;
    path.push(step);
    visit(member);
    path.pop();
  }
  function refuse(kind: Wrong["kind"]): void {
    found.wrong = { kind, path: [...path] };
  }
}

/** A record as a literal makes it, or without a prototype. */
export function isPlainRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== "object") return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // The other realm's Object.prototype is nobody's child either.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function toEdge(build: Build, data: ReferenceData, owner: string): Argument | undefined {
  if (data.broken) return undefined;
  if (data.build !== build) {
    report({
      code: "RPS1009",
      message: `${owner} is ${nameReference(data)}, which belongs to another build`,
      hint: "Call the step in this build; its stored result is reused",
    });
    return undefined;
  }
  const output = data.output ?? wholeOutput(data.step);
  if (output === undefined) {
    const names = Object.keys(data.step.outputs ?? {});
    report({
      code: "RPS1011",
      message: `${owner} is ${nameReference(data)}, which has several outputs`,
      hint:
        names.length === 0
          ? 'It has no outputs: name it in "after"'
          : `Take one of them: const { ${names.join(", ")} } = …`,
    });
    return undefined;
  }
  return { kind: "ref", node: data.node, output };
}

function wrongArgument(owner: string, { kind, path }: Wrong): Problem {
  const where = formatPath("", path).replace(/^\./u, "");
  const subject = where === "" ? owner : `${owner}, at ${where},`;
  switch (kind) {
    case "nested-reference":
      return {
        code: "RPS1013",
        message: `${subject} is a reference inside of a value`,
        hint: "Pass the reference as an argument of its own, or in a list",
      };
    case "function":
      return {
        code: "RPS1013",
        message: `${subject} is a function`,
        hint: "Import the function where the step's run needs it; its code then belongs to the step",
      };
    case "step":
      return {
        code: "RPS1013",
        message: `${subject} is a step itself`,
        hint: "Call the step and pass one of its outputs; only pipelines take steps",
      };
    case "symbol":
      return { code: "RPS1013", message: `${subject} is a symbol`, hint: "Pass a text instead" };
    case "promise":
      return {
        code: "RPS1013",
        message: `${subject} is a promise`,
        hint: "Wait for it in a step, or before the run, and pass the value as a param",
      };
  }
}
