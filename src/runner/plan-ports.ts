/** A run's ports, as one plan needs them. */
import { createHmac } from "node:crypto";
import type { KeySecrets } from "../cache/key.ts";
import type { Plan } from "../define/plan.ts";
import { canonicalBytes } from "../hash/canonical.ts";
import type { Digest } from "../hash/digest.ts";
import { registryOf } from "./plan-registry.ts";
import type { RunnerPorts } from "./ports.ts";

export interface PlanPorts extends RunnerPorts {
  /** Undefined when nothing of the plan is secret. */
  readonly secrets: KeySecrets | undefined;
}

/** The ports with the materializers and the secrets of a plan. */
export function toPlanPorts<Ports extends RunnerPorts>(plan: Plan, stack: Ports): Ports & PlanPorts {
  const { secrets } = plan;
  return {
    ...stack,
    registry: registryOf(plan, stack.registry),
    secrets: secrets && {
      mask: secrets.mask,
      digest: (value, name) => digestSecret(canonicalBytes(value, { name }), stack.secretKey()),
    },
  };
}

/** Tells one secret from another for whoever has the store's key, and nothing to anybody else. */
function digestSecret(bytes: Uint8Array, key: string): Digest {
  return `sha256:${createHmac("sha256", key).update("secret/1\0").update(bytes).digest("hex")}` as Digest;
}
