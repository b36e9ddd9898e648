/** What is inferred, as exact types. Nothing here runs. */
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import type { JsonValue } from "../../src/hash/json.ts";
import {
  createPipelineFunction,
  step,
  type Materializer,
  type NodeResult,
  type OutputHandle,
  type PipelineExecutor,
  type Ref,
  type Step,
  type ValueHandle,
} from "../../src/define/index.ts";
import { markdown, tensor, type Tensor, type TextDocument } from "../../src/materializer/index.ts";

declare const executor: PipelineExecutor;
declare const table: Materializer<Row[]>;
const pipeline = createPipelineFunction(executor);

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function expectType<Expected>(): <Actual>(actual: Actual, same: Same<Actual, Expected>) => void;

interface Row {
  readonly target: number;
  readonly features: readonly number[];
}
interface Split {
  trainSet: Row[];
  testSet: Row[];
}
declare const row: Row;
interface Model {
  readonly weights: Float64Array;
}

const splitter = step({
  name: "simple_data_splitter",
  run: async (): Promise<Split> => ({ trainSet: [], testSet: [] }),
});

const trainSvc = step({
  name: "parameterized_svc_trainer",
  params: z.object({ gamma: z.number().positive().default(0.001) }),
  run: async ({ trainSet, testSet, gamma }: Split & { gamma: number }, { log, metric, signal }) => {
    log(`${trainSet.length} ${testSet.length} ${gamma} ${signal.aborted}`);
    metric("test_accuracy", 1);
    return { model: { weights: new Float64Array() } as Model, accuracy: 0.5 };
  },
});

const trainTree = step({
  name: "parameterized_tree_trainer",
  run: ({ trainSet }: Split) => ({ model: { weights: Float64Array.of(trainSet.length) } as Model, accuracy: 1 }),
});

// The light form.
const count = step({ name: "count", run: ({ rows, from = 0 }: { rows: Row[]; from?: number }) => rows.length - from });
const dates = step({ name: "dates", run: () => new Date(0) });
const save = step({ name: "save", run: async ({ model }: { model: Model }) => void model });
const merge = step({
  name: "merge",
  run: ({ scores }: { scores: readonly number[] }) => ({ best: Math.max(...scores) }),
});
const table2 = step({ name: "grid", run: ({ cells }: { cells: number[][] }) => cells.flat() });

// Kinds of results.
class Classifier {
  readonly depth = 3;
  predict(row: Row): number {
    return row.target;
  }
}
const kinds = {
  list: step({ name: "list", run: () => [1, 2] }),
  map: step({ name: "map", run: async () => new Map<string, number>() }),
  typed: step({ name: "typed", run: () => new Uint8Array(3) }),
  text: step({ name: "text", run: () => "a" as const }),
  maybe: step({ name: "maybe", run: (): Row | undefined => undefined }),
  instance: step({ name: "instance", run: () => new Classifier() }),
  partial: step({ name: "partial", run: (): { model?: Model } => ({}) }),
  json: step({ name: "json", run: ({ value }: { value: JsonValue }) => ({ value }) }),
  tuple: step({ name: "tuple", run: ({ pair }: { pair: readonly [number, Row] }) => pair[0] }),
  unknown: step({ name: "unknown", run: ({ value }: { value: unknown }) => value }),
  nothing: step({ name: "nothing", run: async () => {} }),
  report: step({ name: "report", run: () => markdown("# Report") }),
  vectors: step({ name: "vectors", run: () => tensor({ data: new Float32Array(4), shape: [2, 2] }) }),
};

// Types that come from declarations.
const declared = step({
  name: "declared",
  params: v.object({ k: v.optional(v.number(), 3), mode: v.picklist(["fast", "exact"]) }),
  inputs: { rows: table, limit: z.string().transform(Number) },
  outputs: { kept: table, share: z.number() },
  run: ({ rows, limit, k, mode }) => {
    expectType<Row[]>()(rows, true);
    expectType<number>()(limit, true);
    expectType<number>()(k, true);
    expectType<"fast" | "exact">()(mode, true);
    return { kept: rows.slice(0, limit), share: 0.5 };
  },
});
const ark = step({
  name: "ark",
  params: type({ gamma: "number = 0.001", "label?": "string" }),
  outputs: table,
  run: ({ gamma, label }) => {
    expectType<number>()(gamma, true);
    expectType<string | undefined>()(label, true);
    return [] as Row[];
  },
});

export const firstPipeline = pipeline({
  name: "first_pipeline",
  params: z.object({ gamma: z.number().default(0.001), trainer: z.enum(["svc", "decision_tree"]).default("svc") }),
  build({ gamma, trainer }) {
    expectType<number>()(gamma, true);
    expectType<"svc" | "decision_tree">()(trainer, true);
    const { trainSet, testSet } = splitter();
    expectType<Ref<Row[]>>()(trainSet, true);
    const { model, accuracy } =
      trainer === "svc" ? trainSvc({ trainSet, testSet, gamma }) : trainTree({ trainSet, testSet });
    expectType<Ref<Model>>()(model, true);
    expectType<Ref<number>>()(accuracy, true);
    return { model, accuracy };
  },
});

