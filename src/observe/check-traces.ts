/** Whether traces still hold: everything in them is looked at now, and each URL asked once a run. */
import type { Digest } from "../hash/digest.ts";
import type { Difference } from "../record/reason.ts";
import { toReadDifference } from "../record/read-difference.ts";
import type { ObservedRead, Trace, TraceCheck } from "../record/trace.ts";
import { revalidate, type ResourceState } from "./http-resource.ts";
import { refused } from "./stat-text.ts";
import { isSetText, type World } from "./world.ts";

/** By URL and what was found there. */
export type Answers = Map<string, Promise<ResourceState>>;

export async function checkTraces(
  traces: ReadonlyMap<Digest, Trace>,
  world: World,
  answers: Answers,
): Promise<ReadonlyMap<Digest, TraceCheck>> {
  const files = new Set<string>();
  for (const { reads } of traces.values()) {
    for (const { kind, name } of reads) if (kind === "file") files.add(world.territory.pathOf(name));
  }
  await world.prepare(files);
  const looked = new Map<string, string>();
  const checks = new Map<Digest, TraceCheck>();
  for (const [digest, trace] of traces) {
    const differences: Difference[] = [];
    for (const read of trace.reads) {
      if (read.kind === "http") continue;
      const id = toLookId(read, trace.salt);
      let now = looked.get(id);
      if (now === undefined) {
        const found = lookAt(read, trace.salt, world);
        now = typeof found === "string" ? found : await found;
        looked.set(id, now);
      }
      if (now !== read.found) differences.push(toReadDifference(read, read.found, now));
    }
    checks.set(digest, { differences, warnings: [] });
  }
  for (const [digest, { reads }] of traces) {
    const resources = reads.filter(({ kind }) => kind === "http");
    // What differs already need not be asked for.
    if (resources.length === 0 || checks.get(digest)?.differences.length !== 0) continue;
    checks.set(digest, await askAll(resources, answers));
  }
  return checks;
}

/** What cannot be looked at, such as a name that no file can have, breaks no look-up: a trace may come from elsewhere. */
function lookAt(read: ObservedRead, salt: string, world: World): string | Promise<string> {
  try {
    return world.look(read, () => salt);
  } catch {
    return refused;
  }
}

/** Things that are looked at in the same way share one look: a file's bytes, say, whatever was found of them. */
function toLookId({ kind, name, found }: ObservedRead, salt: string): string {
  switch (kind) {
    case "env":
      return `env ${found === isSetText ? found : salt} ${name}`;
    case "stat":
    case "link":
    case "directory":
    case "tree":
      return `${kind} ${name}\0${found}`;
    default:
      return `${kind} ${name}`;
  }
}

async function askAll(resources: readonly ObservedRead[], answers: Answers): Promise<TraceCheck> {
  const differences: Difference[] = [];
  const warnings: string[] = [];
  const states = await Promise.all(
    resources.map(({ name, found }) => {
      const id = `${name} ${found}`;
      const asked = answers.get(id) ?? revalidate(name, found);
      answers.set(id, asked);
      return asked;
    }),
  );
  for (const [index, state] of states.entries()) {
    const read = resources[index] as ObservedRead;
    if (state.kind === "other") differences.push(toReadDifference(read, read.found, state.now));
    if (state.kind === "silent") warnings.push(`${read.name} ${state.why}: its last result is taken to hold`);
  }
  return { differences, warnings };
}
