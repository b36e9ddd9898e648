import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CacheOption, StepOptions } from "./options.ts";
import { createPipelineFunction } from "./pipeline.ts";
import type { PlanNode } from "./plan.ts";
import type { ReadsOption } from "./declared-read.ts";
import { resolveOptions, resolveReads, toCacheMode, type OptionLevels } from "./resolve-options.ts";
import { step } from "./step.ts";

test("run wins over call, call over step, step over pipeline, the inner pipeline over the outer, all over the defaults", () => {
  const levels = {
    run: { retry: 6 },
    call: { retry: 5 },
    step: { retry: 4 },
    pipelines: [{ retry: 3 }, { retry: 2 }],
    defaults: { retry: 1 },
  };
  assert.equal(resolveOptions(levels).retry, 6);
  assert.equal(resolveOptions({ ...levels, run: {} }).retry, 5);
  assert.equal(resolveOptions({ ...levels, run: {}, call: {} }).retry, 4);
  assert.equal(resolveOptions({ pipelines: levels.pipelines, defaults: levels.defaults }).retry, 3);
  assert.equal(resolveOptions({ pipelines: [{}, { retry: 2 }], defaults: levels.defaults }).retry, 2);
  assert.equal(resolveOptions({ defaults: levels.defaults }).retry, 1);
});

test("without any option, results are used, never expire, and a step has one attempt without a limit", () => {
  assert.deepEqual(resolveOptions({}), {
    cache: "use",
    cacheLevel: "default",
    expiresMs: undefined,
    retry: 0,
    timeoutMs: undefined,
    http: "revalidate",
  });
});

test("a step that says true under a pipeline that says false is cached, unless the run says false", () => {
  const levels: OptionLevels = { step: { cache: true }, pipelines: [{ cache: false }] };
  assert.deepEqual(pickCache(levels), ["use", "step"]);
  assert.deepEqual(pickCache({ ...levels, run: { cache: false } }), ["refresh", "run"]);
});

test("the policy for what URLs answer is that of the highest level that has one, in milliseconds", () => {
  assert.deepEqual(resolveOptions({ step: { http: { ttl: "1h" } }, defaults: { http: "ignore" } }).http, {
    ttlMs: 3_600_000,
  });
  assert.equal(resolveOptions({ run: { http: "ignore" }, step: { http: { ttl: "1h" } } }).http, "ignore");
});

test("a duration without end at a higher level lifts the limit of a lower one", () => {
  const { expiresMs, timeoutMs } = resolveOptions({
    call: { expires: Infinity, timeout: Infinity },
    step: { expires: "7d", timeout: "1m" },
  });
  assert.deepEqual([expiresMs, timeoutMs], [undefined, undefined]);
});

const cacheOption = fc.constantFrom<CacheOption>(true, false, "use", "refresh", "off", "require");
const options = fc.record(
  { cache: cacheOption, expires: fc.nat(), retry: fc.nat(), timeout: fc.nat() },
  { requiredKeys: [] },
);

test("each option is decided by the first level that sets it, whatever the others say", () => {
  fc.assert(
    fc.property(options, options, options, fc.array(options), options, (run, call, step, pipelines, defaults) => {
      const ranked: StepOptions[] = [run, call, step, ...pipelines, defaults];
      const first = <Name extends keyof StepOptions>(name: Name) =>
        ranked.find((level) => level[name] !== undefined)?.[name];
      const resolved = resolveOptions({ run, call, step, pipelines, defaults });
      assert.equal(resolved.cache, toCacheMode(first("cache") ?? true));
      assert.equal(resolved.expiresMs, first("expires"));
      assert.equal(resolved.retry, first("retry") ?? 0);
      assert.equal(resolved.timeoutMs, first("timeout"));
    }),
  );
});

test("declared reads are plain data, each once, in an order that does not depend on how they are written", () => {
  const reads: ReadsOption = [
    { url: "https://example.com/rates" },
    { file: "prices.csv" },
    { env: "MODEL" },
    { dir: "images" },
    { file: "prices.csv" },
    { glob: "data/*.csv" },
  ];
  const expected = [
    { kind: "directory", name: "images" },
    { kind: "env", name: "MODEL" },
    { kind: "file", name: "prices.csv" },
    { kind: "glob", name: "data/*.csv" },
    { kind: "http", name: "https://example.com/rates" },
  ];
  assert.deepEqual(resolveReads(nodeWith(reads)), expected);
  assert.deepEqual(resolveReads(nodeWith(reads.toReversed())), expected);
});

test("nothing declared is not the same as declaring that nothing else is read", () => {
  assert.equal(resolveReads(nodeWith(undefined)), undefined);
  assert.deepEqual(resolveReads(nodeWith([])), []);
});

test("reads can be made from the plain arguments, and what a call declares stands instead of what its step declares", () => {
  const ofPath: ReadsOption = ({ path }) => [{ file: String(path) }];
  assert.deepEqual(resolveReads(nodeWith(ofPath)), [{ kind: "file", name: "a.csv" }]);
  assert.deepEqual(resolveReads(nodeWith([{ env: "A" }], ofPath)), [{ kind: "file", name: "a.csv" }]);
});

test("a function that returns something else than reads is a problem that names the step", () => {
  const wrong = (() => ["a.csv"]) as unknown as ReadsOption;
  assert.throws(() => resolveReads(nodeWith(wrong)), {
    code: "RPS1012",
    message: /"reads" of step "read" returned \["a\.csv"\]; expected a list of records/u,
  });
});

/** A node of a step that is given a path. */
function nodeWith(reads: ReadsOption | undefined, ofCall?: ReadsOption): PlanNode {
  const pipeline = createPipelineFunction({ run: () => Promise.reject(new Error("nothing runs here")) });
  const read = step({
    name: "read",
    run: ({ path }: { path: string }) => path,
    ...(reads === undefined ? {} : { reads }),
  });
  const options = ofCall === undefined ? {} : { reads: ofCall };
  const [node] = pipeline({ name: "p", build: () => read({ path: "a.csv" }, options) }).plan().nodes;
  return node as PlanNode;
}

function pickCache(levels: OptionLevels): [string, string] {
  const { cache, cacheLevel } = resolveOptions(levels);
  return [cache, cacheLevel];
}
