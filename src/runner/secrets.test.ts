import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";
import { z } from "zod";
import { makePorts, type MemoryPorts } from "../../test/rig/ports.ts";
import { pipeline, run } from "../../test/rig/run-plan.ts";
import { step } from "../define/index.ts";
import { digestValue } from "../hash/canonical.ts";
import type { RunEvent } from "../record/event.ts";
import { type RunOutcome, type RunPlanOptions } from "./run.ts";

function told({ steps }: RunOutcome): readonly string[] {
  return steps.map(({ node, status, reason }) => `${node} ${status}: ${reason?.code}`);
}

const makeSecret = (): string => `sk-${randomBytes(12).toString("hex")}`;

test("a secret decides about reuse like any param, by a digest that its value alone does not give", async () => {
  const ports = makePorts();
  const ask = step({ name: "ask", secrets: ["key"], run: ({ key }: { key: string }) => key.length });
  const main = pipeline({ name: "main", build: ({ key }: { key: string }) => ask({ key }) });
  const [one, other] = [makeSecret(), makeSecret()];
  const first = await run(ports, main, { key: one });
  assert.deepEqual(told(first), ["ask completed: first-run"]);
  assert.deepEqual(told(await run(ports, main, { key: one })), ["ask cached: same-fingerprint"]);
  const { steps } = await run(ports, main, { key: other });
  assert.equal(steps[0]?.reason?.text, "key changed (secret)");

  const [stepRun] = first.steps;
  const key = (await ports.metadata.keys([stepRun!.key!])).get(stepRun!.key!);
  const argument = key?.arguments["key"];
  assert.ok(argument?.kind === "value");
  assert.equal(argument.shown, "***");
  assert.notEqual(argument.digest, digestValue(one));
  // The pipeline did not say so: the step did, and the value is the same.
  assert.deepEqual(first.run.params["key"]?.shown, "***");
  assert.deepEqual([first.run.params["key"]?.value, first.run.params["key"]?.secret], [undefined, true]);
  assert.notEqual(first.run.params["key"]?.digest, digestValue(one));
});

test("a secret of another store has another digest", async () => {
  const ask = step({ name: "ask", secrets: ["key"], run: ({ key }: { key: string }) => key.length });
  const main = pipeline({ name: "main", build: ({ key }: { key: string }) => ask({ key }) });
  const ports = makePorts();
  await run(ports, main, { key: "the same one" });
  const elsewhere: MemoryPorts = { ...ports, secretKey: () => "another cellar" };
  assert.deepEqual(told(await run(elsewhere, main, { key: "the same one" })), ["ask completed: param"]);
});

test("a secret that a step ignores can be exchanged, and leaving it out is something else", async () => {
  const ports = makePorts();
  const ask = step({
    name: "ask",
    secrets: { key: "ignore" },
    run: ({ key, question }: { key?: string | undefined; question: string }) => `${question} ${key === undefined}`,
  });
  const main = pipeline({
    name: "main",
    secrets: ["key"],
    build: ({ key, question }: { key?: string | undefined; question: string }) => ask({ key, question }),
  });
  const question = "who?";
  assert.deepEqual(told(await run(ports, main, { key: makeSecret(), question })), ["ask completed: first-run"]);
  assert.deepEqual(told(await run(ports, main, { key: makeSecret(), question })), ["ask cached: same-fingerprint"]);
  const elsewhere: MemoryPorts = { ...ports, secretKey: () => "another cellar" };
  assert.deepEqual(told(await run(elsewhere, main, { key: makeSecret(), question })), ["ask cached: same-fingerprint"]);
  assert.deepEqual(told(await run(ports, main, { question })), ["ask completed: param"]);
  assert.deepEqual(told(await run(ports, main, { key: makeSecret(), question: "why?" })), ["ask completed: param"]);
});

