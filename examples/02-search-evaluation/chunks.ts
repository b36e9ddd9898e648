/** Documents cut into sections at their headings, and sections into windows of words. */
import type { Document } from "./documents.ts";

export interface Chunk {
  readonly package: string;
  readonly file: string;
  /** Of the section that the chunk belongs to. It is not part of the text: questions are made from it. */
  readonly heading: string;
  readonly text: string;
}

/** Windows of `size` words; each begins `size - overlap` words after the one before. */
export function splitDocument(document: Document, size: number, overlap: number): Chunk[] {
  return splitSections(document.text).flatMap(({ heading, body }) =>
    splitWords(body, size, overlap).map((text) => ({ package: document.package, file: document.file, heading, text })),
  );
}

interface Section {
  readonly heading: string;
  readonly body: string;
}

function splitSections(markdown: string): Section[] {
  const sections: { heading: string; lines: string[] }[] = [{ heading: "", lines: [] }];
  let fenced = false;
  for (const line of markdown.split("\n")) {
    if (/^\s*(?:```|~~~)/u.test(line)) fenced = !fenced;
    const heading = fenced ? undefined : /^#{1,6}\s+(.+?)\s*#*$/u.exec(line)?.[1];
    if (heading === undefined) sections.at(-1)?.lines.push(line);
    else sections.push({ heading: toPlainText(heading), lines: [] });
  }
  return sections.map(({ heading, lines }) => ({ heading, body: toPlainText(lines.join("\n")) }));
}

/** Leaves words and the texts of links; drops pictures, addresses, tags and marks. */
function toPlainText(markdown: string): string {
  return markdown
    .replaceAll(/<[^>]*>/gu, " ")
    .replaceAll(/!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])/gu, " ")
    .replaceAll(/\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/gu, "$1")
    .replaceAll(/https?:\/\/\S+/gu, " ")
    .replaceAll(/[`*_|>]+/gu, " ")
    .replaceAll(/\s+/gu, " ")
    .trim();
}

function splitWords(text: string, size: number, overlap: number): string[] {
  const words = text.split(" ").filter((word) => word !== "");
  const windows: string[] = [];
  for (let start = 0; start < words.length; start += size - overlap) {
    windows.push(words.slice(start, start + size).join(" "));
    if (start + size >= words.length) break;
  }
  return windows;
}
