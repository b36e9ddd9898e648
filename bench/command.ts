/** Runs processes to their end, for benchmarks that time whole ones. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";

export interface Command {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command and answers with what it printed. Throws, with what it said, when it fails. */
export function runCommand({ argv: [file = "", ...args], cwd, env = {} }: Command): string {
  const { PATH, HOME, LANG } = process.env;
  const { status, signal, stdout, stderr, error } = spawnSync(file, args, {
    cwd,
    env: { PATH, HOME, LANG, NO_COLOR: "1", ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 256 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  if (status !== 0) {
    throw new Error(`${[file, ...args].join(" ")} ended with ${status ?? signal}:\n${stdout.slice(-2000)}${stderr}`);
  }
  return stdout;
}

/** What the last line says, which must be a number: what a process measured of itself. */
export function runForNumber(command: Command): number {
  const last = runCommand(command).trimEnd().split("\n").at(-1) ?? "";
  const value = Number(last);
  if (last === "" || Number.isNaN(value)) throw new Error(`${command.argv.join(" ")} printed no number but "${last}"`);
  return value;
}

/**
 * Processor time, user and system together, of all child processes that have ended, in milliseconds; in steps of ten.
 * Undefined where the system does not tell.
 */
export function childProcessorMs(): number | undefined {
  if (process.platform !== "linux") return undefined;
  // The second field is a name in parentheses and may hold anything; those counted are the 16th and the 17th.
  const text = readFileSync("/proc/self/stat", "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
