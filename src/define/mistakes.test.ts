import assert from "node:assert/strict";
import { basename } from "node:path";
import { test, type TestContext } from "node:test";
import { inspect } from "node:util";
import * as v from "valibot";
import { z } from "zod";
import { DefinitionError, RepriseError, type Problem } from "../error.ts";
import { createPipelineFunction } from "./pipeline.ts";
import { step } from "./step.ts";

const pipeline = createPipelineFunction({ run: () => Promise.reject(new Error("nothing runs here")) });

const splitter = step({ name: "splitter", run: async () => ({ trainSet: [1], testSet: [2] }) });
const train = step({
  name: "train",
  params: z.object({ gamma: z.number().positive().default(0.001), mode: z.enum(["fast", "exact"]).optional() }),
  run: ({ trainSet, gamma }: { trainSet: number[]; gamma: number }) => ({ model: gamma, accuracy: trainSet.length }),
});
const declared = step({
  name: "declared",
  inputs: { rows: z.array(z.number()) },
  outputs: { kept: z.array(z.number()), share: z.number() },
  run: ({ rows }) => ({ kept: rows, share: 1 }),
});
const finish = step({ name: "finish", run: () => {} });

// What the types refuse, and plain JavaScript or a cast does all the same.
type Loose = (...given: unknown[]) => any;
const loose = { splitter, train, declared, finish, step, pipeline } as unknown as Record<
  "splitter" | "train" | "declared" | "finish" | "step" | "pipeline",
  Loose
>;

const build =
  (body: () => unknown): (() => unknown) =>
  () =>
    loose.pipeline({ name: "wrong", build: body }).plan();

test("a reference that is used as a value is a problem, for each way of using it", (t) => {
  snapshotProblems(
    t,
    build(() => {
      const { accuracy, model } = loose.splitter();
      void `${accuracy}`;
      void (accuracy + 1);
      void (accuracy * 2);
      void (model > 0.9);
      void accuracy.toString();
      void accuracy.valueOf();
      JSON.stringify({ model });
      for (const row of model) void row;
      void [...loose.splitter()];
      void { ...loose.splitter() };
      void model.weights;
      void model();
      void loose.splitter().map((each: unknown) => each);
      void ("model" in loose.splitter());
      model.weights = 3;
      delete model.weights;
    }),
  );
});

test("an asynchronous build is refused, whether it says so or returns a promise", (t) => {
  snapshotProblems(
    t,
    build(async () => {
      await loose.splitter();
    }),
  );
  snapshotProblems(
    t,
    build(() => {
      void loose.splitter().then;
      return Promise.reject(new Error("nobody waits for this"));
    }),
  );
});

test("looking at a reference for debugging is no problem", async () => {
  const { inspect } = await import("node:util");
  const shown: string[] = [];
  build(() => {
    const result = loose.splitter();
    shown.push(inspect(result), inspect(result.trainSet), typeof result.trainSet);
  })();
  assert.deepEqual(shown, [`[the result of step "splitter"]`, `[output "trainSet" of step "splitter"]`, "function"]);
});

test("an argument is a plain value, a reference, or a list of these", (t) => {
  snapshotProblems(
    t,
    build(() => {
      const { trainSet } = loose.splitter();
      loose.train({ trainSet: () => [1] });
      loose.train({ trainSet: Promise.resolve([1]) });
      loose.train({ trainSet: { deep: [{ rows: trainSet }] } });
      loose.train({ trainSet: new Map([["rows", Symbol("s")]]) });
      loose.train({ trainSet: splitter });
      loose.train(trainSet, 0.1);
      loose.train([trainSet]);
      loose.train({ trainSet: loose.declared({ rows: [] }) });
      return { result: loose.declared({ rows: [] }), run: () => 1 };
    }),
  );
});

test("params that do not fit are a value's problems: path, what was expected, what was found", (t) => {
  snapshotProblems(
    t,
    build(() => {
      loose.train({ trainSet: [], gamma: -1, mode: "slow" });
      loose.train({ trainSet: [], gamma: "0.02" });
    }),
  );
  const nested = pipeline({
    name: "nested",
    params: v.object({ model: v.object({ layers: v.array(v.object({ size: v.number() })) }) }),
    build: () => undefined,
  });
  snapshotProblems(t, () => nested.plan({ model: { layers: [{ size: 1 }, { size: "2" as never }] } }));
});

test("a reference cannot be what a params schema checks, required, defaulted or optional", (t) => {
  snapshotProblems(
    t,
    build(() => {
      const { accuracy } = loose.train({ trainSet: [] });
      loose.train({ trainSet: [], gamma: accuracy });
      loose.train({ trainSet: [], mode: accuracy });
    }),
  );
});

test("a schema that throws, cannot answer at once, or answers with no record is no params schema", (t) => {
  const slow = step({ name: "slow", params: z.object({ a: z.number().refine(async () => true) }), run: () => 1 });
  const single = loose.step({ name: "single", params: z.any().transform(() => 3), run: () => 1 });
  const broken = step({
    name: "broken",
    params: z.object({
      a: z.number().transform((): number => {
        throw new Error("boom");
      }),
    }),
    run: () => 1,
  });
  snapshotProblems(
    t,
    build(() => {
      slow({ a: 1 });
      broken({ a: 1 });
      single({ a: 1 });
    }),
  );
});

