import { createRequire } from "node:module";
import type { Materializer } from "../define/materializer.ts";
import { kindOf } from "../hash/kind.ts";
import { describeValue, tooLong } from "./json.ts";
import { cannotStore, textFormOf } from "./storable.ts";

/**
 * Values beyond JSON, in devalue's text: undefined, NaN, -0, bigints, dates, Maps, Sets, regular expressions, URLs, typed
 * arrays, holes, records without a prototype, shared and cyclic objects. Reading makes data and runs none of it.
 */
export const richValue: Materializer = {
  name: "value",
  version: 1,
  mediaType: "application/json",
  extension: "devalue.json",
  accepts(value) {
    if (typeof value === "function" || typeof value === "symbol") return false;
    return typeof value !== "object" || value === null || typeof kindOf(value) === "string";
  },
  async write(value, blobs) {
    textFormOf(value);
    // Not imported, which takes a moment in which the value's owner may change it.
    const { DevalueError, stringify } = createRequire(import.meta.url)("devalue") as typeof import("devalue");
    let text: string;
    try {
      text = stringify(value, { Buffer: ownBytes }, { operations: { viewInfo } });
    } catch (error) {
      if (!(error instanceof DevalueError)) throw tooLong(error);
      // Everything else has been refused by the walk above.
      throw cannotStore([], {
        what: 'an object with "__proto__" as key beside values that JSON cannot hold',
        hint: "Rename the key, or use a Map.",
      });
    }
    return { root: await blobs.put(text) };
  },
  async read(root, blobs) {
    const { parse } = await import("devalue");
    return parse(await blobs.text(root.digest), {
      Buffer: (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    }) as unknown;
  },
  describe: describeValue,
};

/** A Buffer's bytes alone: its memory may be shared with others. */
function ownBytes(value: unknown): Uint8Array | undefined {
  return Buffer.isBuffer(value) ? new Uint8Array(value) : undefined;
}

/** Stores what a view shows, and not the rest of the memory that it looks at. */
function viewInfo(view: ArrayBufferView): {
  buffer: ArrayBufferLike;
  byteOffset: number;
  byteLength: number;
  length: number;
  bufferByteLength: number;
} {
  const { byteLength } = view;
  const isWhole = byteLength === view.buffer.byteLength;
  const buffer = isWhole ? view.buffer : view.buffer.slice(view.byteOffset, view.byteOffset + byteLength);
  return { buffer, byteOffset: 0, byteLength, length: byteLength, bufferByteLength: byteLength };
}
