/** A value of one's own: what happens to the one that was copied does not happen to it. */
import { kindOf } from "../hash/kind.ts";

/** Copies data. What is none (a function, an instance of a class) stays as it is, for whoever takes the value to refuse. Runs no code of the value. A Buffer comes as the Uint8Array that it is to whoever hashes it. */
export function copyValue(value: unknown, copies = new Map<object, unknown>()): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (copies.has(value)) return copies.get(value);
  const kind = kindOf(value);
  if (typeof kind === "object") return value;
  const keep = <T extends object>(copy: T): T => {
    copies.set(value, copy);
    return copy;
  };
  switch (kind) {
    case "record":
      return copyMembers(value, keep({}), copies);
    case "null-prototype record":
      return copyMembers(value, keep(Object.create(null) as object), copies);
    case "array":
      return copyMembers(value, keep(Array.from({ length: 0 })), copies);
    case "map": {
      const copy = keep(new Map<unknown, unknown>());
      for (const [key, item] of value as ReadonlyMap<unknown, unknown>) {
        copy.set(copyValue(key, copies), copyValue(item, copies));
      }
      return copy;
    }
    case "set": {
      const copy = keep(new Set<unknown>());
      for (const item of value as ReadonlySet<unknown>) copy.add(copyValue(item, copies));
      return copy;
    }
    case "url":
      return keep(new URL(value as URL));
    case "url search params":
      return keep(new URLSearchParams(value as URLSearchParams));
    default:
      return keep(structuredClone(value));
  }
}

/** Holes stay holes, getters stay getters. Members are defined, not set: one may be called "__proto__". */
function copyMembers(from: object, to: object, copies: Map<object, unknown>): object {
  for (const key of Reflect.ownKeys(from)) {
    const member = Object.getOwnPropertyDescriptor(from, key) as PropertyDescriptor;
    if (!("value" in member)) {
      Object.defineProperty(to, key, member);
      continue;
    }
    const value = copyValue(member.value, copies);
    const isLength = key === "length" && Array.isArray(to);
    Object.defineProperty(to, key, isLength ? { value } : { ...member, value, writable: true, configurable: true });
  }
  return to;
}
