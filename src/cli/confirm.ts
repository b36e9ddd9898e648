/** Asks before something is removed. */
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { UsageError } from "../error.ts";
import type { Context } from "./context.ts";

/** Whether to go on: yes with `--yes`, else what somebody at the terminal says. Throws a UsageError where nobody can. */
export async function confirm(
  context: Context,
  question: string,
  options: { readonly yes: boolean },
): Promise<boolean> {
  if (options.yes) return true;
  if (process.stdin.isTTY !== true || context.io.stdout.isTTY !== true || context.globals.json) {
    throw new UsageError("RPS6001", "Nobody can be asked here whether to go on", {
      hint: "Look with -n, then say --yes",
    });
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal: context.signal });
    return /^y(?:es)?$/iu.test(answer.trim());
  } finally {
    lines.close();
  }
}
