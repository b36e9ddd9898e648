/** What a step says of itself: kept, or refused where it is said. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openStoredPorts } from "../../test/rig/stored-ports.ts";
import { createPipelineFunction, planPipeline, step, type AnyPipeline, type StepContext } from "../define/index.ts";
import { openTestContext } from "../define/test-context.ts";
import { RepriseError } from "../error.ts";
import { runPlan } from "./run.ts";

const pipeline = createPipelineFunction({ run: () => Promise.reject(new Error("these tests run plans")) });

const cyclic: Record<string, unknown> = {};
cyclic["itself"] = cyclic;

/** As plain JavaScript may say it. */
const mistakes: Readonly<Record<string, { readonly say: (context: StepContext) => void; readonly why: RegExp }>> = {
  "a point at a record": {
    say: ({ metric }) => metric("loss", 0.5, { step: 1 } as never),
    why: /Metric "loss" is given at \{ step: 1 \}, which is no number/u,
  },
  "a point at no number": {
    say: ({ metric }) => metric("loss", 0.5, Number.NaN),
    why: /given at NaN, which is no number/u,
  },
  "a value that is a text": {
    say: ({ metric }) => metric("loss", "0.5" as never),
    why: /Metric "loss" is "0\.5", and should be a number/u,
  },
  "a name that is no text": {
    say: ({ metric }) => metric(5 as never, 0.5),
    why: /The name of a metric is 5, and should be a text/u,
  },
  "data that holds itself": {
    say: ({ log }) => log.warn("look", cyclic as never),
    why: /The data of a log line cannot be recorded: Converting circular structure/u,
  },
  "data with a big integer": {
    say: ({ log }) => log("look", { rows: 1n } as never),
    why: /The data of a log line cannot be recorded: Do not know how to serialize a BigInt/u,
  },
  "facts that are a text": {
    say: ({ metadata }) => metadata("facts" as never),
    why: /Metadata cannot be recorded: "facts" is no record/u,
  },
  "facts that are a date": {
    say: ({ metadata }) => metadata(new Date(0) as never),
    why: /Metadata cannot be recorded: it is written as no record/u,
  },
};

for (const [what, { say, why }] of Object.entries(mistakes)) {
  test(`${what} is refused where it is said, with a code, and all else is recorded`, async () => {
    const path = await mkdtemp(join(tmpdir(), "reprise-says-"));
    try {
      await using ports = await openStoredPorts(path);
      const caught = step({
        name: "caught",
        run: (_: object, context) => {
          context.metric("before", 1, 0);
          context.log("before");
          try {
            say(context);
          } catch (error) {
            assert.ok(error instanceof RepriseError && error.code === "RPS2004" && error.hint !== undefined);
            assert.match(error.message, why);
          }
          context.metric("after", Number.NaN);
          return { done: true };
        },
      });
      const failing = step({ name: "failing", run: (_: object, context) => (say(context), { done: true }) });
      const both = pipeline({ name: "both", build: () => ({ a: caught().done, b: failing().done }) });
      const outcome = await runPlan(planPipeline(both as unknown as AnyPipeline, {}), ports, {});
      const statuses = outcome.steps.map(({ status, error }) => `${status} ${error?.code}`);
      assert.deepEqual([outcome.recorded, statuses], ["yes", ["completed undefined", "failed RPS2004"]]);
      const ids = outcome.steps.map(({ id }) => id);
      const points = await ports.metadata.metrics({ stepRuns: ids });
      assert.deepEqual(
        points.map(({ name }) => name),
        ["before", "after"],
      );
      assert.deepEqual(
        (await ports.metadata.logs({ stepRuns: ids })).map(({ text }) => text),
        ["before"],
      );
    } finally {
      await rm(path, { recursive: true, force: true });
    }
    await using context = openTestContext();
    assert.throws(() => say(context), { code: "RPS2004", message: why });
  });
}

test("the data of a line is that of when it was said, whatever becomes of it", async () => {
  await using context = openTestContext();
  const data = { rows: 1, when: new Date(0) };
  context.log("read", data as never);
  data.rows = 2;
  assert.deepEqual(context.collected.lines[0]?.data, { rows: 1, when: "1970-01-01T00:00:00.000Z" });
});
