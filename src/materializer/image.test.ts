import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Materializer } from "../define/materializer.ts";
import { ValueError } from "../error.ts";
import { testMaterializer } from "../testing/materializer-contract.ts";
import { imageMaterializers, jpeg, png, type Image } from "./image.ts";

/** One red pixel. */
const pixel = (): Uint8Array =>
  new Uint8Array(
    Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==",
      "base64",
    ),
  );

/** The start of a JPEG file: an application segment, then a frame header of 3 × 2 pixels. */
const frame = (): Uint8Array =>
  new Uint8Array(Buffer.from("ffd8ffe00004abcdffc00011080002000303012200021101031101", "hex"));

const find = (name: string): Materializer<Image> =>
  imageMaterializers.find((one) => one.name === name) as Materializer<Image>;

testMaterializer(find("png"), {
  values: { "a picture": () => png(pixel()) },
  refused: { bytes: { value: pixel, path: "value" } },
});
testMaterializer(find("jpeg"), { values: { "a picture": () => jpeg(frame()) } });
testMaterializer(png(), {
  values: { "declared bytes": pixel },
  refused: { "other bytes": { value: () => new Uint8Array(100), path: "value" } },
});
testMaterializer(jpeg(), { values: { "declared bytes": frame } });

describe("a picture", () => {
  it("knows its size from its header", () => {
    assert.deepEqual([png(pixel()).width, png(pixel()).height], [1, 1]);
    assert.deepEqual([jpeg(frame()).width, jpeg(frame()).height], [3, 2]);
  });

  it("is refused when its bytes are something else", () => {
    for (const bytes of [new Uint8Array(), frame(), pixel().subarray(1)]) assert.throws(() => png(bytes), ValueError);
    for (const bytes of [new Uint8Array([0xff, 0xd8, 0xff]), pixel(), frame().subarray(0, 10)]) {
      assert.throws(() => jpeg(bytes), ValueError);
    }
  });
});
