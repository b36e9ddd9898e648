/** One run of a project: with its store, as a user runs it, or from nothing at all, for comparison. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { planPipeline } from "../../src/define/plan-pipeline.ts";
import type { Plan } from "../../src/define/plan.ts";
import { StoreError } from "../../src/error.ts";
import type { CodeIdentity, CodeIndex } from "../../src/code/identity.ts";
import type { Digest } from "../../src/hash/digest.ts";
import { createRegistry } from "../../src/materializer/registry.ts";
import { outsideStep } from "../../src/define/step-scope.ts";
import type { Observed, Observer } from "../../src/observe/observer.ts";
import { digestTrace } from "../../src/record/digest-trace.ts";
import type { ReadKind } from "../../src/record/trace.ts";
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
import { withExecutor, type Executor } from "./framework.ts";
import { loadPlan } from "./load.ts";
import { libraryModules, stepModules } from "./project.ts";
import { plainWay, Tally, type Interrupt, type RunResult, type RunWay } from "./tally.ts";

/** Breaks a part of Reprise, to see that the test notices. */
export type Sabotage = "observation" | "code" | "layout" | "answers" | "processes" | "links" | "inside" | "repeats";

/**
 * Runs as a new process would, with the store that is there. Runs at once share their modules, as two in one process do;
 * the second one has a stack of its own when the first asks for many jobs, as one in another process would.
 */
export async function runWithStore(
  root: string,
  [way, ...others]: readonly RunWay[],
  sabotage?: Sabotage,
): Promise<readonly RunResult[]> {
  await using stack = await openStack({ cwd: root });
  const plan = await loadPlan(root, stack.code);
  const first = await sabotaged(withRefusal(stack, way!.interrupt), sabotage);
  if (others.length === 0) return [await play(plan, first, way!)];
  await using another = await openStack({ cwd: root });
  // The modules are those that the first one's index has seen loaded.
  const second = await sabotaged(way!.jobs > 1 ? { ...another, code: stack.code } : stack, sabotage);
  return await Promise.all([play(plan, first, way!), ...others.map((other) => play(plan, second, other))]);
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
  return await play(plan, ports, { ...plainWay, cache: "off" });
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
    const outcome = await withExecutor(runInside(ports, tally, way.cache === "off" ? "off" : undefined), () =>
      runPlan(plan, ports, options),
    );
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

/** Runs the pipelines of steps with what their own run has. */
function runInside(ports: RunnerPorts, tally: Tally, cache: RunWay["cache"]): Executor {
  return async (pipeline, params, { signal }) => {
    const plan = planPipeline(pipeline, params);
    const inner = new Tally(plainWay, () => undefined);
    const outcome = await runPlan(plan, ports, {
      onEvent: inner.note,
      ...(cache === undefined ? {} : { cache }),
      ...(signal === undefined ? {} : { signal }),
    });
    tally.addInner(plan.pipeline, params["n"], inner);
    if (outcome.run.status !== "completed") throw new TypeError(`pipeline "${plan.pipeline}" ${outcome.run.status}`);
    return toRunHandle(plan, outcome, ports as Stack);
  };
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
  return { ...stack, metadata: overlay(metadata, { write }) };
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
    case "answers":
      return withoutReads(ports, ["http"]);
    case "links":
      return withoutReads(ports, ["link", "realpath"]);
    case "processes":
      return {
        ...ports,
        openObserver: (files) =>
          careless(ports.openObserver(files), (observed) => ({ ...observed, obstacle: undefined })),
      };
    case "inside":
      // What is read in a pipeline that a step runs is nobody's.
      return { ...ports, openObserver: (files) => outsideStep(() => ports.openObserver(files)) };
    case "repeats": {
      // What was read is looked at when a step is looked up, and not when a whole run is as the one before.
      const repeatable: MetadataStore["repeatable"] = async (digest) => {
        const { entries, found } = await ports.metadata.repeatable(digest);
        return { entries, found: found && { ...found, repeatable: { ...found.repeatable, traces: [] } } };
      };
      return { ...ports, metadata: overlay(ports.metadata, { repeatable }) };
    }
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

function withoutReads(ports: RunnerPorts, kinds: readonly ReadKind[]): RunnerPorts {
  const forget = ({ trace, ...observed }: Observed): Observed => {
    if (trace === undefined) return { ...observed, trace };
    const content = { ...trace.content, reads: trace.content.reads.filter(({ kind }) => !kinds.includes(kind)) };
    return { ...observed, trace: { content, digest: digestTrace(content) } };
  };
  return { ...ports, openObserver: (files) => careless(ports.openObserver(files), forget) };
}

/** An observer that tells less than it saw. */
function careless(observer: Observer, tell: (observed: Observed) => Observed): Observer {
  return {
    ...observer,
    observe(parts) {
      const observation = observer.observe(parts);
      return { run: observation.run, close: async () => tell(await observation.close()) };
    },
  };
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
          return [
            step,
            {
              digest,
              verdict,
              notes: [],
              place: undefined,
              own: [],
              memos: [],
              findEdited: () => undefined,
              units: async () => [],
              packages: async () => new Set<string>(),
            },
          ];
        }),
      ),
  };
}
