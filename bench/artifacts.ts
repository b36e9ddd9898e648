/** Artifacts stored, verified and loaded, against the shell's tools and the libraries' own writers. */
import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import { mkdtemp, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { tableFromArrays, tableFromIPC, tableToIPC } from "apache-arrow";
import { openFolder } from "../src/blob/folder.ts";
import type { BlobRef } from "../src/define/materializer.ts";
import type { Digest } from "../src/hash/digest.ts";
import {
  createRegistry,
  file,
  loadValue,
  storeValue,
  table,
  type StoredFile,
  type StoredValue,
  type Table,
} from "../src/materializer/index.ts";
import { openSqlite } from "../src/sql/sqlite.ts";
import { openContentStore, type ContentStore } from "../src/store/content-store.ts";
import { openSizedBlobStore } from "../src/store/sized-blob-store.ts";
import {
  atMost,
  compare,
  runAlone,
  type Comparison,
  type Contender,
  type Goal,
  type Mode,
  type Row,
} from "./harness.ts";
import { artifactMegabytes } from "./sizes.ts";

export const row: Row = {
  name: "artifacts",
  title: "Artifacts: store, verify, load",
  measure,
};

const execute = promisify(execFile);
const registry = createRegistry();

async function* measure(mode: Mode): AsyncGenerator<Comparison> {
  const root = await mkdtemp(join(tmpdir(), "reprise-bench-artifacts-"));
  try {
    // A size alone shows no growth.
    const sizesOf = (largest: number, tiny: number): readonly number[] =>
      mode.quick ? [tiny] : [16, 4, 1].map((part) => Math.round(largest / part));
    const tenfold = (largest: number, tiny: number): readonly number[] =>
      mode.quick ? [tiny] : [largest / 100, largest / 10, largest];
    const rounds = mode.quick ? 1 : 5;
    for (const megabytes of sizesOf(artifactMegabytes(mode), 2)) yield* measureFile(root, megabytes, rounds);
    for (const rows of tenfold(1_000_000, 100)) yield* measureTable(root, rows, rounds);
    for (const documents of tenfold(400_000, 100)) yield* measureJson(root, documents, rounds);
    for (const count of tenfold(10_000, 10)) yield* measureSmallValues(root, count, mode.quick ? 1 : 3);
    yield* measureSizes(root, mode);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function* measureFile(root: string, megabytes: number, rounds: number): AsyncGenerator<Comparison> {
  const path = join(root, "large.bin");
  await makeFile(path, megabytes);
  const shelf = new Shelf(root);
  const copy = join(root, "copy.bin");
  const speed = (ms: number): string => `Reprise: ${((megabytes / ms) * 1000).toFixed(0)} MB/s.`;
  yield await compare({
    title: `Store a file of ${megabytes} MB`,
    limit: "sha256sum, then cp, then sync",
    contenders: [
      {
        name: "sha256sum, then cp, then sync",
        before: () => rm(copy, { force: true }),
        async run() {
          await execute("sha256sum", [path]);
          await execute("cp", [path, copy]);
          await execute("sync", [copy]);
        },
      },
      { name: "cp, then sync", ...copying(path, copy) },
      shelf.storing("Reprise", () => file(path)),
    ],
    rounds,
    conclude: (median) => ({
      goals: [eightyPercent(median("Reprise"), median("sha256sum, then cp, then sync"))],
      notes: [speed(median("Reprise"))],
    }),
  });
  yield await compare({
    title: `Read and verify a file of ${megabytes} MB`,
    limit: "sha256sum",
    contenders: [
      { name: "sha256sum", run: async () => void (await execute("sha256sum", [path])) },
      shelf.loading("Reprise", async (value) => {
        for await (const _ of (value as StoredFile).stream());
      }),
    ],
    rounds,
    conclude: (median) => ({
      goals: [eightyPercent(median("Reprise"), median("sha256sum"))],
      notes: [speed(median("Reprise"))],
    }),
  });
}

/** Ten columns of fractions. */
export function makeNumberColumns(rows: number): Record<string, Float64Array> {
  const numbers = (column: number): Float64Array =>
    Float64Array.from({ length: rows }, (_, at) => (at * 31 + column) / 7);
  return Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`column${at}`, numbers(at)]));
}

