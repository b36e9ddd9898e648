import type { Materializer } from "../define/materializer.ts";
import type { JsonObject } from "../hash/json.ts";
import { kindOf, typedArrayName } from "../hash/kind.ts";
import { decodeNpy, dtypeOf, encodeNpy, type DType, type NumberArray } from "./npy.ts";
import { summarizeNumbers } from "./number-statistics.ts";
import { maxPreviewRows, previewValue } from "./preview.ts";

/** Typed arrays with their dtype, as NumPy files of one dimension. Bytes have a materializer of their own. */
export const typedArray: Materializer<NumberArray> = {
  name: "typed-array",
  version: 1,
  mediaType: "application/x-npy",
  extension: "npy",
  accepts: (value) => toDType(value) !== undefined && toDType(value) !== "uint8",
  async write(value, blobs) {
    return { root: await blobs.put(pieces(encodeNpy(toDType(value)!, [value.length], value.slice()))) };
  },
  read: async (root, blobs) => decodeNpy(await blobs.bytes(root.digest)).data,
  describe: (value) => ({
    preview: previewValue(firstItems(value)),
    metadata: describeNumbers(toDType(value)!, [value.length], value),
  }),
};

/** The dtype of a value that is a typed array proper. */
export function toDType(value: unknown): DType | undefined {
  if (!ArrayBuffer.isView(value) || kindOf(value) !== "typed array") return undefined;
  return dtypeOf(typedArrayName(value));
}

export function describeNumbers(dtype: DType, shape: readonly number[], data: NumberArray): JsonObject {
  return { dtype, shape: [...shape], items: data.length, ...summarizeNumbers(data) };
}

export function firstItems(data: NumberArray): readonly (number | bigint)[] {
  return Array.from<number | bigint>(data.subarray(0, maxPreviewRows));
}

/** Bytes in pieces, one after the other. */
export async function* pieces(parts: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* parts;
}
