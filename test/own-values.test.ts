/** A value that a step is given, or a caller loads, is its own: what is done to it changes nothing for anybody else. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Table as Arrow } from "apache-arrow";
import { makePorts } from "./rig/ports.ts";
import { openStoredPorts } from "./rig/stored-ports.ts";
import { createPipelineFunction, planPipeline, step, type AnyPipeline } from "../src/define/index.ts";
import {
  directory,
  file,
  table,
  tensor,
  type StoredDirectory,
  type StoredFile,
  type Table,
  type Tensor,
} from "../src/materializer/index.ts";
import { openHistory } from "../src/history/history.ts";
import type { RunnerPorts } from "../src/runner/ports.ts";
import { runPlan, type RunOutcome } from "../src/runner/run.ts";
import { toRunHandle } from "../src/stack/run-handle.ts";
import type { Stack } from "../src/stack/stack.ts";

const temporary = mkdtempSync(join(tmpdir(), "reprise-own-"));
after(() => rmSync(temporary, { recursive: true, force: true }));
let folders = 0;
const newFolder = (): string => join(temporary, `folder-${(folders += 1)}`);

const pipeline = createPipelineFunction({
  run: () => {
    throw new Error("these tests run plans");
  },
});

interface Kind {
  make(): unknown;
  /** Changes all of a value that can be reached. */
  spoil(value: never): void | Promise<void>;
  /** All of a value, as data. */
  look?(value: never): unknown;
}

interface Row {
  x: number;
  when: Date;
  label: string;
}

const rows = (): Row[] => [
  { x: 1, when: new Date(5), label: "a" },
  { x: 2, when: new Date(6), label: "b" },
];

async function spoilTable(value: Table<Row>): Promise<void> {
  for (const row of [...value.toRecords(), ...value]) {
    row.x = -1;
    row.when.setTime(0);
  }
  value.column("x")?.fill(-1);
  for (const when of value.column("when") ?? []) when.setTime(0);
  const arrow = await value.toArrow<Arrow>();
  for (const batch of arrow.batches) {
    for (const { values } of batch.data.children as readonly { readonly values?: unknown }[]) {
      if (ArrayBuffer.isView(values)) new Uint8Array(values.buffer, values.byteOffset, values.byteLength).fill(7);
    }
  }
}

const kinds: Readonly<Record<string, Kind>> = {
  json: {
    make: () => ({ list: [1, { deep: [2] }], name: "n" }),
    spoil(value: { list: unknown[]; name: string }) {
      (value.list[1] as { deep: number[] }).deep.push(3);
      value.list.length = 1;
      value.name = "spoilt";
    },
  },
  rich: {
    make: () => ({
      map: new Map<string, unknown>([["a", new Set([1])]]),
      when: new Date(5),
      inner: new Float32Array([1, 2]),
      buffer: Buffer.from("abc"),
      link: new URL("http://localhost/a"),
      nothing: undefined,
    }),
    spoil(value: { map: Map<string, Set<number>>; when: Date; inner: Float32Array; buffer: Buffer; link: URL }) {
      value.map.get("a")?.add(2);
      value.map.set("b", new Set());
      value.when.setTime(0);
      value.inner.fill(9);
      value.buffer.fill(9);
      value.link.pathname = "/b";
    },
    look: ({ link, ...value }: { link: URL }) => ({ ...value, link: link.href }),
  },
  "one object in two places": {
    make() {
      const shared = { n: 1 };
      return [shared, shared];
    },
    spoil(value: { n: number }[]) {
      value[0]!.n = 2;
    },
  },
  table: { make: () => table(rows()), spoil: spoilTable, look: (value: Table<Row>) => value.toRecords() },
  "table of Arrow": {
    make: async () => table<Row>(await table(rows()).toArrow<Arrow>()),
    spoil: spoilTable,
    look: (value: Table<Row>) => value.toRecords(),
  },
  "typed array": { make: () => new Float64Array([1, 2, 3]), spoil: (value: Float64Array) => void value.fill(0) },
  "large typed array": {
    make: () => new Int32Array(300_000).fill(5),
    spoil: (value: Int32Array) => void value.fill(0),
  },
  tensor: {
    make: () => tensor({ data: new Float32Array([1, 2, 3, 4]), shape: [2, 2] }),
    spoil: (value: Tensor<Float32Array>) => void value.data.fill(0),
    look: ({ data, shape }: Tensor) => ({ data, shape }),
  },
  bytes: { make: () => new Uint8Array([1, 2, 3]), spoil: (value: Uint8Array) => void value.fill(0) },
  buffer: {
    make: () => Buffer.from("in the pool that all buffers share"),
    // Also what lies around it.
    spoil: (value: Buffer) => void new Uint8Array(value.buffer).fill(0),
  },
  "array buffer": {
    make: () => new Uint8Array([1, 2, 3]).buffer,
    spoil: (value: ArrayBuffer) => void new Uint8Array(value).fill(0),
  },
  file: {
    make() {
      const path = newFolder();
      writeFileSync(path, "text of a file");
      return file(path, { name: "a" });
    },
    async spoil(value: StoredFile) {
      (await value.bytes()).fill(0);
      for await (const piece of value.stream()) piece.fill(0);
      writeFileSync(await value.copyTo(newFolder()), "spoilt");
    },
    look: async (value: StoredFile) => [await value.text(), value.size, value.name],
  },
  directory: {
    make() {
      const path = newFolder();
      mkdirSync(join(path, "sub"), { recursive: true });
      writeFileSync(join(path, "sub", "a.txt"), "text of a");
      return directory(path);
    },
    async spoil(value: StoredDirectory) {
      const path = await value.path();
      const inner = join(path, "sub", "a.txt");
      chmodSync(inner, 0o644);
      writeFileSync(inner, "spoilt");
      writeFileSync(join(path, "more.txt"), "spoilt");
      (await value.file("sub/a.txt").bytes()).fill(0);
    },
    look: async (value: StoredDirectory) => [await value.paths(), await value.file("sub/a.txt").text()],
  },
};

