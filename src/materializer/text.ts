import type { Materializer } from "../define/materializer.ts";
import { previewText } from "./preview.ts";
import { cannotStore } from "./storable.ts";

/** Strings, as UTF-8 text. A string with half a surrogate pair has no UTF-8; undeclared, it is stored as JSON. */
export function text(): Materializer<string> {
  return materializer;
}

const materializer: Materializer<string> = {
  name: "text",
  version: 1,
  mediaType: "text/plain; charset=utf-8",
  extension: "txt",
  accepts: (value) => typeof value === "string" && value.isWellFormed(),
  async write(value, blobs) {
    assertText(value);
    return { root: await blobs.put(value) };
  },
  read: async (root, blobs) => decodeText(await blobs.bytes(root.digest)),
  describe: (value) => ({ preview: previewText("text", value), metadata: { characters: value.length } }),
};

/** Refuses what has no UTF-8 text. */
export function assertText(value: unknown): asserts value is string {
  if (typeof value !== "string") {
    throw cannotStore([], { what: `no string (it is of type ${typeof value})`, hint: "Return a string." });
  }
  if (!value.isWellFormed()) {
    throw cannotStore([], {
      what: "a string with half a surrogate pair",
      hint: "Call toWellFormed() on it, or return it undeclared.",
    });
  }
}

/** UTF-8 to the very string that was written; a byte order mark is part of it. */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}