test("what a step ignores as a secret still counts for a step that does not", async () => {
  const ports = makePorts();
  const ask = step({ name: "ask", secrets: { key: "ignore" }, run: ({ key }: { key: string }) => key.length > 0 });
  const use = step({ name: "use", run: ({ header }: { header: string }) => header.length });
  const main = pipeline({
    name: "main",
    build({ key }: { key: string }) {
      ask({ key });
      return use({ header: `Bearer ${key}` });
    },
  });
  await run(ports, main, { key: makeSecret() });
  assert.deepEqual(told(await run(ports, main, { key: makeSecret() })), [
    "ask cached: same-fingerprint",
    "use completed: param",
  ]);
});

test("a pipeline's secret stays one in every step that it reaches, under any name, in nested pipelines and inside of values", async () => {
  const ports = makePorts();
  const seen: RunEvent[] = [];
  const use = step({ name: "use", run: (given: { readonly [name: string]: unknown }) => Object.keys(given).length });
  const inner = pipeline({ name: "inner", build: ({ token }: { token: string }) => use({ renamed: token }) });
  const main = pipeline({
    name: "main",
    params: z.object({ key: z.string(), url: z.string(), rows: z.number() }),
    secrets: ["key"],
    build({ key, url, rows }) {
      use({ header: `Bearer ${key}`, rows });
      use({ config: { url, auth: new Map([["basic", btoa(key)]]) } });
      use({ list: [[key], ["open"]] });
      use({ query: `https://example.com/?q=${encodeURIComponent(key)}` });
      return inner({ token: key });
    },
  });
  const secret = `${makeSecret()}/+ ?`;
  const params = { key: secret, url: "https://example.com", rows: 12_345 };
  await run(ports, main, params, { onEvent: (event) => seen.push(event) });
  const keys = seen.flatMap((event) => (event.kind === "step-ended" ? [event.step.key!] : []));
  const shown = [...(await ports.metadata.keys(keys)).values()].map(({ arguments: args }) =>
    Object.entries(args).map(([name, each]) => `${name} ${each.kind === "value" ? each.shown : each.kind}`),
  );
  assert.deepEqual(shown.toSorted(), [
    ["config ***"],
    ["header ***", "rows 12345"],
    ["list ***"],
    ["query ***"],
    ["renamed ***"],
  ]);
  assert.ok(!JSON.stringify(seen).includes(secret));
});

test("what a step says of its secret is hidden: lines, data, facts, tags, errors with their causes", async () => {
  const ports = makePorts();
  const secret = `${makeSecret()}\n${makeSecret()}`;
  const events: RunEvent[] = [];
  const speak = step({
    name: "speak",
    secrets: ["key"],
    retry: 0,
    run: ({ key }: { key: string }, { log, metadata, metric, tag }) => {
      process.stdout.write(`${key}\n`);
      console.error("with", key.split("\n")[1], "alone");
      log(`as json: ${JSON.stringify(key)}`, { header: { authorization: `Bearer ${key}` } });
      log.warn(`encoded ${encodeURIComponent(key)} ${Buffer.from(key).toString("base64")}`);
      metadata({ [key]: [key] });
      tag(key);
      metric(key, 1);
      const cause = Object.assign(new Error(`refused: ${key}`), { request: { headers: { authorization: key } } });
      throw Object.assign(new TypeError(`cannot ask with ${key}`, { cause }), { code: "E_KEY", config: { key } });
    },
  });
  const main = pipeline({ name: "main", build: ({ key }: { key: string }) => speak({ key }) });
  const options: RunPlanOptions = { tags: { by: secret }, onEvent: (event) => events.push(event) };
  const outcome = await run(ports, main, { key: secret }, options);
  assert.deepEqual(outcome.run.tags, { by: "***" });
  const { error } = outcome;
  assert.ok(error instanceof TypeError);
  assert.equal(error.message, "cannot ask with ***");
  assert.equal((error as { code?: string }).code, "E_KEY");
  assert.equal((error.cause as Error).message, "refused: ***");
  const [stepRun] = outcome.steps;
  assert.equal(stepRun?.error?.message, "cannot ask with ***");
  assert.equal(stepRun?.error?.cause?.message, "refused: ***");
  assert.deepEqual(stepRun?.tags, ["***"]);
  const kept = JSON.stringify([
    events,
    outcome.run,
    outcome.steps,
    await ports.metadata.logs({ stepRuns: [stepRun!.id] }),
    await ports.metadata.metrics({ stepRuns: [stepRun!.id] }),
  ]);
  for (const part of [secret, ...secret.split("\n"), Buffer.from(secret).toString("base64")]) {
    assert.ok(!kept.includes(part), part);
  }
  const lines = events.flatMap((event) => (event.kind === "log" ? [event.line.text] : []));
  assert.deepEqual(lines, ["***", "***", "with *** alone", 'as json: "***"', "encoded *** ***"]);
});