for (const [name, { make, spoil, look = (value: unknown) => value }] of Object.entries(kinds)) {
  test(`${name}: a step that changes its input changes nothing for the next one, the cache, or the caller`, async () => {
    await using ports = await openStoredPorts(newFolder());
    const seen: unknown[] = [];
    const read = async (value: unknown): Promise<{ seen: number }> => {
      seen.push(structuredClone(await look(value as never)));
      return { seen: seen.length };
    };
    const maker = step({ name: "maker", run: async () => ({ value: await make() }) });
    const spoiler = step({
      name: "spoiler",
      run: async ({ value }: { value: unknown }) => (await spoil(value as never), { passed: value }),
    });
    const early = step({ name: "early", run: ({ value }: { value: unknown; n: number }) => read(value) });
    const late = step({
      name: "late",
      run: ({ value }: { value: unknown; passed: unknown; n: number }) => read(value),
    });
    const listed = step({
      name: "listed",
      run: async ({ values }: { values: readonly unknown[]; n: number }) => {
        await spoil(values[0] as never);
        return await read(values[1]);
      },
    });
    const all = pipeline({
      name: "all",
      build: ({ n }: { n: number }) => {
        const { value } = maker();
        const { passed } = spoiler({ value });
        early({ value, n });
        late({ value, passed, n });
        listed({ values: [value, value], n });
        return { value };
      },
    });
    const plan = planPipeline(all as unknown as AnyPipeline, { n: 1 });
    const first = await runPlan(plan, ports, { jobs: 1 });
    assert.equal(first.run.status, "completed", first.run.error?.message);
    const second = await runPlan(planPipeline(all as unknown as AnyPipeline, { n: 2 }), ports, { jobs: 1 });
    assert.equal(second.steps[0]?.status, "cached");
    const { outputs } = toRunHandle(plan, first, ports as unknown as Stack);
    const loaded = await outputs["value"]?.load();
    await spoil(loaded as never);
    await read(await outputs["value"]?.load());
    assert.equal(seen.length, 7);
    const expected = seen[0];
    for (const each of seen) assert.deepEqual(each, expected);
    assert.deepEqual(expected, structuredClone(await look((await make()) as never)));
  });
}

