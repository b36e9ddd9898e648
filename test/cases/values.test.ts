/** Identity of values and parameters. */
import assert from "node:assert/strict";

import { test } from "node:test";
import { createPipelineFunction, planPipeline, step, type AnyPipeline } from "../../src/define/index.ts";
import { table, tensor } from "../../src/materializer/index.ts";
import { makePorts } from "../rig/ports.ts";
import { cached, Playground, playOn, single, type Played } from "./playground.ts";
import type { Stack } from "../../src/stack/stack.ts";

const pipeline = createPipelineFunction({
  run: () => {
    throw new Error("these tests run plans");
  },
});

/** A pipeline whose one step is given each value in turn, on one store: which of them found an earlier one's result. */
async function playValues(values: readonly unknown[]): Promise<readonly boolean[]> {
  const ports = makePorts();
  const take = step({ name: "take", run: ({ value }: { value: unknown }) => ({ taken: typeof value }) });
  const main = pipeline({ name: "main", build: ({ value }: { value: unknown }) => take({ value }) });
  const hits: boolean[] = [];
  for (const value of values) {
    const plan = planPipeline(main as unknown as AnyPipeline, { value });
    const { steps } = await playOn(plan, ports as unknown as Stack);
    assert.match(steps[0]!, /^take (?:cached|completed): /u);
    hits.push(steps[0] === "take cached: same-fingerprint");
  }
  return hits;
}

/** The same for values that one step returns and another takes. */
async function playOutputs(values: readonly (() => unknown)[]): Promise<readonly boolean[]> {
  const ports = makePorts();
  const make = step({ name: "make", run: ({ nth }: { nth: number }) => ({ value: values[nth]!() }) });
  const take = step({ name: "take", run: ({ value }: { value: unknown }) => ({ taken: typeof value }) });
  const main = pipeline({
    name: "main",
    build: ({ nth }: { nth: number }) => take({ value: make({ nth }).value }),
  });
  const hits: boolean[] = [];
  for (const nth of values.keys()) {
    const { steps } = await playOn(planPipeline(main as unknown as AnyPipeline, { nth }), ports as unknown as Stack);
    assert.match(steps[1]!, /^take (?:cached|completed): /u);
    hits.push(steps[1] === "take cached: same-output-upstream");
  }
  return hits;
}

/** Values that must all be told apart, and after them values that equal the first; as params and as outputs of a step. */
const told: Readonly<Record<string, { readonly apart: () => unknown[]; readonly same?: () => unknown[] }>> = {
  "B1: 0 and -0 are two values": { apart: () => [0, -0], same: () => [0] },
  "B2: NaN, Infinity and null are three values, and NaN is equal to itself": {
    apart: () => [Number.NaN, null, Infinity, -Infinity],
    same: () => [Number.NaN],
  },
  "B3: undefined, null, nothing and a missing key are told apart": {
    apart: () => [[undefined], [null], Array(1), [], { a: undefined }, { a: null }, {}],
  },
  "B6: 1, 1n, '1' and true are four values": { apart: () => [1, 1n, "1", true] },
  "B7: a Date is not its text, and an invalid one not null": {
    apart: () => [new Date(0), new Date(0).toISOString(), new Date(Number.NaN), null, 0],
    same: () => [new Date("1970-01-01T01:00:00+01:00")],
  },
  "B8: an empty Map, Set, record and list are four values": { apart: () => [new Map(), new Set(), {}, []] },
  "B9: the order of a Map and of a Set is part of it": {
    apart: () => [
      new Map([
        ["a", 1],
        ["b", 2],
      ]),
      new Map([
        ["b", 2],
        ["a", 1],
      ]),
      new Set(["a", "b"]),
      new Set(["b", "a"]),
    ],
  },
  "B10: equal bytes under another type of array are another value": {
    apart: () => [
      new Int8Array(8),
      new Uint8Array(8),
      new Uint8ClampedArray(8),
      new Float32Array(2),
      new Float64Array(1),
      new BigInt64Array(1),
      new Uint8Array(8).buffer,
    ],
    same: () => [new Int8Array(16).subarray(8)],
  },
};

for (const [name, { apart, same = () => [] }] of Object.entries(told)) {
  test(name, async () => {
    const expected = [...apart().map(() => false), ...same().map(() => true)];
    assert.deepEqual(await playValues([...apart(), ...same()]), expected, "as params");
    const makers = [...apart().map((_, at) => () => apart()[at]), ...same().map((_, at) => () => same()[at])];
    assert.deepEqual(await playOutputs(makers), expected, "as outputs");
  });
}

test("B5: the order of a param's keys is no part of it", async () => {
  assert.deepEqual(
    await playValues([
      { a: 1, b: { c: 2, d: 3 } },
      { b: { d: 3, c: 2 }, a: 1 },
    ]),
    [false, true],
  );
});

test("B11: equal bytes in another shape are another value", async () => {
  const data = new Float32Array([1, 2, 3, 4, 5, 6]);
  const shapes = [[2, 3], [3, 2], [6], [1, 6], [2, 3]];
  const hits = await playOutputs(shapes.map((shape) => () => tensor({ data, shape })));
  assert.deepEqual(hits, [false, false, false, false, true]);
});

