/**
 * Columns to Apache Arrow and back; the package is imported when the first table is written or read. Equal columns give
 * equal bytes: text is never dictionary-encoded, empty cells hold zeros, and rows come in batches of one size.
 */
import type * as Arrow from "apache-arrow";
import { ValueError } from "../error.ts";
import type { ArrowTable, ArrowVector } from "./arrow-table.ts";
import { assertColumnName, type Column, type ColumnType, type NumberStorage, type RawCell } from "./column.ts";

/** The Arrow package. Throws a ValueError (RPS2102) that says how to install it. */
export async function importArrow(): Promise<typeof Arrow> {
  try {
    return await import("apache-arrow");
  } catch (error) {
    throw new ValueError("RPS2102", 'Tables need the package "apache-arrow", which is not installed.', {
      hint: "Run: npm install apache-arrow",
      data: { package: "apache-arrow" },
      cause: error,
    });
  }
}

/** @param own - Whether the table is to have memory of its own; else it is for one that only reads it. */
export async function toArrowTable(columns: readonly Column[], rowCount: number, own = true): Promise<Arrow.Table> {
  const arrow = await importArrow();
  const fields = columns.map((column) => new arrow.Field(column.name, toType(arrow, column), true));
  const schema = new arrow.Schema(fields);
  const struct = new arrow.Struct(fields);
  const batches: Arrow.RecordBatch[] = [];
  for (let start = 0; start < rowCount; start += batchRows) {
    const length = Math.min(batchRows, rowCount - start);
    const children = columns.map((column, index) => toData(arrow, fields[index]!.type, column, { start, length, own }));
    batches.push(new arrow.RecordBatch(schema, arrow.makeData({ type: struct, length, nullCount: 0, children })));
  }
  return batches.length === 0 ? new arrow.Table(schema) : new arrow.Table(schema, batches);
}

/** The bytes of an Arrow file (IPC, random access), which other programs open as such. */
export async function encodeArrow(columns: readonly Column[], rowCount: number): Promise<Uint8Array> {
  const { tableToIPC } = await importArrow();
  return tableToIPC(await toArrowTable(columns, rowCount, false), "file");
}

export async function decodeArrow(bytes: Uint8Array): Promise<ArrowTable> {
  const { tableFromIPC } = await importArrow();
  return tableFromIPC(bytes) as ArrowTable;
}

/** The columns of an Arrow table. Cells are decoded when they are first asked for. */
export function columnsFromArrow(table: ArrowTable): readonly Column[] {
  const names = new Set<string>();
  return table.schema.fields.map(({ name, type: arrowType }, index) => {
    assertColumnName(name);
    if (names.has(name))
      throw unsupported(name, "has a name that another column has as well", "Rename one of the two.");
    names.add(name);
    const { type, storage } = fromType(name, arrowType);
    let cells: ArrayLike<RawCell> | undefined;
    return {
      name,
      type,
      storage,
      get cells() {
        return (cells ??= toCells(table.getChildAt(index), type, table.numRows));
      },
    };
  });
}

const batchRows = 65_536;

// Numbers of the Arrow format (Schema.fbs), as the package has them in its enum Type.
const typeIds = { null: 1, int: 2, float: 3, utf8: 5, bool: 6, date: 8, timestamp: 10, dictionary: -1, largeUtf8: 20 };

const arrays = {
  Float64: Float64Array,
  Float32: Float32Array,
  Int8: Int8Array,
  Int16: Int16Array,
  Int32: Int32Array,
  Int64: BigInt64Array,
  Uint8: Uint8Array,
  Uint16: Uint16Array,
  Uint32: Uint32Array,
  Uint64: BigUint64Array,
} as const;

function toType(arrow: typeof Arrow, { type, storage }: Column): Arrow.DataType {
  switch (type) {
    case "string":
      return new arrow.Utf8();
    case "boolean":
      return new arrow.Bool();
    case "date":
      return new arrow.TimestampMillisecond("UTC");
    case "null":
      return new arrow.Null();
    default:
      return new arrow[storage!]();
  }
}

