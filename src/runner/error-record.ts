/** An error as it is kept: name, message, stack and the user's own line, but no live object. */
import { sep } from "node:path";
import { hideInError } from "../define/hide-in-error.ts";
import type { SecretMask } from "../define/secret-mask.ts";
import { findUserPlace } from "../define/user-place.ts";
import { RepriseError } from "../error.ts";
import { showValue } from "../hash/show-value.ts";
import type { ErrorRecord } from "../record/run.ts";
import type { PlanPorts } from "./plan-ports.ts";

const deepestCause = 5;
const shownErrors = 5;
const shownLength = 200;

/** Records whatever was thrown, without secrets; paths under the project's root become relative to it. */
export function toErrorRecord(thrown: unknown, { root, secrets }: Pick<PlanPorts, "root" | "secrets">): ErrorRecord {
  if (secrets === undefined) return describe(thrown, root, 0);
  // What is no error may be cut to be shown, and half a secret is none to the mask.
  const told = thrown instanceof Error ? thrown : hideInError(thrown, secrets.mask);
  return hideSecrets(describe(told, root, 0), secrets.mask);
}

function describe(thrown: unknown, root: string, depth: number): ErrorRecord {
  if (!(thrown instanceof Error)) return { name: "Thrown", message: showThrown(thrown) };
  // Whatever somebody has put there.
  const stack = typeof thrown.stack === "string" ? thrown.stack : undefined;
  const place = thrown instanceof RepriseError && thrown.place ? thrown.place : findUserPlace(stack, root);
  return {
    name: String(thrown.name),
    message: messageOf(thrown),
    ...(thrown instanceof RepriseError ? { code: thrown.code } : {}),
    ...(thrown instanceof RepriseError && thrown.hint !== undefined ? { hint: thrown.hint } : {}),
    ...(stack === undefined ? {} : { stack: shortenPaths(stack, root) }),
    ...(place === undefined ? {} : { place }),
    ...(thrown.cause === undefined || depth >= deepestCause ? {} : { cause: describe(thrown.cause, root, depth + 1) }),
  };
}

function hideSecrets(record: ErrorRecord, mask: SecretMask): ErrorRecord {
  const { name, message, hint, stack, cause } = record;
  return {
    ...record,
    name: mask.hide(name),
    message: mask.hide(message),
    ...(hint === undefined ? {} : { hint: mask.hide(hint) }),
    ...(stack === undefined ? {} : { stack: mask.hide(stack) }),
    ...(cause === undefined ? {} : { cause: hideSecrets(cause, mask) }),
  };
}

/** An error of several says what each of them says: nothing else of them is kept. */
function messageOf(error: Error): string {
  if (!(error instanceof AggregateError)) return String(error.message);
  const messages = error.errors
    .slice(0, shownErrors)
    .map((each) => (each instanceof Error ? each.message : showThrown(each)));
  const more = error.errors.length - messages.length;
  return [error.message, ...messages, ...(more > 0 ? [`and ${more} more`] : [])].filter(Boolean).join("; ");
}

function shortenPaths(stack: string, root: string): string {
  return stack.replaceAll(`file://${root}/`, "").replaceAll(`${root}${sep}`, "");
}

function showThrown(thrown: unknown): string {
  try {
    return typeof thrown === "string" ? thrown : (JSON.stringify(thrown) ?? String(thrown));
  } catch {
    return showValue(thrown, shownLength);
  }
}