/** Some 250 bytes of JSON each. */
export function makeDocuments(count: number): readonly object[] {
  return Array.from({ length: count }, (_, at) => ({
    id: at,
    title: `document ${at}`,
    score: at / 7,
    tags: ["a", "b", `tag ${at % 100}`],
    nested: {
      lengths: [at, at + 1, at + 2],
      text: "the quick brown fox jumps over the lazy dog and runs on ".repeat(2),
    },
  }));
}

async function* measureTable(root: string, rows: number, rounds: number): AsyncGenerator<Comparison> {
  const arrow = tableFromArrays(makeNumberColumns(rows));
  const path = join(root, "table.arrow");
  const shelf = new Shelf(root);
  const title = `a table of ${rows.toLocaleString("en")} × 10 numbers`;
  const speed = (ms: number): string => `Reprise: ${((ms / rows) * 1_000_000).toFixed(0)} ns a row.`;
  yield await compare({
    title: `Store ${title}`,
    limit: "apache-arrow's writer, sha256, and a flushed file",
    contenders: [
      {
        name: "apache-arrow's writer, sha256, and a flushed file",
        run: async () => await writeFlushed(path, tableToIPC(arrow, "file")),
      },
      shelf.storing("Reprise", () => table(arrow)),
    ],
    rounds,
    conclude: (median) => ({
      goals: [eightyPercent(median("Reprise"), median("apache-arrow's writer, sha256, and a flushed file"))],
      notes: [speed(median("Reprise"))],
    }),
  });
  yield await compare({
    title: `Load ${title}`,
    limit: "readFile, sha256, and apache-arrow's reader",
    contenders: [
      {
        name: "readFile, sha256, and apache-arrow's reader",
        run: async () => void tableFromIPC(await readVerified(path)).numRows,
      },
      {
        name: "the same, not verified",
        run: async () => void tableFromIPC(await readFile(path)).numRows,
      },
      shelf.loading("Reprise", async (value) => await (value as Table).toArrow()),
    ],
    rounds,
    conclude: (median) => ({
      goals: [eightyPercent(median("Reprise"), median("readFile, sha256, and apache-arrow's reader"))],
      notes: [speed(median("Reprise"))],
    }),
  });
}

async function* measureJson(root: string, documents: number, rounds: number): AsyncGenerator<Comparison> {
  const value = makeDocuments(documents);
  const path = join(root, "value.json");
  const megabytes = JSON.stringify(value).length / 1e6;
  const title = `${megabytes.toFixed(megabytes < 1 ? 2 : 0)} MB of JSON`;
  const shelf = new Shelf(root);
  const speed = (ms: number): string => `Reprise: ${((megabytes / ms) * 1000).toFixed(0)} MB/s.`;
  yield await compare({
    title: `Store ${title}`,
    limit: "JSON.stringify, sha256, and a flushed file",
    contenders: [
      {
        name: "JSON.stringify, sha256, and a flushed file",
        run: async () => await writeFlushed(path, Buffer.from(JSON.stringify(value))),
      },
      shelf.storing("Reprise", () => value),
    ],
    rounds,
    conclude: (median) => ({
      goals: [eightyPercent(median("Reprise"), median("JSON.stringify, sha256, and a flushed file"))],
      notes: [speed(median("Reprise"))],
    }),
  });
  yield await compare({
    title: `Load ${title}`,
    limit: "readFile, sha256, and JSON.parse",
    contenders: [
      {
        name: "readFile, sha256, and JSON.parse",
        run: async () => void JSON.parse((await readVerified(path)).toString("utf8")),
      },
      { name: "the same, not verified", run: async () => void JSON.parse(await readFile(path, "utf8")) },
      shelf.loading("Reprise", async () => {}),
    ],
    rounds,
    conclude: (median) => ({
      goals: [eightyPercent(median("Reprise"), median("readFile, sha256, and JSON.parse"))],
      notes: [speed(median("Reprise"))],
    }),
  });
}

