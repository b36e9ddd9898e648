/** A run that is as the one before is told by one question, and is in all that anybody sees what looking each step up gives. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makePorts, type MemoryPorts } from "../../test/rig/ports.ts";
import { pipeline, run } from "../../test/rig/run-plan.ts";
import { step } from "../define/index.ts";
import { StoreError } from "../error.ts";
import type { RunEvent } from "../record/event.ts";
import type { StepRun } from "../record/run.ts";
import type { MetadataStore } from "../store/metadata-store.ts";
import type { RunOutcome, RunPlanOptions } from "./run.ts";

interface Counted extends MemoryPorts {
  /** How often entries were looked up. */
  readonly looked: () => number;
}

function makeCounted(change: (store: MetadataStore) => Partial<MetadataStore> = () => ({})): Counted {
  const ports = makePorts();
  const changes = change(ports.metadata);
  let looked = 0;
  const metadata = new Proxy(ports.metadata, {
    get(store, name) {
      if (name === "cacheEntries") looked += 1;
      const member: unknown = Reflect.get(changes, name) ?? Reflect.get(store, name);
      return typeof member === "function" ? member.bind(store) : member;
    },
  });
  return { ...ports, metadata, looked: () => looked };
}

const calls: string[] = [];
const load = step({
  name: "load",
  run: ({ size }: { size: number }) => {
    calls.push("load");
    return { rows: Array.from({ length: size }, (_, at) => at), size };
  },
});
const sum = step({
  name: "sum",
  run: ({ rows, lists }: { rows: number[]; lists: number[][] }, { metric }) => {
    calls.push("sum");
    metric("lists", lists.length);
    return rows.reduce((all, row) => all + row, lists.length);
  },
});
const summed = pipeline({
  name: "summed",
  build: ({ size = 3 }: { size?: number }) => {
    const { rows } = load({ size });
    const more = load({ size: size + 1 });
    return { total: sum({ rows, lists: [rows, more["rows"]] }), rows, two: 2 };
  },
});

/** Runs it until a run is told by the one before. */
async function settle(
  ports: Counted,
  of: unknown,
  params: object = {},
  options: RunPlanOptions = {},
): Promise<RunOutcome> {
  await run(ports, of, params, options);
  const settled = await run(ports, of, params, options);
  assert.ok(settled.steps.every(({ status }) => status === "cached"));
  return settled;
}

/** Whether it was told by the one before; and the outcome. */
async function runAgain(
  ports: Counted,
  of: unknown,
  params: object = {},
  options: RunPlanOptions = {},
): Promise<{ readonly repeated: boolean; readonly outcome: RunOutcome }> {
  const before = ports.looked();
  const outcome = await run(ports, of, params, options);
  return { repeated: ports.looked() === before, outcome };
}

/** Without what differs from run to run. */
function timeless({ id: _id, run: _run, startedAt: _s, finishedAt: _f, ...rest }: StepRun): object {
  return rest;
}

test("the third run of the same is told by the second, and looks like it", async () => {
  const ports = makeCounted();
  const second = await settle(ports, summed);
  const { repeated, outcome } = await runAgain(ports, summed);
  assert.ok(repeated);
  assert.deepEqual(outcome.steps.map(timeless), second.steps.map(timeless));
  assert.deepEqual(await ports.metadata.stepRuns({ runs: [outcome.run.id] }), outcome.steps);
  assert.deepEqual((await ports.metadata.runs({ limit: 1 }))[0], outcome.run);
  assert.deepEqual(outcome.outputs, second.outputs);
  assert.deepEqual(outcome.artifacts, second.artifacts);
  assert.deepEqual([outcome.savedMs, outcome.recorded], [second.savedMs, "yes"]);
  const { id: _, name: _n, startedAt: _s, finishedAt: _f, ...told } = outcome.run;
  const { id: _2, name: _n2, startedAt: _s2, finishedAt: _f2, ...looked } = second.run;
  assert.deepEqual(told, looked);
});

test("who listens is told the same of a repeated run as of any other", async () => {
  const ports = makeCounted();
  const tell = async (): Promise<RunEvent[]> => {
    const events: RunEvent[] = [];
    await run(ports, summed, {}, { onEvent: (event) => events.push(event) });
    return events;
  };
  await run(ports, summed);
  const [looked, told] = [await tell(), await tell()];
  const shown = (events: readonly RunEvent[]) =>
    events.map(({ kind, ...rest }) => ({ kind, parts: Object.keys(rest) }));
  assert.deepEqual(shown(told), shown(looked));
  const started = (events: readonly RunEvent[]) => events.find((event) => event.kind === "run-started");
  assert.deepEqual(started(told)?.version, started(looked)?.version);
  assert.equal(started(told)?.run.status, "running");
});

const disturbances: Readonly<
  Record<
    string,
    { readonly disturb: (ports: Counted, last: RunOutcome) => Promise<unknown>; readonly executes: number }
  >
> = {
  "an edit of a step": { disturb: async (ports) => ports.codeOf.set("sum", { text: "2" }), executes: 1 },
  "an invalidated result": {
    disturb: async ({ metadata }, { steps }) =>
      await metadata.write([{ kind: "invalidate", keys: [steps[2]!.key!], at: Date.now() }]),
    executes: 1,
  },
  "a blob that went missing": {
    disturb: async ({ metadata, blobs }, { steps }) => {
      const [entry] = (await metadata.cacheEntries([steps[2]!.key!])).get(steps[2]!.key!) ?? [];
      await blobs.remove(entry!.blobs.map(({ digest }) => digest));
    },
    executes: 1,
  },
  "a result that went missing": {
    disturb: async ({ metadata }, { steps }) => {
      const entries = (await metadata.cacheEntries([steps[2]!.key!])).get(steps[2]!.key!) ?? [];
      await metadata.write([{ kind: "remove-cache-entries", entries }]);
    },
    executes: 1,
  },
  "a run that was removed": {
    disturb: async ({ metadata }, last) => await metadata.write([{ kind: "remove-runs", runs: [last.run.id] }]),
    executes: 0,
  },
};

