/**
 * SHA-256 (FIPS 180-4). `node:crypto` is much faster and takes over three milliseconds to load, which is more than all that a
 * run without news has to hash: a process hashes its first few kilobytes here.
 */
import { hash } from "node:crypto";

/** Hashing more than this here would take as long as loading `node:crypto`. */
let bytesLeft = 8 * 1024;

/** Of bytes, or of the UTF-8 bytes of a string. */
export function sha256(data: Uint8Array | string, encoding: "hex" | "base64url"): string {
  if (data.length > bytesLeft) {
    bytesLeft = 0;
    return hash("sha256", data, encoding);
  }
  bytesLeft -= data.length;
  return digestHere(typeof data === "string" ? Buffer.from(data, "utf8") : data).toString(encoding);
}

/** As {@link sha256} does it without `node:crypto`. */
export function digestHere(bytes: Uint8Array): Buffer {
  const blocks = ((bytes.length + 8) >>> 6) + 1;
  const padded = new Uint8Array(blocks * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, bytes.length << 3);
  const state = new Int32Array(firstState);
  for (let at = 0; at < padded.length; at += 64) addBlock(state, view, at);
  const digest = Buffer.alloc(32);
  for (let index = 0; index < 8; index += 1) digest.writeInt32BE(state[index]!, index * 4);
  return digest;
}

const firstState = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
const words = new Int32Array(64);

/** Loops and no iterators, and whole numbers throughout: it is done a few dozen times, mostly before it is compiled. */
function addBlock(state: Int32Array, bytes: DataView, at: number): void {
  for (let index = 0; index < 16; index += 1) words[index] = bytes.getInt32(at + index * 4);
  for (let index = 16; index < 64; index += 1) {
    const x = words[index - 15]!;
    const y = words[index - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[index] = (words[index - 16]! + s0 + words[index - 7]! + s1) | 0;
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let index = 0; index < 64; index += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + constants[index]! + words[index]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  // An Int32Array takes each sum modulo 2³².
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
  state[5]! += f;
  state[6]! += g;
  state[7]! += h;
}

/** The fractional parts of the cube roots of the first 64 primes. */
const constants = new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);
