import { kindOf, refusePrimitive, typedArrayName, unbox } from "./kind.ts";

/**
 * A value in at most `maxLength` characters on one line, for people; what does not fit is cut and marked by `…`. Runs no
 * code of the value, and looks at no more of it than it shows.
 */
export function showValue(value: unknown, maxLength = 80): string {
  const text = show(value, { left: maxLength, around: [] });
  return text.length <= maxLength ? text : `${text.slice(0, Math.max(0, maxLength - 1))}…`;
}

interface Budget {
  /** Characters that may still be written. */
  left: number;
  readonly around: object[];
}

function show(value: unknown, budget: Budget): string {
  const before = budget.left;
  const text = showPart(value, budget);
  // The parts have been counted one by one, and are counted as one here.
  budget.left = before - text.length;
  return text;
}

function showPart(value: unknown, budget: Budget): string {
  switch (typeof value) {
    case "string":
      return showText(value, budget);
    case "bigint":
      return `${value}n`;
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "object":
      return value === null ? "null" : showObject(value, budget);
    case "function":
    case "symbol":
      return `<${refusePrimitive(value)!.what}>`;
    default:
      return String(value);
  }
}

function showText(text: string, budget: Budget): string {
  const room = Math.max(1, budget.left - 2);
  return quote(text.length <= room ? text : `${text.slice(0, Math.max(1, room - 1))}…`);
}

function showObject(value: object, budget: Budget): string {
  if (budget.around.includes(value)) return "<circular>";
  const kind = kindOf(value);
  if (typeof kind === "object") return `<${kind.what}>`;
  budget.around.push(value);
  try {
    switch (kind) {
      case "record":
      case "null-prototype record":
        return list("{ ", recordParts(value, budget), " }", budget);
      case "array":
        return list("[", arrayParts(value as readonly unknown[], budget), "]", budget);
      case "map":
        return list("Map { ", mapParts(value as ReadonlyMap<unknown, unknown>, budget), " }", budget);
      case "set":
        return list("Set { ", setParts(value as ReadonlySet<unknown>, budget), " }", budget);
      case "date": {
        const time = Date.prototype.getTime.call(value);
        return Number.isNaN(time) ? "Date(invalid)" : new Date(time).toISOString();
      }
      case "typed array":
        return showTypedArray(value as ArrayBufferView, budget);
      case "array buffer":
        return `ArrayBuffer(${(value as ArrayBuffer).byteLength})`;
      case "data view":
        return `DataView(${(value as DataView).byteLength})`;
      case "url":
        return quote((value as URL).href);
      case "url search params":
        return quote(URLSearchParams.prototype.toString.call(value));
      case "regular expression":
        return String(value as RegExp);
      case "boxed primitive":
        return `Object(${show(unbox(value), budget)})`;
    }
  } finally {
    budget.around.pop();
  }
}

/** Takes parts as long as there is room for them. */
function list(open: string, parts: Iterable<string>, close: string, budget: Budget): string {
  budget.left -= open.length + close.length;
  const taken: string[] = [];
  for (const part of parts) {
    taken.push(part);
    budget.left -= 2;
    if (budget.left <= 0) {
      taken.push("…");
      break;
    }
  }
  return taken.length === 0 ? open.trimEnd() + close.trimStart() : open + taken.join(", ") + close;
}

function* recordParts(value: object, budget: Budget): Iterable<string> {
  for (const key of Object.keys(value)) {
    const property = Object.getOwnPropertyDescriptor(value, key)!;
    const name = /^[A-Za-z_$][\w$]*$/u.test(key) ? key : quote(key.slice(0, 60));
    budget.left -= name.length + 2;
    yield `${name}: ${"value" in property ? show(property.value, budget) : "<a getter>"}`;
  }
}

function* arrayParts(value: readonly unknown[], budget: Budget): Iterable<string> {
  for (let index = 0; index < value.length; index++) {
    const property = Object.getOwnPropertyDescriptor(value, index);
    if (property === undefined) yield "<empty>";
    else yield "value" in property ? show(property.value, budget) : "<a getter>";
  }
}

function* mapParts(value: ReadonlyMap<unknown, unknown>, budget: Budget): Iterable<string> {
  for (const [key, item] of Map.prototype.entries.call(value) as MapIterator<[unknown, unknown]>) {
    yield `${show(key, budget)} → ${show(item, budget)}`;
  }
}

function* setParts(value: ReadonlySet<unknown>, budget: Budget): Iterable<string> {
  for (const item of Set.prototype.values.call(value) as SetIterator<unknown>) yield show(item, budget);
}

function showTypedArray(value: ArrayBufferView, budget: Budget): string {
  const name = typedArrayName(value)!;
  const items = value as unknown as ArrayLike<number | bigint>;
  const first = Array.prototype.slice.call(items, 0, 8) as unknown[];
  const parts = first.map((item) => show(item, budget));
  if (items.length > first.length) parts.push("…");
  return `${name}(${items.length}) [${parts.join(", ")}]`;
}

/** JSON's quotes; control characters that JSON leaves alone could still reach a terminal, so they are escaped too. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
