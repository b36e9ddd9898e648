import { testMaterializer } from "../testing/materializer-contract.ts";
import { arrayBuffer, buffer, bytes } from "./bytes.ts";
import { tensor } from "./tensor.ts";
import { text } from "./text.ts";
import { typedArray } from "./typed-array.ts";
import type { NumberArray } from "./npy.ts";

testMaterializer(text(), {
  values: {
    "empty text": () => "",
    "text beyond ASCII": () => "é€😀\u0000\r\n",
    "text with a byte order mark": () => "\ufefftext",
    "long text": () => "long ".repeat(50_000),
  },
  refused: {
    "half a surrogate pair": { value: () => "\ud800", path: "value" },
    "a number": { value: () => 1, path: "value" },
  },
});

testMaterializer(bytes(), {
  values: {
    "no bytes": () => new Uint8Array(),
    "a part of an array": () => new Uint8Array([1, 2, 3]).subarray(1),
    "many bytes": () => new Uint8Array(300_000).fill(7),
  },
  refused: { "a string": { value: () => "text", path: "value" } },
});

testMaterializer(buffer, { values: { "a Buffer": () => Buffer.from("text") } });

testMaterializer(arrayBuffer, { values: { "an ArrayBuffer": () => new Uint8Array([1, 2]).buffer } });

testMaterializer<NumberArray>(typedArray, {
  values: {
    "an empty array": () => new Float64Array(),
    int8: () => new Int8Array([-128, 127]),
    int16: () => new Int16Array([-1, 2]),
    uint16: () => new Uint16Array([65_535]),
    int32: () => new Int32Array([-1, 2]),
    uint32: () => new Uint32Array([4_294_967_295]),
    float16: () => new Float16Array([0.5, Number.NaN]),
    float32: () => new Float32Array([0.1, -0, Infinity]),
    float64: () => new Float64Array([0.1, -0, Number.NaN, -Infinity]),
    int64: () => new BigInt64Array([-(2n ** 63n)]),
    uint64: () => new BigUint64Array([2n ** 64n - 1n]),
    "a part of an array": () => new Float32Array([1, 2, 3]).subarray(1),
    "many numbers": () => new Float64Array(100_000).fill(0.123_456_789),
  },
});

testMaterializer(tensor(), {
  values: {
    "a matrix": () => tensor({ data: new Float32Array([1, 2, 3, 4, 5, 6]), shape: [2, 3] }),
    "a scalar": () => tensor({ data: new Float64Array([1]), shape: [] }),
    "an empty tensor": () => tensor({ data: new Uint8Array(), shape: [0, 3] }),
    "bytes in a shape": () => tensor({ data: new Uint8Array([1, 2, 3, 4]), shape: [2, 2] }),
  },
  refused: { "an array": { value: () => [1], path: "value" } },
});
