/** A reader who does what a page says, in a project of their own. */
import { copyProject, type Finished, type Project } from "../rig/project.ts";
import type { Command, Page } from "./page.ts";

/** How one command of the page went. */
export interface Followed {
  readonly command: Command;
  readonly code: number | null;
  /** What it printed, as a terminal shows it. */
  readonly output: string;
}

/** Makes every edit and runs every command of a page, in order. */
export async function followPage(page: Page): Promise<readonly Followed[]> {
  const followed: Followed[] = [];
  let project: Project | undefined;
  try {
    for (const part of page.parts) {
      if (part.kind === "project") {
        await project?.[Symbol.asyncDispose]();
        project = await copyProject(part.folder);
        continue;
      }
      if (part.kind !== "edit" && part.kind !== "command") continue;
      if (project === undefined) throw new Error(`${page.path} has a command or an edit before it names a project`);
      if (part.kind === "edit") await project.edit(part.file, part.from, part.to);
      else followed.push(await runCommand(project, part.command));
    }
    return followed;
  } finally {
    await project?.[Symbol.asyncDispose]();
  }
}

/** An output without what differs from run to run: times, dates, ids, digests, versions of Node, widths of columns. */
export function normalizeOutput(text: string): string {
  return text
    .replaceAll(/\d\d_[A-Z][a-z]{2}_\d\d-\d\d_\d\d_\d\d_\d{6}/gu, "TIME")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/gu, "TIME")
    .replaceAll(/\br-[0-9a-z]{6,}/gu, "RUN")
    .replaceAll(/\bprocess \d+/gu, "process N")
    .replaceAll(/\b\d+(?:\.\d+)?\s?(?:ms|s)\b/gu, "0s")
    .replaceAll(/just now|\d+ ?(?:s|min|h) ago/gu, "AGO")
    .replaceAll(/(?:sha256:)?\b(?:[0-9a-f]{64}|(?=[a-f]*\d)[0-9a-f]{8})\b/gu, "DIGEST")
    .replaceAll(/node \d+\.\d+\.\d+ on \w+ \w+|node \d+ \w+ \w+/gu, "MACHINE")
    .replaceAll(/ (?:· )?saved 0s/gu, "")
    .replaceAll(/[ \t]+/gu, " ")
    .replaceAll(/ $/gmu, "");
}

/**
 * Whether an output is what the page says; a line `…` of the page stands for any lines. Steps that run at once may end in
 * another order.
 */
export function showsOutput(page: string, output: string): boolean {
  const pieces = normalizeOutput(page)
    .split(/^ ?…$/mu)
    .map((piece) => piece.trim());
  let rest = normalizeOutput(output).trim();
  if (pieces.length === 1) return sortLines(rest) === sortLines(pieces[0] as string);
  for (const [at, piece] of pieces.entries()) {
    const found = at === pieces.length - 1 ? rest.lastIndexOf(piece) : rest.indexOf(piece);
    if (found === -1 || (at === 0 && found !== 0)) return false;
    rest = rest.slice(found + piece.length);
  }
  return rest === "";
}

function sortLines(text: string): string {
  return text.split("\n").sort().join("\n");
}

async function runCommand(project: Project, command: Command): Promise<Followed> {
  const { code, stdout, stderr } = await start(project, splitWords(command.text));
  const output = `${stdout}${stderr}`.replaceAll(project.path, ".").replaceAll("\r\n", "\n").trimEnd();
  return { command, code, output };
}

async function start(project: Project, words: readonly string[]): Promise<Finished> {
  const [program, ...args] = words[0] === "npx" ? words.slice(1) : words;
  if (program === "node") return await project.node(args);
  if (program === "reprise") return await project.reprise(asOnTerminal(args));
  if (program === "npm" && args[0] === "run" && args[1] === "example") {
    const flags = args.slice(args.indexOf("--") + 1);
    return await project.reprise(asOnTerminal(["run", "first-pipeline.ts", ...(args.includes("--") ? flags : [])]));
  }
  throw new Error(`a page may run node, reprise and npm run example, and not: ${words.join(" ")}`);
}

/** The pages show what a terminal shows. */
function asOnTerminal(args: readonly string[]): readonly string[] {
  return args[0] === "run" && !args.includes("--reporter") && !args.includes("--help")
    ? [...args, "--reporter", "pretty"]
    : args;
}

function splitWords(text: string): readonly string[] {
  return (text.match(/"[^"]*"|'[^']*'|\S+/gu) ?? []).map((word) => word.replaceAll(/^["']|["']$/gu, ""));
}