test("an input that is declared cannot be left out, an output that is not declared cannot be taken", (t) => {
  snapshotProblems(
    t,
    build(() => {
      loose.declared({});
      const { kepd } = loose.declared({ rows: [1] });
      const { other } = loose.declared({ rows: [1] });
      return { kepd, other };
    }),
  );
});

test("names are unique, and made of letters", (t) => {
  const other = step({ name: "train", run: () => 1 });
  snapshotProblems(
    t,
    build(() => {
      loose.splitter({}, { name: "long" });
      loose.splitter({}, { name: "long" });
      loose.splitter({}, { name: "a/b" });
      loose.splitter({}, { name: 3 });
      loose.train({ trainSet: [] });
      other();
      other();
    }),
  );
});

test("options that do not exist or cannot be are told at each level", (t) => {
  snapshotProblems(t, () =>
    loose.step({ name: "a b", run: 3, param: {}, retry: -1, inputs: { rows: 3 }, outputs: 3, params: {} }),
  );
  snapshotProblems(t, () =>
    loose.pipeline({ name: "", build: async () => {}, cache: "never", version: "2", params: 3 }),
  );
  snapshotProblems(
    t,
    build(() => {
      loose.splitter(
        {},
        { cahce: true, expires: "7", timeout: 0, retry: 1.5, version: 2, cacheKey: "k", after: "splitter" },
      );
      loose.splitter({}, "long");
    }),
  );
});

test("declared reads and policies that cannot be are told with the item that is wrong", (t) => {
  const lists = [
    "prices.csv",
    ["prices.csv"],
    [{ file: "prices.csv" }, { fil: "prices.csv" }],
    [{ file: "prices.csv", env: "MODEL" }],
    [{ dir: "" }],
    [{ url: "example.com/rates" }],
    [{}],
    [{ variable: "MODEL" }],
  ];
  for (const reads of lists) snapshotProblems(t, () => loose.step({ name: "a", run: () => 1, reads }));
  const policies = ["revalidated", true, { ttl: "1" }, { ttl: "1h", tll: "2h" }, {}];
  for (const http of policies) snapshotProblems(t, () => loose.step({ name: "a", run: () => 1, http }));
});

test("options of a run that do not exist or cannot be are told before anything runs", async (t) => {
  const wrong = { cach: false, jobs: 0, force: "train", reporter: "plian", signal: 3, tags: { a: 1 }, name: "a/b" };
  await snapshotRejection(t, loose.pipeline({ name: "p", build: () => undefined }).run({}, wrong));
});

test("a step or pipeline is called in a build, and run outside of it", (t) => {
  snapshotProblems(t, () => loose.splitter());
  const other = loose.pipeline({ name: "other", build: () => undefined });
  snapshotProblems(t, () => other());
  snapshotProblems(
    t,
    build(() => {
      void (loose.train as unknown as typeof train).run({ trainSet: [] });
      void other.run();
    }),
  );
});

test("a reference of another build is refused", (t) => {
  let leaked: unknown;
  build(() => {
    leaked = loose.splitter().trainSet;
  })();
  snapshotProblems(
    t,
    build(() => {
      loose.train({ trainSet: leaked });
      loose.train({ trainSet: [] }, { after: leaked });
    }),
  );
});

test("a pipeline that calls itself is a cycle", (t) => {
  const first: Loose = loose.pipeline({ name: "first", build: () => second({}) });
  const second: Loose = loose.pipeline({ name: "second", build: () => void first().model });
  snapshotProblems(t, () => (first as unknown as { plan(): unknown }).plan());
});

test("what a build throws comes through as it is, or as the cause of the problems that led to it", () => {
  const boom = new TypeError("boom");
  assert.throws(
    build(() => {
      throw boom;
    }),
    boom,
  );
  assert.throws(
    build(() => {
      void loose.splitter().trainSet.filter(() => true).length;
    }),
    (error: DefinitionError) => error.cause instanceof TypeError && error.problems.length === 2,
  );
});

test("a build that went wrong leaves nothing behind for the next one", () => {
  assert.throws(build(() => void `${loose.splitter()}`));
  assert.throws(() => loose.splitter(), { code: "RPS1002" });
  build(() => void loose.splitter())();
});

test("a secret that does not fit is told without its value, whatever the schema says of it", () => {
  const secret = "correct-horse-battery-staple".repeat(4);
  const params = z.object({
    key: z.string().max(3, `"${secret}" is too long`),
    pin: z.number().max(3),
    limits: z.object({ key: z.string() }).refine(({ key }) => key === "", { path: [] }),
  });
  const given = { key: secret, pin: 4711, limits: { key: `Bearer ${secret}` } };
  const ask = step({
    name: "ask",
    params,
    secrets: ["key", "pin"],
    inputs: { token: z.string().max(3) },
    run: () => 1,
  });
  const of = pipeline({ name: "of", params, secrets: ["key", "pin"], build: () => {} });
  const outer = pipeline({
    name: "outer",
    secrets: ["token"],
    build: ({ token }: { token: string }) => loose.declared({ rows: [], extra: ask({ ...given, token }) }),
  });
  for (const fail of [() => of.plan(given), () => outer.plan({ token: secret })]) {
    assert.throws(fail, (error) => {
      const shown = inspect(error, { depth: 10 });
      assert.match(shown, /params\.key: .*found what is not shown, as it is secret/u);
      assert.match(shown, /params\.limits: .*found what is not shown/u);
      assert.ok(!shown.includes("correct-horse") && !shown.includes("4711"), shown);
      return true;
    });
  }
});

