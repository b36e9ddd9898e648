/** Which values JSON or devalue can hold, found by walking them; no code of the value is run. */
import { ValueError } from "../error.ts";
import { kindOf, refusePrimitive, type NotData } from "../hash/kind.ts";
import { formatPath, type PathStep } from "../hash/value-path.ts";

/** `json`: plain JSON text gives back the very value. `value`: it takes devalue's richer text. */
export type TextForm = "json" | "value";

/**
 * Tells which text form holds a value exactly. JSON does when there is nothing in it but finite numbers, strings, booleans,
 * null, dense arrays and plain records without `undefined`, and no object is met twice.
 *
 * Throws a ValueError (RPS2104) with the path of the part that neither can hold.
 */
export function textFormOf(value: unknown): TextForm {
  const walk: Walk = { path: [], seen: new Set(), form: "json" };
  visit(walk, value);
  return walk.form;
}

/** The error for a part of a value that cannot be stored; whoever stores the value names the output in it. */
export function cannotStore(path: readonly PathStep[], reason: NotData, root = "value"): ValueError {
  const where = formatPath(root, path);
  return new ValueError("RPS2104", `${where} is ${reason.what}, which cannot be stored.`, {
    hint: reason.hint,
    data: { path: where, steps: path, what: reason.what },
  });
}

interface Walk {
  readonly path: PathStep[];
  readonly seen: Set<object>;
  form: TextForm;
}

const maxDepth = 1000;

function visit(walk: Walk, value: unknown): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (!Number.isFinite(value) || Object.is(value, -0)) walk.form = "value";
      return;
    case "undefined":
    case "bigint":
      walk.form = "value";
      return;
    case "object":
      if (value !== null) visitObject(walk, value);
      return;
    default:
      throw cannotStore(walk.path, refusePrimitive(value)!);
  }
}

function visitObject(walk: Walk, value: object): void {
  const { path, seen } = walk;
  if (seen.has(value)) {
    walk.form = "value";
    return;
  }
  seen.add(value);
  const kind = kindOf(value);
  if (typeof kind === "object") throw cannotStore(path, kind);
  if (path.length >= maxDepth) {
    throw cannotStore(path, { what: `more than ${maxDepth} levels deep`, hint: "Flatten it before returning it." });
  }
  switch (kind) {
    case "record":
    case "null-prototype record":
      visitRecord(walk, value, kind);
      return;
    case "array":
      visitArray(walk, value as readonly unknown[]);
      return;
    case "map":
      walk.form = "value";
      visitMap(walk, value as ReadonlyMap<unknown, unknown>);
      return;
    case "set":
      walk.form = "value";
      visitSet(walk, value as ReadonlySet<unknown>);
      return;
    default:
      walk.form = "value";
  }
}

function visitRecord(walk: Walk, value: object, kind: "record" | "null-prototype record"): void {
  const { path } = walk;
  if (kind !== "record") walk.form = "value";
  // Both together take a fraction of the time of Reflect.ownKeys.
  for (const key of Object.getOwnPropertyNames(value)) {
    if (isSimpleMember(value, key)) continue;
    path.push(key);
    visit(walk, dataOf(walk, value, key));
    path.pop();
  }
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw cannotStore(path, { what: "an object with a symbol as key", hint: "Use a string as key." });
  }
}

function visitArray(walk: Walk, value: readonly unknown[]): void {
  const { path } = walk;
  const keys = Reflect.ownKeys(value);
  const last = value.length - 1;
  // Indices come first, in their order: where the last one is in its place, none is missing.
  const isDense = keys.length === value.length + 1 && keys[last] === String(last);
  if (keys.length !== value.length + 1) walk.form = "value";
  for (const key of keys) {
    if (key === "length" || (isDense && isSimpleMember(value, key as string))) continue;
    const index = Number(key);
    if (typeof key === "symbol" || !Number.isInteger(index) || index < 0 || index >= value.length) {
      throw cannotStore(path, {
        what: "an array with properties besides its items",
        hint: "Return [...array], or a record that holds the items and the properties.",
      });
    }
    path.push(index);
    visit(walk, dataOf(walk, value, key));
    path.pop();
  }
}

function visitMap(walk: Walk, value: ReadonlyMap<unknown, unknown>): void {
  const { path } = walk;
  let at = 0;
  for (const [key, item] of Map.prototype.entries.call(value) as MapIterator<[unknown, unknown]>) {
    path.push({ map: "key", at: at++ });
    visit(walk, key);
    path[path.length - 1] = { map: "value", at: key };
    visit(walk, item);
    path.pop();
  }
}

function visitSet(walk: Walk, value: ReadonlySet<unknown>): void {
  const { path } = walk;
  let at = 0;
  for (const item of Set.prototype.values.call(value) as SetIterator<unknown>) {
    path.push({ map: "item", at: at++ });
    visit(walk, item);
    path.pop();
  }
}

/** Whether a property is data, and such that JSON holds it: most are, and need no place in the path. */
function isSimpleMember(value: object, key: string): boolean {
  const property = Object.getOwnPropertyDescriptor(value, key)!;
  if (!property.enumerable || property.get !== undefined || property.set !== undefined) return false;
  const member: unknown = property.value;
  switch (typeof member) {
    case "number":
      return Number.isFinite(member) && !Object.is(member, -0);
    case "string":
    case "boolean":
      return true;
    default:
      return member === null;
  }
}

function dataOf(walk: Walk, value: object, key: string): unknown {
  const property = Object.getOwnPropertyDescriptor(value, key)!;
  if (property.get !== undefined || property.set !== undefined) {
    throw cannotStore(walk.path, { what: "a getter", hint: "Return its value instead: getters are never run." });
  }
  if (!property.enumerable) {
    throw cannotStore(walk.path, {
      what: "a hidden (non-enumerable) property",
      hint: "Make it enumerable, or leave it out.",
    });
  }
  return property.value;
}
