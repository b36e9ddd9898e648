/** Digests of bytes: SHA-256, written `sha256:<64 hex digits>` so that another algorithm can come later. */
import { createHash, type Hash } from "node:crypto";
import { sha256 } from "./sha256.ts";

/** `sha256:` and 64 lower-case hex digits. */
export type Digest = `sha256:${string}` & { readonly __brand: "Digest" };

/** Digest of bytes, or of the UTF-8 bytes of a string. */
export function digestBytes(bytes: Uint8Array | string): Digest {
  return `sha256:${sha256(bytes, "hex")}` as Digest;
}

/** A digest over several pieces, in the order they arrive. */
export class Digester {
  readonly #hash: Hash = createHash("sha256");
  #size = 0;

  update(chunk: Uint8Array): this {
    this.#hash.update(chunk);
    this.#size += chunk.byteLength;
    return this;
  }

  /** Bytes seen so far. */
  get size(): number {
    return this.#size;
  }

  /** Ends the digest; the digester cannot be used afterwards. */
  digest(): Digest {
    return `sha256:${this.#hash.digest("hex")}` as Digest;
  }
}

const pattern = /^sha256:[0-9a-f]{64}$/u;

/** Whether a string, from a store or a request, is a well-formed digest. */
export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** The first characters of the hex part, for people. */
export function shortDigest(digest: Digest, length = 8): string {
  return digest.slice("sha256:".length, "sha256:".length + length);
}
