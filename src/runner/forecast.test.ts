import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { makePorts, type MemoryPorts } from "../../test/rig/ports.ts";
import { createPipelineFunction, planPipeline, step, type AnyPipeline, type Plan } from "../define/index.ts";
import { forecastPlan } from "./forecast.ts";
import { runPlan } from "./run.ts";

/** A step of a random pipeline: its code is a factor, and what it gives is small, so that different inputs often give the same output. */
interface Spec {
  readonly needs: readonly number[];
  factor: number;
  param: number;
}

const pipeline = createPipelineFunction({
  run: () => {
    throw new Error("these tests run plans");
  },
});

const shapes = fc
  .integer({ min: 1, max: 7 })
  .chain((count) =>
    fc.tuple(...Array.from({ length: count }, (_, at) => fc.subarray(Array.from({ length: at }, (__, need) => need)))),
  );

const edits = fc.array(
  fc.record({ at: fc.nat(), what: fc.constantFrom("factor" as const, "param" as const), to: fc.nat(2) }),
  { maxLength: 8 },
);

function compute(spec: Spec, inputs: readonly number[]): number {
  return (inputs.reduce((sum, input) => sum + input, 1) * (spec.factor + 1) + spec.param) % 3;
}

function makePlan(specs: readonly Spec[], ports: MemoryPorts, executed: Set<number>): Plan {
  const steps = specs.map((spec, at) => {
    ports.codeOf.set(`s${at}`, { text: `factor ${spec.factor}` });
    return step({
      name: `s${at}`,
      run: ({ inputs }: { inputs: readonly number[]; param: number }) => {
        executed.add(at);
        return { out: compute(spec, inputs) };
      },
    });
  });
  const random = pipeline({
    name: "random",
    build: () => {
      const outs: unknown[] = [];
      for (const [at, spec] of specs.entries()) {
        const inputs = spec.needs.map((need) => outs[need]) as never;
        outs.push(steps[at]!({ inputs, param: spec.param }).out);
      }
    },
  });
  return planPipeline(random as unknown as AnyPipeline, {});
}

test("a run does what plan said, executes the least it can, and gives what a run without a cache gives", async () => {
  const counts = { runs: 0, cached: 0, executed: 0, depends: 0 };
  await fc.assert(
    fc.asyncProperty(shapes, edits, async (needs, changes) => {
      const specs = needs.map((each): Spec => ({ needs: each, factor: 0, param: 0 }));
      const ports = makePorts();
      const seen = new Set<string>();
      for (const change of [undefined, ...changes]) {
        if (change !== undefined) specs[change.at % specs.length]![change.what] = change.to;
        const executed = new Set<number>();
        const plan = makePlan(specs, ports, executed);
        const forecasts = await forecastPlan(plan, ports, {});
        assert.equal(executed.size, 0);
        const { steps } = await runPlan(plan, ports, {});
        const values: number[] = [];
        for (const [at, spec] of specs.entries()) {
          const inputs = spec.needs.map((need) => values[need] as number);
          values.push(compute(spec, inputs));
          const key = JSON.stringify([at, spec.factor, spec.param, inputs]);
          assert.equal(executed.has(at), !seen.has(key), `step ${at} ran for no reason, or did not though it had one`);
          seen.add(key);
          const { verdict } = forecasts[at]!;
          if (verdict === "cached") assert.equal(steps[at]?.status, "cached");
          if (verdict === "runs") assert.equal(steps[at]?.status, "completed");
          counts.depends += verdict === "depends" ? 1 : 0;
          const [artifact] = await ports.metadata.artifacts({ digests: [steps[at]!.outputs[0]!.digest] });
          assert.equal(await ports.content.text(artifact!.root.digest), String(values[at]));
        }
        counts.runs += 1;
        counts.executed += executed.size;
        counts.cached += specs.length - executed.size;
      }
    }),
    { numRuns: 150 },
  );
  assert.ok(counts.cached > 0 && counts.executed > 0 && counts.depends > 0);
});

test("a forecast names as changed only what is known to have changed, wherever the step is used", async () => {
  const ports = makePorts();
  const load = step({ name: "load", cache: false, run: ({ name }: { name: string }) => ({ rows: name }) });
  const search = step({
    name: "search",
    run: ({ rows, k }: { rows: string; k: number }) => ({ hits: `${rows} ${k}` }),
  });
  const twice = pipeline({
    name: "twice",
    build({ k }: { k: number }) {
      for (const name of ["one", "other"]) {
        const { rows } = load({ name }, { name: `load_${name}` });
        search({ rows, k }, { name: `search_${name}` });
      }
    },
  }) as unknown as AnyPipeline;
  await runPlan(planPipeline(twice, { k: 5 }), ports, {});
  const forecasts = await forecastPlan(planPipeline(twice, { k: 8 }), ports, {});
  const searches = forecasts.filter((each) => each.step === "search");
  assert.deepEqual(
    searches.map(({ verdict, reason }) => [verdict, reason.differences.map(({ part, from, to }) => [part, from, to])]),
    [
      ["runs", [["k", "5", "8"]]],
      ["runs", [["k", "5", "8"]]],
    ],
  );
});
