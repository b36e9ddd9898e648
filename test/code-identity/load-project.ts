/** Runs in a child process: loads projects as Node would, and asks an index for the code of the steps they define. */
import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { openCodeIndex } from "../../src/code/index.ts";
import type { StepDefinition } from "../../src/define/plan.ts";
import { foundDefinitions } from "./found-definitions.ts";
import type { LoadReport, LoadRequest } from "./rig.ts";
import { reportSteps } from "./report-steps.ts";

process.once("message", (requests: readonly LoadRequest[]) => {
  void answer(requests);
});

async function answer(requests: readonly LoadRequest[]): Promise<void> {
  const reports: LoadReport[] = [];
  // One after the other: what a project defines is told from what the others define by when it was loaded.
  for (const request of requests) reports.push(await load(request));
  process.send?.(reports);
}

async function load({ root, entry, stateDir, editedAfterLoad }: LoadRequest): Promise<LoadReport> {
  let definitions: readonly StepDefinition[];
  try {
    definitions = await foundDefinitions(() => import(pathToFileURL(entry).href) as Promise<object>);
  } catch (error) {
    return { steps: [], error: `cannot load ${entry}: ${String(error)}` };
  }
  for (const [path, text] of Object.entries(editedAfterLoad)) await writeFile(path, text);
  try {
    const index = await openCodeIndex({ root, stateDir, entries: [entry] });
    return { steps: await reportSteps(index, definitions) };
  } catch (error) {
    return { steps: [], error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
