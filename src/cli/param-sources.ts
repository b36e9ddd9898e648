/** Values of parameters that stand in no command line: in a variable of the environment, in a file, on standard input. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import process from "node:process";
import { UsageError } from "../error.ts";
import type { Context } from "./context.ts";

export type SourceFlags = Pick<Context<"run">["flags"], "param-env" | "param-file">;

/** The texts that `--param-env NAME=VARIABLE` and `--param-file NAME=FILE` lead to, by the parameter's name. */
export async function readParamSources(
  { "param-env": variables, "param-file": files }: SourceFlags,
  { cwd, io }: Pick<Context, "cwd" | "io">,
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const pair of variables) {
    const [name, variable] = splitPair(pair, "--param-env", "apiKey=API_KEY");
    const text = io.env[variable] ?? "";
    // Whoever writes the value in the place of the variable is not to read it here.
    if (text === "") {
      throw new UsageError("RPS6001", `The variable that --param-env names for "${name}" is not set, or empty`, {
        hint: `Name a variable of the environment: --param-env ${name}=VARIABLE`,
      });
    }
    texts.set(name, text);
  }
  for (const pair of files) {
    const [name, path] = splitPair(pair, "--param-file", "apiKey=key.txt");
    const text = path === "-" ? await readInput() : await readText(name, resolve(cwd, path));
    // Editors and `echo` end a file with a line end that nobody means.
    texts.set(name, text.replace(/\r?\n$/u, ""));
  }
  return texts;
}

function splitPair(pair: string, flag: string, sample: string): readonly [name: string, rest: string] {
  const at = pair.indexOf("=");
  if (at > 0 && at < pair.length - 1) return [pair.slice(0, at), pair.slice(at + 1)];
  throw new UsageError("RPS6001", `${flag} takes a parameter's name, =, and where its value is`, {
    hint: `Write ${flag} ${sample}`,
  });
}

async function readText(name: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "is not there" : `cannot be read (${code})`;
    throw new UsageError("RPS6001", `The file that --param-file names for "${name}" ${why}`, {
      hint: `Name a file with the value alone in it: --param-file ${name}=FILE, or - for standard input`,
    });
  }
}

let input: Promise<string> | undefined;

/** All of standard input. It can be read once. */
async function readInput(): Promise<string> {
  input ??= (async () => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
    return Buffer.concat(chunks).toString("utf8");
  })();
  return await input;
}
