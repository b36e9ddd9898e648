/**
 * A page of the docs, as far as it can be checked. Comments say what a fenced block is:
 *
 * - `<!-- file: PATH -->`: the block is an excerpt of this file, line by line. PATH is relative to the page.
 * - `<!-- project: FOLDER -->`: from here on, commands run in a fresh copy of this folder of the repository.
 * - `<!-- edit: FILE -->`: the block is a change (`diff`) that the reader makes to this file of the project.
 *
 * A `console` block holds commands after `$ ` and what they print; a line `…` stands for any lines.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { repository } from "../rig/project.ts";

export interface Command {
  readonly text: string;
  /** What the page says that it prints, without a last newline; undefined when it says nothing. */
  readonly output: string | undefined;
  /** Lines of the page, counted from 0: that of the command, and the first one after its output. */
  readonly line: number;
  readonly end: number;
}

/** What a reader does or sees, in the order of the page. */
export type Part =
  | { readonly kind: "project"; readonly folder: string }
  | { readonly kind: "excerpt"; readonly file: string; readonly text: string; readonly line: number }
  | { readonly kind: "edit"; readonly file: string; readonly from: string; readonly to: string; readonly line: number }
  | { readonly kind: "command"; readonly command: Command }
  /** Source that names no file, and is therefore checked by nobody. */
  | { readonly kind: "loose"; readonly language: string; readonly line: number };

export interface Page {
  /** Relative to the repository. */
  readonly path: string;
  readonly lines: readonly string[];
  readonly parts: readonly Part[];
}

export async function readPage(path: string): Promise<Page> {
  const lines = (await readFile(join(repository, path), "utf8")).split("\n");
  return { path, lines, parts: parseParts(lines) };
}

const comment = /^<!-- (?<kind>file|project|edit): (?<what>\S+) -->$/u;
const fence = /^```(?<language>\w*)$/u;
const languagesOfSamples = new Set(["ts", "js", "tsx"]);

function parseParts(lines: readonly string[]): readonly Part[] {
  const parts: Part[] = [];
  let named: { readonly kind: string; readonly what: string } | undefined;
  for (let at = 0; at < lines.length; at += 1) {
    const said = comment.exec(lines[at] as string)?.groups as { kind: string; what: string } | undefined;
    if (said?.kind === "project") parts.push({ kind: "project", folder: said.what });
    else if (said !== undefined) named = said;
    const language = fence.exec(lines[at] as string)?.groups?.["language"];
    if (language === undefined) continue;
    const end = lines.indexOf("```", at + 1);
    if (end === -1) throw new Error(`the block in line ${at + 1} does not end`);
    const block = lines.slice(at + 1, end);
    const line = at + 1;
    if (named?.kind === "file") parts.push({ kind: "excerpt", file: named.what, text: block.join("\n"), line });
    else if (named?.kind === "edit") parts.push({ kind: "edit", file: named.what, ...parseDiff(block), line });
    else if (language === "console") parts.push(...parseCommands(block, line));
    else if (languagesOfSamples.has(language)) parts.push({ kind: "loose", language, line });
    named = undefined;
    at = end;
  }
  return parts;
}

function parseDiff(block: readonly string[]): { readonly from: string; readonly to: string } {
  const side = (mark: string): string =>
    block
      .filter((line) => line.startsWith(mark) || !/^[-+]/u.test(line))
      .map((line) => line.slice(1))
      .join("\n");
  return { from: side("-"), to: side("+") };
}

function parseCommands(block: readonly string[], firstLine: number): readonly Part[] {
  const starts = block.flatMap((line, at) => (line.startsWith("$ ") ? [at] : []));
  return starts.map((at, index): Part => {
    const end = starts[index + 1] ?? block.length;
    const output = block.slice(at + 1, end);
    while (output.at(-1) === "") output.pop();
    return {
      kind: "command",
      command: {
        text: (block[at] as string).slice(2),
        output: output.length === 0 ? undefined : output.join("\n"),
        line: firstLine + at,
        end: firstLine + at + 1 + output.length,
      },
    };
  });
}