test("an output that has a secret in it is told, and no preview of it is kept", async () => {
  const ports = makePorts();
  const warnings: string[] = [];
  const leak = step({
    name: "leak",
    secrets: ["key"],
    run: ({ key }: { key: string }) => ({ config: { header: `Bearer ${key}` }, size: key.length }),
  });
  const main = pipeline({ name: "main", build: ({ key }: { key: string }) => leak({ key }) });
  const { steps } = await run(
    ports,
    main,
    { key: makeSecret() },
    { onEvent: (event) => event.kind === "warning" && warnings.push(event.message) },
  );
  assert.deepEqual(warnings, ['output "config" has a secret in it, which is stored in clear']);
  assert.deepEqual(
    steps[0]?.notices?.map(({ kind }) => kind),
    ["secret"],
  );
  const [config, size] = await Promise.all(
    ["leak.config", "leak.size"].map(async (name) => (await ports.metadata.artifacts({ name: name as never }))[0]),
  );
  assert.equal(config?.preview, undefined);
  assert.notEqual(size?.preview, undefined);
});

test("an input or output that does not fit its schema, and whatever else is thrown, is recorded without the secret", async () => {
  const ports = makePorts();
  const secret = makeSecret().repeat(20);
  const wrongInput = step({
    name: "wrong_input",
    secrets: ["key"],
    inputs: { key: z.string().max(3) },
    run: ({ key }) => key.length,
  });
  const wrongOutput = step({
    name: "wrong_output",
    outputs: { text: z.string().max(3) },
    run: ({ key }: { key: string }) => ({ text: key }),
  });
  const thrower = step({
    name: "thrower",
    run: ({ key }: { key: string }): void => {
      // oxlint-disable-next-line no-throw-literal -- what users do
      throw { key, count: 1n };
    },
  });
  const main = pipeline({
    name: "main",
    secrets: ["key"],
    build({ key }: { key: string }) {
      wrongInput({ key });
      wrongOutput({ key });
      thrower({ key });
    },
  });
  const { steps, error } = await run(ports, main, { key: secret });
  assert.deepEqual(
    steps.map(({ status, error: each }) => [status, each?.code]),
    [
      ["failed", "RPS2003"],
      ["failed", "RPS2003"],
      ["failed", undefined],
    ],
  );
  const told = `${JSON.stringify(steps)}${inspect(error)}`;
  assert.ok(!told.includes(secret.slice(0, 12)), told);
});

test("a cacheKey that returns a secret counts without being shown, and reads that are named by one are refused", async () => {
  const ports = makePorts();
  const secret = makeSecret();
  const options = { secrets: { key: "ignore" }, run: ({ key }: { key: string }) => key.length } as const;
  const keyed = step({ name: "keyed", ...options, cacheKey: ({ key }) => key });
  const reading = step({ name: "reading", ...options, reads: ({ key }) => [{ file: `${String(key)}.csv` }] });
  const main = pipeline({
    name: "main",
    build({ key }: { key: string }) {
      keyed({ key });
      return reading({ key });
    },
  });
  const outcome = await run(ports, main, { key: secret });
  const [first, second] = outcome.steps;
  const key = (await ports.metadata.keys([first!.key!])).get(first!.key!);
  assert.ok(key?.cacheKey?.kind === "value");
  assert.equal(key.cacheKey.shown, "***");
  assert.equal(second?.error?.code, "RPS1012");
  assert.ok(!JSON.stringify(outcome.steps).includes(secret));
});
