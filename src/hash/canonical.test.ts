import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { inspect, isDeepStrictEqual } from "node:util";
import { createContext, runInContext } from "node:vm";
import fc from "fast-check";
import { ValueError } from "../error.ts";
import { canonicalBytes, digestOwnData, digestValue, type OwnData } from "./canonical.ts";

const hex = (value: unknown): string => Buffer.from(canonicalBytes(value)).toString("hex");

/** What follows the record type in the bytes. */
const body = (value: unknown): string => hex(value).slice(Buffer.from("value/1\0").toString("hex").length);

// A change here empties every user's cache: it needs a decision record and another number in the record type.
const golden: readonly (readonly [what: string, value: unknown, bytes: string])[] = [
  ["null", null, "6e"],
  ["undefined", undefined, "75"],
  ["true", true, "54"],
  ["false", false, "46"],
  ["zero", 0, "640000000000000000"],
  ["minus zero", -0, "648000000000000000"],
  ["one", 1, "643ff0000000000000"],
  ["a fraction", 0.1, "643fb999999999999a"],
  ["not a number", Number.NaN, "647ff8000000000000"],
  ["infinity", Infinity, "647ff0000000000000"],
  ["minus infinity", -Infinity, "64fff0000000000000"],
  ["a bigint", 1n, "690131"],
  ["a negative bigint", -255n, "69032d6666"],
  ["empty text", "", "7300"],
  ["text", "svc", "7303737663"],
  ["text beyond ASCII", "é€😀", "7309c3a9e282acf09f9880"],
  ["a lone surrogate", "\ud800", "530100d8"],
  ["a boxed number", Object(1), "42643ff0000000000000"],
  ["an empty array", [], "610000"],
  ["an array", [1, "1"], "610202643ff0000000000000730131"],
  ["an empty record", {}, "6f00"],
  ["a record", { b: 1, a: null }, "6f027301616e730162643ff0000000000000"],
  ["a record without a prototype", Object.assign(Object.create(null) as object, { a: null }), "4f017301616e"],
  ["a Map", new Map([["a", null]]), "4d017301616e"],
  ["a Set", new Set(["a"]), "4501730161"],
  ["a Date", new Date(0), "440000000000000000"],
  ["an invalid Date", new Date(Number.NaN), "447ff8000000000000"],
  ["a Uint8Array", new Uint8Array([1, 2]), "740a55696e74384172726179020102"],
  ["a Float32Array", new Float32Array([1]), "740c466c6f617433324172726179040000803f"],
  ["an ArrayBuffer", new Uint8Array([1, 2]).buffer, "62020102"],
  ["a DataView", new DataView(new Uint8Array([1, 2]).buffer), "76020102"],
  ["a URL", new URL("http://a.b/"), "550b687474703a2f2f612e622f"],
  ["search parameters", new URLSearchParams("a=1"), "5103613d31"],
  ["a regular expression", /a/gu, "52730161026775"],
];