test("declared records: a step that changes a row changes nothing for the next one", async () => {
  const ports = makePorts();
  const maker = step({ name: "maker", outputs: { value: table<Row>() }, run: () => ({ value: rows() }) });
  const spoiler = step({
    name: "spoiler",
    run: ({ value }: { value: Row[] }) => {
      for (const row of value) row.when.setTime(0);
      value.pop();
      return { done: true };
    },
  });
  const late = step({ name: "late", run: ({ value }: { value: Row[]; done: boolean }) => ({ seen: value }) });
  const all = pipeline({
    name: "all",
    build: () => {
      const { value } = maker();
      return late({ value, done: spoiler({ value }).done });
    },
  });
  const { outputs } = await runWhole(ports, all);
  assert.deepEqual(await outputs["seen"]?.load(), rows());
});

test("a param is each call's own: for steps, for cacheKey, and for who loads it", async () => {
  const ports = makePorts();
  const given = { list: [1, 2], at: new Date(5) };
  const spoil = ({ list, at }: typeof given): void => {
    list.push(3);
    at.setTime(0);
  };
  const seen: unknown[] = [];
  const take = (value: typeof given): { size: number } => {
    seen.push(structuredClone(value));
    spoil(value);
    return { size: value.list.length };
  };
  const one = step({
    name: "one",
    cacheKey: ({ value }) => (spoil(value as typeof given), "always"),
    run: ({ value }: { value: typeof given }) => take(value),
  });
  const other = step({ name: "other", run: ({ value }: { value: typeof given; size: number }) => take(value) });
  const all = pipeline({
    name: "all",
    build: ({ value }: { value: typeof given }) => {
      other({ value, size: one({ value }).size });
      return { value };
    },
  });
  const { outputs } = await runWhole(ports, all, { value: given });
  const expected = { list: [1, 2], at: new Date(5) };
  assert.deepEqual(seen, [expected, expected]);
  spoil((await outputs["value"]?.load()) as typeof given);
  assert.deepEqual(await outputs["value"]?.load(), expected);
  assert.deepEqual(given, expected);
});

test("what a step goes on to change after it has returned is stored as it was returned, with its preview", async () => {
  const ports = await openStoredPorts(newFolder());
  let isOver = false;
  const column = new Float64Array([1, 2]);
  const make = step({
    name: "make",
    run: () => {
      const pooled = Buffer.from("pooled");
      const large = new Int32Array(2_000_000).fill(5);
      const held = {
        first: { n: 1 },
        json: { list: [1] },
        large,
        rich: new Map([["a", new Date(5)]]),
        bytes: new Uint8Array([1, 2, 3]),
        pooled,
        tensor: tensor({ data: column, shape: [2] }),
        rows: rows(),
        text: "text",
        last: [1, 2],
      };
      const change = (): void => {
        held.first.n += 1;
        held.json.list.push(2);
        large.fill(large[0]! + 1);
        held.rich.get("a")?.setTime(0);
        held.rich.set("b", new Date(1));
        held.bytes.fill(0);
        pooled.fill(0);
        column.fill(0);
        held.rows.pop();
        held.last.push(3);
        if (!isOver) setImmediate(change);
      };
      setImmediate(change);
      return held;
    },
    outputs: { rows: table<Row>() },
  });
  const history = openHistory({ ...ports, checkTraces: async () => new Map() });
  await runWhole(ports, pipeline({ name: "all", build: () => make() }));
  isOver = true;
  const load = async (name: string): Promise<unknown> => await (await history.artifact(`make.${name}`)).load();
  assert.deepEqual(await load("first"), { n: 1 });
  assert.deepEqual(await load("json"), { list: [1] });
  assert.deepEqual(await load("large"), new Int32Array(2_000_000).fill(5));
  assert.deepEqual(await load("rich"), new Map([["a", new Date(5)]]));
  assert.deepEqual(await load("bytes"), new Uint8Array([1, 2, 3]));
  assert.deepEqual(await load("pooled"), Buffer.from("pooled"));
  assert.deepEqual(((await load("tensor")) as Tensor).data, new Float64Array([1, 2]));
  assert.deepEqual(await load("rows"), rows());
  assert.deepEqual(await load("last"), [1, 2]);
  const last = await history.artifact("make.last");
  assert.deepEqual(last.preview, { kind: "json", value: [1, 2], truncated: false });
  await ports[Symbol.asyncDispose]();
});

