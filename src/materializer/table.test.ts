import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import * as arrow from "apache-arrow";
import fc from "fast-check";
import type { Materializer } from "../define/materializer.ts";
import { ValueError } from "../error.ts";
import { memoryBlobs, testMaterializer } from "../testing/materializer-contract.ts";
import { recordsMaterializer, table, tableMaterializer, type Table } from "./table.ts";

const sameTable = (actual: Table<object>, expected: Table<object>): void => {
  assert.deepEqual(actual.columns, expected.columns);
  assert.deepEqual(actual.toRecords(), expected.toRecords());
};

testMaterializer(tableMaterializer, {
  values: {
    "a table of every type": () =>
      table([
        { n: 1, big: 5n, text: "x", flag: true, at: new Date(5), none: null },
        { n: -0, big: null, text: null, flag: null, at: null, none: null },
        { n: Number.NaN, big: -(2n ** 63n), text: "é😀", flag: false, at: new Date(-8e15), none: null },
      ]),
    "a table without rows": () => table([]),
    "rows without columns": () => table([{}, {}]),
    "rows with missing cells": () => table([{ a: 1 }, { b: "x" }, { a: undefined, b: "y" }]),
    "more rows than a batch holds": () =>
      table(Array.from({ length: 70_000 }, (_, index) => ({ index, text: index % 3 === 0 ? null : `row ${index}` }))),
    "more columns than are shown": () =>
      table(
        Array.from({ length: 150 }, () =>
          Object.fromEntries(
            Array.from({ length: 200 }, (_, index) => [`a column with a long name ${index}`, "x".repeat(300)]),
          ),
        ),
      ),
    "a table of Arrow": () =>
      table(
        new arrow.Table({
          small: arrow.vectorFromArray([1, null, 3], new arrow.Int16()),
          single: arrow.vectorFromArray([0.5, null, 1.5], new arrow.Float32()),
          big: arrow.vectorFromArray([1n, null, 3n], new arrow.Uint64()),
          label: arrow.vectorFromArray(["a", null, "a"], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())),
          day: arrow.vectorFromArray([new Date(0), null, new Date(86_400_000)], new arrow.DateDay()),
        }),
      ),
  },
  equal: sameTable,
  refused: { "an array": { value: () => [{ a: 1 }], path: "value" } },
});

testMaterializer(table() as Materializer<object[]>, {
  values: {
    "an array of records": () => [
      { a: 1, b: "x" },
      { a: 2, b: null },
    ],
    "no records": () => [],
  },
  refused: {
    "a column of two types": { value: () => [{ age: 1 }, { age: "2" }], path: "rows[1].age" },
    "a list in a cell": { value: () => [{ tags: ["a"] }], path: "rows[0].tags" },
    "a row that is no record": { value: () => [{ a: 1 }, null], path: "rows[1]" },
    "an invalid date": { value: () => [{ at: new Date(Number.NaN) }], path: "rows[0].at" },
    "a bigint of 65 bits": { value: () => [{ n: 2n ** 63n }], path: "rows[0].n" },
    "half a surrogate pair": { value: () => [{ s: "\ud800" }], path: "rows[0].s" },
    "a record": { value: () => ({ a: 1 }), path: "rows" },
  },
});

