/** Texts as vectors without a model: features are hashed into a fixed number of dimensions and weighted by their rarity. */

/** `words`: whole words. `trigrams`: runs of three characters, so that `parse` is close to `parsing`. */
export type Features = "words" | "trigrams";

/** Hashes are told apart up to here when rarity is counted; vectors have fewer dimensions. */
const hashRange = 2 ** 16;

/** The weight of each feature hash: rare ones count more. */
export function weighFeatures(texts: readonly string[], features: Features): Float32Array {
  const counts = new Uint32Array(hashRange);
  for (const text of texts) {
    for (const hash of new Set(hashFeatures(text, features))) counts[hash % hashRange]! += 1;
  }
  return Float32Array.from(counts, (count) => Math.log((texts.length + 1) / (count + 1)) + 1);
}

/** One row of `dimensions` numbers a text, each row of length 1, one row after the other. */
export function embedTexts(
  texts: readonly string[],
  weights: Float32Array,
  features: Features,
  dimensions: number,
): Float32Array {
  const vectors = new Float32Array(texts.length * dimensions);
  for (const [row, text] of texts.entries()) {
    const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    for (const hash of hashFeatures(text, features)) {
      // The sign makes features that share a dimension cancel out instead of adding up.
      const sign = hash >>> 31 === 0 ? 1 : -1;
      vector[hash % dimensions]! += sign * (weights[hash % hashRange] as number);
    }
    normalize(vector);
  }
  return vectors;
}

function hashFeatures(text: string, features: Features): number[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  if (features === "words") return words.map(hash);
  return words.flatMap((word) => {
    const padded = `^${word}$`;
    return Array.from({ length: padded.length - 2 }, (_, at) => hash(padded.slice(at, at + 3)));
  });
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let bits = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) bits = Math.imul(bits ^ text.charCodeAt(at), 0x01000193);
  return bits >>> 0;
}

function normalize(vector: Float32Array): void {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  if (length > 0) for (const [at, value] of vector.entries()) vector[at] = value / length;
}