test("what a step run alone says of its secrets does not show them", async () => {
  const ask = step({
    name: "ask",
    params: z.object({ key: z.string().max(3) }),
    secrets: ["key", "token"],
    inputs: { token: z.object({ text: z.string().max(3) }) },
    run: ({ key, token }: { key: string; token: { text: string } }) => key + token.text,
  });
  for (const given of [
    { key: "long one", token: { text: "" } },
    { key: "", token: { text: "long one" } },
  ]) {
    await assert.rejects(ask.run(given), (error) => {
      assert.match(String(error), /as it is secret/u);
      assert.ok(!inspect(error).includes("long one"));
      return true;
    });
  }
});

test("an output that does not fit and has a secret in it is told without it", async () => {
  const secret = "correct-horse-battery-staple".repeat(4);
  const ask = step({
    name: "ask",
    secrets: ["key"],
    outputs: { header: z.string().max(3) },
    run: ({ key }: { key: string }) => ({ header: `Bearer ${key}` }),
  });
  await assert.rejects(ask.run({ key: secret }), (error) => {
    assert.match(String(error), /header: Too big.*; found what is not shown, as it is secret/u);
    assert.ok(!inspect(error).includes("correct-horse"));
    return true;
  });
});

test("an error that a build throws does not show the secrets that the build was given", () => {
  const of = pipeline({
    name: "of",
    secrets: ["key"],
    build: ({ key }: { key: string }): void => {
      throw new RangeError(`no such key: ${key}`, { cause: { key } });
    },
  });
  assert.throws(
    () => of.plan({ key: "correct-horse" }),
    (error) => {
      assert.ok(error instanceof RangeError);
      assert.equal(error.message, "no such key: ***");
      assert.ok(!inspect(error).includes("correct-horse"));
      return true;
    },
  );
});

test("a problem of a build that names a secret does not show it", () => {
  const of = pipeline({
    name: "of",
    secrets: ["key"],
    build: ({ key }: { key: string }) => loose.splitter({ by: new Map([[key, () => 1]]) }, { name: `of ${key}` }),
  });
  assert.throws(
    () => of.plan({ key: "correct-horse" }),
    (error) => {
      assert.match(String(error), /is a function/u);
      assert.match(String(error), /\*\*\*/u);
      assert.ok(!inspect(error).includes("correct-horse"));
      return true;
    },
  );
});

test("an output cannot be secret: it is stored", (t) => {
  const login = step({ name: "login", run: () => ({ token: "t" }) });
  const ask = step({ name: "ask", secrets: ["token", "tokens"], run: () => 1 }) as unknown as Loose;
  const inner = pipeline({ name: "inner", secrets: ["token"], build: ({ token }: { token: unknown }) => void token });
  snapshotProblems(
    t,
    build(() => {
      const { token } = login();
      ask({ token });
      ask({ tokens: ["plain", token] });
      (inner as unknown as Loose)({ token });
    }),
  );
});

test("secrets are named in a list, or each with its use", (t) => {
  snapshotProblems(t, () => loose.step({ name: "a", run: () => 1, secrets: "key" }));
  snapshotProblems(t, () => loose.step({ name: "a", run: () => 1, secrets: { key: "skip" } }));
  snapshotProblems(t, () => loose.pipeline({ name: "a", build: () => {}, secrets: { key: "ignore" } }));
});

/** The whole error as a terminal would show it, with this file's name and lines relative to the test's first problem. */
function snapshotProblems(t: TestContext, fail: () => unknown): void {
  assert.throws(fail, (error) => {
    t.assert.snapshot(render(error), { serializers: [String] });
    return true;
  });
}

async function snapshotRejection(t: TestContext, failing: Promise<unknown>): Promise<void> {
  await assert.rejects(failing, (error) => {
    t.assert.snapshot(render(error), { serializers: [String] });
    return true;
  });
}

function render(error: unknown): string {
  assert.ok(error instanceof RepriseError);
  const problems = (error instanceof DefinitionError ? error.problems : error.data["problems"]) as readonly Problem[];
  const places = problems.map(({ place }) => (place === undefined ? "" : ` in ${basename(place.file)}`));
  return [
    `${error.name} ${error.code}`,
    ...problems.map(({ code, message, hint }, index) => `${code}${places[index]}  ${hideFolder(message)}\n    ${hint}`),
  ].join("\n");
}

function hideFolder(message: string): string {
  return message.replaceAll(/\/\S*\/(mistakes\.test\.ts):\d+/gu, "$1");
}
