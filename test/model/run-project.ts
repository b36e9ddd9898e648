/** One run of a project: with its store, as a user runs it, or from nothing at all, for comparison. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plan } from "../../src/define/plan.ts";
import { StoreError } from "../../src/error.ts";
import type { CodeIdentity, CodeIndex } from "../../src/code/identity.ts";
import type { Digest } from "../../src/hash/digest.ts";
import { createRegistry } from "../../src/materializer/registry.ts";
import type { Observer } from "../../src/observe/observer.ts";
import type { RunPlanOptions } from "../../src/runner/run.ts";
import { runPlan } from "../../src/runner/run.ts";
import type { RunnerPorts } from "../../src/runner/ports.ts";
import { openStack, type Stack } from "../../src/stack/stack.ts";
import { toRunHandle } from "../../src/stack/run-handle.ts";
import { openContentStore } from "../../src/store/content-store.ts";
import type { BlobStore } from "../../src/store/blob-store.ts";
import type { Change, MetadataStore } from "../../src/store/metadata-store.ts";
import { openMemoryBlobStore } from "../../src/store/memory-blob-store.ts";
import { openMemoryMetadataStore } from "../../src/store/memory-metadata-store.ts";
import { openOverflow } from "../../src/store/overflow.ts";
import { loadPlan } from "./load.ts";
import { libraryModules, stepModules } from "./project.ts";
import { Tally, type Interrupt, type RunResult, type RunWay } from "./tally.ts";

/** Breaks a part of Reprise, to see that the test notices. */
export type Sabotage = "observation" | "code" | "layout";

/** Runs as a new process would, with the store that is there. */
export async function runWithStore(root: string, way: RunWay, sabotage?: Sabotage): Promise<RunResult> {
  await using stack = await openStack({ cwd: root });
  const plan = await loadPlan(root, stack.code);
  return await play(plan, await sabotaged(withRefusal(stack, way.interrupt), sabotage), way);
}

/** Executes everything in modules loaded by Node alone, without code identity, observation or anything stored. */
export async function runFromNothing(root: string): Promise<RunResult> {
  const plan = await loadPlan(root);
  const overflow = openOverflow(openMemoryBlobStore());
  const ports: RunnerPorts = {
    name: "nothing",
    root,
    metadata: openMemoryMetadataStore(),
    content: openContentStore(overflow.blobs),
    overflow,
    registry: createRegistry([]),
    code: codeIndexOf(() => "unknown", "opaque"),
    openObserver: () => blindObserver,
    jobs: 1,
    secretKey: () => "cellar",
    leaseMs: 30_000,
    defaults: {},
    version: "0.0.0",
  };
  return await play(plan, ports, { jobs: 1, cache: "off", forced: new Set(), interrupt: undefined });
}

async function play(plan: Plan, ports: RunnerPorts, way: RunWay): Promise<RunResult> {
  const { interrupt } = way;
  const abort = new AbortController();
  const tally = new Tally(way, () => (interrupt?.kind === "meanwhile" ? interrupt.deed() : abort.abort()));
  const options: RunPlanOptions = {
    jobs: way.jobs,
    force: [...way.forced],
    signal: abort.signal,
    ...(way.cache === undefined ? {} : { cache: way.cache }),
    onEvent: tally.note,
  };
  try {
    const outcome = await runPlan(plan, ports, options);
    const handle = toRunHandle(plan, outcome, ports as Stack);
    for (const [name, output] of Object.entries(handle.outputs)) {
      const { status } = tally.nodes.get(name.slice(0, name.indexOf("_")))!;
      if (status === "completed" || status === "cached") tally.values.set(name, await load(output));
    }
  } catch (error) {
    if (interrupt?.kind !== "refuse") throw error;
  }
  return tally;
}

async function load(output: { load(): Promise<unknown> }): Promise<string | undefined> {
  try {
    return JSON.stringify(await output.load());
  } catch (error) {
    if (error instanceof StoreError && (error.code === "RPS4003" || error.code === "RPS4004")) return undefined;
    throw error;
  }
}

/** A disk that is full for the rest of the run: what ends a lease finds room again, as it does where the process lives on. */
function withRefusal(stack: Stack, interrupt: Interrupt | undefined): RunnerPorts {
  if (interrupt?.kind !== "refuse") return stack;
  const { metadata, blobs } = stack;
  let left = interrupt.after;
  const spend = (): void => {
    if (--left < 0) throw new StoreError("RPS4005", "The disk is full");
  };
  if (interrupt.what === "bytes") {
    const upload: BlobStore["upload"] = async () => {
      spend();
      return await blobs.upload();
    };
    const overflow = openOverflow(overlay(blobs, { upload }));
    return { ...stack, content: openContentStore(overflow.blobs), overflow };
  }
  const write: MetadataStore["write"] = async (changes) => {
    if (!changes.every(isOfLeases)) spend();
    return await metadata.write(changes);
  };
  const recordArtifacts: MetadataStore["recordArtifacts"] = async (artifacts) => {
    spend();
    return await metadata.recordArtifacts(artifacts);
  };
  return { ...stack, metadata: overlay(metadata, { write, recordArtifacts }) };
}

function isOfLeases(change: Change): boolean {
  return change.kind === "beat-leases" || (change.kind === "end-lease" && change.changes.length === 0);
}

/** A port with some of its members replaced. */
function overlay<T extends object>(port: T, members: Partial<T>): T {
  return new Proxy(port, {
    get(target, name) {
      const member = Reflect.get(name in members ? members : target, name) as unknown;
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
}

async function sabotaged(ports: RunnerPorts, sabotage: Sabotage | undefined): Promise<RunnerPorts> {
  switch (sabotage) {
    case undefined:
      return ports;
    case "observation":
      return { ...ports, openObserver: () => blindObserver };
    case "code":
      // As caches did that look at a function's text, and not at what it calls.
      return { ...ports, code: codeIndexOf((run) => run, "proved") };
    case "layout": {
      // As caches did that take a file for a step's code.
      const texts = await Promise.all(
        [...stepModules, ...libraryModules].map((path) => readFile(join(ports.root, path), "utf8")),
      );
      return { ...ports, code: codeIndexOf(() => texts.join("\n"), "proved") };
    }
  }
}

const blindObserver: Observer = {
  observe: () => ({
    run: (work) => work(),
    close: async () => ({ trace: undefined, obstacle: undefined, notices: [] }),
  }),
  reused: () => {},
  check: async (traces) => new Map([...traces.keys()].map((digest) => [digest, { differences: [], warnings: [] }])),
};

function codeIndexOf(textOf: (run: string) => string, verdict: CodeIdentity["verdict"]): CodeIndex {
  return {
    identify: async (steps) =>
      new Map(
        steps.map((step) => {
          const digest = `sha256:${createHash("sha256")
            .update(textOf(String(step.run)))
            .digest("hex")}` as Digest;
          const units = async (): Promise<readonly []> => [];
          return [
            step,
            { digest, verdict, notes: [], place: undefined, own: [], memos: [], findEdited: () => undefined, units },
          ];
        }),
      ),
  };
}
