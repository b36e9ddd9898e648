import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { checkPlan } from "./check-plan.ts";
import { definedPipelines } from "./defined-pipelines.ts";
import { createPipelineFunction } from "./pipeline.ts";
import { singleOutput, type Argument, type Plan } from "./plan.ts";
import type { Ref } from "./reference.ts";
import { resolveNodeOptions } from "./resolve-options.ts";
import { step, type Step } from "./step.ts";

const calls: unknown[][] = [];
const pipeline = createPipelineFunction({
  run: (...given) => {
    calls.push(given);
    return Promise.reject(new Error("nothing runs here"));
  },
});

interface Split {
  readonly trainSet: number[];
  readonly testSet: number[];
}
const splitter = step({ name: "splitter", run: async (): Promise<Split> => ({ trainSet: [], testSet: [] }) });
const train = step({
  name: "train",
  params: z.object({ gamma: z.number().default(0.001) }),
  run: ({ trainSet, gamma }: { trainSet: number[]; gamma: number; note?: string }) => ({
    model: trainSet.length * gamma,
  }),
});
const score = step({
  name: "score",
  run: ({ model, rows = [] }: { model: number; rows?: number[] }) => model + rows.length,
});
const merge = step({ name: "merge", run: ({ scores }: { scores: number[] }) => Math.max(...scores) });
const save = step({ name: "save", run: async ({ model }: { model: number }) => void model });

const idsOf = (plan: Plan): string[] => plan.nodes.map((node) => node.id);
const ref = (node: string, output: string = singleOutput): Argument => ({ kind: "ref", node, output }) as Argument;
const nodeOf = (plan: Plan, id: string) => plan.nodes.find((node) => node.id === id)!;

test("a reference is an edge, a plain value a param with the schema's defaults beside it", () => {
  const plan = pipeline({
    name: "first",
    build() {
      const { trainSet } = splitter();
      const { model } = train({ trainSet, note: "n" });
      return { model, best: score({ model, rows: [1] }) };
    },
  }).plan();
  assert.deepEqual(idsOf(plan), ["splitter", "train", "score"]);
  assert.deepEqual(nodeOf(plan, "train").arguments, {
    gamma: { kind: "value", value: 0.001 },
    note: { kind: "value", value: "n" },
    trainSet: ref("splitter", "trainSet"),
  });
  assert.deepEqual(Object.keys(nodeOf(plan, "train").arguments), ["gamma", "note", "trainSet"]);
  assert.deepEqual(plan.outputs, { model: ref("train", "model"), best: ref("score") });
  checkPlan(plan);
});

test("params are validated, defaults filled in, and decide what is built", () => {
  const first = pipeline({
    name: "first",
    params: z.object({ repeat: z.number().default(1), save: z.boolean().default(false) }),
    build(params) {
      for (let count = 0; count < params.repeat; count++) splitter();
      if (params.save) save({ model: 1 });
    },
  });
  assert.deepEqual(first.plan().params, { repeat: 1, save: false });
  assert.deepEqual(idsOf(first.plan({ repeat: 3, save: true })), ["splitter", "splitter_2", "splitter_3", "save"]);
  assert.throws(() => first.plan({ repeat: "2" as never }), { name: "ValueError", code: "RPS2002" });
});

test("an argument that is undefined is as good as left out", () => {
  const plan = pipeline({ name: "p", build: () => score({ model: 1, rows: undefined as never }) }).plan();
  assert.deepEqual(Object.keys(plan.nodes[0]!.arguments), ["model"]);
});

test("a list that holds a reference is a fan-in, at any depth; a list of values is a value", () => {
  const plan = pipeline({
    name: "p",
    build() {
      const [a, b] = [score({ model: 1 }), score({ model: 2 })];
      merge({ scores: [a, 3, [b] as never] });
      merge({ scores: [1, 2] });
      return [a, b];
    },
  }).plan();
  const [value, list] = [
    (item: unknown): Argument => ({ kind: "value", value: item }),
    (items: Argument[]): Argument => ({ kind: "list", items }),
  ];
  assert.deepEqual(nodeOf(plan, "merge").arguments["scores"], list([ref("score"), value(3), list([ref("score_2")])]));
  assert.deepEqual(nodeOf(plan, "merge_2").arguments["scores"], value([1, 2]));
  assert.deepEqual(plan.outputs, { [singleOutput]: list([ref("score"), ref("score_2")]) });
});

