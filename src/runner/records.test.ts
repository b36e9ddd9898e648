/** A store that refuses to be written does not end a run: what it refuses is offered again, and nothing is lost silently. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createPipelineFunction, planPipeline, step, type AnyPipeline } from "../define/index.ts";
import { StoreError } from "../error.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { RunEvent } from "../record/event.ts";
import { openContentStore } from "../store/content-store.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { openOverflow } from "../store/overflow.ts";
import { makePorts, type MemoryPorts } from "../../test/rig/ports.ts";
import { runPlan, type RunOutcome } from "./run.ts";

const pipeline = createPipelineFunction({
  run: () => {
    throw new Error("these tests run plans");
  },
});

const full = new StoreError("RPS4005", "The disk is full.", { hint: "Make room." });
const writing: ReadonlySet<PropertyKey> = new Set(["write", "versionOf", "recordArtifacts", "acquireLease"]);

/** A store that refuses writes while it is told to. */
function refusing(ports: MemoryPorts, isRefusing: () => boolean): MetadataStore {
  return new Proxy(ports.metadata, {
    get(store, name) {
      const member: unknown = Reflect.get(store, name);
      if (typeof member !== "function") return member;
      return async (...given: unknown[]): Promise<unknown> => {
        if (writing.has(name) && isRefusing()) throw full;
        return await (member.apply(store, given) as Promise<unknown>);
      };
    },
  });
}

interface Played extends RunOutcome {
  readonly warnings: readonly string[];
}

async function play(ports: MemoryPorts, definition: AnyPipeline, isRefusing: () => boolean): Promise<Played> {
  const warnings: string[] = [];
  const onEvent = (event: RunEvent): void => {
    if (event.kind === "warning") warnings.push(event.message);
  };
  const plan = planPipeline(definition, {});
  const outcome = await runPlan(plan, { ...ports, metadata: refusing(ports, isRefusing) }, { onEvent });
  return { ...outcome, warnings };
}

/** Three steps in a row, which count their calls. */
function makeChain(): { readonly chain: AnyPipeline; readonly calls: string[] } {
  const calls: string[] = [];
  const add = ({ x }: { x: number }): { x: number } => ({ x: x + 1 });
  const work = (name: string) =>
    step({
      name,
      retry: 3,
      run: (inputs: { x: number }) => {
        calls.push(name);
        return add(inputs);
      },
    });
  const [first, second, third] = [work("first"), work("second"), work("third")];
  const chain = pipeline({ name: "chain", build: () => third({ x: second({ x: first({ x: 1 }).x }).x }) });
  return { chain, calls };
}

test("a store that refuses everything costs one warning: the steps do their work once, and use each other's results", async () => {
  const ports = makePorts();
  const { chain, calls } = makeChain();
  const { run, recorded, warnings, contents, artifacts } = await play(ports, chain, () => true);
  assert.deepEqual([run.status, recorded, calls], ["completed", "no", ["first", "second", "third"]]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /the store refuses to be written.*The disk is full\./u);
  const made = contents.get(artifacts.get("third" as never)!.get("x")!.digest);
  assert.equal(await ports.content.text(made!.root.digest), "4");
  assert.deepEqual(await ports.metadata.runs({}), []);
});

test("what was refused in the middle of a run is recorded when the store takes it again, with its numbers", async () => {
  const ports = makePorts();
  const { chain, calls } = makeChain();
  const isRefusing = (): boolean => calls.length > 0 && calls.length < 3;
  const { run, recorded, warnings } = await play(ports, chain, isRefusing);
  assert.deepEqual([recorded, warnings.length], ["yes", 1]);
  await assertWhole(ports, run.id);
  const again = await play(ports, chain, () => false);
  assert.deepEqual(
    again.steps.map(({ status }) => status),
    ["cached", "cached", "cached"],
  );
});

test("what was refused from the start to the last step is recorded at the end of the run", async () => {
  const ports = makePorts();
  const { chain, calls } = makeChain();
  const { run, recorded } = await play(ports, chain, () => calls.length < 3);
  assert.equal(recorded, "yes");
  assert.equal((await ports.metadata.runs({}))[0]?.version, 1);
  await assertWhole(ports, run.id);
});

/** Every step run is there, and its artifacts under the numbers that the store gave them. */
async function assertWhole(ports: MemoryPorts, run: string): Promise<void> {
  const stepRuns = await ports.metadata.stepRuns({ runs: [run as never] });
  assert.deepEqual(
    stepRuns.map(({ step: name, status }) => [name, status]),
    [
      ["first", "completed"],
      ["second", "completed"],
      ["third", "completed"],
    ],
  );
  for (const { inputs, outputs } of stepRuns) {
    for (const { artifact, version, digest } of [...inputs, ...outputs]) {
      const [found] = await ports.metadata.artifacts({ name: artifact, version });
      assert.equal(found?.digest, digest, `${artifact}@v${version}`);
    }
  }
}