describe("a table", () => {
  it("gives rows, columns and an Arrow table", async () => {
    const people = table([
      { name: "Ada", age: 36, born: new Date(0) },
      { name: "Alan", age: 41, born: new Date(1) },
    ]);
    const age: number[] | undefined = people.column("age");
    assert.deepEqual(age, [36, 41]);
    assert.deepEqual(people.column("born"), [new Date(0), new Date(1)]);
    assert.deepEqual(
      [...people].map((row) => row.name),
      ["Ada", "Alan"],
    );
    const asArrow: arrow.Table = await people.toArrow();
    assert.equal(
      asArrow.schema.toString(),
      "Schema<{ 0: name: Utf8, 1: age: Float64, 2: born: Timestamp<MILLISECOND, UTC> }>",
    );
    assert.deepEqual(table(asArrow).toRecords(), people.toRecords());
  });

  it("does not change with what it gave out, nor with what it was made of", () => {
    const rows = [{ at: new Date(0), n: 1 }];
    const made = table(rows);
    rows[0]!.n = 2;
    made.toRecords()[0]!.at.setTime(5);
    made.column("n")![0] = 3;
    assert.deepEqual(made.toRecords(), [{ at: new Date(0), n: 1 }]);
  });

  it("that was read does not change with the Arrow table that it gave out", async () => {
    await using blobs = memoryBlobs();
    const written = await tableMaterializer.write(table([{ n: 1 }, { n: 2 }]), blobs);
    const read = await tableMaterializer.read(written.root, blobs, 1);
    const given: arrow.Table = await read.toArrow();
    (given.getChildAt(0)!.data[0]!.values as Float64Array)[0] = 99;
    const again: arrow.Table = await read.toArrow();
    assert.equal(again.getChildAt(0)!.get(0), 1);
    assert.deepEqual(read.toRecords(), [{ n: 1 }, { n: 2 }]);
    assert.deepEqual(await tableMaterializer.write(read, blobs), written);
  });

  it("is an Arrow file that other programs can open", async () => {
    await using blobs = memoryBlobs();
    const { root } = await tableMaterializer.write(table([{ a: 1, b: "x" }]), blobs);
    const bytes = await blobs.bytes(root.digest);
    assert.equal(Buffer.from(bytes.subarray(0, 6)).toString(), "ARROW1");
    assert.deepEqual(
      arrow
        .tableFromIPC(bytes)
        .toArray()
        .map((row: object) => ({ ...row })),
      [{ a: 1, b: "x" }],
    );
  });

  it("has the same bytes whichever way equal text was numbered", async () => {
    const labels = (dictionary: string[], indices: number[]): arrow.Table => {
      const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32());
      const values = arrow.vectorFromArray(dictionary, new arrow.Utf8());
      const data = arrow.makeData({ type, length: indices.length, data: Int32Array.from(indices), dictionary: values });
      return new arrow.Table({ label: new arrow.Vector([data]) });
    };
    await using blobs = memoryBlobs();
    const one = await tableMaterializer.write(table(labels(["a", "b"], [0, 1, 0])), blobs);
    const other = await tableMaterializer.write(table(labels(["b", "a"], [1, 0, 1])), blobs);
    assert.equal(one.root.digest, other.root.digest);
  });

  it("differs when columns are renamed, swapped or of another type", async () => {
    await using blobs = memoryBlobs();
    const digests = await Promise.all(
      [
        [{ a: 1, b: 2 }],
        [{ b: 2, a: 1 }],
        [{ a: 2, b: 1 }],
        [{ a: 1, c: 2 }],
        [{ a: 1n, b: 2 }],
        [{ a: "1", b: 2 }],
      ].map(async (rows) => (await recordsMaterializer.write(rows, blobs)).root.digest),
    );
    assert.equal(new Set(digests).size, digests.length);
  });

  it("is described by its schema, its columns' statistics and its first rows", async () => {
    const rows = [
      { n: 1, s: "b", at: new Date(0), flag: true },
      { n: 3, s: "a", at: new Date(1000), flag: false },
      { n: Number.NaN, s: null, at: null, flag: null },
    ];
    assert.deepEqual(await tableMaterializer.describe?.(table(rows)), {
      preview: {
        kind: "table",
        columns: [
          { name: "n", type: "number" },
          { name: "s", type: "string" },
          { name: "at", type: "date" },
          { name: "flag", type: "boolean" },
        ],
        rows: [
          [1, "b", "1970-01-01T00:00:00.000Z", true],
          [3, "a", "1970-01-01T00:00:01.000Z", false],
          ["NaN", null, null, null],
        ],
        rowCount: 3,
        truncated: false,
      },
      metadata: {
        rows: 3,
        columns: 4,
        statistics: [
          { name: "n", type: "number", storage: "Float64", nulls: 0, min: 1, max: 3, mean: 2, notNumbers: 1 },
          { name: "s", type: "string", nulls: 1, min: "a", max: "b", distinct: 2 },
          { name: "at", type: "date", nulls: 1, min: "1970-01-01T00:00:00.000Z", max: "1970-01-01T00:00:01.000Z" },
          { name: "flag", type: "boolean", nulls: 1, true: 1 },
        ],
      },
    });
  });

  it("refuses Arrow columns that it cannot hold", () => {
    const nested = new arrow.Table({ list: arrow.vectorFromArray([[1], [2]]) });
    assert.throws(() => table(nested), /Column "list" is of the Arrow type List<Float64>, which/u);
  });

  it("comes back as it was, whatever its cells", async () => {
    const rows = fc.array(
      fc.record(
        {
          n: fc.option(fc.double()),
          big: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
          s: fc.option(fc.string({ unit: "grapheme" })),
          at: fc.option(fc.date({ noInvalidDate: true })),
          flag: fc.option(fc.boolean()),
        },
        { noNullPrototype: true },
      ),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(rows, async (records) => {
        await using blobs = memoryBlobs();
        const { root } = await recordsMaterializer.write(records, blobs);
        assert.deepStrictEqual(await recordsMaterializer.read(root, blobs, 1), records);
      }),
      { numRuns: 100 },
    );
  });

  it("says what to install when the Arrow package is not there", async () => {
    const program = `
      import { registerHooks } from "node:module";
      registerHooks({
        resolve(specifier, context, next) {
          return next(specifier === "apache-arrow" ? "not-installed-arrow" : specifier, context);
        },
      });
      const { table } = await import(${JSON.stringify(new URL("table.ts", import.meta.url).href)});
      const made = table([{ a: 1 }]);
      console.log(made.toRecords()[0].a);
      await made.toArrow().catch(({ code, message, hint }) => console.log([code, message, hint].join("\\n")));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
    assert.equal(
      stdout,
      '1\nRPS2102\nTables need the package "apache-arrow", which is not installed.\nRun: npm install apache-arrow\n',
    );
  });

  it("is refused where it is made, with row and column", () => {
    assert.throws(
      () => table([{ age: 1 }, { age: "2" }]),
      (error: unknown) => {
        assert.ok(error instanceof ValueError);
        assert.equal(error.message, "rows[1].age is a string in a column of numbers, which a table cannot hold.");
        return true;
      },
    );
  });
});

it("a table that another copy of this package made is stored as the same bytes", async () => {
  const other = (await import(`${import.meta.resolve("./table.ts")}?copy`)) as { readonly table: typeof table };
  const rows = [{ n: 1, at: new Date(5), none: null }];
  const [own, foreign] = [table(rows), other.table(rows)];
  assert.notEqual(other.table, table);
  const write = async (value: Table<object>): Promise<unknown> =>
    (await tableMaterializer.write(value, memoryBlobs())).root;
  assert.deepEqual(await write(foreign), await write(own));
  assert.deepEqual(await tableMaterializer.describe?.(foreign), await tableMaterializer.describe?.(own));
});
