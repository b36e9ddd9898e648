import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import * as own from "./index.ts";

const source = join(import.meta.dirname, "..");

test("steps and pipelines of two copies of Reprise work together, and each copy finds the pipelines of both", async () => {
  const folder = await mkdtemp(join(tmpdir(), "reprise-copy-"));
  try {
    for (const part of ["define", "hash", "error.ts"]) {
      await cp(join(source, part), join(folder, part), { recursive: true, filter: (path) => !path.includes(".test.") });
    }
    const copy = (await import(pathToFileURL(join(folder, "define/index.ts")).href)) as typeof own;
    assert.notEqual(copy.step, own.step);

    const never = { run: () => Promise.reject(new Error("nothing runs here")) };
    const split = copy.step({ name: "split", run: () => ({ rows: [1] }) });
    const count = own.step({ name: "count", run: ({ rows }: { rows: number[] }) => rows.length });
    const inner = copy.createPipelineFunction(never)({
      name: "inner",
      build: ({ counter }: { counter: typeof count }) => counter({ rows: split().rows }),
    });
    const outer = own.createPipelineFunction(never)({ name: "outer", build: () => inner({ counter: count }) });

    const plan = outer.plan();
    assert.deepEqual(
      plan.nodes.map((node) => node.id),
      ["inner/split", "inner/count"],
    );
    assert.deepEqual(plan.outputs, { output: { kind: "ref", node: "inner/count", output: "output" } });
    const names = copy.definedPipelines().map(({ pipeline }) => pipeline.definition.name);
    assert.deepEqual(names, ["inner", "outer"]);
    assert.deepEqual(own.definedPipelines(), copy.definedPipelines());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
