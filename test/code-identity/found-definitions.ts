/** The steps that a module defines: among its exports, and in the plans of the pipelines that were defined meanwhile. */
import { definedPipelines, isStep, planPipeline, type StepDefinition } from "../../src/define/index.ts";

export async function foundDefinitions(load: () => Promise<object>): Promise<readonly StepDefinition[]> {
  const before = definedPipelines().length;
  const exports = await load();
  const found = new Set<StepDefinition>();
  collect(exports, found, 3);
  for (const { pipeline } of definedPipelines().slice(before)) {
    // Called by nobody, so that a step made inside of the build has no frame of this file on its stack.
    const plan = await Promise.resolve().then(planPipeline.bind(null, pipeline, {}));
    for (const node of plan.nodes) found.add(node.step);
  }
  return [...found];
}

function collect(value: unknown, found: Set<StepDefinition>, depth: number): void {
  if (isStep(value)) {
    found.add(value.definition);
    return;
  }
  if (depth === 0 || value === null || (typeof value !== "object" && typeof value !== "function")) return;
  for (const name of Object.getOwnPropertyNames(value)) {
    // Getters too: compiled CommonJS exports by them. Those of functions themselves (`arguments`, `caller`) may throw.
    if (typeof value === "function" && Object.getOwnPropertyDescriptor(value, name)?.get !== undefined) continue;
    collect((value as Readonly<Record<string, unknown>>)[name], found, depth - 1);
  }
}