export const everything = pipeline({
  name: "everything",
  build() {
    const { trainSet, testSet } = splitter({}, { cache: false, name: "long" });
    expectType<Ref<number>>()(count({ rows: trainSet }), true);
    expectType<Ref<number>>()(count({ rows: [], from: count({ rows: testSet }) }), true);
    expectType<Ref<Date>>()(dates(), true);
    const { model } = trainSvc({ trainSet, testSet });
    const saved = save({ model });
    expectType<NodeResult>()(saved, true);
    const scores = [count({ rows: trainSet }), 3, count({ rows: testSet }, { after: [saved, model, [trainSet]] })];
    const { best } = merge({ scores });
    expectType<Ref<number>>()(best, true);
    table2({ cells: [[1, best], [2]] });
    const { kept, share } = declared({ rows: trainSet, limit: "3", mode: "fast" });
    expectType<Ref<Row[]>>()(kept, true);
    expectType<Ref<number>>()(share, true);
    expectType<Ref<Row[]>>()(ark(), true);
    expectType<Ref<Row[]>>()(ark({ gamma: 2, label: "x" }), true);
    const inner = firstPipeline({ gamma: 0.1 }, { name: "inner", after: saved });
    expectType<Ref<Model>>()(inner.model, true);
    return { model: inner.model, all: [kept, trainSet], plain: 3 };
  },
});

export const kindsOfResults = pipeline({
  name: "kinds",
  build() {
    const text = kinds.text();
    expectType<Ref<number[]>>()(kinds.list(), true);
    expectType<Ref<Map<string, number>>>()(kinds.map(), true);
    expectType<Ref<Uint8Array<ArrayBuffer>>>()(kinds.typed(), true);
    expectType<Ref<"a">>()(text, true);
    expectType<Ref<Row | undefined>>()(kinds.maybe(), true);
    expectType<Ref<Classifier>>()(kinds.instance(), true);
    expectType<Ref<Model | undefined>>()(kinds.partial().model, true);
    expectType<Ref<JsonValue>>()(kinds.json({ value: [text, { a: [1] }] }).value, true);
    expectType<Ref<number>>()(kinds.tuple({ pair: [kinds.tuple({ pair: [1, row] }), row] }), true);
    expectType<Ref<unknown>>()(kinds.unknown({ value: text }), true);
    expectType<NodeResult>()(kinds.nothing(), true);
    expectType<Ref<TextDocument<"markdown">>>()(kinds.report(), true);
    expectType<Ref<Tensor<Float32Array<ArrayBuffer>>>>()(kinds.vectors(), true);
  },
});

// Steps as slots.
export const slots = pipeline({
  name: "slots",
  params: z.object({ seed: z.number().default(1) }),
  build({
    step_1,
    step_2,
    seed,
  }: {
    step_1: Step<object, Split>;
    step_2: Step<Split, { model: Model }>;
    seed: number;
  }) {
    expectType<number>()(seed, true);
    const { trainSet, testSet } = step_1();
    return step_2({ trainSet, testSet });
  },
});
export const filled = slots.with({ step_1: splitter, step_2: trainSvc.with({ gamma: 0.01 }) });

// References as params of an inner pipeline; given as values from outside.
export const evaluate = pipeline({
  name: "evaluate",
  build: ({ rows, models, label }: { rows: Ref<Row[]>; models: Ref<Model>[]; label: string }) => {
    void label;
    void models;
    return count({ rows });
  },
});
export const outer = pipeline({
  name: "outer",
  build() {
    const { trainSet, testSet } = splitter();
    const { model } = trainSvc({ trainSet, testSet });
    const size = evaluate({ rows: trainSet, models: [model], label: "x" });
    expectType<Ref<number>>()(size, true);
  },
});

export async function look(): Promise<void> {
  const run = await firstPipeline.run({ gamma: 0.02 });
  expectType<Promise<Model>>()(run.outputs.model.load(), true);
  expectType<OutputHandle<number>>()(run.outputs.accuracy, true);
  await firstPipeline.run();
  await firstPipeline.run({ gamma: 0.02 }, { cache: false, tags: { a: "b" }, reporter: "silent" });
  const all = await everything.run();
  expectType<ValueHandle<Row[][]>>()(all.outputs.all, true);
  expectType<ValueHandle<number>>()(all.outputs.plain, true);
  const slotRun = await filled.run({ seed: 3 });
  expectType<OutputHandle<Model>>()(slotRun.outputs.model, true);
  const evaluated = await evaluate.run({ rows: [], models: [], label: "" });
  expectType<OutputHandle<number>>()(evaluated.outputs.output, true);
  const result = await trainSvc.run({ trainSet: [], testSet: [] });
  expectType<Model>()(result.model, true);
  expectType<number>()(await count.run({ rows: [] }), true);
}

// Secrets are named, and change no type.
const ask = step({
  name: "ask",
  params: z.object({ apiKey: z.string(), count: z.number().default(1) }),
  secrets: ["apiKey"],
  run: ({ apiKey, count }) => ({ answer: apiKey.repeat(count) }),
});
const askLightly = step({
  name: "ask_lightly",
  secrets: { apiKey: "ignore" },
  run: ({ apiKey }: { apiKey?: string; rows: Row[] }) => apiKey ?? "",
});
export const secret = pipeline({
  name: "secret",
  params: z.object({ apiKey: z.string() }),
  secrets: ["apiKey"],
  build({ apiKey }) {
    expectType<string>()(apiKey, true);
    expectType<Ref<string>>()(ask({ apiKey }).answer, true);
    return askLightly({ apiKey, rows: [row] });
  },
});
expectType<Step<{ rows: Row[]; apiKey?: string }, string>>()(askLightly, true);
