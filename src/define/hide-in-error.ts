/** What was thrown, without secrets. */
import { inspect } from "node:util";
import type { SecretMask } from "./secret-mask.ts";

const limits = { depth: 12, maxArrayLength: null, maxStringLength: null, breakLength: Infinity } as const;

/**
 * What was thrown itself when no secret can be seen in it; else an error of the same class that says the same without
 * them. Of its other members, numbers and texts stay: clients keep whole requests in theirs.
 */
export function hideInError(thrown: unknown, mask: SecretMask): unknown {
  if (!mask.isUsed || !isSeenIn(thrown, mask)) return thrown;
  if (!(thrown instanceof Error)) return mask.hide(typeof thrown === "string" ? thrown : inspect(thrown, limits));
  const cause = thrown.cause === undefined ? {} : { cause: hideInError(thrown.cause, mask) };
  const copy = new Error(mask.hide(String(thrown.message)), cause);
  Object.setPrototypeOf(copy, Object.getPrototypeOf(thrown) as object);
  for (const [name, value] of Object.entries(thrown)) {
    const kept = typeof value === "string" ? mask.hide(value) : value;
    if (typeof kept !== "object" && typeof kept !== "function") define(copy, name, kept);
  }
  define(copy, "name", mask.hide(String(thrown.name)));
  if (typeof thrown.stack === "string") define(copy, "stack", mask.hide(thrown.stack));
  if (thrown instanceof AggregateError) {
    define(
      copy,
      "errors",
      thrown.errors.map((each) => hideInError(each, mask)),
    );
  }
  return copy;
}

function isSeenIn(thrown: unknown, mask: SecretMask): boolean {
  try {
    return mask.hide(inspect(thrown, limits)) !== inspect(thrown, limits) || mask.holds(thrown);
  } catch {
    // It cannot be looked at, and so it cannot be shown.
    return true;
  }
}

function define(error: object, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, enumerable: name !== "stack", writable: true, configurable: true });
}