test("a call names its node, and numbers go around names that are taken", () => {
  const plan = pipeline({
    name: "p",
    build() {
      splitter({}, { name: "splitter_2" });
      splitter();
      splitter();
      splitter({}, { name: "long" });
    },
  }).plan();
  assert.deepEqual(idsOf(plan), ["splitter_2", "splitter", "splitter_3", "long"]);
});

test("two steps of one name stand side by side when a call names one", () => {
  const other = step({ name: "splitter", run: () => 1 });
  const plan = pipeline({
    name: "p",
    build() {
      splitter();
      other({}, { name: "other" });
    },
  }).plan();
  assert.deepEqual(idsOf(plan), ["splitter", "other"]);
});

test("after takes outputs, results of steps and of pipelines, and lists of these", () => {
  const inner = pipeline({
    name: "inner",
    build() {
      save({ model: 1 });
      save({ model: 2 });
    },
  });
  const plan = pipeline({
    name: "p",
    build() {
      const split = splitter();
      const saved = save({ model: 1 });
      const all = inner();
      splitter({}, { after: [split.trainSet, [saved], all] });
    },
  }).plan();
  assert.deepEqual(nodeOf(plan, "splitter_2").after, ["splitter", "save", "inner/save", "inner/save_2"]);
});

test("after of a pipeline's call holds back the nodes that start it, and no others", () => {
  const inner = pipeline({
    name: "inner",
    build() {
      const { trainSet } = splitter();
      const { model } = train({ trainSet });
      return save({ model: 3 }, { after: model });
    },
  });
  const middle = pipeline({ name: "middle", build: () => void inner() });
  const plan = pipeline({ name: "p", build: () => void middle({}, { after: save({ model: 1 }) }) }).plan();
  assert.deepEqual(nodeOf(plan, "middle/inner/splitter").after, ["save"]);
  assert.deepEqual(nodeOf(plan, "middle/inner/train").after, []);
  assert.deepEqual(nodeOf(plan, "middle/inner/save").after, ["middle/inner/train"]);
});

test("a pipeline inside another one has its nodes under its name, each call under another", () => {
  const inner = pipeline({
    name: "inner",
    params: z.object({ gamma: z.number().default(2) }),
    build({ gamma, rows }: { gamma: number; rows: Ref<number[]> }) {
      const { model } = train({ trainSet: rows, gamma });
      return { model, size: score({ model }) };
    },
  });
  const plan = pipeline({
    name: "outer",
    build() {
      const { trainSet, testSet } = splitter();
      const { model } = inner({ rows: trainSet });
      inner({ rows: testSet, gamma: 3 });
      inner({ rows: [1] }, { name: "third" });
      return { model };
    },
  }).plan();
  assert.deepEqual(idsOf(plan).slice(1), [
    "inner/train",
    "inner/score",
    "inner_2/train",
    "inner_2/score",
    "third/train",
    "third/score",
  ]);
  assert.deepEqual(nodeOf(plan, "inner/train").arguments, {
    gamma: { kind: "value", value: 2 },
    trainSet: ref("splitter", "trainSet"),
  });
  assert.deepEqual(nodeOf(plan, "third/train").arguments["trainSet"], { kind: "value", value: [1] });
  assert.deepEqual(plan.outputs, { model: ref("inner/train", "model") });
});

test("options of each level stand in the plan side by side, those of inner pipelines first", () => {
  const inner = pipeline({ name: "inner", retry: 1, build: () => void splitter({}, { retry: 0 }) });
  const outer = pipeline({ name: "outer", cache: false, retry: 9, build: () => void inner({}, { timeout: "1s" }) });
  const [node] = outer.plan().nodes;
  assert.deepEqual(node!.callOptions, { retry: 0 });
  assert.deepEqual(node!.pipelineOptions, [{ timeout: "1s" }, { retry: 1 }, { cache: false, retry: 9 }]);
  assert.deepEqual(resolveNodeOptions(node!), {
    cache: "refresh",
    cacheLevel: "pipeline",
    expiresMs: undefined,
    retry: 0,
    timeoutMs: 1000,
    http: "revalidate",
  });
});