class A {
  x = 1;
}
class B {
  x = 1;
}

async function refused(values: readonly unknown[], message: RegExp): Promise<void> {
  for (const value of values) await assert.rejects(playValues([{ deep: [value] }]), message);
}

test("B13: an instance of a class is refused, and never taken for a record or for another class", async () => {
  await refused([new A(), new B()], /deep\[0\] is an instance of [AB]/u);
  assert.deepEqual(await playValues([{ x: 1 }, { x: 1 }]), [false, true]);
});

test("B17: functions of equal text and other closures are two: each step of a factory gives its own", async () => {
  using project = Playground.open({
    "pipeline.ts": `
import { pipeline, step } from "reprise";
const by = (factor: number) => () => 10 * factor;
const [one, other] = [by(1), by(2)];
const first = step({ name: "first", run: () => one() });
const second = step({ name: "second", run: () => other() });
export const main = pipeline({ name: "main", build: () => ({ first: first(), second: second() }) });
`,
  });
  assert.deepEqual((await project.play()).outputs, { first: 10, second: 20 });
  project.edit("pipeline.ts", "by(2)", "by(3)");
  assert.deepEqual((await project.play()).outputs, { first: 10, second: 30 });
  await refused([() => 1], /is a function/u);
});

test("B18: flags of an expression count and its lastIndex does not; symbols and errors are refused", async () => {
  const used = /a/gu;
  used.lastIndex = 1;
  assert.deepEqual(await playValues([/a/gu, /a/u, /b/gu, used]), [false, false, false, true]);
  await refused([Symbol("s")], /is a symbol/u);
  await refused([new TypeError("one")], /is an error/u);
});

test("B19: code of a value is not run by looking at it: getters, toJSON and proxies are refused", async () => {
  let ran = 0;
  const trap = (): never => {
    ran += 1;
    throw new Error("code of the value was run");
  };
  const getter = {
    get x() {
      return trap();
    },
  };
  class Json {
    toJSON(): string {
      return trap();
    }
  }
  const proxy = new Proxy({}, { get: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap });
  const ports = makePorts();
  for (const value of [getter, new Json(), proxy]) {
    const make = step({ name: "make", run: () => ({ value }) });
    const main = pipeline({ name: "main", build: () => make() });
    const { steps, told: said } = await playOn(planPipeline(main as unknown as AnyPipeline), ports as unknown as Stack);
    assert.match(steps[0]!, /^make failed: /u);
    assert.match(said, /output "value"(?: at \.x)? is (?:a getter|an instance of Json|a proxy)/u);
  }
  assert.equal(ran, 0);
});

test("B21: a cycle is told from another one, and equal to one of the same form", async () => {
  const ring = (size: number): object => {
    const first: { next?: object } = {};
    let last = first;
    for (let at = 1; at < size; at += 1) last = last.next = {};
    last.next = first;
    return first;
  };
  const withTail: { next: object; tail: number } = { next: {}, tail: 1 };
  withTail.next = withTail;
  assert.deepEqual(await playValues([ring(1), withTail, ring(1)]), [false, false, true]);
  assert.deepEqual(await playOutputs([() => ring(1), () => withTail, () => ring(1)]), [false, false, true]);
});

test("B23: a boxed value and a URL are themselves; what holds no value that could be compared is refused", async () => {
  const values = [Object(1), 1, new URL("http://a/"), "http://a/", new URLSearchParams("a=1"), Object(1)];
  assert.deepEqual(await playValues(values), [false, false, false, false, false, true]);
  await refused([new WeakMap()], /is a WeakMap/u);
  await refused([Promise.resolve(1)], /is a promise/u);
  await refused([new ReadableStream()], /is a stream/u);
  await refused([new Intl.NumberFormat("en")], /is an instance of NumberFormat/u);
  const generator = (async function* () {
    yield await Promise.resolve(1);
  })();
  await refused([generator], /is a(?:n async)? generator/u);
});

test("B24: a table with a column renamed, or with two columns exchanged, is another table", async () => {
  const rows = [
    { a: 1, b: 2 },
    { a: 3, b: 4 },
  ];
  const hits = await playOutputs([
    () => table(rows),
    () => table(rows.map(({ a, b }) => ({ a, c: b }))),
    () => table(rows.map(({ a, b }) => ({ b, a }))),
    () => table(rows.map(({ a, b }) => ({ a: b, b: a }))),
    () => table(rows.toReversed()),
    () => table(rows),
  ]);
  assert.deepEqual(hits, [false, false, false, false, false, true]);
});

/** A project whose step takes two params, with a schema that knows a default. */
const withDefaults = {
  "pipeline.ts": `
import { pipeline, step } from "reprise";
const schema = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => ({ value: { limit: 2, ...(value as object) } }),
  },
} as const;
const work = step({
  name: "work",
  params: schema,
  run: ({ size, limit }: { size: number; limit: number }) => size * limit,
});
export const main = pipeline({
  name: "main",
  build: ({ size, limit, bare = 5 }: { size: number; limit?: number; bare?: number }) => ({
    y: work(limit === undefined ? { size } : { limit, size }),
    bare,
  }),
});
`,
};

