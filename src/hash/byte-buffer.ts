/** A run of bytes that grows at its end; one allocation serves many values. */
export class ByteBuffer {
  #bytes: Buffer;
  #length = 0;
  readonly #limit: number;

  /** `limit` in bytes: growing past it throws a RangeError. */
  constructor(limit: number, initialSize = 4096) {
    this.#limit = limit;
    this.#bytes = Buffer.allocUnsafe(initialSize);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** A whole number from 0, seven bits a byte, lowest first (LEB128). */
  count(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** IEEE 754 binary64, big-endian; every NaN is the same. */
  float(value: number): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleBE(Number.isNaN(value) ? Number.NaN : value, this.#length);
  }

  /** UTF-8 behind its length in bytes. The text must be well formed. */
  text(value: string): void {
    const length = value.length;
    // A length of one byte. Short texts are copied faster here than by a call into Node.
    if (length < 128) {
      this.#reserve(length + 1);
      const bytes = this.#bytes;
      const start = this.#length;
      bytes[start] = length;
      let index = 0;
      for (; index < length; index++) {
        const code = value.charCodeAt(index);
        if (code > 0x7f) break;
        bytes[start + 1 + index] = code;
      }
      if (index === length) {
        this.#length = start + 1 + length;
        return;
      }
    }
    const size = Buffer.byteLength(value, "utf8");
    this.count(size);
    this.#reserve(size);
    this.#length += this.#bytes.write(value, this.#length, size, "utf8");
  }

  /** UTF-16, little-endian, behind its length in code units: for text with lone surrogates. */
  codeUnits(value: string): void {
    this.count(value.length);
    this.#reserve(value.length * 2);
    this.#length += this.#bytes.write(value, this.#length, "utf16le");
  }

  /** Bytes behind their number. */
  bytes(value: Uint8Array): void {
    this.count(value.byteLength);
    this.#reserve(value.byteLength);
    this.#bytes.set(value, this.#length);
    this.#length += value.byteLength;
  }

  /** The bytes so far, not copied: valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#bytes.length) return;
    if (needed > this.#limit) throw new RangeError(`more than ${this.#limit} bytes`);
    const grown = Buffer.allocUnsafe(Math.min(this.#limit, Math.max(needed, this.#bytes.length * 2)));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