test("results that the store of blobs refuses are used by the steps below, and are not reused", async () => {
  const ports = makePorts();
  const { chain, calls } = makeChain();
  const { upload } = ports.blobs;
  ports.blobs.upload = () => Promise.reject(full);
  const first = await play(ports, chain, () => false);
  assert.deepEqual([first.run.status, first.recorded, first.warnings.length], ["completed", "no", 1]);
  assert.deepEqual(await ports.metadata.cacheEntriesOf({}), []);
  assert.deepEqual(
    first.steps.map(({ obstacle }) => obstacle?.code),
    ["store-refused", "store-refused", "store-refused"],
  );

  ports.blobs.upload = upload;
  const second = await play(ports, chain, () => false);
  assert.equal(calls.length, 6);
  assert.equal(second.recorded, "yes");
  assert.match(second.steps[0]!.reason!.text, /the store refused to take it/u);
  const third = await play(ports, chain, () => false);
  assert.equal(third.steps.filter(({ status }) => status === "cached").length, 3);
});

for (const isWhole of [false, true]) {
  const what = isWhole ? "bytes and records" : "bytes";
  test(`${what} that the store refused in the middle of a run are there at its end, and are reused, when it takes them by then`, async () => {
    const ports = makePorts();
    const { chain, calls } = makeChain();
    const isFull = (): boolean => calls.length < 3;
    const { upload } = ports.blobs;
    ports.blobs.upload = () => (isFull() ? Promise.reject(full) : upload.call(ports.blobs));
    const first = await play(ports, chain, () => isWhole && isFull());
    assert.deepEqual([first.run.status, first.recorded, first.warnings.length], ["completed", "yes", 1]);
    assert.ok(first.steps.every(({ obstacle }) => obstacle === undefined));
    const recorded = await ports.metadata.stepRuns({ runs: [first.run.id] });
    assert.ok(recorded.every(({ obstacle }) => obstacle === undefined));
    await assertWhole(ports, first.run.id);
    // As another process finds it, which has nothing in memory.
    const stored = { ...ports, overflow: openOverflow(ports.blobs), content: openContentStore(ports.blobs) };
    const again = await play(stored, chain, () => false);
    assert.ok(again.steps.every(({ status }) => status === "cached"));
    assert.equal(calls.length, 3);
  });
}

test("what somebody else has recorded meanwhile stays when the store takes what it refused before", async () => {
  const ports = makePorts();
  const { chain, calls } = makeChain();
  const { upload } = ports.blobs;
  ports.blobs.upload = () => (calls.length < 3 ? Promise.reject(full) : upload.call(ports.blobs));
  const metadata: MetadataStore = new Proxy(ports.metadata, {
    get(store, name) {
      const member: unknown = Reflect.get(store, name);
      if (name !== "cacheEntries") return typeof member === "function" ? (member as () => unknown).bind(store) : member;
      return async (keys: Parameters<MetadataStore["cacheEntries"]>[0]) => {
        const found = new Map(await store.cacheEntries(keys));
        // It is asked for one key when an entry is offered once more.
        if (calls.length === 3 && keys.length === 1) found.set(keys[0]!, [{ trace: undefined } as CacheEntry]);
        return found;
      };
    },
  });
  const { recorded } = await play({ ...ports, metadata }, chain, () => false);
  assert.equal(recorded, "yes");
  // That of the last step, which the store took at once.
  const entries = await ports.metadata.cacheEntriesOf({});
  assert.deepEqual(
    entries.map((entry) => entry.step),
    ["third"],
  );
});

test("a step whose result fits nowhere fails with what to do, and steps that do not need it go on", async () => {
  const ports = makePorts();
  ports.blobs.upload = () => Promise.reject(full);
  const overflow = { ...ports.overflow, writer: { put: async () => await Promise.reject(full) } };
  const large = step({ name: "large", run: () => ({ x: 1 }) });
  const below = step({ name: "below", run: ({ x }: { x: number }) => ({ y: x }) });
  const apart = step({ name: "apart", run: () => {} });
  const both = pipeline({
    name: "both",
    build() {
      below({ x: large().x });
      apart();
    },
  });
  const { run, steps } = await play({ ...ports, overflow }, both, () => false);
  assert.equal(run.status, "failed");
  assert.deepEqual(
    steps.map(({ node, status }) => [node, status]),
    [
      ["large", "failed"],
      ["below", "skipped"],
      ["apart", "completed"],
    ],
  );
  assert.equal(steps[0]?.error?.code, "RPS4005");
});
