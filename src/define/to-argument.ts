/** What a user passes, as an argument of the plan. */
import type { Problem } from "../error.ts";
import { formatPath, type PathStep } from "../hash/value-path.ts";
import type { Build } from "./build.ts";
import type { Argument } from "./plan.ts";
import { nameReference, readReference, report, wholeOutput, type ReferenceData } from "./reference.ts";

const nothing: Argument = { kind: "value", value: undefined };

/**
 * A plain value, a reference or a list of these. What is neither is reported to the build; `owner` names who was given
 * it, as in `Argument "rows" of step "train"`.
 */
export function toArgument(build: Build, value: unknown, owner: string): Argument {
  const data = readReference(value);
  if (data !== undefined) return toEdge(build, data, owner);
  const found: Found = { reference: false };
  inspectValue(value, [], found, new Set());
  if (found.wrong !== undefined) {
    report(wrongArgument(owner, found.wrong));
    return nothing;
  }
  if (!found.reference) return { kind: "value", value };
  return {
    kind: "list",
    items: (value as readonly unknown[]).map((item, index) => toArgument(build, item, `${owner}[${index}]`)),
  };
}

/** Whether anything in a value is a reference. */
export function holdsReference(value: unknown): boolean {
  const found: Found = { reference: false };
  inspectValue(value, [], found, new Set());
  return found.reference || found.wrong?.kind === "nested-reference";
}

interface Wrong {
  readonly kind: "nested-reference" | "function" | "symbol" | "promise";
  readonly path: readonly PathStep[];
}

interface Found {
  /** A reference in a list, or in a list of lists. */
  reference: boolean;
  wrong?: Wrong;
}

/** Looks into lists, records, maps and sets; what else there is, is for whoever stores the value. */
function inspectValue(value: unknown, path: readonly PathStep[], found: Found, around: Set<object>): void {
  if (found.wrong !== undefined) return;
  if (readReference(value) !== undefined) {
    if (path.every((step) => typeof step === "number")) found.reference = true;
    else found.wrong = { kind: "nested-reference", path };
    return;
  }
  if (typeof value === "function" || typeof value === "symbol") {
    found.wrong = { kind: typeof value as "function" | "symbol", path };
    return;
  }
  if (value === null || typeof value !== "object" || around.has(value)) return;
  if (value instanceof Promise) {
    found.wrong = { kind: "promise", path };
    return;
  }
  around.add(value);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) inspectValue(item, [...path, index], found, around);
  } else if (value instanceof Map) {
    for (const [key, item] of value as ReadonlyMap<unknown, unknown>) {
      inspectValue(item, [...path, { map: "value", at: key }], found, around);
    }
  } else if (value instanceof Set) {
    let at = 0;
    for (const item of value as ReadonlySet<unknown>)
      inspectValue(item, [...path, { map: "item", at: at++ }], found, around);
  } else if (isPlainRecord(value)) {
    for (const key of Object.keys(value)) {
      const property = Object.getOwnPropertyDescriptor(value, key);
      if (property !== undefined && "value" in property) inspectValue(property.value, [...path, key], found, around);
    }
  }
}

/** A record as a literal makes it, or without a prototype. */
export function isPlainRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== "object") return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // The other realm's Object.prototype is nobody's child either.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function toEdge(build: Build, data: ReferenceData, owner: string): Argument {
  if (data.broken) return nothing;
  if (data.build !== build) {
    report({
      code: "RPS1009",
      message: `${owner} is ${nameReference(data)}, which belongs to another build`,
      hint: "Call the step in this build; its stored result is reused",
    });
    return nothing;
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
    return nothing;
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
