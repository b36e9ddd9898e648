/** Shapes of data that somebody else has written: a value is made anew from what is understood, or refused with its path. */
import { isDigest, type Digest } from "../../hash/digest.ts";
import type { JsonValue } from "../../hash/json.ts";

/** Answers with the value as it was checked. Throws a {@link Misfit}. */
export type Shape<T> = (value: unknown, path: string) => T;

/** A value is not what it should be. */
export class Misfit extends Error {}

export const text: Shape<string> = (value, path) => {
  if (typeof value !== "string") throw misfit(path, "a text", value);
  return value;
};

export const number: Shape<number> = (value, path) => {
  if (typeof value !== "number") throw misfit(path, "a number", value);
  return value;
};

/** Whole and not negative: a count, a size, a time. */
export const count: Shape<number> = (value, path) => {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw misfit(path, "a count", value);
  return value;
};

export const flag: Shape<boolean> = (value, path) => {
  if (typeof value !== "boolean") throw misfit(path, "true or false", value);
  return value;
};

export const digest: Shape<Digest> = (value, path) => {
  if (typeof value !== "string" || !isDigest(value)) throw misfit(path, "a digest", value);
  return value;
};

/** What JSON can hold, as it is. */
export const json: Shape<JsonValue> = (value, path) => {
  if (value === undefined) throw misfit(path, "a value", value);
  return value as JsonValue;
};

export function matching<T extends string>(pattern: RegExp, what: string): Shape<T> {
  return (value, path) => {
    if (typeof value !== "string" || !pattern.test(value)) throw misfit(path, what, value);
    return value as T;
  };
}

/** One of a closed list of words: one that is added to the type is missed by the compiler where this is called. */
export function oneOf<T extends string>(words: Readonly<Record<T, true>>): Shape<T> {
  return (value, path) => {
    if (typeof value !== "string" || !Object.hasOwn(words, value)) {
      throw misfit(path, `one of ${Object.keys(words).join(", ")}`, value);
    }
    return value as T;
  };
}

export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw misfit(path, "a list", value);
    return value.map((each, at) => item(each, `${path}[${at}]`));
  };
}

/** Values by names that are not known before. */
export function record<T>(item: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value, path) => {
    if (!isRecord(value)) throw misfit(path, "a record", value);
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, item(each, `${path}.${name}`)]));
  };
}

/** By field of a record: a field that is added to the record's type is missed here by the compiler. */
type Fields<T> = { readonly [Name in keyof T]-?: Shape<T[Name]> };

/** A record of known fields. Others are dropped. */
export function object<T>(fields: Fields<T>): Shape<T> {
  const shapes = Object.entries(fields) as [string, Shape<unknown>][];
  return (value, path) => {
    if (!isRecord(value)) throw misfit(path, "a record", value);
    const made: [string, unknown][] = [];
    for (const [name, shape] of shapes) {
      const own = ownOf(value, name);
      if (own !== undefined || !optionals.has(shape as Shape<never>)) made.push([name, shape(own, `${path}.${name}`)]);
    }
    return Object.fromEntries(made) as T;
  };
}

const optionals = new WeakSet<Shape<never>>();

/** A field that may be left out, and then stays so. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  const made: Shape<T | undefined> = (value, path) => shape(value, path);
  optionals.add(made as Shape<never>);
  return made;
}

/** A field that is there, but may hold nothing. JSON leaves it out. */
export function orNothing<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value, path) => (value === undefined ? undefined : shape(value, path));
}

/** Records that tell by their `kind` which shape they have: a kind that is added to the type is missed by the compiler. */
export function variants<T extends { readonly kind: string }>(shapes: {
  readonly [Kind in T["kind"]]: Fields<Omit<Extract<T, { readonly kind: Kind }>, "kind">>;
}): Shape<T> {
  const byKind = new Map(
    Object.entries(shapes).map(([kind, fields]) => [kind, object<object>(fields as Fields<object>)]),
  );
  return (value, path) => {
    const kind = isRecord(value) ? ownOf(value, "kind") : undefined;
    const shape = typeof kind === "string" ? byKind.get(kind) : undefined;
    if (shape === undefined) throw misfit(`${path}.kind`, `one of ${[...byKind.keys()].join(", ")}`, kind);
    return { kind, ...shape(value, path) } as T;
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function ownOf(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

export function misfit(path: string, expected: string, found: unknown): Misfit {
  const shown = JSON.stringify(found) ?? "nothing";
  return new Misfit(`${path} should be ${expected}, and is ${shown.length > 80 ? `${shown.slice(0, 80)}…` : shown}`);
}
