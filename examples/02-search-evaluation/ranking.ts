/** Nearest neighbours by cosine, and how good they are. */
import type { Tensor } from "reprise";

/** For each query the rows of its `k` nearest neighbours, best first: `k` numbers a query. */
export function findNearest(queries: Tensor<Float32Array>, rows: Tensor<Float32Array>, k: number): Int32Array {
  const [queryCount, dimensions] = queries.shape as [number, number];
  const [rowCount] = rows.shape as [number];
  const nearest = new Int32Array(queryCount * k);
  const scores = new Float32Array(rowCount);
  for (let query = 0; query < queryCount; query += 1) {
    const vector = queries.data.subarray(query * dimensions, (query + 1) * dimensions);
    for (let row = 0; row < rowCount; row += 1) scores[row] = dot(vector, rows.data, row * dimensions);
    nearest.set(largest(scores, k), query * k);
  }
  return nearest;
}

export interface Quality {
  /** The share of questions whose answer is among the first k. */
  readonly recall: number;
  /** The mean of 1 / rank of the first answer, 0 where there is none among the first k. */
  readonly mrr: number;
}

/** `ranks` count from 1; 0 stands for an answer that was not found. */
export function measureQuality(ranks: readonly number[]): Quality {
  const found = ranks.filter((rank) => rank > 0);
  return {
    recall: found.length / ranks.length,
    mrr: found.reduce((sum, rank) => sum + 1 / rank, 0) / ranks.length,
  };
}

function dot(vector: Float32Array, data: Float32Array, from: number): number {
  let sum = 0;
  for (let at = 0; at < vector.length; at += 1) sum += (vector[at] as number) * (data[from + at] as number);
  return sum;
}

/** Where the largest scores are. Of equal ones the first comes first. */
function largest(scores: Float32Array, k: number): number[] {
  const best: number[] = [];
  for (const [row, score] of scores.entries()) {
    if (best.length === k && score <= (scores[best[k - 1] as number] as number)) continue;
    const place = best.findIndex((other) => score > (scores[other] as number));
    best.splice(place === -1 ? best.length : place, 0, row);
    best.length = Math.min(best.length, k);
  }
  return best;
}
