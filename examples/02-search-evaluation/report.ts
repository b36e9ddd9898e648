/** What the evaluation says, for people. */
import type { Quality } from "./ranking.ts";

export interface Score extends Quality {
  readonly features: string;
  readonly k: number;
  readonly questions: number;
}

/** One question and what was found for it. */
export interface Answer {
  readonly question: string;
  /** From 1; 0: not among the first k. */
  readonly rank: number;
  readonly nearest: string;
}

const shownMisses = 8;

/** A comparison of the ways to embed, best first, and questions that the best one misses. */
export function writeReport(scores: readonly Score[], answers: readonly (readonly Answer[])[]): string {
  const order = scores.map((_, at) => at).toSorted((a, b) => (scores[b] as Score).mrr - (scores[a] as Score).mrr);
  const best = order[0] as number;
  const missed = (answers[best] ?? []).filter(({ rank }) => rank === 0);
  return [
    `# Search over the documents of installed packages`,
    ``,
    `| features | questions | recall@${scores[best]?.k} | MRR |`,
    `| --- | ---: | ---: | ---: |`,
    ...order.map((at) => toRow(scores[at] as Score)),
    ``,
    `## Not found with ${scores[best]?.features}: ${missed.length}`,
    ``,
    ...missed.slice(0, shownMisses).map(({ question, nearest }) => `- ${question} – nearest: ${nearest}`),
    ``,
  ].join("\n");
}

function toRow({ features, questions, recall, mrr }: Score): string {
  return `| ${features} | ${questions} | ${recall.toFixed(3)} | ${mrr.toFixed(3)} |`;
}
