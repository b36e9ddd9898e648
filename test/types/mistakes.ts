/** Mistakes that the compiler refuses, each at the place where it is made. Nothing here runs. */
import { z } from "zod";
import {
  createPipelineFunction,
  step,
  type Materializer,
  type PipelineExecutor,
  type Ref,
  type Step,
} from "../../src/define/index.ts";

import { file } from "../../src/materializer/index.ts";

declare const executor: PipelineExecutor;
declare const table: Materializer<number[]>;
const pipeline = createPipelineFunction(executor);

interface Split {
  trainSet: number[];
  testSet: number[];
}
const splitter = step({ name: "splitter", run: async (): Promise<Split> => ({ trainSet: [], testSet: [] }) });
const train = step({
  name: "train",
  params: z.object({ gamma: z.number().default(0.001) }),
  run: ({ trainSet, gamma }: { trainSet: number[]; gamma: number }) => ({
    model: "model",
    accuracy: trainSet.length * gamma,
  }),
});
const report = step({ name: "report", run: ({ text }: { text: string }) => text });
const finish = step({ name: "finish", run: async ({ model }: { model: string }) => void model });
const merge = step({ name: "merge", run: ({ scores }: { scores: number[] }) => Math.max(...scores) });
const first = pipeline({
  name: "first",
  params: z.object({ gamma: z.number().default(0.001), seed: z.number() }),
  build: ({ gamma }) => train({ trainSet: splitter().trainSet, gamma }),
});

export const edges = pipeline({
  name: "edges",
  build() {
    const { trainSet } = splitter();
    const { model, accuracy } = train({ trainSet });
    // @ts-expect-error 1: a wrong edge, a number where a text is taken
    report({ text: accuracy });
    // @ts-expect-error 2: a missing argument
    train({ gamma: 1 });
    // @ts-expect-error 3: no arguments at all
    train();
    // @ts-expect-error 4: an unknown argument
    train({ trainSet, gama: 1 });
    // @ts-expect-error 50: an argument of a step that takes none
    splitter({ seed: 1 });
    // @ts-expect-error 5: a plain value of another type
    train({ trainSet: "rows" });
    // @ts-expect-error 6: a reference where the params schema checks a plain value
    train({ trainSet, gamma: accuracy });
    // @ts-expect-error 7: an output that the step does not return
    const { modell } = train({ trainSet });
    // @ts-expect-error 8: a whole result where one output is taken
    report({ text: train({ trainSet }) });
    // @ts-expect-error 9: one wrong reference in a fan-in
    merge({ scores: [accuracy, model] });
    // @ts-expect-error 10: arguments by position
    train(trainSet, 0.1);
    // @ts-expect-error 11: an output of a step that returns nothing
    const { done } = finish({ model });
    return { modell, done };
  },
});

export const values = pipeline({
  name: "values",
  build() {
    const { trainSet, testSet } = splitter();
    const { model, accuracy } = train({ trainSet });
    // @ts-expect-error 12: arithmetic on a reference
    const twice = accuracy * 2;
    // @ts-expect-error 13: a comparison
    const good = accuracy > 0.9;
    // @ts-expect-error 14: equality with a value
    const exact = model === "model";
    // @ts-expect-error 15: the truth of a reference
    if (accuracy) merge({ scores: [1] });
    // @ts-expect-error 16: a member of a value
    const size = trainSet.at;
    // @ts-expect-error 48: a member that functions have as well
    merge({ scores: [trainSet.length] });
    // @ts-expect-error 17: a method of a value
    const upper = model.toUpperCase();
    // @ts-expect-error 18: iteration
    for (const row of testSet) merge({ scores: [row] });
    // @ts-expect-error 19: spread into a list
    merge({ scores: [...trainSet] });
    // @ts-expect-error 20: destructuring by position
    const [one] = splitter();
    return { twice, good, exact, size, upper, one };
  },
});

export const options = pipeline({
  name: "options",
  // @ts-expect-error 21: a cache mode that does not exist
  cache: "never",
  build() {
    const { trainSet } = splitter();
    // @ts-expect-error 22: an unknown option of a call
    train({ trainSet }, { cahce: false });
    // @ts-expect-error 23: a duration without a unit
    train({ trainSet }, { expires: "7" });
    // @ts-expect-error 24: an order that names no call
    train({ trainSet }, { after: "splitter" });
    // @ts-expect-error 52: a policy that does not exist
    train({ trainSet }, { http: "never" });
    // @ts-expect-error 53: a ttl without a unit
    train({ trainSet }, { http: { ttl: "1" } });
    // @ts-expect-error 54: a path that does not say what it is of
    train({ trainSet }, { reads: ["prices.csv"] });
    // @ts-expect-error 55: a kind of read that does not exist
    train({ trainSet }, { reads: [{ fil: "prices.csv" }] });
    // @ts-expect-error 56: two reads in one record
    train({ trainSet }, { reads: [{ file: "prices.csv", env: "MODEL" }] });
    // @ts-expect-error 25: an option of runs
    train({ trainSet }, { reporter: "plain" });
  },
});