async function* measureSmallValues(root: string, count: number, rounds: number): AsyncGenerator<Comparison> {
  const values = Array.from({ length: count }, (_, at) => ({ at, name: `value ${at}`, list: [at, at + 1] }));
  const folder = join(root, "small");
  const shelf = new Shelf(root);
  let stored: StoredValue[] = [];
  const speed = (ms: number): string => `Reprise: ${((ms / count) * 1000).toFixed(0)} µs a value.`;
  yield await compare({
    title: `Store ${count.toLocaleString("en")} small values`,
    limit: "JSON.stringify, a flushed file and a rename each",
    contenders: [
      {
        name: "JSON.stringify, a flushed file and a rename each",
        before() {
          rmSync(folder, { recursive: true, force: true });
          mkdirSync(folder);
        },
        run() {
          for (const [at, value] of values.entries()) {
            const path = join(folder, `${at}.json`);
            const handle = openSync(`${path}.new`, "wx");
            writeSync(handle, JSON.stringify(value));
            fsyncSync(handle);
            closeSync(handle);
            renameSync(`${path}.new`, path);
          }
        },
      },
      {
        name: "Reprise",
        before: () => shelf.empty(),
        async run() {
          stored = [];
          for (const value of values) stored.push(await shelf.store(value));
        },
      },
      {
        name: "Reprise, 64 at once",
        before: () => shelf.empty(),
        async run() {
          stored = [];
          for (let at = 0; at < count; at += 64) {
            stored.push(...(await Promise.all(values.slice(at, at + 64).map((value) => shelf.store(value)))));
          }
        },
      },
    ],
    rounds,
    conclude: (median) => ({
      goals: [eightyPercent(median("Reprise"), median("JSON.stringify, a flushed file and a rename each"))],
      notes: [speed(median("Reprise"))],
    }),
  });
  const pathOf = (at: number): string => join(folder, `${at}.json`);
  yield await compare({
    title: `Load ${count.toLocaleString("en")} small values`,
    limit: "readFileSync, sha256, and JSON.parse each",
    contenders: [
      {
        name: "readFileSync, sha256, and JSON.parse each",
        run() {
          for (const at of values.keys()) {
            const bytes = readFileSync(pathOf(at));
            hash("sha256", bytes);
            JSON.parse(bytes.toString("utf8"));
          }
        },
      },
      {
        name: "the same, not verified",
        run() {
          for (const at of values.keys()) JSON.parse(readFileSync(pathOf(at), "utf8"));
        },
      },
      {
        name: "Reprise",
        async run() {
          for (const each of stored) await shelf.load(each);
        },
      },
    ],
    rounds: rounds + 2,
    conclude: (median) => ({
      goals: [eightyPercent(median("Reprise"), median("readFileSync, sha256, and JSON.parse each"))],
      notes: [speed(median("Reprise"))],
    }),
  });
}

/** What decides up to which size a blob is a row: the limit is a file. */
async function* measureSizes(root: string, mode: Mode): AsyncGenerator<Comparison> {
  const count = mode.quick ? 10 : 1000;
  const rounds = mode.quick ? 1 : 5;
  for (const kibibytes of mode.quick ? [1] : [1, 8, 16, 64]) {
    const values = Array.from({ length: count }, (_, at) => Buffer.alloc(kibibytes * 1024, `value ${at} `));
    const title = `${count.toLocaleString("en")} blobs of ${kibibytes} KiB`;
    const kept = (["a file each", "a row each"] as const).map((name) => {
      const shelf = new Shelf(root, name === "a row each" ? Infinity : -1);
      const stored: BlobRef[] = [];
      const storing = async (): Promise<void> => {
        stored.length = 0;
        for (const value of values) stored.push(await shelf.put(value));
      };
      const loading = async (): Promise<void> => {
        for (const { digest } of stored) await shelf.bytes(digest);
      };
      return {
        storing: { name, before: () => shelf.empty(), run: storing },
        loading: { name, run: loading },
      };
    });
    for (const [what, of] of [
      ["Store", "storing"],
      ["Load, verified,", "loading"],
    ] as const) {
      yield await compare({
        title: `${what} ${title}`,
        limit: "a file each",
        contenders: kept.map((each) => each[of]),
        rounds,
      });
    }
  }
}

