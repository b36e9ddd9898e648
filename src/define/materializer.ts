/**
 * What turns a value into bytes and back: the port that the materializer room implements and users may implement too.
 *
 * An artifact has one root blob, and may name further blobs (`parts`): a directory is a manifest as root and a part a
 * file. Reading never executes what it reads.
 */
import type { Digest } from "../hash/digest.ts";
import type { JsonObject, JsonValue } from "../hash/json.ts";

/** A stored run of bytes. `size` in bytes. */
export interface BlobRef {
  readonly digest: Digest;
  readonly size: number;
}

/** Bytes on their way into the store. A `path` is read as a stream, never whole in memory. */
export type BlobSource = Uint8Array | string | AsyncIterable<Uint8Array> | { readonly path: string };

/** Where a materializer puts bytes. */
export interface BlobWriter {
  /** Stores the bytes and answers with their digest; equal bytes are stored once. */
  put(source: BlobSource): Promise<BlobRef>;
}

/** Where a materializer gets bytes; all of them are verified against their digest. */
export interface BlobReader {
  /** The array belongs to the caller: no other read shares its memory. */
  bytes(digest: Digest): Promise<Uint8Array>;
  text(digest: Digest): Promise<string>;
  stream(digest: Digest): AsyncIterable<Uint8Array>;
  /** A read-only local file with these bytes. It belongs to the store: do not write to it, move it or delete it. */
  path(digest: Digest): Promise<string>;
}

/** What a materializer wrote. */
export interface Written {
  readonly root: BlobRef;
  /** Further blobs that the root names. */
  readonly parts?: readonly BlobRef[];
}

/** Something small that a person can look at; `truncated` when the value holds more than is shown. */
export type Preview =
  | { readonly kind: "json"; readonly value: JsonValue; readonly truncated: boolean }
  | { readonly kind: "text"; readonly text: string; readonly truncated: boolean }
  | { readonly kind: "markdown"; readonly text: string; readonly truncated: boolean }
  | {
      readonly kind: "table";
      readonly columns: readonly { readonly name: string; readonly type: string }[];
      /** Row by row, values in the order of `columns`. */
      readonly rows: readonly (readonly JsonValue[])[];
      readonly rowCount: number;
      readonly truncated: boolean;
    }
  | { readonly kind: "image"; readonly mediaType: string; readonly width?: number; readonly height?: number }
  | { readonly kind: "html" }
  | { readonly kind: "svg" }
  | {
      readonly kind: "files";
      readonly entries: readonly { readonly path: string; readonly size: number }[];
      readonly count: number;
      readonly truncated: boolean;
    };

/** What is extracted from a value besides its bytes: sizes, shapes, dtypes, statistics. */
export interface Description {
  readonly preview?: Preview;
  readonly metadata?: JsonObject;
}

/** Turns values of one kind into bytes and back. */
export interface Materializer<T = unknown> {
  /** The kind of the artifact, recorded with it: `json`, `table`, `file`. Reading looks the materializer up by it. */
  readonly name: string;
  /** Version of the byte format; recorded, and reading an unknown one is refused with what to do. */
  readonly version: number;
  readonly mediaType: string;
  /** What a file of these bytes ends in, without the dot. */
  readonly extension: string;
  /** Whether this materializer takes the value when nothing was declared. */
  accepts(value: unknown): boolean;
  /** Stores the value. Throws a ValueError with the path of the field when part of it cannot be stored. */
  write(value: T, blobs: BlobWriter): Promise<Written>;
  /** Makes the value anew from bytes: what it returns shares nothing with what another read returned. */
  read(root: BlobRef, blobs: BlobReader, version: number): Promise<T>;
  /** Preview and metadata, bounded in size. */
  describe?(value: T): Description | Promise<Description>;
}
