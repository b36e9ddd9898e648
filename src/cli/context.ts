/** What a command gets, and how it answers. */
import type { OpenStackOptions, Stack } from "../stack/stack.ts";
import type { CommandName, CommandOf, globalFlags } from "./command-table.ts";
import type { ExtraFlag, FlagValues } from "./command.ts";
import type { Printer } from "./print.ts";
import type { Io } from "./terminal.ts";

export interface Context<Name extends CommandName = CommandName> {
  readonly io: Io;
  /** Of standard output. */
  readonly printer: Printer;
  /** Of standard error: notes that are no result. */
  readonly notes: Printer;
  /** Absolute: the folder of `--cwd`, else the current one. */
  readonly cwd: string;
  readonly globals: FlagValues<typeof globalFlags>;
  readonly args: readonly string[];
  readonly flags: FlagValues<CommandOf<Name>["flags"]>;
  readonly extra: readonly ExtraFlag[];
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  readonly stackOptions: OpenStackOptions;
  /** The stack; opened by the first call, closed when the command has ended. */
  openStack(): Promise<Stack>;
  /** The answer: as an envelope with `--json`, else as `print` shows it. */
  answer(data: unknown, print: () => void): void;
}

/** A command. Answers with the exit code where it is not 0. */
export type Handler<Name extends CommandName> = (context: Context<Name>) => Promise<number | void>;
