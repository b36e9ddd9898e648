/** How many steps execute at once, and how many of them a kill could lose. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createPipelineFunction, planPipeline, step } from "../define/index.ts";
import type { RunEvent } from "../record/event.ts";
import type { Change, MetadataStore } from "../store/metadata-store.ts";
import { makePorts } from "../../test/rig/ports.ts";
import { openStoredPorts } from "../../test/rig/stored-ports.ts";
import { runPlan } from "./run.ts";

const temporary = mkdtempSync(join(tmpdir(), "reprise-permits-"));
after(() => rmSync(temporary, { recursive: true }));

const pipeline = createPipelineFunction({
  run: () => {
    throw new Error("these tests run plans");
  },
});

/** Calls back when the end of a step that went well is in the store. */
function watchEnds(metadata: MetadataStore, onEnd: () => void): MetadataStore {
  const isEnd = (change: Change): boolean =>
    change.kind === "end-lease"
      ? change.changes.some(isEnd)
      : change.kind === "step-run" && change.stepRun.status === "completed";
  return new Proxy(metadata, {
    get(store, name) {
      const member: unknown = Reflect.get(store, name);
      if (typeof member !== "function") return member;
      if (name !== "write") return (member as () => unknown).bind(store);
      return async (changes: readonly Change[]) => {
        const written = await store.write(changes);
        for (const change of changes) if (isEnd(change)) onEnd();
        return written;
      };
    },
  });
}

// Where outputs are stored in memory, all of it happens in one turn of the event loop.
for (const [jobs, where] of [
  [1, "files"],
  [2, "files"],
  [5, "files"],
  [1, "memory"],
  [2, "memory"],
  [5, "memory"],
] as const) {
  test(`with ${jobs} at once and outputs in ${where}, a kill can never lose more than ${jobs} of the steps that were called`, async () => {
    await using stored = await openStoredPorts(join(temporary, `${jobs}-${where}`));
    const ports = where === "files" ? stored : { ...makePorts(), metadata: stored.metadata };
    let called = 0;
    let most = 0;
    let recorded = 0;
    const item = step({
      name: "item",
      run: async ({ at }: { at: number }) => {
        called += 1;
        most = Math.max(most, called - recorded);
        if (at % 3 === 0) await Promise.resolve();
        return { at };
      },
    });
    const many = pipeline({
      name: "many",
      build() {
        for (let at = 0; at < 40; at += 1) item({ at });
      },
    });
    let executing = 0;
    let mostTold = 0;
    const onEvent = ({ kind }: RunEvent): void => {
      if (kind === "step-started") mostTold = Math.max(mostTold, (executing += 1));
      if (kind === "step-ended") executing -= 1;
    };
    const metadata = watchEnds(ports.metadata, () => (recorded += 1));
    const { run } = await runPlan(planPipeline(many, {}), { ...ports, metadata }, { jobs, onEvent });
    assert.deepEqual([run.status, called, recorded], ["completed", 40, 40]);
    assert.ok(most <= jobs && mostTold <= jobs, `${most} called, ${mostTold} told`);
  });
}

test("a step that may block the process is called when the end of the one before is recorded", async () => {
  await using stored = await openStoredPorts(join(temporary, "blocking"));
  const ports = { ...makePorts(), metadata: stored.metadata };
  const ends: number[] = [];
  let recorded = 0;
  const before = step({ name: "before", run: () => ({ a: 1 }) });
  const blocking = step({ name: "blocking", run: () => void ends.push(recorded) });
  const both = pipeline({
    name: "both",
    build() {
      before();
      blocking();
    },
  });
  const metadata = watchEnds(ports.metadata, () => (recorded += 1));
  await runPlan(planPipeline(both, {}), { ...ports, metadata }, { jobs: 2 });
  assert.deepEqual(ends, [1]);
});