describe("canonical bytes", () => {
  for (const [what, value, bytes] of golden) {
    it(`of ${what} never change`, () => assert.equal(body(value), bytes));
  }

  it("of a sparse array name the places of its items", () => {
    const sparse: unknown[] = [];
    sparse[1] = true;
    sparse.length = 3;
    assert.equal(body(sparse), "610301680154");
  });

  it("of a cycle number its objects", () => {
    const cyclic: Record<string, unknown> = { x: null };
    cyclic["self"] = cyclic;
    assert.equal(body(cyclic), "636d6f02730473656c6672007301786e");
  });

  it("are digested with SHA-256", () => {
    assert.equal(
      digestValue({ gamma: 0.001, trainer: "svc" }),
      "sha256:4572b9deeac3ede09df69b53698197b867410e2eb8bec512f6e9dc976428b387",
    );
  });

  it("tell types, order and shapes apart", () => {
    const distinct: unknown[] = [
      0,
      -0,
      0n,
      "0",
      false,
      null,
      undefined,
      Number.NaN,
      Infinity,
      "",
      "null",
      Object(0),
      Object("0"),
      Object(0n),
      [],
      {},
      new Map(),
      new Set(),
      Object.create(null),
      "[]",
      "{}",
      [undefined],
      [null],
      [[]],
      Array(1),
      Array(2),
      { a: undefined },
      { a: null },
      { a: 1, b: 2 },
      { a: 2, b: 1 },
      { "a,b": 1 },
      [{ a: 1 }, { b: 2 }],
      new Map([
        ["a", 1],
        ["b", 2],
      ]),
      new Map([
        ["b", 2],
        ["a", 1],
      ]),
      new Set([1, 2]),
      new Set([2, 1]),
      [1, 2],
      new Date(0),
      new Date(0).toISOString(),
      new Date(Number.NaN),
      new Date(1),
      ...[Int8Array, Uint8Array, Uint8ClampedArray].map((type) => new type([1, 2, 3, 4])),
      new Uint8Array([1, 2, 3, 4]).buffer,
      new DataView(new Uint8Array([1, 2, 3, 4]).buffer),
      new Uint16Array(2),
      new Int32Array(1),
      new Uint32Array(1),
      new Float32Array(1),
      new Uint8Array(4),
      new Float64Array(1),
      new BigInt64Array(1),
      new BigUint64Array(1),
      new Float32Array(2),
      /a/u,
      /a/gu,
      /b/u,
      "/a/u",
      new URL("http://a/"),
      "http://a/",
      new URLSearchParams("http://a/"),
      "\ud800",
      "\udc00",
      "\ufffd",
      "a\u0000b",
      "a",
      "b",
      ["a", "b"],
      ["ab", ""],
      ["", "ab"],
      "é",
      "e\u0301",
    ];
    const byBytes = new Map<string, unknown>();
    for (const value of distinct) {
      const bytes = hex(value);
      assert.ok(!byBytes.has(bytes), `${inspect(byBytes.get(bytes))} and ${inspect(value)} are one`);
      byBytes.set(bytes, value);
    }
  });

  it("do not depend on the order of a record's keys, a buffer's class, a regular expression's lastIndex or sharing", () => {
    assert.equal(hex({ b: 1, a: { d: 2, c: 3 } }), hex({ a: { c: 3, d: 2 }, b: 1 }));
    assert.equal(hex(Buffer.from("abc")), hex(new Uint8Array(Buffer.from("abc"))));
    const used = /a/gu;
    used.lastIndex = 1;
    assert.equal(hex(used), hex(/a/gu));
    const one = { x: 1 };
    assert.equal(hex([one, one]), hex([{ x: 1 }, { x: 1 }]));
    assert.equal(hex(new Uint8Array([0, 1, 2]).subarray(1)), hex(new Uint8Array([1, 2])));
  });

  it("sort keys by code units, in any locale", () => {
    const keys = ["ä", "z", "Z", "a", "10", "9", "\ud83d\ude00", "\uffff"];
    const forwards = Object.fromEntries(keys.map((key) => [key, 1]));
    const backwards = Object.fromEntries(keys.toReversed().map((key) => [key, 1]));
    assert.equal(hex(forwards), hex(backwards));
  });

  it("of isomorphic cycles are equal, wherever the cycle is entered from and however often", () => {
    const ring = (): Record<string, unknown> => {
      const first: Record<string, unknown> = { name: "first" };
      const second: Record<string, unknown> = { name: "second", items: new Map([["back", [first]]]) };
      first["next"] = new Set([second]);
      return first;
    };
    const shared = ring();
    assert.equal(hex(ring()), hex(ring()));
    assert.equal(hex([shared, shared]), hex([ring(), ring()]));
    const other = ring();
    other["name"] = "third";
    assert.notEqual(hex(ring()), hex(other));
    const short: unknown[] = [];
    short.push(short);
    const long: unknown[] = [[]];
    (long[0] as unknown[]).push(long);
    assert.notEqual(hex(short), hex(long));
  });

  it("of a densely connected graph stay small", () => {
    const nodes = Array.from({ length: 30 }, (_, index) => ({ index, peers: [] as unknown[] }));
    for (const node of nodes) node.peers.push(...nodes);
    assert.ok(canonicalBytes(nodes).byteLength < 100_000);
  });

  it("of values from another realm are those of this one", () => {
    const foreign: unknown = runInContext(
      "({ a: [1, new Map([[new Date(0), /x/g]])], b: new Uint8Array([1]) })",
      createContext({}),
    );
    assert.equal(hex(foreign), hex({ a: [1, new Map([[new Date(0), /x/g]])], b: new Uint8Array([1]) }));
  });

  it("are equal exactly when two values are", () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, tie("leaf"), tie("leaf"), tie("array"), tie("record"), tie("map"), tie("set")),
      leaf: fc.constantFrom<unknown>(
        0,
        -0,
        1,
        1n,
        "1",
        "",
        "a",
        "\ud800",
        true,
        false,
        null,
        undefined,
        Number.NaN,
        "1a",
        new Date(0),
        new Date(Number.NaN),
        new Uint8Array(1),
        new Int8Array(1),
        new Float32Array(1),
        /a/u,
      ),
      array: fc.oneof(fc.array(tie("value"), { maxLength: 3 }), fc.sparseArray(tie("value"), { maxLength: 3 })),
      record: fc.dictionary(fc.constantFrom("a", "b", "1", "__proto__"), tie("value"), { maxKeys: 2 }),
      map: fc.array(fc.tuple(tie("leaf"), tie("value")), { maxLength: 2 }).map((entries) => new Map(entries)),
      set: fc.array(tie("leaf"), { maxLength: 3 }).map((items) => new Set(items)),
    }));
    fc.assert(
      fc.property(value, value, (one, other) => {
        assert.equal(hex(one) === hex(other), isDeepStrictEqual(inOrder(one), inOrder(other)));
      }),
      { numRuns: 3000 },
    );
  });

  it("of anything are those of its copy with its keys in another order", () => {
    fc.assert(
      fc.property(anything, (value) => {
        assert.equal(hex(value), hex(copyBackwards(value)));
      }),
      { numRuns: 1000 },
    );
  });

  it("of two arbitrary values differ when the values do", () => {
    fc.assert(
      fc.property(anything, anything, (one, other) => {
        if (!isDeepStrictEqual(inOrder(one), inOrder(other))) assert.notEqual(hex(one), hex(other));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("data that Reprise made itself", () => {
  it("has the digest that any value has", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "grapheme", minLength: 60, maxLength: 200 }),
    );
    const { own } = fc.letrec<{ own: OwnData; leaf: OwnData; array: OwnData; record: OwnData }>((tie) => ({
      own: fc.oneof({ maxDepth: 3 }, tie("leaf"), tie("leaf"), tie("array"), tie("record")),
      leaf: fc.oneof(text, fc.constant("\ud800"), fc.double(), fc.boolean(), fc.constant(null)),
      array: fc.array(tie("own"), { maxLength: 3 }),
      record: fc.dictionary(text, tie("own"), { maxKeys: 3, noNullPrototype: true }),
    }));
    fc.assert(
      fc.property(own, (value) => {
        assert.equal(digestOwnData(value), digestValue(value));
      }),
      { numRuns: 2000 },
    );
  });

  it("has the digest that any value has, of whatever length its texts are", () => {
    for (const length of [63, 64, 126, 127, 128, 129, 5000]) {
      for (const text of ["a".repeat(length), `${"a".repeat(length - 1)}é`]) {
        assert.equal(digestOwnData([text]), digestValue([text]));
        const bytes = Buffer.from(canonicalBytes(text));
        assert.equal(bytes.subarray(-Buffer.byteLength(text)).toString(), text);
      }
    }
  });
});

describe("a value without a canonical form", () => {
  class Point {
    x = 1;
    toJSON(): string {
      throw new Error("toJSON was called");
    }
  }
  const trap = (): never => {
    throw new Error("code of the value was run");
  };
  const hidden = Object.defineProperty({}, "x", { value: 1, enumerable: false });
  const refused: readonly (readonly [value: unknown, message: string])[] = [
    [{ model: { layers: [1, 2, { init: () => 1 }] } }, "params.model.layers[2].init is a function"],
    [{ model: Point }, "params.model is a class"],
    [{ "a key": Symbol("s") }, 'params["a key"] is a symbol'],
    [[new Point()], "params[0] is an instance of Point"],
    [new Map([["k", [new Point()]]]), 'params.get("k")[0] is an instance of Point'],
    [new Map([[new Point(), 1]]), "params.keys()[0] is an instance of Point"],
    [new Set([1, new Point()]), "params.values()[1] is an instance of Point"],
    [Promise.resolve(1), "params is a promise"],
    [new ReadableStream(), "params is a stream (ReadableStream)"],
    [Readable.from([]), "params is a stream (Readable)"],
    [new WeakMap(), "params is a WeakMap"],
    [new TypeError("x"), "params is an error"],
    [
      {
        get x() {
          return trap();
        },
      },
      "params.x is a getter",
    ],
    [Object.defineProperty([1], 0, { get: trap, enumerable: true }), "params[0] is a getter"],
    [hidden, "params.x is a hidden (non-enumerable) property"],
    [
      new Proxy({}, { get: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap }),
      "params is a proxy",
    ],
    [{ [Symbol("s")]: 1 }, "params is an object with a symbol as key"],
    [/a/u.exec("a"), "params is an array with properties besides its items"],
    [Object.assign(new Map(), { x: 1 }), "params is a Map with properties of its own"],
    [new (class Special extends Map {})(), "params is an instance of Special"],
    [new (class Special extends Array {})(), "params is an instance of Special"],
    [new (class Special extends Float32Array {})(1), "params is an instance of Special"],
    [Object.create({ inherited: 1 }), "params is an object with a prototype of its own"],
    [new SharedArrayBuffer(1), "params is shared memory"],
    [new Uint8Array(new SharedArrayBuffer(1)), "params is a view of shared memory"],
    [
      (function () {
        return arguments;
      })(),
      "params is an arguments object",
    ], // oxlint-disable-line prefer-rest-params
    [
      (function* () {
        yield 1;
      })(),
      "params is a generator",
    ],
    [Object(Symbol("s")), "params is a symbol"],
  ];
  for (const [value, message] of refused) {
    it(`is refused with its place: ${message}`, () => {
      assert.throws(
        () => canonicalBytes(value, { name: "params" }),
        (error: unknown) => {
          assert.ok(error instanceof ValueError);
          assert.equal(error.code, "RPS2001");
          assert.equal(error.message, `${message}, which has no canonical form.`);
          assert.ok(error.hint !== undefined && error.hint.length > 0);
          assert.ok(typeof error.data["path"] === "string");
          return true;
        },
      );
    });
  }

  it("is refused when it is nested too deep, and when it is too large", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 5000; level++) deep = [deep];
    assert.throws(() => canonicalBytes(deep), /more than 1000 levels deep/u);
    let bomb: unknown = "x".repeat(1000);
    for (let level = 0; level < 40; level++) bomb = [bomb, bomb];
    assert.throws(() => canonicalBytes(bomb), /value is larger than 256 MiB/u);
  });
});

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  withUnicodeString: true,
});

/** Maps and Sets as lists, as comparing them does not look at their order. */
function inOrder(value: unknown): unknown {
  if (value instanceof Map) return { map: [...value].map(([key, item]) => [inOrder(key), inOrder(item)]) };
  if (value instanceof Set) return { set: [...value].map(inOrder) };
  return mapParts(value, inOrder, (keys) => keys);
}

function copyBackwards(value: unknown): unknown {
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [copyBackwards(key), copyBackwards(item)]));
  if (value instanceof Set) return new Set([...value].map(copyBackwards));
  return mapParts(value, copyBackwards, (keys) => keys.toReversed());
}

function mapParts(value: unknown, change: (part: unknown) => unknown, order: (keys: string[]) => string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value;
  const copy = Array.isArray(value) ? Array.from({ length: 0 }) : (Object.create(prototype as object | null) as object);
  if (Array.isArray(value)) (copy as unknown[]).length = value.length;
  for (const key of order(Object.keys(value))) {
    Object.defineProperty(copy, key, {
      value: change((value as Record<string, unknown>)[key]),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return copy;
}
