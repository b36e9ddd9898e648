import type { Materializer } from "../define/materializer.ts";
import { kindOf, typedArrayName } from "../hash/kind.ts";
import { cannotStore } from "./storable.ts";

/** Bytes as they are. A Buffer and an ArrayBuffer are stored alike when undeclared, and come back as what they were. */
export function bytes(): Materializer<Uint8Array> {
  return uint8Array;
}

const uint8Array = rawBytes<Uint8Array>(
  "bytes",
  (value) => isUint8Array(value) && !Buffer.isBuffer(value),
  (value) => value,
  (read) => new Uint8Array(read.buffer, read.byteOffset, read.byteLength),
);

export const buffer = rawBytes<Buffer>(
  "buffer",
  (value) => isUint8Array(value) && Buffer.isBuffer(value),
  (value) => value,
  (read) => Buffer.from(read.buffer, read.byteOffset, read.byteLength),
);

export const arrayBuffer = rawBytes<ArrayBuffer>(
  "array-buffer",
  (value) => typeof value === "object" && value !== null && kindOf(value) === "array buffer",
  (value) => new Uint8Array(value),
  (read) => new Uint8Array(read).buffer,
);

/** A Uint8Array or a Buffer proper, of no other class. */
function isUint8Array(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && kindOf(value) === "typed array" && typedArrayName(value) === "Uint8Array";
}

function rawBytes<T>(
  name: string,
  accepts: (value: unknown) => boolean,
  toBytes: (value: T) => Uint8Array,
  fromBytes: (read: Uint8Array<ArrayBuffer>) => T,
): Materializer<T> {
  return {
    name,
    version: 1,
    mediaType: "application/octet-stream",
    extension: "bin",
    accepts,
    async write(value, blobs) {
      const found: unknown = value;
      // A declared bytes() takes a Buffer too: it is a Uint8Array to whoever asked for one.
      if (!accepts(found) && !isUint8Array(found)) {
        throw cannotStore([], { what: `not what ${name} holds`, hint: "Return a Uint8Array." });
      }
      return { root: await blobs.put(copyOf(toBytes(value))) };
    },
    read: async (root, blobs) => fromBytes((await blobs.bytes(root.digest)) as Uint8Array<ArrayBuffer>),
    describe: (value) => {
      const stored = toBytes(value);
      const start = Buffer.from(stored.buffer, stored.byteOffset, Math.min(64, stored.byteLength));
      return {
        preview: { kind: "text", text: start.toString("hex"), truncated: stored.byteLength > start.byteLength },
        metadata: { bytes: stored.byteLength },
      };
    },
  };
}

/** Bytes that their owner may go on to change while they are stored. Not `slice`, which of a Buffer shares the memory. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes);
}
