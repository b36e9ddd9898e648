/** The materializers of one plan: those of the stack, and for reading also those that its steps declare. */
import type { Plan } from "../define/plan.ts";
import { isMaterializer, type Registry } from "../materializer/registry.ts";

/** A declared materializer reads what it wrote, but values of other outputs are not offered to it. */
export function registryOf(plan: Plan, registry: Registry): Registry {
  const declared = plan.nodes.flatMap(({ step }) =>
    [...Object.values(step.inputs), ...Object.values(step.outputs ?? {})].filter(isMaterializer),
  );
  if (declared.length === 0) return registry;
  const extended = registry.with(declared);
  return { ...registry, findByType: (type, version) => extended.findByType(type, version) };
}
