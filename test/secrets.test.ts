/** Whatever a secret is: its bytes are in no file of a store, nor is a digest that could be made of it elsewhere. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { createPipelineFunction, planPipeline, step } from "../src/define/index.ts";
import { canonicalBytes, digestValue } from "../src/hash/canonical.ts";
import { diffRuns } from "../src/history/diff-runs.ts";
import { explainStepRun } from "../src/history/explain-step-run.ts";
import { runPlan } from "../src/runner/run.ts";
import { makePorts } from "./rig/ports.ts";
import { listStoredBlobs } from "./rig/stored-blobs.ts";
import { openStoredPorts } from "./rig/stored-ports.ts";

const pipeline = createPipelineFunction({
  run: () => {
    throw new Error("these tests run plans");
  },
});

/** Says all that a step can say of what it was given. */
const speak = step({
  name: "speak",
  run: ({ given, fails }: { given: unknown; fails: boolean }, { log, metadata, metric, tag }) => {
    console.log(given);
    console.error("given %s and %j", given, given);
    process.stdout.write(`${String(given)}\n`);
    log(JSON.stringify(given), { given: JSON.parse(JSON.stringify(given)) as string });
    metadata({ given: JSON.parse(JSON.stringify(given)) as string });
    tag(String(given));
    metric(String(given), 1);
    if (fails) throw new AggregateError([new Error(JSON.stringify(given)), given], `failed with ${String(given)}`);
    return { size: JSON.stringify(given).length };
  },
});
const inner = pipeline({ name: "inner", build: ({ of }: { of: unknown }) => speak({ given: [of], fails: false }) });
const main = pipeline({
  name: "main",
  secrets: ["key"],
  build({ key, fails }: { key: unknown; fails: boolean; copy: unknown }) {
    inner({ of: key });
    speak({ given: { deep: new Map([["key", key]]) }, fails: false });
    speak({ given: `Bearer ${typeof key === "string" ? key : JSON.stringify(key)}`, fails: false });
    return speak({ given: key, fails });
  },
});

// Marked, so that nothing else in the store looks like it.
const text = fc.string({ unit: "grapheme", maxLength: 40 }).map((part) => `sk§${part}§ks`);
/** Longer than a page of the database. */
const long = text.map((part) => part.repeat(500));
const secret = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 1, arbitrary: long },
  { weight: 2, arbitrary: fc.record({ user: text, key: text }, { noNullPrototype: true }) },
  { weight: 1, arbitrary: fc.array(text, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.tuple(text, text).map((lines) => lines.join("\n")) },
);

test("the bytes of a secret are in no file of a store, open or closed, and neither is a digest of it", async () => {
  await fc.assert(
    fc.asyncProperty(secret, fc.boolean(), async (key, fails) => {
      const folder = mkdtempSync(join(tmpdir(), "reprise-secrets-"));
      try {
        await using ports = await openStoredPorts(folder);
        const { steps } = await runPlan(planPipeline(main, { key, fails, copy: [key] } as never), ports, {});
        assert.deepEqual(
          steps.map(({ status }) => status),
          ["completed", "completed", "completed", fails ? "failed" : "completed"],
        );
        assertNowhere(folder, key);
        await ports[Symbol.asyncDispose]();
        assertNowhere(folder, key);
      } finally {
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 15, endOnFailure: true },
  );
});

test("what was stored before it was marked is not shown beside what is secret now", async () => {
  const ports = makePorts();
  const length = ({ key }: { key: string }): number => key.length;
  const open = step({ name: "ask", run: length });
  const marked = step({ name: "ask", secrets: ["key"], run: length });
  const before = pipeline({ name: "main", build: ({ key }: { key: string }) => open({ key }) });
  const after = pipeline({ name: "main", build: ({ key }: { key: string }) => marked({ key }) });
  const [old, now] = ["sk-of-yesterday", "sk-of-today"];
  const first = await runPlan(planPipeline(before, { key: old }), ports, {});
  const second = await runPlan(planPipeline(after, { key: now }), ports, {});
  assert.equal(second.steps[0]?.reason?.text, "key changed (secret)");
  const { metadata } = ports;
  const why = await explainStepRun(metadata, second.run, second.steps[0]!);
  const { params } = await diffRuns(metadata, first.run, second.run);
  const told = JSON.stringify([second, why, params]);
  assert.ok(!told.includes(old) && !told.includes(now), told);
  assert.deepEqual(params, [{ name: "key", from: "***", to: "***", same: false }]);
});

function assertNowhere(folder: string, key: unknown): void {
  const texts = textsIn(key).flatMap((each) => [each, ...each.split("\n")]);
  const digests = [digestValue(key), ...texts.map((each) => digestValue(each))].map((digest) => digest.slice(7));
  const hashes = [canonicalBytes(key), ...texts].map((each) => createHash("sha256").update(each).digest("hex"));
  const traces = [...texts, ...texts.map((each) => JSON.stringify(each).slice(1, -1)), ...digests, ...hashes];
  const bytes = [...digests, ...hashes].map((hex) => Buffer.from(hex, "hex"));
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const content = readFileSync(join(entry.parentPath, entry.name));
    for (const trace of [...traces, ...bytes]) assert.ok(!content.includes(trace), `${entry.name}: ${String(trace)}`);
  }
  // A row may lie in pieces in its file.
  for (const { digest, read } of listStoredBlobs(folder)) {
    for (const trace of [...traces, ...bytes]) assert.ok(!read().includes(trace), `${digest}: ${String(trace)}`);
  }
}

function textsIn(value: unknown): readonly string[] {
  return typeof value === "string" ? [value] : Object.values(value as object).flatMap(textsIn);
}
