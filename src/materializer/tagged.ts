import { types } from "node:util";

/** Values that say by a hidden mark which materializer they are for. The mark is the same in every copy of this package. */
const mark = Symbol.for("reprise.materializer");

// Not a plain record, so that a step may return one as its only result: the fields of plain records are outputs.
const prototype: object = Object.freeze(Object.create(Object.prototype) as object);

/**
 * What marked values have in common. By its method a build's types see that one of them is a single value, and no record
 * whose fields are outputs.
 */
export interface Tagged {
  toString(): string;
}

/** A frozen object with these fields and the mark. */
export function tagged<T extends object>(tag: string, fields: T): Readonly<T> {
  const value = Object.assign(Object.create(prototype) as T, fields);
  Object.defineProperty(value, mark, { value: tag });
  return Object.freeze(value);
}

export function isTagged(value: unknown, tag: string): boolean {
  if (typeof value !== "object" || value === null || types.isProxy(value)) return false;
  return Object.getOwnPropertyDescriptor(value, mark)?.value === tag;
}
