/** Questions whose answers are known: a heading asks for its section. */
import type { Chunk } from "./chunks.ts";

export interface Question {
  readonly text: string;
  /** Where the answer is: any chunk of this section will do. */
  readonly package: string;
  readonly heading: string;
}

/** What is shorter says too little to be found by. */
const minAnswerCharacters = 150;

/** One question a heading that no other section has. */
export function askForHeadings(chunks: readonly Chunk[]): Question[] {
  const sections = Map.groupBy(chunks, ({ heading }) => heading.toLowerCase());
  return [...sections.values()].flatMap((section): Question[] => {
    const [{ package: name, file, heading }] = section as [Chunk];
    const isOnlyOne = section.every((chunk) => chunk.package === name && chunk.file === file);
    const length = section.reduce((sum, { text }) => sum + text.length, 0);
    if (!isOnlyOne || length < minAnswerCharacters || !/\p{L}{3}/u.test(heading)) return [];
    return [{ text: `${heading} (${name})`, package: name, heading }];
  });
}

export function isAnswer(question: Question, chunk: Chunk): boolean {
  return chunk.package === question.package && chunk.heading === question.heading;
}
