import type { Materializer } from "../define/materializer.ts";
import { ValueError } from "../error.ts";
import { decodeNpy, encodeNpy, type DType, type NumberArray } from "./npy.ts";
import { previewValue } from "./preview.ts";
import { isTagged, tagged, type Tagged } from "./tagged.ts";
import { cannotStore } from "./storable.ts";
import { describeNumbers, firstItems, pieces, toDType } from "./typed-array.ts";

/** Numbers in a shape: `data` holds them row by row (the last dimension is the closest together). */
export interface Tensor<Data extends NumberArray = NumberArray> extends Tagged {
  readonly data: Data;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A tensor to return from a step; the next one gets a tensor with the same data, shape and dtype. */
export function tensor<Data extends NumberArray>(content: {
  readonly data: Data;
  readonly shape: readonly number[];
}): Tensor<Data>;
/** Declares an output to be a tensor. */
export function tensor<Data extends NumberArray = NumberArray>(): Materializer<Tensor<Data>>;
export function tensor(content?: {
  readonly data: NumberArray;
  readonly shape: readonly number[];
}): Tensor | Materializer<Tensor> {
  return content === undefined ? tensorMaterializer : toTensor(content.data, content.shape);
}

export const tensorMaterializer: Materializer<Tensor> = {
  name: "tensor",
  version: 1,
  mediaType: "application/x-npy",
  extension: "npy",
  accepts: isTensor,
  async write(value, blobs) {
    if (!isTensor(value)) throw cannotStore([], { what: "no tensor", hint: "Return tensor({ data, shape })." });
    return { root: await blobs.put(pieces(encodeNpy(value.dtype, value.shape, value.data.slice()))) };
  },
  async read(root, blobs) {
    const { data, shape } = decodeNpy(await blobs.bytes(root.digest));
    return toTensor(data, shape);
  },
  describe: ({ data, shape, dtype }) => ({
    preview: previewValue(firstItems(data)),
    metadata: describeNumbers(dtype, shape, data),
  }),
};

function isTensor(value: unknown): value is Tensor {
  return isTagged(value, "tensor");
}

function toTensor(data: NumberArray, shape: readonly number[]): Tensor {
  const dtype = toDType(data);
  if (dtype === undefined) {
    throw new ValueError("RPS2104", "The data of a tensor is no typed array with a dtype.", {
      hint: "Pass a typed array such as new Float32Array(numbers); for a Uint8ClampedArray, pass new Uint8Array(it).",
      data: { path: "data" },
    });
  }
  const size = shape.reduce((product, length) => product * length, 1);
  if (!shape.every((length) => Number.isInteger(length) && length >= 0) || size !== data.length) {
    throw new ValueError(
      "RPS2104",
      `A tensor of shape (${shape.join(", ")}) has ${size} items, but its data has ${data.length}.`,
      { hint: "Mend the shape, or the data.", data: { path: "shape" } },
    );
  }
  return tagged("tensor", { data, shape: Object.freeze([...shape]), dtype });
}
