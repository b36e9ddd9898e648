/** Any number of runs at once over the same work: whatever fails or is cancelled, nothing hangs and nothing is done twice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as tick } from "node:timers/promises";
import fc from "fast-check";
import { makePorts } from "../../test/rig/ports.ts";
import { createPipelineFunction, planPipeline, step, type AnyPipeline, type Ref } from "../define/index.ts";
import { runPlan, type RunOutcome } from "./run.ts";

const pipeline = createPipelineFunction({
  run: () => {
    throw new Error("these tests run plans");
  },
});

/** One node: what it works on, how long, and the earlier nodes of its run that it needs. */
interface Work {
  readonly kind: number;
  readonly needs: readonly number[];
}

interface Party {
  readonly works: readonly Work[];
  readonly jobs: number;
  /** In ticks after all have started; undefined: never. */
  readonly cancelAfter: number | undefined;
  readonly stopAll: boolean;
}

interface Scenario {
  readonly parties: readonly Party[];
  /** How many ticks each call of a step takes, in order. */
  readonly ticks: readonly number[];
  /** Which calls of a step fail, in order. */
  readonly failures: readonly boolean[];
  /** Work of these kinds runs a pipeline of its own, of works of lower kinds. */
  readonly nesting: readonly number[];
}

const works: fc.Arbitrary<readonly Work[]> = fc.array(
  fc.record({ kind: fc.nat(3), needs: fc.array(fc.nat(5), { maxLength: 2 }) }),
  { minLength: 1, maxLength: 6 },
);

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  parties: fc.array(
    fc.record({
      works,
      jobs: fc.integer({ min: 1, max: 3 }),
      cancelAfter: fc.option(fc.nat(12), { nil: undefined, freq: 2 }),
      stopAll: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  ticks: fc.array(fc.nat(4), { minLength: 1, maxLength: 10 }),
  failures: fc.array(fc.boolean(), { maxLength: 6 }),
  nesting: fc.uniqueArray(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
});

test("runs at once end, each with its own result, and no work is done twice that was done well", async () => {
  await fc.assert(fc.asyncProperty(scenarios, play), { numRuns: 300 });
});

async function play({ parties, ticks, failures, nesting }: Scenario): Promise<void> {
  const ports = makePorts();
  const executing = new Set<string>();
  const done = new Set<string>();
  const broken: string[] = [];
  let calls = 0;
  let cancelled = 0;
  const work = step({
    name: "work",
    run: async ({ kind, values }: { kind: number; values: readonly number[] }, { signal }) => {
      const name = JSON.stringify([kind, values]);
      if (executing.has(name)) broken.push(`${name} is executed by two at once`);
      if (done.has(name)) broken.push(`${name} is executed again`);
      executing.add(name);
      try {
        const call = calls;
        calls += 1;
        for (let left = ticks[call % ticks.length] as number; left > 0; left -= 1) await tick();
        if (nesting.includes(kind)) {
          const lower = await runParty([{ kind: kind - 1, needs: [] }], 1, signal);
          signal.throwIfAborted();
          if (lower.run.status !== "completed") throw new Error("a run of its own failed");
        }
        signal.throwIfAborted();
        if (failures[call] === true) throw new Error("it failed");
        const value = kind + values.reduce((sum, each) => sum + each, 0);
        done.add(name);
        return { value };
      } finally {
        executing.delete(name);
      }
    },
  });
  const runParty = async (nodes: readonly Work[], jobs: number, signal?: AbortSignal, stopAll = false) => {
    const works = pipeline({
      name: "works",
      build() {
        const values: Ref<number>[] = [];
        for (const { kind, needs } of nodes) {
          const needed = needs.filter((need) => need < values.length).map((need) => values[need] as Ref<number>);
          values.push(work({ kind, values: needed }).value);
        }
        return { values };
      },
    });
    const plan = planPipeline(works as unknown as AnyPipeline, {});
    return await runPlan(plan, ports, {
      jobs,
      ...(signal === undefined ? {} : { signal }),
      onFailure: stopAll ? "stop-all" : "stop-dependents",
    });
  };
  const outcomes = await Promise.all(
    parties.map(async ({ works: nodes, jobs, cancelAfter, stopAll }) => {
      if (cancelAfter === undefined) return await runParty(nodes, jobs, undefined, stopAll);
      cancelled += 1;
      const abort = new AbortController();
      const outcome = runParty(nodes, jobs, abort.signal, stopAll);
      for (let left = cancelAfter; left > 0; left -= 1) await tick();
      abort.abort();
      return await outcome;
    }),
  );
  assert.deepEqual(broken, []);
  for (const [index, outcome] of outcomes.entries()) checkOutcome(outcome, parties[index] as Party);
  if (cancelled === 0 && !failures.includes(true)) {
    for (const { run } of outcomes) assert.equal(run.status, "completed", run.error?.message);
    assert.equal(calls, done.size);
  }
  const stepRuns = await ports.metadata.stepRuns({});
  const executed = stepRuns.filter(({ status }) => status === "completed");
  assert.equal(executed.length, done.size, "as many step runs executed well as there was work");
  assert.ok(stepRuns.every(({ status }) => status !== "running"));
  assert.equal((await ports.metadata.leases(stepRuns.flatMap(({ key }) => key ?? []))).size, 0);
}

/** Every node of a run has its end, and the ones that ended well fit together. */
function checkOutcome({ run, steps }: RunOutcome, { cancelAfter }: Party): void {
  assert.ok(run.status !== "running" && (run.status !== "cancelled" || cancelAfter !== undefined), run.status);
  for (const { node, status, reason, error } of steps) {
    assert.ok(reason !== undefined || error !== undefined, `${node} was ${status} and nobody knows why`);
    if (run.status === "completed") assert.ok(["completed", "cached"].includes(status), `${node} ${status}`);
  }
}
