/** The little of the tar format (POSIX ustar) that an archive needs: files in a row, which every `tar` can list and unpack. */
import { createReadStream } from "node:fs";
import { assertInternal } from "../../error.ts";
import { brokenArchive } from "./broken-archive.ts";

export interface TarFile {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** As it stands before the bytes. */
  readonly header: Uint8Array;
  /** To be read before the next file is asked for; what is left of it is passed over. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

const block = 512;
const nameBytes = 100;
/** Larger sizes do not fit eleven octal digits, and are written in binary, as GNU tar does. */
const largestOctal = 8 ** 11 - 1;

/** What stands before a file's bytes. No time and no owner: equal content gives equal archives. */
export function tarHeader(name: string, size: number): Uint8Array {
  assertInternal(Buffer.byteLength(name) <= nameBytes, `the name "${name}" is too long for a tar header`);
  const header = Buffer.alloc(block);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  if (size <= largestOctal) {
    header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  } else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write("00000000000\0", 136);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  header.write(`${checksumOf(header).toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** What stands behind a file's bytes: zeros up to the next block. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((block - (size % block)) % block);
}

/** What stands at the end of an archive. */
export const tarEnd: Uint8Array = new Uint8Array(2 * block);

/**
 * The files of an archive, in order. Throws a StoreError (RPS4006) for what is no archive, for one that is cut off, and
 * for anything in it that is no plain file.
 */
export async function* readTar(path: string): AsyncGenerator<TarFile, void, undefined> {
  await using source = new ByteSource(path);
  const take = async (count: number): Promise<Buffer> => {
    const bytes = await source.take(count);
    if (bytes === undefined) throw brokenArchive(path, "it is cut off");
    return bytes;
  };
  for (;;) {
    const header = await take(block);
    if (isZero(header)) return await expectEnd(path, source);
    const { name, size } = parseHeader(path, header);
    let left = size;
    async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
      while (left > 0) {
        const chunk = await source.some(left);
        if (chunk === undefined) throw brokenArchive(path, "it is cut off");
        left -= chunk.byteLength;
        yield chunk;
      }
    }
    yield { name, size, header, bytes: body() };
    while (left > 0) for await (const _ of body());
    if (!isZero(await take(tarPadding(size).byteLength))) throw brokenArchive(path, "it was altered");
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

async function expectEnd(path: string, source: ByteSource): Promise<void> {
  for (let chunk = await source.some(block); chunk !== undefined; chunk = await source.some(block)) {
    if (!isZero(chunk)) throw brokenArchive(path, "there is something behind its end");
  }
}

function parseHeader(path: string, header: Buffer): { readonly name: string; readonly size: number } {
  const text = (start: number, length: number): string => {
    const field = header.subarray(start, start + length);
    const end = field.indexOf(0);
    return field.subarray(0, end === -1 ? length : end).toString("utf8");
  };
  const octal = (start: number, length: number): number => {
    const digits = text(start, length).trim();
    return /^[0-7]+$/u.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
  };
  if (!text(257, 6).startsWith("ustar") || octal(148, 8) !== checksumOf(header)) {
    throw brokenArchive(path, "it is no archive of this kind, or was altered");
  }
  const name = text(0, nameBytes);
  const type = text(156, 1);
  if (type !== "0" || text(157, nameBytes) !== "" || text(345, 155) !== "") {
    throw brokenArchive(path, `"${name}" in it is no plain file`);
  }
  const size = header[124] === 0x80 ? Number(header.readBigUInt64BE(128)) : octal(124, 12);
  if (!Number.isSafeInteger(size)) throw brokenArchive(path, `"${name}" in it has no size`);
  return { name, size };
}

/** The sum of all bytes, those of the sum itself counted as spaces. */
function checksumOf(header: Uint8Array): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}

/** Bytes of a file, a given number at a time. */
class ByteSource implements AsyncDisposable {
  readonly #path: string;
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
    this.#chunks = createReadStream(path, { highWaterMark: 1024 * 1024 })[Symbol.asyncIterator]();
  }

  /** Exactly so many; undefined when there are fewer. */
  async take(count: number): Promise<Buffer | undefined> {
    const pieces: Buffer[] = [];
    for (let left = count; left > 0;) {
      const piece = await this.some(left);
      if (piece === undefined) return undefined;
      pieces.push(piece);
      left -= piece.byteLength;
    }
    return Buffer.concat(pieces);
  }

  /** At least one and at most so many; undefined at the end. */
  async some(most: number): Promise<Buffer | undefined> {
    while (this.#held.byteLength === 0) {
      const next = await this.#next();
      if (next.done === true) return undefined;
      this.#held = next.value;
    }
    const piece = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(piece.byteLength);
    return piece;
  }

  async #next(): Promise<IteratorResult<Buffer>> {
    try {
      return await this.#chunks.next();
    } catch (cause) {
      throw brokenArchive(this.#path, `it cannot be read: ${(cause as Error).message}`, cause);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }
}
