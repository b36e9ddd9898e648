/** A process that runs a pipeline again and again tells the reasons that the store would. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createPipelineFunction, planPipeline, step, type AnyPipeline } from "../define/index.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import { makePorts, type MemoryPorts } from "../../test/rig/ports.ts";
import { runPlan, type RunOutcome } from "./run.ts";

const pipeline = createPipelineFunction({
  run: () => {
    throw new Error("these tests run plans");
  },
});

type Given = { readonly n?: number; readonly m?: number };

const first = step({ name: "first", run: ({ n }: { n: number }) => ({ x: n, y: n % 2 }) });
const second = step({
  name: "second",
  run: ({ x, y, m }: { x: number; y: number; m: number }) => {
    if (m < 0) throw new Error("broken");
    return { z: x + y + m };
  },
});
const third = step({ name: "third", run: ({ z }: { z: number }) => ({ w: z }) });
const chain = pipeline({
  name: "chain",
  build({ n = 1, m = 1 }: Given) {
    const { x, y } = first({ n });
    return third({ z: second({ x, y, m }).z });
  },
});

async function run(ports: MemoryPorts, given: Given, metadata: MetadataStore = ports.metadata): Promise<RunOutcome> {
  return await runPlan(planPipeline(chain as AnyPipeline, given), { ...ports, metadata }, {});
}

/** The same store as another process sees it. */
function elsewhere({ metadata }: MemoryPorts): MetadataStore {
  return new Proxy(metadata, {
    get(store, name) {
      const member: unknown = Reflect.get(store, name);
      return typeof member === "function" ? (member as () => unknown).bind(store) : member;
    },
  });
}

/** Counts the questions that tell why a step runs. */
function counting(ports: MemoryPorts, asked: string[]): MetadataStore {
  return new Proxy(ports.metadata, {
    get(store, name) {
      const member: unknown = Reflect.get(store, name);
      if (typeof member !== "function") return member;
      return (...given: unknown[]): unknown => {
        if (name === "stepRuns" || name === "artifacts") asked.push(name);
        return member.apply(store, given) as unknown;
      };
    },
  });
}

/** Reasons, with the place of a run in the order of runs instead of its id. */
function reasonsOf(outcomes: readonly RunOutcome[]): unknown {
  const ids = outcomes.map(({ run: { id } }) => id);
  const text = JSON.stringify(
    outcomes.map(({ steps }) => steps.map(({ node, status, reason }) => [node, status, reason])),
  );
  return JSON.parse(ids.reduce((all, id, index) => all.replaceAll(id, `run ${index}`), text));
}

const story: readonly Given[] = [
  {},
  { n: 2 },
  { n: 2, m: 5 },
  { n: 3, m: 5 },
  { n: 3, m: -1 },
  { n: 3, m: -1 },
  { n: 3, m: 6 },
  { n: 2, m: 5 },
  { n: 9, m: 9 },
  ...Array.from({ length: 12 }, (_, index) => ({ n: 20 + index, m: 30 + (index % 2) })),
  { n: 4, m: 5 },
];

test("one process tells the same reasons as a new process for each run", async () => {
  const [here, apart] = [makePorts(), makePorts()];
  const outcomes: RunOutcome[] = [];
  const others: RunOutcome[] = [];
  for (const given of story) {
    outcomes.push(await run(here, given));
    others.push(await run(apart, given, elsewhere(apart)));
  }
  assert.deepEqual(reasonsOf(outcomes), reasonsOf(others));
});

test("a run of another process in between is what the next one is compared with", async () => {
  const ports = makePorts();
  for (const n of [1, 2, 3]) await run(ports, { n });
  const other = await run(ports, { n: 7 }, elsewhere(ports));
  const next = await run(ports, { n: 8 });
  assert.equal(next.steps[0]?.reason?.against, `${other.run.id}/first`);
  assert.match(next.steps[0]?.reason?.text ?? "", /7.*8/u);
});

test("why the steps of a process that runs a pipeline again and again run is told without reading the store", async () => {
  const ports = makePorts();
  const asked: string[] = [];
  const metadata = counting(ports, asked);
  await run(ports, { n: 1 }, metadata);
  for (const n of [2, 3]) await run(ports, { n }, metadata);
  asked.length = 0;
  const { steps } = await run(ports, { n: 6 }, metadata);
  assert.deepEqual(
    steps.map(({ reason }) => reason?.code),
    ["param", "input", "input"],
  );
  assert.deepEqual(asked, []);
});
