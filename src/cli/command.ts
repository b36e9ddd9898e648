/** What a command is: plain data, from which parsing, help, completion and the reference page are made. */

export interface Flag {
  readonly type: "boolean" | "string" | "number";
  readonly short?: string;
  readonly help: string;
  /** What stands for the value in help: `STEP`. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly multiple?: boolean;
  readonly default?: string | number;
}

export interface Arg {
  readonly name: string;
  readonly help: string;
  readonly required?: boolean;
  readonly many?: boolean;
  readonly choices?: readonly string[];
  /** A file of the user may stand here. */
  readonly file?: boolean;
}

export interface Command {
  readonly summary: string;
  readonly group: "run" | "look" | "keep" | "project";
  readonly args: readonly Arg[];
  readonly flags: Readonly<Record<string, Flag>>;
  readonly examples: readonly string[];
  /** More than the summary, in sentences. */
  readonly details?: string;
  /** Flags that are not in the table are parameters of the pipeline. */
  readonly takesParams?: boolean;
}

/** What a flag's value is after parsing. */
type FlagValue<F extends Flag> = F extends { readonly multiple: true }
  ? readonly string[]
  : F["type"] extends "boolean"
    ? boolean
    : F["type"] extends "number"
      ? number | Missing<F>
      : (F extends { readonly choices: readonly (infer C)[] } ? C : string) | Missing<F>;

type Missing<F extends Flag> = F extends { readonly default: string | number } ? never : undefined;

export type FlagValues<F extends Readonly<Record<string, Flag>>> = { readonly [K in keyof F]: FlagValue<F[K]> };

/** A flag that the table does not know: a parameter of the pipeline, where the command takes some. */
export interface ExtraFlag {
  readonly name: string;
  /** What stood behind it: after `=`, or as the next word. */
  readonly value: string | undefined;
  /** The value was the next word: it is a word of its own if the parameter turns out to be a switch. */
  readonly loose: boolean;
}

export interface ParsedCommand<F extends Readonly<Record<string, Flag>> = Readonly<Record<string, Flag>>> {
  readonly args: readonly string[];
  readonly flags: FlagValues<F>;
  readonly extra: readonly ExtraFlag[];
}