test("steps are passed to a pipeline as slots, with or without arguments of their own", () => {
  const slots = pipeline({
    name: "first_pipeline",
    params: z.object({ seed: z.number().default(1) }),
    build({
      step_1,
      step_2,
    }: {
      step_1: Step<object, Split>;
      step_2: Step<{ trainSet: number[] }, { model: number }>;
      seed: number;
    }) {
      const { trainSet } = step_1();
      return step_2({ trainSet });
    },
  });
  const filled = slots.with({ step_1: splitter, step_2: train.with({ gamma: 0.02 }) });
  const plan = filled.plan({ seed: 2 });
  assert.deepEqual(plan.params, { seed: 2, step_1: "splitter", step_2: "train" });
  assert.deepEqual(nodeOf(plan, "train").arguments["gamma"], { kind: "value", value: 0.02 });
  assert.equal(nodeOf(plan, "train").step, train.definition);
  assert.deepEqual(plan.outputs, { [singleOutput]: ref("train") });
});

test("the whole result of a step with declared outputs is all of them", () => {
  const declared = step({ name: "declared", outputs: { a: z.number(), b: z.number() }, run: () => ({ a: 1, b: 2 }) });
  const plan = pipeline({ name: "p", build: () => declared() }).plan();
  assert.deepEqual(plan.outputs, { a: ref("declared", "a"), b: ref("declared", "b") });
  const spread = pipeline({ name: "p", build: () => ({ ...declared() }) }).plan();
  assert.deepEqual(spread.outputs, plan.outputs);
});

test("a pipeline is found whether or not it is exported, and where it was defined", () => {
  pipeline({ name: "hidden", build: () => undefined });
  const { pipeline: found, sites } = definedPipelines().at(-1)!;
  assert.equal(found.definition.name, "hidden");
  assert.equal(sites[0]!.script, import.meta.url);
});

test("run hands the params as they were given to the executor, once the options are sure", async () => {
  const first = pipeline({ name: "first", build: ({ k }: { k: number }) => void k });
  await assert.rejects(first.run({ k: 1 }, { cache: false }), /nothing runs here/);
  assert.deepEqual(calls.at(-1)!.slice(1), [{ k: 1 }, { cache: false }]);
  assert.equal((calls.at(-1)![0] as typeof first).definition, first.definition);
  await assert.rejects(first.run({ k: 1 }, { cahce: false } as never), {
    code: "RPS1007",
    hint: 'Did you mean "cache"?',
  });
});

test("the names of a plan are unique, and its nodes stand behind what they depend on", () => {
  const inner = pipeline({
    name: "inner",
    build: ({ rows }: { rows: Ref<number[]> }) => train({ trainSet: rows }),
  });
  const action = fc.record({
    kind: fc.constantFrom("split", "train", "inner"),
    name: fc.option(fc.constantFrom("a", "splitter_2", "train_3", "inner"), { nil: undefined, freq: 6 }),
    from: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 25 }), (actions) => {
      const random = pipeline({
        name: "random",
        build() {
          const taken = new Set<string>();
          const rows = [splitter().trainSet];
          for (const { kind, name, from } of actions) {
            const options = name === undefined || taken.has(name) ? {} : { name };
            if (kind === "split") rows.push(splitter({}, options).trainSet);
            else
              (kind === "train" ? train : inner)(
                { trainSet: rows[from % rows.length]!, rows: rows[from % rows.length]! } as never,
                options,
              );
            if (options.name !== undefined) taken.add(options.name);
          }
        },
      });
      let plan: Plan;
      try {
        plan = random.plan();
      } catch (error) {
        // A name that numbering has already given away.
        assert.deepEqual(
          new Set((error as { problems: { code: string }[] }).problems.map(({ code }) => code)),
          new Set(["RPS1006"]),
        );
        return;
      }
      assert.equal(plan.nodes.length, actions.length + 1);
      assert.deepEqual(idsOf(plan), idsOf(random.plan()));
      const before = new Set<string>();
      for (const { id, arguments: args } of plan.nodes) {
        for (const argument of Object.values(args)) if (argument.kind === "ref") assert.ok(before.has(argument.node));
        assert.ok(!before.has(id));
        before.add(id);
      }
    }),
  );
});

test("an argument is what it was at the moment of its call, whatever the build does with it afterwards", () => {
  const rows: number[] = [];
  const growing = pipeline({
    name: "growing",
    build: () => {
      const model = train({ trainSet: splitter().trainSet }).model;
      for (const row of [1, 2]) {
        rows.push(row);
        score({ model, rows });
      }
    },
  });
  const plan = growing.plan();
  rows.push(3);
  assert.deepEqual(nodeOf(plan, "score").arguments["rows"], { kind: "value", value: [1] });
  assert.deepEqual(nodeOf(plan, "score_2").arguments["rows"], { kind: "value", value: [1, 2] });
});