test("a file that is still written to while it is stored is refused", async () => {
  const ports = await openStoredPorts(newFolder());
  const path = newFolder();
  let isOver = false;
  const make = step({
    name: "make",
    run: () => {
      writeFileSync(path, Buffer.alloc(4_000_000));
      let size = 0;
      const write = (): void => {
        writeFileSync(path, Buffer.alloc(10), { flag: "a" });
        size += 10;
        if (!isOver) setImmediate(write);
      };
      setImmediate(write);
      return { written: file(path) };
    },
  });
  const outcome = await runPlan(planPipeline(pipeline({ name: "all", build: () => make() }) as never, {}), ports, {});
  isOver = true;
  assert.equal(outcome.run.status, "failed");
  assert.match(outcome.run.error?.message ?? "", /"written" is a file that was written to while it was stored/u);
  await ports[Symbol.asyncDispose]();
});

const breaches: Readonly<Record<string, (path: string) => void>> = {
  "writes to": (path) => {
    chmodSync(path, 0o644);
    writeFileSync(path, "spoilt");
  },
  "puts another file in place of": (path) => {
    const other = newFolder();
    writeFileSync(other, "right");
    renameSync(other, path);
    writeFileSync(path, "wrong");
  },
  deletes: (path) => rmSync(path),
};

for (const [what, breach] of Object.entries(breaches)) {
  test(`a step that ${what} the file it was given is told so, and neither the next run nor the cache has its bytes`, async () => {
    const ports = await openStoredPorts(newFolder());
    const source = newFolder();
    writeFileSync(source, "right");
    const make = step({ name: "make", run: () => ({ given: file(source, { name: "given" }) }) });
    const spoiler = step({
      name: "spoiler",
      run: async ({ given, n }: { given: StoredFile; n: number }) => {
        const path = await given.path();
        if (n === 1) breach(path);
        return { text: n === 1 ? "" : await given.text() };
      },
    });
    const all = pipeline({ name: "all", build: ({ n }: { n: number }) => spoiler({ given: make().given, n }) });
    const run = async (n: number): Promise<RunOutcome> =>
      await runPlan(planPipeline(all as unknown as AnyPipeline, { n }), ports, {});
    const first = await run(1);
    const failed = first.steps[1];
    assert.equal(failed?.status, "failed");
    assert.match(failed.error?.message ?? "", /^The file behind input "given" of step "spoiler" was written to/u);
    assert.match(failed.error?.hint ?? "", /copyTo/u);
    const second = await run(2);
    assert.deepEqual(
      second.steps.map(({ status, reason }) => [status, reason?.code]),
      [
        ["completed", what === "deletes" ? "missing-output" : "corrupt-output"],
        ["completed", "first-run"],
      ],
    );
    assert.equal(
      await toRunHandle(planPipeline(all as never, { n: 2 }), second, ports as never).outputs["text"]?.load(),
      "right",
    );
    await ports[Symbol.asyncDispose]();
  });
}

test("who reads a file by its path while another step writes to it is run again with the right bytes", async () => {
  const ports = await openStoredPorts(newFolder());
  const source = newFolder();
  writeFileSync(source, "right");
  let made = 0;
  const make = step({ name: "make", run: () => ((made += 1), { given: file(source, { name: "given" }) }) });
  let isSpoilt = false;
  const reader = step({
    name: "reader",
    run: async ({ given }: { given: StoredFile }) => {
      const path = await given.path();
      // Somebody writes to it after the path was handed out.
      if (!isSpoilt) breaches["writes to"]!(path);
      isSpoilt = true;
      return { text: readFileSync(path, "utf8") };
    },
  });
  const all = pipeline({ name: "all", build: () => reader({ given: make().given }) });
  const { outputs } = await runWhole(ports, all);
  assert.equal(await outputs["text"]?.load(), "right");
  assert.equal(made, 2);
  await ports[Symbol.asyncDispose]();
});

async function runWhole(ports: RunnerPorts, of: unknown, params: Record<string, unknown> = {}) {
  const plan = planPipeline(of as AnyPipeline, params);
  const outcome = await runPlan(plan, ports, {});
  assert.equal(outcome.run.status, "completed", outcome.run.error?.message);
  return { outcome, outputs: toRunHandle(plan, outcome, ports as unknown as Stack).outputs };
}
