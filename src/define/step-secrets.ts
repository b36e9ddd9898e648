/** The secrets of the step that is at work: a pipeline that it runs gets them from it, and knows nothing of that. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { SecretMask } from "./secret-mask.ts";

const storage = new AsyncLocalStorage<SecretMask>();

/** Runs a step's function that has secrets. */
export function withSecrets<T>(mask: SecretMask | undefined, work: () => T): T {
  return mask === undefined ? work() : storage.run(mask, work);
}

/** The secrets of the step whose context this is. */
export function stepSecrets(): SecretMask | undefined {
  return storage.getStore();
}
