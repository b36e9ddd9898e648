import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ValueError } from "../error.ts";
import { decodeNpy, encodeNpy } from "./npy.ts";
import { tensor } from "./tensor.ts";

describe("a NumPy file", () => {
  it("is, byte for byte, the one that numpy.save writes", () => {
    const file = Buffer.concat(encodeNpy("float32", [2, 1], new Float32Array([1, 2])));
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }";
    assert.equal(file.toString("latin1", 0, 10), "\u0093NUMPY\u0001\u0000\u0076\u0000");
    assert.equal(file.toString("latin1", 10, 128), `${header.padEnd(117)}\n`);
    assert.equal(file.toString("hex", 128), "0000803f00000040");
  });

  it("is read from a Buffer into memory of its own", () => {
    const file = Buffer.concat(encodeNpy("float32", [2], new Float32Array([1, 2])));
    const { data } = decodeNpy(file);
    assert.deepEqual(data, new Float32Array([1, 2]));
    assert.equal(data.byteOffset, 0);
    assert.notEqual(data.buffer, file.buffer);
  });

  it("is refused when it is cut short, of an unknown dtype, or none at all", () => {
    const file = Buffer.concat(encodeNpy("int32", [3], new Int32Array(3)));
    assert.throws(() => decodeNpy(file.subarray(0, file.length - 4)), ValueError);
    assert.throws(() => decodeNpy(Buffer.from(file.toString("latin1").replace("<i4", "|O8"), "latin1")), ValueError);
    assert.throws(() => decodeNpy(Buffer.from("not a NumPy file")), ValueError);
  });
});

describe("a tensor", () => {
  it("has as many items as its shape says", () => {
    assert.throws(
      () => tensor({ data: new Float32Array(5), shape: [2, 3] }),
      /A tensor of shape \(2, 3\) has 6 items, but its data has 5\./u,
    );
    assert.throws(() => tensor({ data: new Uint8ClampedArray(1) as never, shape: [1] }), ValueError);
  });
});