/** Stored blobs, as the stack has them or all in files, emptied before each round, and the value that was stored last. */
export class Shelf {
  readonly #path: string;
  readonly #smallBytes: number | undefined;
  #open: Promise<OpenShelf>;
  #last: StoredValue | undefined;

  /** @param smallBytes - Up to which size a blob is a row; the stack's by default. */
  constructor(root: string, smallBytes?: number) {
    this.#path = join(root, `blobs-${smallBytes ?? "stack"}`);
    this.#smallBytes = smallBytes;
    this.#open = this.#openAnew();
  }

  async empty(): Promise<void> {
    await (await this.#open).close();
    await rm(this.#path, { recursive: true, force: true });
    this.#open = this.#openAnew();
    await this.#open;
  }

  async store(value: unknown): Promise<StoredValue> {
    return (this.#last = await storeValue(value, { registry, blobs: (await this.#open).content }));
  }

  async load(stored: StoredValue): Promise<unknown> {
    return await loadValue(stored, { registry, blobs: (await this.#open).content });
  }

  async put(bytes: Uint8Array): Promise<BlobRef> {
    return await (await this.#open).content.put(bytes);
  }

  async bytes(digest: Digest): Promise<Uint8Array> {
    return await (await this.#open).content.bytes(digest);
  }

  storing(name: string, make: () => unknown): Contender {
    return { name, before: () => this.empty(), run: async () => void (await this.store(make())) };
  }

  loading(name: string, use: (value: unknown) => Promise<unknown>): Contender {
    return { name, run: async () => void (await use(await this.load(this.#last as StoredValue))) };
  }

  async #openAnew(): Promise<OpenShelf> {
    const metadata = await openSqlite({ path: join(this.#path, "metadata.db") });
    const large = await openFolder({ path: this.#path });
    const size = this.#smallBytes === undefined ? {} : { smallBytes: this.#smallBytes };
    const content = openContentStore(openSizedBlobStore({ small: metadata.blobs, large, ...size }));
    return {
      content,
      async close() {
        await content[Symbol.asyncDispose]();
        await metadata[Symbol.asyncDispose]();
      },
    };
  }
}

interface OpenShelf {
  readonly content: ContentStore;
  close(): Promise<void>;
}

function copying(path: string, copy: string): Omit<Contender, "name"> {
  return {
    before: () => rm(copy, { force: true }),
    async run() {
      await execute("cp", [path, copy]);
      await execute("sync", [copy]);
    },
  };
}

/** What a careful writer does by hand: the digest, the bytes on the disk, and the name at the end. */
async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  hash("sha256", bytes);
  await writeFile(`${path}.new`, bytes, { flush: true });
  await rename(`${path}.new`, path);
}

/** What a careful reader does by hand: the bytes, and their digest to compare. */
async function readVerified(path: string): Promise<Buffer> {
  const bytes = await readFile(path);
  hash("sha256", bytes);
  return bytes;
}

function eightyPercent(value: number, limit: number): Goal {
  return atMost(value, limit / 0.8, "at least 80 % of the limit's speed");
}

export async function makeFile(path: string, megabytes: number): Promise<void> {
  const piece = Buffer.alloc(1_000_000);
  for (let at = 0, state = 1; at < piece.length; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    piece.writeUInt32LE(state, at);
  }
  await using handle = await open(path, "w");
  for (let index = 0; index < megabytes; index += 1) {
    piece.writeUInt32LE(index, 0);
    await handle.write(piece);
  }
}

if (import.meta.main) await runAlone(row);
