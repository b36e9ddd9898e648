import assert from "node:assert/strict";
import { access, stat } from "node:fs/promises";
import { test } from "node:test";
import { z } from "zod";
import { validateInputs, validateOutputs } from "./run-step-function.ts";
import { step } from "./step.ts";
import { openTestContext } from "./test-context.ts";

const train = step({
  name: "train",
  params: z.object({ gamma: z.number().positive().default(0.5) }),
  run: async ({ rows, gamma }: { rows: number[]; gamma: number }, { log, metric, metadata, tag }) => {
    log("training", { rows: rows.length });
    log.warn("slow");
    metric("loss", 1, 0);
    metric("accuracy", 0.9);
    metadata({ device: "cpu" });
    tag("fast", "small");
    return { model: rows.length * gamma };
  },
});

test("a step runs as a function, with its params' defaults", async () => {
  assert.deepEqual(await train.run({ rows: [1, 2] }), { model: 1 });
  assert.deepEqual(await train.run({ rows: [1, 2], gamma: 2 }), { model: 4 });
  assert.deepEqual(await train.with({ gamma: 3 }).run({ rows: [1] }), { model: 3 });
  assert.equal(train.name, "train");
});

test("a step that takes nothing runs without an argument", async () => {
  assert.equal(await step({ name: "three", run: () => 3 }).run(), 3);
});

test("what a step says is collected by a test context, and printed nowhere", async () => {
  await using context = openTestContext();
  await train.run({ rows: [1] }, context);
  assert.deepEqual(context.collected, {
    lines: [
      { level: "info", text: "training", data: { rows: 1 } },
      { level: "warn", text: "slow" },
    ],
    metrics: [
      { name: "loss", value: 1, at: 0 },
      { name: "accuracy", value: 0.9 },
    ],
    metadata: { device: "cpu" },
    tags: ["fast", "small"],
  });
});

test("a part of the context is replaced by the test's own", async () => {
  const stopped = step({
    name: "stopped",
    run: (_: object, { signal, step: { name, attempt } }) => [signal.aborted, name, attempt],
  });
  assert.deepEqual(await stopped.run({}, { signal: AbortSignal.abort() }), [true, "stopped", 1]);
});

test("a temporary folder is there while the step runs, and gone afterwards", async () => {
  const write = step({
    name: "write",
    run: async (_: object, { tempDir }) => {
      const folder = await tempDir();
      assert.equal(await tempDir(), folder);
      assert.ok((await stat(folder)).isDirectory());
      return folder;
    },
  });
  await assert.rejects(access(await write.run()), { code: "ENOENT" });
});

test("params and declared inputs that do not fit are refused before the function runs", async () => {
  const declared = step({
    name: "declared",
    inputs: { rows: z.array(z.number()), limit: z.string().transform(Number) },
    run: ({ rows, limit }) => rows.slice(0, limit),
  });
  assert.deepEqual(await declared.run({ rows: [1, 2, 3], limit: "2" }), [1, 2]);
  await assert.rejects(train.run({ rows: [], gamma: -1 }), {
    name: "ValueError",
    code: "RPS2002",
    message: 'Params of step "train" do not fit: params.gamma: Too small: expected number to be >0; found -1',
  });
  await assert.rejects(declared.run({ rows: [1, "2" as never], limit: "1" }), {
    name: "ValueError",
    code: "RPS2003",
    message:
      'Input "rows" of step "declared" does not fit its schema: rows[1]: Invalid input: expected number, received string; found "2"',
  });
  await assert.rejects(train.run([] as never), { code: "RPS2003" });
});

test("declared outputs are what their schemas make of what the function returns", async () => {
  const record = step({
    name: "record",
    outputs: { share: z.number().max(1), label: z.string().default("none") },
    run: ({ share }: { share: number }) => ({ share, label: undefined }),
  });
  assert.deepEqual(await record.run({ share: 0.5 }), { share: 0.5, label: "none" });
  await assert.rejects(record.run({ share: 2 }), {
    code: "RPS2003",
    message:
      'Output "share" of step "record" does not fit its schema: share: Too big: expected number to be <=1; found 2',
  });
  const single = step({ name: "single", outputs: z.array(z.number()), run: () => [1] });
  assert.deepEqual(await single.run(), [1]);
  assert.throws(() => validateOutputs(single.definition, "x"), { code: "RPS2003" });
  assert.throws(() => validateOutputs(record.definition, 3), {
    message: 'Step "record" returned no record, but declares outputs share, label',
  });
});

test("what is not declared passes the borders as it is", () => {
  const rows = [1];
  assert.equal(validateInputs(train.definition, { rows })["rows"], rows);
  assert.equal(validateOutputs(train.definition, rows), rows);
});

test("an error of the function comes through as it is", async () => {
  const boom = new RangeError("boom");
  const fail = step({
    name: "fail",
    run: () => {
      throw boom;
    },
  });
  await assert.rejects(fail.run(), boom);
});
