import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { Materializer, Written } from "../define/materializer.ts";
import { ValueError } from "../error.ts";
import { openContentStore, type ContentStore } from "../store/content-store.ts";
import { openMemoryBlobStore } from "../store/memory-blob-store.ts";

export interface MaterializerCases<T> {
  /** Values that come back equal. Each is called for anew, so that nothing is shared between the checks. */
  readonly values: Readonly<Record<string, () => T | Promise<T>>>;
  /** Fails when two values are not equal; `deepStrictEqual` by default. */
  readonly equal?: (actual: T, expected: T) => void | Promise<void>;
  /** Values that are refused with a ValueError that names the field: its path is part of the error's message. */
  readonly refused?: Readonly<Record<string, { readonly value: () => unknown; readonly path: string }>>;
}

/** Blobs in memory, to read from and write to. Disposing of them removes the files that were asked for by path. */
export function memoryBlobs(): ContentStore {
  return openContentStore(openMemoryBlobStore());
}

/** The most that a description may be, as JSON text. */
const maxDescriptionLength = 64 * 1024;

/** Checks what Reprise expects of a materializer, in tests of `node:test`. */
export function testMaterializer<T>(materializer: Materializer<T>, cases: MaterializerCases<T>): void {
  const equal = cases.equal ?? ((actual: T, expected: T) => assert.deepStrictEqual(actual, expected));

  describe(`the materializer ${materializer.name}`, () => {
    const opened: ContentStore[] = [];
    after(async () => {
      for (const blobs of opened) await blobs[Symbol.asyncDispose]();
    });
    const write = async (value: T): Promise<{ readonly blobs: ContentStore; readonly written: Written }> => {
      const blobs = memoryBlobs();
      opened.push(blobs);
      return { blobs, written: await materializer.write(value, blobs) };
    };

    it("has a name, a version and an extension that can stand in a record and a file name", () => {
      assert.match(materializer.name, /^[a-z][a-z0-9-]*$/u);
      assert.ok(Number.isInteger(materializer.version) && materializer.version >= 1);
      assert.match(materializer.extension, /^[a-z0-9]+(?:\.[a-z0-9]+)*$/u);
      assert.match(materializer.mediaType, /^[a-z]+\/[^\s]+/u);
    });

    it("answers for any value whether it takes it, without running its code", () => {
      for (const value of strangers()) assert.equal(typeof materializer.accepts(value), "boolean");
    });

    for (const [name, make] of Object.entries(cases.values)) {
      it(`gives back ${name}`, async () => {
        const { blobs, written } = await write(await make());
        await equal(await materializer.read(written.root, blobs, materializer.version), await make());
      });

      it(`writes the same bytes for ${name} every time`, async () => {
        const first = await write(await make());
        const second = await write(await make());
        assert.deepEqual(first.written, second.written);
      });

      it(`names the blobs of ${name} with their sizes`, async () => {
        const { blobs, written } = await write(await make());
        for (const { digest, size } of [written.root, ...(written.parts ?? [])]) {
          assert.equal((await blobs.bytes(digest)).byteLength, size);
        }
      });

      it(`writes what it has read of ${name} as the same bytes`, async () => {
        const { blobs, written } = await write(await make());
        const read = await materializer.read(written.root, blobs, materializer.version);
        assert.deepEqual(await materializer.write(read, blobs), written);
      });

      it(`reads ${name} anew each time`, async () => {
        const value = await make();
        const { blobs, written } = await write(value);
        const first = await materializer.read(written.root, blobs, materializer.version);
        const second = await materializer.read(written.root, blobs, materializer.version);
        if (typeof first !== "object" || first === null) return;
        assert.notEqual(first, second);
        assert.notEqual(first, value);
        assertNothingShared(first, second);
      });

      it(`describes ${name} in little space`, async () => {
        const description = (await materializer.describe?.(await make())) ?? {};
        const text = JSON.stringify(description);
        assert.ok(text.length <= maxDescriptionLength, `the description has ${text.length} characters`);
        assert.deepEqual(JSON.parse(text), description);
      });
    }

    for (const [name, { value, path }] of Object.entries(cases.refused ?? {})) {
      it(`refuses ${name} and names ${path}`, async () => {
        await assert.rejects(
          async () => await materializer.write(value() as T, memoryBlobs()),
          (error: unknown) => {
            assert.ok(error instanceof ValueError, `expected a ValueError, found ${String(error)}`);
            assert.ok(error.message.includes(path), error.message);
            assert.ok(error.hint !== undefined && error.hint !== "", "the error has no hint");
            return true;
          },
        );
      });
    }
  });
}

/** Values that a materializer may be asked about and does not expect. */
function strangers(): readonly unknown[] {
  const fail = (): never => {
    throw new Error("code of the value was run");
  };
  // All but getPrototypeOf: that much `value instanceof Histogram` asks of a proxy.
  const traps = { get: fail, has: fail, ownKeys: fail, getOwnPropertyDescriptor: fail };
  return [
    null,
    undefined,
    0,
    Number.NaN,
    1n,
    "",
    "\ud800",
    true,
    Symbol("s"),
    fail,
    ValueError,
    {},
    [],
    new Map(),
    Object.create(null),
    new Date(Number.NaN),
    new Uint8Array(1),
    Promise.resolve(),
    new Error("e"),
    new WeakMap(),
    Object.defineProperty({}, "x", { get: fail, enumerable: true }),
    new Proxy({}, traps),
  ];
}

/** Two reads may not have mutable memory in common. */
function assertNothingShared(one: unknown, other: unknown): void {
  const seen = new Set<object>();
  walkData(one, (part) => seen.add(part));
  walkData(other, (part) => assert.ok(!seen.has(part) || Object.isFrozen(part), "two reads share an object"));
}

function walkData(root: unknown, visit: (part: object) => void): void {
  const done = new Set<object>();
  const open: unknown[] = [root];
  while (open.length > 0) {
    const part = open.pop();
    if (typeof part !== "object" || part === null || done.has(part)) continue;
    done.add(part);
    visit(part);
    if (ArrayBuffer.isView(part)) open.push(part.buffer);
    else if (part instanceof Map) open.push(...part.keys(), ...part.values());
    else if (part instanceof Set) open.push(...part);
    else {
      for (const property of Object.values(Object.getOwnPropertyDescriptors(part)))
        open.push(property.value as unknown);
    }
  }
}