function toData(
  arrow: typeof Arrow,
  type: Arrow.DataType,
  column: Column,
  { start, length, own }: { readonly start: number; readonly length: number; readonly own: boolean },
): Arrow.Data {
  const { cells } = column;
  // Which fields go with which type is known here, and too much for the overloads of the package.
  const makeData = arrow.makeData as unknown as (fields: Readonly<Record<string, unknown>>) => Arrow.Data;
  if (column.storage !== undefined && cells instanceof arrays[column.storage]) {
    const end = start + length;
    return makeData({ type, length, nullCount: 0, data: own ? cells.slice(start, end) : cells.subarray(start, end) });
  }
  const at = (index: number): RawCell => cells[start + index]!;
  const validity = new Uint8Array(Math.ceil(length / 8));
  let nullCount = 0;
  for (let index = 0; index < length; index++) {
    if (at(index) === null) nullCount++;
    else validity[index >> 3]! |= 1 << (index & 7);
  }
  const base = { type, length, nullCount, ...(nullCount === 0 ? {} : { nullBitmap: validity }) };
  switch (column.type) {
    case "null":
      return makeData({ type, length });
    case "string":
      return makeData({ ...base, ...encodeTexts(at, length) });
    case "boolean": {
      const data = new Uint8Array(Math.ceil(length / 8));
      for (let index = 0; index < length; index++) if (at(index) === true) data[index >> 3]! |= 1 << (index & 7);
      return makeData({ ...base, data });
    }
    case "date": {
      const data = new BigInt64Array(length);
      for (let index = 0; index < length; index++) data[index] = BigInt((at(index) as number | null) ?? 0);
      return makeData({ ...base, data });
    }
    default: {
      const data = new arrays[column.storage!](length) as { [index: number]: RawCell };
      for (let index = 0; index < length; index++) if (at(index) !== null) data[index] = at(index);
      return makeData({ ...base, data });
    }
  }
}

function encodeTexts(
  at: (index: number) => RawCell,
  length: number,
): { readonly valueOffsets: Int32Array; readonly data: Uint8Array } {
  const valueOffsets = new Int32Array(length + 1);
  let size = 0;
  for (let index = 0; index < length; index++) {
    const cell = at(index);
    if (cell !== null) size += Buffer.byteLength(cell as string, "utf8");
    valueOffsets[index + 1] = size;
  }
  const data = Buffer.alloc(size);
  for (let index = 0; index < length; index++) {
    const cell = at(index);
    if (cell !== null) data.write(cell as string, valueOffsets[index]!, "utf8");
  }
  return { valueOffsets, data };
}

function fromType(
  name: string,
  type: { readonly typeId: number },
): { readonly type: ColumnType; readonly storage: NumberStorage | undefined } {
  switch (type.typeId) {
    case typeIds.null:
      return { type: "null", storage: undefined };
    case typeIds.utf8:
    case typeIds.largeUtf8:
      return { type: "string", storage: undefined };
    case typeIds.bool:
      return { type: "boolean", storage: undefined };
    case typeIds.date:
    case typeIds.timestamp:
      return { type: "date", storage: undefined };
    case typeIds.int:
    case typeIds.float: {
      const storage = String(type) as NumberStorage;
      if (!(storage in arrays)) return { type: "number", storage: "Float64" };
      return { type: storage.endsWith("nt64") ? "bigint" : "number", storage };
    }
    case typeIds.dictionary:
      // Which number stands for which text is an accident of how the table was made.
      return fromType(
        name,
        (type as { readonly dictionary?: { readonly typeId: number } }).dictionary ?? { typeId: 0 },
      );
    default:
      throw unsupported(
        name,
        `is of the Arrow type ${String(type)}, which a table of Reprise cannot hold`,
        "Leave the column out, keep it as JSON text, or as a tensor.",
      );
  }
}

function toCells(vector: ArrowVector | null, type: ColumnType, length: number): ArrayLike<RawCell> {
  if (vector === null || type === "null") return Array.from<RawCell>({ length }).fill(null);
  const isPlain = type === "number" || type === "bigint";
  const whole = isPlain && vector.nullCount === 0 ? vector.toArray() : undefined;
  if (ArrayBuffer.isView(whole)) return whole as unknown as ArrayLike<RawCell>;
  return Array.from({ length }, (_, index): RawCell => {
    const cell = vector.get(index);
    return cell === undefined ? null : (cell as RawCell);
  });
}

function unsupported(column: string, what: string, hint: string): ValueError {
  return new ValueError("RPS2104", `Column "${column}" ${what}.`, { hint, data: { path: column, column, what } });
}