test("B25: a default that is given is one that is left out, and the order of params is no part of them", async () => {
  using project = Playground.open(withDefaults);
  assert.deepEqual((await project.play({ params: { size: 3 } })).outputs, { y: 6, bare: 5 });
  for (const params of [
    { size: 3, limit: 2 },
    { limit: 2, size: 3 },
    { size: 3, bare: 5 },
  ]) {
    assert.deepEqual((await project.play({ params })).steps, cached);
  }
  project.edit(
    "pipeline.ts",
    "{ size, limit }: { size: number; limit: number }",
    "{ limit, size }: { limit: number; size: number }",
  );
  const { outputs } = await project.play({ params: { size: 3 } });
  assert.deepEqual(outputs, { y: 6, bare: 5 });
});

test("B26: a default that is changed runs the calls again that left it out: in a build no others, in a step's schema all", async () => {
  using built = Playground.open({
    "pipeline.ts": `
import { pipeline, step } from "reprise";
const work = step({ name: "work", run: ({ size, limit }: { size: number; limit: number }) => size * limit });
export const main = pipeline({
  name: "main",
  build: ({ size, limit = 2 }: { size: number; limit?: number }) => ({ y: work({ size, limit }) }),
});
`,
  });
  const [leftOut, given] = [{ size: 3 }, { size: 3, limit: 4 }];
  assert.deepEqual((await built.play({ params: leftOut })).outputs, { y: 6 });
  await built.play({ params: given });
  built.edit("pipeline.ts", "limit = 2", "limit = 3");
  const again = await built.play({ params: leftOut });
  assert.deepEqual([again.steps, again.outputs], [["work completed: param"], { y: 9 }]);
  assert.deepEqual((await built.play({ params: given })).steps, cached);

  using project = Playground.open(withDefaults);
  await project.play({ params: leftOut });
  await project.play({ params: given });
  project.edit("pipeline.ts", "limit: 2, ...", "limit: 3, ...");
  for (const [params, y] of [
    [leftOut, 9],
    [given, 12],
  ] as const) {
    const { steps, outputs } = await project.play({ params });
    assert.match(steps[0]!, /^work completed: /u);
    assert.deepEqual(outputs, { y, bare: 5 });
  }
});

const changing = `
import { step } from "reprise";
export const make = step({ name: "make", run: () => ({ list: [1, 2] }) });
export const spoil = step({ name: "spoil", run: ({ list }: { list: number[] }) => ({ length: list.push(3) }) });
export const sum = step({
  name: "sum",
  run: ({ list, after }: { list: number[]; after: number }) => list.reduce((a, b) => a + b, after * 0),
});
`;
const sharing = `
import { pipeline } from "reprise";
import { make, spoil, sum } from "./steps.ts";
export const main = pipeline({
  name: "main",
  build: () => {
    const { list } = make();
    const { length } = spoil({ list });
    return { list, sum: sum({ list, after: length }) };
  },
});
`;

async function playSharing(): Promise<Played> {
  using project = Playground.open({ "pipeline.ts": sharing, "steps.ts": changing });
  await project.play({ jobs: 1 });
  project.edit("steps.ts", "after * 0)", "after * 0 + 0)");
  return await project.play({ jobs: 1 });
}

test("B29: a step that changes its argument changes it for nobody else", async () => {
  const { outputs } = await playSharing();
  assert.equal(outputs["sum"], 3);
});

test("B30: a stored value is handed out as it was stored, whatever an earlier consumer did to it", async () => {
  const { steps, outputs } = await playSharing();
  assert.deepEqual(steps.slice(0, 2), ["make cached: same-fingerprint", "spoil cached: same-fingerprint"]);
  assert.deepEqual(outputs, { list: [1, 2], sum: 3 });
});

async function playUnstorable(expression: string, message: RegExp): Promise<void> {
  using project = Playground.open({
    "pipeline.ts": single,
    "steps.ts": `
import { createReadStream } from "node:fs";
import { step } from "reprise";
export const work = step({ name: "work", run: () => ({ output: ${expression} }) as never });
void createReadStream;
`,
  });
  for (let turn = 0; turn < 2; turn += 1) {
    const { steps, told: said, outputs } = await project.play();
    assert.match(steps[0]!, /^work failed: /u);
    assert.match(said, message);
    assert.deepEqual(outputs, {});
  }
}

test("B32: a stream or a generator is no result, neither whole nor in parts", async () => {
  await playUnstorable("(function* () { yield 1; throw new Error('midway'); })()", /is a generator/u);
  await playUnstorable("new ReadableStream()", /is a stream/u);
});

test("B33: a result that cannot be stored fails its step, with the place inside of it", async () => {
  await playUnstorable("{ layers: [{}, { weights: new WeakMap() }] }", /layers\[1\]\.weights is a WeakMap/u);
});
