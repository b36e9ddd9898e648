import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CacheOption, StepOptions } from "./options.ts";
import { resolveOptions, toCacheMode, type OptionLevels } from "./resolve-options.ts";

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
  });
});

test("a step that says true under a pipeline that says false is cached, unless the run says false", () => {
  const levels: OptionLevels = { step: { cache: true }, pipelines: [{ cache: false }] };
  assert.deepEqual(pickCache(levels), ["use", "step"]);
  assert.deepEqual(pickCache({ ...levels, run: { cache: false } }), ["refresh", "run"]);
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

function pickCache(levels: OptionLevels): [string, string] {
  const { cache, cacheLevel } = resolveOptions(levels);
  return [cache, cacheLevel];
}
