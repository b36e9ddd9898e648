/** What an index says of steps, as plain data. */
import type { CodeIndex } from "../../src/code/identity.ts";
import type { StepDefinition } from "../../src/define/plan.ts";
import type { StepReport } from "./rig.ts";

export async function reportSteps(index: CodeIndex, definitions: readonly StepDefinition[]): Promise<StepReport[]> {
  const identities = await index.identify(definitions);
  const reports: StepReport[] = [];
  for (const definition of definitions) {
    const identity = identities.get(definition);
    if (identity === undefined) throw new Error(`the index says nothing of the step ${definition.name}`);
    const { digest, verdict, notes, own, place } = identity;
    const units = (await identity.units()).map(({ id, kind, digest: unit }) => ({ id, kind, digest: unit }));
    reports.push({ name: definition.name, digest, verdict, notes, own, place, units, sites: definition.sites });
  }
  return reports;
}
