/** The steps from texts to a score, and the pipeline that puts them in order for one kind of features. */
import { pipeline, step, table, tensor, type Ref, type Tensor } from "reprise";
import { z } from "zod";
import type { Chunk } from "./chunks.ts";
import { embedTexts, weighFeatures, type Features } from "./embedding.ts";
import { isAnswer, type Question } from "./questions.ts";
import { findNearest, measureQuality } from "./ranking.ts";
import type { Answer } from "./report.ts";

/** The kinds of features there are. */
export const features = z.enum(["words", "trigrams"]);

export const weigh = step({
  name: "weigh",
  params: z.object({ features }),
  run: ({ texts, features }: { texts: string[]; features: Features }) => ({ weights: weighFeatures(texts, features) }),
});

export const embed = step({
  name: "embed",
  params: z.object({ features, dimensions: z.number().int().positive() }),
  run: ({ texts, weights, features, dimensions }: Embedding, { metadata }) => {
    metadata({ texts: texts.length, dimensions });
    const data = embedTexts(texts, weights, features, dimensions);
    return { vectors: tensor({ data, shape: [texts.length, dimensions] }) };
  },
});

interface Embedding {
  texts: string[];
  weights: Float32Array;
  features: Features;
  dimensions: number;
}

export const search = step({
  name: "search",
  params: z.object({ k: z.number().int().positive() }),
  run: ({ queries, rows, k }: { queries: Tensor<Float32Array>; rows: Tensor<Float32Array>; k: number }) => ({
    hits: findNearest(queries, rows, k),
  }),
});

export const score = step({
  name: "score",
  params: z.object({ k: z.number().int().positive(), features }),
  run: ({ hits, questions, chunks, k, features }: Found, { log, metric }) => {
    const answers = questions.map((question, at): Answer => {
      const found = Array.from(hits.subarray(at * k, (at + 1) * k), (row) => chunks[row] as Chunk);
      const [nearest] = found as [Chunk];
      return {
        question: question.text,
        rank: found.findIndex((chunk) => isAnswer(question, chunk)) + 1,
        nearest: `${nearest.package}: ${nearest.heading}`,
      };
    });
    const { recall, mrr } = measureQuality(answers.map(({ rank }) => rank));
    metric("recall", recall);
    metric("mrr", mrr);
    log(`${features}: recall@${k} ${recall.toFixed(3)}, MRR ${mrr.toFixed(3)} over ${questions.length} questions`);
    return { answers: table(answers), score: { features, k, questions: questions.length, recall, mrr } };
  },
});

interface Found {
  hits: Int32Array;
  questions: Question[];
  chunks: Chunk[];
  k: number;
  features: Features;
}

/** One way to embed, from texts to its score. */
export const evaluateEmbedding = pipeline({
  name: "evaluate_embedding",
  build({ chunks, chunkTexts, questions, questionTexts, features, dimensions, k }: Evaluation) {
    const { weights } = weigh({ texts: chunkTexts, features });
    const rows = embed({ texts: chunkTexts, weights, features, dimensions }, { name: "embed_chunks" });
    const queries = embed({ texts: questionTexts, weights, features, dimensions }, { name: "embed_questions" });
    const { hits } = search({ queries: queries.vectors, rows: rows.vectors, k });
    return score({ hits, questions, chunks, k, features });
  },
});

interface Evaluation {
  chunks: Ref<Chunk[]>;
  chunkTexts: Ref<string[]>;
  questions: Ref<Question[]>;
  questionTexts: Ref<string[]>;
  features: Features;
  dimensions: number;
  k: number;
}
