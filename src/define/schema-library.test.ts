import assert from "node:assert/strict";
import { test } from "node:test";
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import { createPipelineFunction } from "./pipeline.ts";
import { step } from "./step.ts";

const pipeline = createPipelineFunction({ run: () => Promise.reject(new Error("nothing runs here")) });

const source = step({ name: "source", run: () => ({ rows: [1], size: 1 }) });
const run = ({ rows, gamma, label }: { rows: number[]; gamma: number; label?: string | undefined }) => ({
  model: `${rows.length} ${gamma} ${label}`,
});

const libraries = {
  zod: {
    train: step({
      name: "train",
      params: z.object({ gamma: z.number().default(2), label: z.string().optional() }),
      run,
    }),
    first: pipeline({
      name: "first",
      params: z.object({ seed: z.number().default(1) }),
      build: ({ seed }) => void seed,
    }),
  },
  valibot: {
    train: step({
      name: "train",
      params: v.object({ gamma: v.optional(v.number(), 2), label: v.optional(v.string()) }),
      run,
    }),
    first: pipeline({
      name: "first",
      params: v.object({ seed: v.optional(v.number(), 1) }),
      build: ({ seed }) => void seed,
    }),
  },
  arktype: {
    train: step({ name: "train", params: type({ gamma: "number = 2", "label?": "string" }), run }),
    first: pipeline({ name: "first", params: type({ seed: "number = 1" }), build: ({ seed }) => void seed }),
  },
};

for (const [library, { train, first }] of Object.entries(libraries)) {
  test(`a params schema of ${library} fills in defaults, and leaves other arguments alone`, async () => {
    const plan = pipeline({ name: "p", build: () => train({ rows: source().rows }) }).plan();
    assert.deepEqual(plan.nodes[1]!.arguments, {
      gamma: { kind: "value", value: 2 },
      rows: { kind: "ref", node: "source", output: "rows" },
    });
    const plain = pipeline({ name: "p", build: () => train({ rows: [1, 2], gamma: 3, label: "x" }) }).plan();
    const [gamma, label, rows] = [3, "x", [1, 2]].map((value) => ({ kind: "value", value }));
    assert.deepEqual(plain.nodes[0]!.arguments, { gamma, label, rows });
    assert.deepEqual(await train.run({ rows: [1] }), { model: "1 2 undefined" });
    assert.deepEqual(first.plan().params, { seed: 1 });
  });

  test(`a params schema of ${library} refuses values by their path, and references`, () => {
    const loose = train as unknown as (args: object) => unknown;
    assert.throws(
      () => pipeline({ name: "p", build: () => void loose({ rows: [], gamma: "x", label: 3 }) }).plan(),
      (error: Error) => {
        assert.equal(error.name, "ValueError");
        assert.match(error.message, /params\.gamma: .*; found "x"/u);
        assert.match(error.message, /params\.label: .*; found 3/u);
        return true;
      },
    );
    const { size } = { size: () => source().size };
    for (const misplaced of ["gamma", "label"]) {
      assert.throws(() => pipeline({ name: "p", build: () => void loose({ rows: [], [misplaced]: size() }) }).plan(), {
        name: "DefinitionError",
        code: "RPS1013",
      });
    }
    assert.throws(() => first.plan({ seed: "1" as never }), {
      name: "ValueError",
      code: "RPS2002",
      message: /params\.seed/u,
    });
  });
}