export const definitions = [
  // @ts-expect-error 26: an empty name
  step({ name: "", run: () => 1 }),
  // @ts-expect-error 27: a name with a separator
  step({ name: "a/b", run: () => 1 }),
  // @ts-expect-error 28: no function
  step({ name: "a" }),
  // @ts-expect-error 29: an unknown option
  step({ name: "a", run: () => 1, retries: 3 }),
  // @ts-expect-error 57: an address without a scheme
  step({ name: "a", run: () => 1, reads: [{ url: "example.com" }] }),
  // @ts-expect-error 58: a function that returns no list of reads
  step({ name: "a", run: () => 1, reads: () => "prices.csv" }),
  // @ts-expect-error 65: a file that a step returns in the place of one that it reads
  step({ name: "a", run: () => 1, reads: [file("prices.csv")] }),
  // @ts-expect-error 30: inputs by position
  step({ name: "a", run: (rows: number[]) => rows }),
  // @ts-expect-error 31: a function that takes another type than its params schema yields
  step({ name: "a", params: z.object({ gamma: z.string() }), run: ({ gamma }: { gamma: number }) => gamma }),
  // @ts-expect-error 32: a declared input of another type
  step({ name: "a", inputs: { rows: table }, run: ({ rows }: { rows: string }) => rows }),
  // @ts-expect-error 33: an output of another type than declared
  step({ name: "a", outputs: { rows: table }, run: () => ({ rows: "rows" }) }),
  // @ts-expect-error 34: a declared output that is not returned
  step({ name: "a", outputs: { rows: table, more: table }, run: async () => ({ rows: [1] }) }),
  // @ts-expect-error 35: params that are no schema
  step({ name: "a", params: { gamma: 1 }, run: () => 1 }),
];

// @ts-expect-error 36: an asynchronous build
export const asynchronous = pipeline({ name: "a", build: async () => splitter() });

export const wholeOutput = pipeline({
  name: "whole_output",
  // @ts-expect-error 37: a whole result beside other outputs
  build: () => ({ split: splitter(), other: train({ trainSet: [] }).model }),
});

export const slots = pipeline({
  name: "slots",
  build: ({ trainer }: { trainer: Step<{ trainSet: number[] }, { model: string }> }) => trainer({ trainSet: [] }),
});
export const filled = [
  slots.with({ trainer: train }),
  // @ts-expect-error 38: a step that takes something else in a slot
  slots.with({ trainer: report }),
  // @ts-expect-error 39: a step that returns something else in a slot
  slots.with({ trainer: splitter }),
];

export const inner = pipeline({
  name: "inner",
  build: ({ rows, label }: { rows: Ref<number[]>; label: string }) => merge({ scores: rows }) && label,
});
export const nested = pipeline({
  name: "nested",
  build() {
    const { trainSet } = splitter();
    // @ts-expect-error 40: a reference where an inner pipeline's build takes a value
    inner({ rows: trainSet, label: report({ text: "" }) });
    // @ts-expect-error 41: a reference to another type
    inner({ rows: report({ text: "" }), label: "" });
  },
});

export const silent = pipeline({ name: "silent", build: () => void splitter() });

export async function runs(): Promise<void> {
  // @ts-expect-error 42: a param that has no default is missing
  await first.run();
  // @ts-expect-error 51: a param of a pipeline that takes none
  await silent.run({ gamma: 1 });
  // @ts-expect-error 43: a param of another type
  await first.run({ seed: "1" });
  // @ts-expect-error 44: an unknown option of a run
  await first.run({ seed: 1 }, { cahce: true });
  const run = await first.run({ seed: 1 });
  // @ts-expect-error 45: an output that the build does not return
  await run.outputs.modell.load();
  // @ts-expect-error 46: a loaded value of another type
  const count: number = await run.outputs.model.load();
  // @ts-expect-error 49: an output of a build that returns none
  await (await silent.run()).outputs.model.load();
  // @ts-expect-error 47: a unit test without an input
  await train.run({ gamma: count });
}

export const secrets = [
  step({
    name: "a",
    params: z.object({ apiKey: z.string(), count: z.number().default(1) }),
    // @ts-expect-error 59: a secret that is no param
    secrets: ["apiKye"],
    run: ({ apiKey, count }) => apiKey.length + count,
  }),
  step({
    name: "a",
    // @ts-expect-error 60: a secret that is no argument
    secrets: ["apiKye"],
    run: ({ apiKey }: { apiKey: string }) => apiKey.length,
  }),
  // @ts-expect-error 61: a use of a secret that does not exist
  step({ name: "a", secrets: { apiKey: "skip" }, run: ({ apiKey }: { apiKey: string }) => apiKey.length }),
  // @ts-expect-error 62: a use of what is no argument
  step({ name: "a", secrets: { apiKye: "ignore" }, run: ({ apiKey }: { apiKey: string }) => apiKey.length }),
  pipeline({
    name: "a",
    params: z.object({ apiKey: z.string() }),
    // @ts-expect-error 63: a secret that is no param of the pipeline
    secrets: ["apiKye"],
    build: ({ apiKey }) => report({ text: apiKey }),
  }),
  pipeline({
    name: "a",
    // @ts-expect-error 64: what a secret is to a result is for a step to say
    secrets: { apiKey: "ignore" },
    build: ({ apiKey }: { apiKey: string }) => report({ text: apiKey }),
  }),
];
