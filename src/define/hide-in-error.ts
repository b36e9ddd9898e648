/** What was thrown, without secrets. */
import { inspect, types } from "node:util";
import { RepriseError } from "../error.ts";
import type { JsonValue } from "../hash/json.ts";
import type { SecretMask } from "./secret-mask.ts";

/** Objects that are looked at in search of a secret. Clients keep whole requests, with sockets and agents, in their errors. */
const mostObjects = 100_000;

/**
 * What was thrown itself when there is no secret in it; else an error of the same class that says the same without them. Of
 * its other members, numbers and texts stay.
 */
export function hideInError(thrown: unknown, mask: SecretMask): unknown {
  if (!mask.isUsed || !isIn(thrown, mask)) return thrown;
  if (!(thrown instanceof Error)) return mask.hide(typeof thrown === "string" ? thrown : inspect(thrown));
  const cause = thrown.cause === undefined ? {} : { cause: hideInError(thrown.cause, mask) };
  const copy = new Error(mask.hide(String(thrown.message)), cause);
  Object.setPrototypeOf(copy, Object.getPrototypeOf(thrown) as object);
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(thrown))) {
    if (name === "cause") continue;
    const kept = typeof value === "string" ? mask.hide(value) : value;
    if (typeof kept !== "object" && typeof kept !== "function") define(copy, name, kept);
    // Facts, not live objects.
    else if (thrown instanceof RepriseError) define(copy, name, mask.hideIn(toJson(value)));
  }
  if (Object.hasOwn(thrown, "name")) define(copy, "name", mask.hide(String(thrown.name)));
  if (typeof thrown.stack === "string") define(copy, "stack", mask.hide(thrown.stack));
  if (thrown instanceof AggregateError) {
    const errors = thrown.errors.map((each) => hideInError(each, mask));
    define(copy, "errors", errors);
  }
  return copy;
}

function toJson(value: unknown): JsonValue | undefined {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? undefined : (JSON.parse(text) as JsonValue);
}

/** Looks through whatever is there, runs none of it, and takes what is too large for a hiding place. */
function isIn(thrown: unknown, mask: SecretMask): boolean {
  const seen = new Set<unknown>();
  const pending: unknown[] = [thrown];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value === "string" || ArrayBuffer.isView(value)) {
      if (mask.holds(value)) return true;
    }
    if (typeof value !== "object" || value === null || seen.has(value) || types.isProxy(value)) continue;
    seen.add(value);
    if (seen.size > mostObjects) return true;
    if (ArrayBuffer.isView(value)) continue;
    if (types.isNativeError(value)) pending.push(value.message, value.stack);
    if (types.isMap(value)) for (const [key, item] of value) pending.push(key, item);
    if (types.isSet(value)) pending.push(...value);
    for (const key of Reflect.ownKeys(value)) {
      pending.push(key, Object.getOwnPropertyDescriptor(value, key)?.value);
    }
  }
  return false;
}

function define(error: object, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, enumerable: name !== "stack", writable: true, configurable: true });
}
