import { markdown, pipeline, step, type Table } from "reprise";
import { z } from "zod";
import { splitDocument, type Chunk } from "./chunks.ts";
import { readDocuments, type Document } from "./documents.ts";
import { evaluateEmbedding, features } from "./evaluate-embedding.ts";
import { askForHeadings } from "./questions.ts";
import { writeReport, type Answer, type Score } from "./report.ts";

export const collectDocuments = step({
  name: "collect_documents",
  // A folder is nothing that a key could show. Looking again is cheap, and the same documents keep what follows cached.
  cache: false,
  params: z.object({ folder: z.string() }),
  run: async ({ folder }, { log }) => {
    const documents = await readDocuments(folder);
    log(`${documents.length} documents in ${folder}`);
    return { documents };
  },
});

export const splitDocuments = step({
  name: "split_documents",
  params: z
    .object({ size: z.number().int().positive(), overlap: z.number().int().nonnegative() })
    .refine(({ size, overlap }) => overlap < size, "the overlap must be smaller than the size"),
  run: ({ documents, size, overlap }: { documents: Document[]; size: number; overlap: number }, { metadata }) => {
    const chunks = documents.flatMap((document) => splitDocument(document, size, overlap));
    metadata({ documents: documents.length, chunks: chunks.length });
    return { chunks, texts: chunks.map(({ text }) => text) };
  },
});

export const writeQuestions = step({
  name: "write_questions",
  run: ({ chunks }: { chunks: Chunk[] }) => {
    const questions = askForHeadings(chunks);
    return { questions, texts: questions.map(({ text }) => text) };
  },
});

export const report = step({
  name: "report",
  run: ({ scores, answers }: { scores: Score[]; answers: Table<Answer>[] }) => {
    const records = answers.map((each) => each.toRecords());
    return { report: markdown(writeReport(scores, records)) };
  },
});

export const searchEvaluation = pipeline({
  name: "search_evaluation",
  params: z.object({
    folder: z.string().default("node_modules").describe("Where packages are"),
    size: z.number().int().positive().default(80),
    overlap: z.number().int().nonnegative().default(20),
    dimensions: z.number().int().positive().default(512),
    k: z.number().int().positive().default(5),
  }),
  build({ folder, size, overlap, dimensions, k }) {
    const { documents } = collectDocuments({ folder });
    const { chunks, texts: chunkTexts } = splitDocuments({ documents, size, overlap });
    const { questions, texts: questionTexts } = writeQuestions({ chunks });
    const evaluations = features.options.map((features) =>
      evaluateEmbedding({ chunks, chunkTexts, questions, questionTexts, features, dimensions, k }, { name: features }),
    );
    return report({
      scores: evaluations.map((each) => each.score),
      answers: evaluations.map((each) => each.answers),
    });
  },
});

if (import.meta.main) {
  const run = await searchEvaluation.run();
  const { text } = await run.outputs.report.load();
  console.log(`\n${text}`);
}
