/** Loads the modules of a project anew as often as it is edited, in one process: as a new process would. */
import { join } from "node:path";
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import { importWithoutDrivers } from "../../src/code/index.ts";
import type { ProjectIndex } from "../../src/code/open.ts";
import { planPipeline, type Plannable } from "../../src/define/plan-pipeline.ts";
import type { Plan } from "../../src/define/plan.ts";

let generation = 0;
let home: string | undefined;

const reprise = new URL("./framework.ts", import.meta.url).href;

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (specifier === "reprise") return { url: reprise, format: "module-typescript", shortCircuit: true };
    const found = nextResolve(specifier, context);
    // A query makes it a module of its own, and is no part of its name for Reprise.
    return home !== undefined && found.url.startsWith(home) ? { ...found, url: `${found.url}?${generation}` } : found;
  },
});

/** The plan of the pipeline in a folder, from modules that nobody else has loaded. */
export async function loadPlan(
  root: string,
  index?: ProjectIndex,
  params: Readonly<Record<string, unknown>> = {},
): Promise<Plan> {
  generation += 1;
  home = `${pathToFileURL(root).href}/`;
  const file = join(root, "pipeline.ts");
  const module =
    index === undefined
      ? ((await import(pathToFileURL(file).href)) as Record<string, unknown>)
      : await importWithoutDrivers(file, index);
  return planPipeline(module["main"] as Plannable, params);
}
