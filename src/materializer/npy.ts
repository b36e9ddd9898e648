/**
 * Typed arrays with a shape, in NumPy's file format (NEP 1, version 1.0): a short header, then the raw items. numpy.load
 * reads it.
 */
import { ValueError } from "../error.ts";
import { bytesOf } from "../hash/kind.ts";

/** Typed arrays that NumPy has a dtype for: all but Uint8ClampedArray. */
export type NumberArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float16Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

export type DType =
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "float16"
  | "float32"
  | "float64"
  | "int64"
  | "uint64";

interface DTypeRow {
  readonly dtype: DType;
  readonly descr: string;
  readonly array: new (buffer: ArrayBuffer) => NumberArray;
  readonly name: string;
}

const dtypes: readonly DTypeRow[] = [
  { dtype: "int8", descr: "|i1", array: Int8Array, name: "Int8Array" },
  { dtype: "uint8", descr: "|u1", array: Uint8Array, name: "Uint8Array" },
  { dtype: "int16", descr: "<i2", array: Int16Array, name: "Int16Array" },
  { dtype: "uint16", descr: "<u2", array: Uint16Array, name: "Uint16Array" },
  { dtype: "int32", descr: "<i4", array: Int32Array, name: "Int32Array" },
  { dtype: "uint32", descr: "<u4", array: Uint32Array, name: "Uint32Array" },
  { dtype: "float16", descr: "<f2", array: Float16Array, name: "Float16Array" },
  { dtype: "float32", descr: "<f4", array: Float32Array, name: "Float32Array" },
  { dtype: "float64", descr: "<f8", array: Float64Array, name: "Float64Array" },
  { dtype: "int64", descr: "<i8", array: BigInt64Array, name: "BigInt64Array" },
  { dtype: "uint64", descr: "<u8", array: BigUint64Array, name: "BigUint64Array" },
];

/** The dtype of a typed array by its name, as `Float32Array`; undefined when NumPy has none for it. */
export function dtypeOf(arrayName: string | undefined): DType | undefined {
  return dtypes.find((row) => row.name === arrayName)?.dtype;
}

const magic = Buffer.from("\u0093NUMPY\u0001\u0000", "latin1");
const prefixSize = magic.length + 2;

/** The file in two pieces, so that the items are not copied. */
export function encodeNpy(dtype: DType, shape: readonly number[], data: NumberArray): readonly Uint8Array[] {
  const { descr } = dtypes.find((row) => row.dtype === dtype)!;
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const fields = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const padding = 64 - ((prefixSize + fields.length + 1) % 64);
  const header = Buffer.from(`${fields}${" ".repeat(padding)}\n`, "latin1");
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return [Buffer.concat([magic, length, header]), bytesOf(data)];
}

export interface NpyContent {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** In memory of its own. */
  readonly data: NumberArray;
}

export function decodeNpy(file: Uint8Array): NpyContent {
  if (!magic.equals(file.subarray(0, magic.length))) throw notNpy("it does not start as one");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = prefixSize + view.getUint16(magic.length, true);
  const header = Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString("latin1", prefixSize, start);
  const fields = /^\{'descr': '([^']+)', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n$/u.exec(header);
  const row = dtypes.find(({ descr }) => descr === fields?.[1]);
  if (fields === null || row === undefined) throw notNpy(`its header is not understood: ${header.slice(0, 200)}`);
  const shape = fields[2]!
    .split(",")
    .map((size) => size.trim())
    .filter((size) => size !== "")
    .map(Number);
  // Not file.slice(): a Buffer's is a view of the same memory.
  const items = file.buffer.slice(file.byteOffset + start, file.byteOffset + file.byteLength);
  const data = new row.array(items as ArrayBuffer);
  if (data.length !== shape.reduce((product, size) => product * size, 1)) {
    throw notNpy(`it holds ${data.length} items, which do not make the shape (${shape.join(", ")})`);
  }
  return { dtype: row.dtype, shape, data };
}

function notNpy(why: string): ValueError {
  return new ValueError("RPS2103", `The stored bytes are no NumPy array: ${why}.`, {
    hint: "Run the step again with --no-cache to store it anew.",
  });
}