for (const [what, { disturb, executes }] of Object.entries(disturbances)) {
  test(`${what} has each step looked up again, once`, async () => {
    const ports = makeCounted();
    const last = await settle(ports, summed);
    assert.ok((await runAgain(ports, summed)).repeated);
    await disturb(ports, last);
    if (what.startsWith("a run")) {
      // Its step runs are those of the run that repeated it.
      const { outcome } = await runAgain(ports, summed);
      assert.deepEqual(await ports.metadata.stepRuns({ runs: [outcome.run.id] }), outcome.steps);
      return;
    }
    calls.length = 0;
    const next = await runAgain(ports, summed);
    assert.equal(next.repeated, false);
    assert.equal(calls.length, executes);
    await run(ports, summed);
    assert.ok((await runAgain(ports, summed)).repeated);
  });
}

test("other params are another run, and the old ones are told by the old run", async () => {
  const ports = makeCounted();
  await settle(ports, summed, { size: 3 });
  const other = await runAgain(ports, summed, { size: 4 });
  assert.equal(other.repeated, false);
  assert.ok((await runAgain(ports, summed, { size: 3 })).repeated);
});

test("-0 and 0, and a text and the number that it spells, are not the same argument", async () => {
  const ports = makeCounted();
  const show = step({ name: "show", run: ({ value }: { value: unknown }) => Object.is(value, -0) || typeof value });
  const shown = pipeline({ name: "shown", build: ({ value }: { value: unknown }) => show({ value }) });
  const values: unknown[] = [0, -0, "0", 1, "1", true, "true", null, "null", NaN, "NaN", Infinity, "-0", '"', '\\"'];
  const given = [...values, [1], ["1"], "[1]", { a: 1 }, new Date(1), 1n, "a\nb", ""];
  for (const value of given) await settle(ports, shown, { value });
  for (const value of given) {
    const { repeated, outcome } = await runAgain(ports, shown, { value });
    assert.ok(repeated);
    const fresh = await run(ports, shown, { value }, { only: ["show"] });
    assert.deepEqual(outcome.steps.map(timeless), fresh.steps.map(timeless));
  }
});

for (const [what, options] of Object.entries({
  "is to execute": { cache: false },
  "forces a step": { force: ["sum"] },
  "is about a part of the steps": { until: "load" },
  "asks for proof": { require: "proved" },
} satisfies Record<string, RunPlanOptions>)) {
  test(`a run that ${what} is not told by an earlier one`, async () => {
    const ports = makeCounted();
    await settle(ports, summed);
    calls.length = 0;
    const { outcome } = await runAgain(ports, summed, {}, options);
    assert.equal(calls.length > 0, "cache" in options || "force" in options);
    assert.equal(
      outcome.steps.some(({ status }) => status === "skipped"),
      "until" in options,
    );
  });
}

test("a result that is too old by now is made anew, though the run before took it", async () => {
  const ports = makeCounted();
  let executed = 0;
  const brief = step({ name: "brief", expires: "1h", run: () => (executed += 1) });
  const single = pipeline({ name: "single", build: () => brief() });
  await settle(ports, single);
  assert.ok((await runAgain(ports, single)).repeated);
  const clock = test.mock.method(Date, "now", () => performance.timeOrigin + performance.now() + 3_700_000);
  try {
    assert.equal((await runAgain(ports, single)).repeated, false);
  } finally {
    clock.mock.restore();
  }
  assert.equal(executed, 2);
});

test("a file that a step read has the run told by the one before until it changes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "reprise-repeat-"));
  const path = join(folder, "rows.txt");
  try {
    const ports = makeCounted();
    const read = step({ name: "read", run: () => readFileSync(path, "utf8") });
    const single = pipeline({ name: "single", build: () => read() });
    const expect = async (text: string, repeated: boolean): Promise<void> => {
      const again = await runAgain(ports, single);
      const use = again.outcome.artifacts.get("read" as never)?.get("output");
      const [content] = await ports.metadata.artifacts({ name: use!.artifact, version: use!.version });
      assert.equal(await ports.content.text(content!.root.digest), text);
      assert.equal(again.repeated, repeated);
    };
    writeFileSync(path, "one");
    await settle(ports, single);
    await expect("one", true);
    writeFileSync(path, "two, longer");
    await expect("two, longer", false);
    writeFileSync(path, "one");
    // The result of "one" is there, and is not the newest: what is newest is asked first each time.
    await expect("one", false);
    await expect("one", false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a store that refuses the record of a repeated run has the steps looked up, and says so", async () => {
  let refusing = false;
  const ports = makeCounted((store) => ({
    write: async (changes) => {
      if (refusing) throw new StoreError("RPS4005", "The disk is full.", { hint: "Make room." });
      return await store.write(changes);
    },
  }));
  await settle(ports, summed);
  refusing = true;
  const events: RunEvent[] = [];
  const { outcome } = await runAgain(ports, summed, {}, { onEvent: (event) => events.push(event) });
  assert.deepEqual([outcome.run.status, outcome.recorded], ["completed", "no"]);
  assert.equal(events.filter(({ kind }) => kind === "run-started").length, 1);
  assert.ok(events.some((event) => event.kind === "warning" && event.message.includes("The disk is full")));
});
