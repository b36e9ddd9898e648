import type { Description, Materializer, Preview } from "../define/materializer.ts";
import { cannotStore } from "./storable.ts";
import { isTagged, tagged, type Tagged } from "./tagged.ts";

export type ImageFormat = "png" | "jpeg";

/** An encoded picture; its size is read from its header. */
export interface Image<Format extends ImageFormat = ImageFormat> extends Tagged {
  readonly format: Format;
  readonly bytes: Uint8Array;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

/** A PNG picture to return from a step. Throws a ValueError when the bytes are none. */
export function png(bytes: Uint8Array): Image<"png">;
/** Declares an output to be the bytes of a PNG picture. */
export function png(): Materializer<Uint8Array>;
export function png(bytes?: Uint8Array): Image | Materializer<Uint8Array> {
  return bytes === undefined ? plain.png : toImage("png", bytes);
}

/** A JPEG picture to return from a step. Throws a ValueError when the bytes are none. */
export function jpeg(bytes: Uint8Array): Image<"jpeg">;
/** Declares an output to be the bytes of a JPEG picture. */
export function jpeg(): Materializer<Uint8Array>;
export function jpeg(bytes?: Uint8Array): Image | Materializer<Uint8Array> {
  return bytes === undefined ? plain.jpeg : toImage("jpeg", bytes);
}

interface Size {
  readonly width: number;
  readonly height: number;
}

const formats: Readonly<
  Record<ImageFormat, { readonly extension: string; readonly readSize: (bytes: Uint8Array) => Size | undefined }>
> = {
  png: { extension: "png", readSize: readPngSize },
  jpeg: { extension: "jpg", readSize: readJpegSize },
};

const plain: Readonly<Record<ImageFormat, Materializer<Uint8Array>>> = {
  png: plainMaterializer("png"),
  jpeg: plainMaterializer("jpeg"),
};

/** All of this file: those for values that say what they are, and those for declared bytes. */
export const imageMaterializers: readonly Materializer[] = [
  imageMaterializer("png"),
  imageMaterializer("jpeg"),
  plain.png,
  plain.jpeg,
];

function toImage<Format extends ImageFormat>(format: Format, bytes: Uint8Array): Image<Format> {
  return tagged(format, { format, bytes, ...sizeOf(format, bytes) });
}

function imageMaterializer(format: ImageFormat): Materializer<Image> {
  return {
    name: format,
    version: 1,
    mediaType: `image/${format}`,
    extension: formats[format].extension,
    accepts: (value) => isTagged(value, format),
    async write(value, blobs) {
      if (!isTagged(value, format)) {
        throw cannotStore([], { what: `no ${format} picture`, hint: `Return ${format}(bytes).` });
      }
      return { root: await blobs.put(value.bytes) };
    },
    read: async (root, blobs) => toImage(format, await blobs.bytes(root.digest)),
    describe: (value) => describe(format, value),
  };
}

/** For declared outputs: bytes go in, and bytes come out. */
function plainMaterializer(format: ImageFormat): Materializer<Uint8Array> {
  return {
    name: `${format}-bytes`,
    version: 1,
    mediaType: `image/${format}`,
    extension: formats[format].extension,
    accepts: () => false,
    async write(value, blobs) {
      sizeOf(format, value);
      return { root: await blobs.put(value) };
    },
    async read(root, blobs) {
      const bytes = await blobs.bytes(root.digest);
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    describe: (bytes) => describe(format, sizeOf(format, bytes)),
  };
}

function describe(format: ImageFormat, { width, height }: Size): Description {
  const preview: Preview = { kind: "image", mediaType: `image/${format}`, width, height };
  return { preview, metadata: { width, height } };
}

function sizeOf(format: ImageFormat, bytes: unknown): Size {
  const size = bytes instanceof Uint8Array ? formats[format].readSize(bytes) : undefined;
  if (size !== undefined) return size;
  throw cannotStore([], {
    what: `not the bytes of a ${format.toUpperCase()} picture`,
    hint: `Pass the encoded file, as a Uint8Array that starts with the ${format.toUpperCase()} header.`,
  });
}

function readPngSize(bytes: Uint8Array): Size | undefined {
  const start = Buffer.from("\u0089PNG\r\n\u001a\n\u0000\u0000\u0000\rIHDR", "latin1");
  if (bytes.byteLength < 24 || !start.equals(bytes.subarray(0, start.length))) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

/** Walks the segments to the first frame header (ITU-T T.81, B.2.2). */
function readJpegSize(bytes: Uint8Array): Size | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 9 <= bytes.byteLength;) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}
