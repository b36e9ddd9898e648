/** Values that say by a hidden mark which materializer they are for. The mark is the same in every copy of this package. */
const mark = Symbol.for("reprise.materializer");

/** Gives an object the mark, and freezes it. */
export function tagged<T extends object>(tag: string, value: T): Readonly<T> {
  Object.defineProperty(value, mark, { value: tag });
  return Object.freeze(value);
}

export function isTagged(value: unknown, tag: string): boolean {
  return typeof value === "object" && value !== null && Object.getOwnPropertyDescriptor(value, mark)?.value === tag;
}
