/** Words of a command line, by the command table. */
import { parseArgs } from "node:util";
import { UsageError } from "../error.ts";
import { didYouMean } from "../history/did-you-mean.ts";
import { commands, globalFlags, type CommandName } from "./command-table.ts";
import type { Command, ExtraFlag, Flag, FlagValues, ParsedCommand } from "./command.ts";

export interface CommandLine {
  /** Undefined when none was named. */
  readonly command: CommandName | undefined;
  readonly globals: FlagValues<typeof globalFlags>;
  readonly parsed: ParsedCommand;
}

/** Parses all words behind the program's name. Throws a UsageError that says what is near. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const at = findCommand(argv);
  const word = at === -1 ? undefined : argv[at];
  if (word !== undefined && !isCommand(word)) {
    throw new UsageError("RPS6001", `There is no command "${word}"`, {
      hint: didYouMean(word, Object.keys(commands)) ?? "See reprise --help",
    });
  }
  const rest = at === -1 ? argv : [...argv.slice(0, at), ...argv.slice(at + 1)];
  const command: Command | undefined = word === undefined ? undefined : commands[word];
  const flags: Readonly<Record<string, Flag>> = { ...globalFlags, ...command?.flags };
  const words = splitWords(rest, flags, command?.takesParams === true, word);
  const values = fillDefaults(flags, words.flags);
  const asked = values["help"] === true || values["version"] === true;
  if (command !== undefined && !asked) checkArgs(word as CommandName, command, words.args);
  return {
    command: word,
    globals: values as CommandLine["globals"],
    parsed: { args: words.args, flags: values as ParsedCommand["flags"], extra: words.extra },
  };
}

export function isCommand(word: string): word is CommandName {
  return Object.hasOwn(commands, word);
}

/** Where the command stands: the first word that is no flag and no value of a global one. */
function findCommand(argv: readonly string[]): number {
  const { tokens } = parseTokens(argv, globalFlags);
  const first = tokens.find((token) => token.kind === "positional");
  return first === undefined ? -1 : first.index;
}

function parseTokens(argv: readonly string[], flags: Readonly<Record<string, Flag>>) {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [
      name,
      {
        type: flag.type === "boolean" ? ("boolean" as const) : ("string" as const),
        ...(flag.short === undefined ? {} : { short: flag.short }),
        multiple: true,
      },
    ]),
  );
  return parseArgs({ args: [...argv], options, strict: false, tokens: true, allowPositionals: true });
}

interface Words {
  readonly args: readonly string[];
  readonly flags: ReadonlyMap<string, readonly (string | true)[]>;
  readonly extra: readonly ExtraFlag[];
}

function splitWords(
  argv: readonly string[],
  flags: Readonly<Record<string, Flag>>,
  takesParams: boolean,
  command: CommandName | undefined,
): Words {
  const { tokens } = parseTokens(joinNegativeNumbers(argv), flags);
  const found = new Map<string, (string | true)[]>();
  const args: string[] = [];
  const extra: ExtraFlag[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined || token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      args.push(token.value);
      continue;
    }
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined;
    if (flag !== undefined) {
      const values = found.get(token.name) ?? [];
      values.push(checkValue(token.rawName, flag, token.value));
      found.set(token.name, values);
      continue;
    }
    if (!takesParams || !token.rawName.startsWith("--")) throw unknownFlag(token.rawName, flags, command);
    const next = tokens[at + 1];
    const loose = token.value === undefined && next?.kind === "positional" && next.index === token.index + 1;
    if (loose) at += 1;
    extra.push({ name: token.name, value: loose ? next.value : token.value, loose });
  }
  return { args, flags: found, extra };
}

/** No flag is a digit, so `-1` behind a flag can only be its value. */
function joinNegativeNumbers(argv: readonly string[]): readonly string[] {
  const joined: string[] = [];
  for (const word of argv) {
    const flag = joined.at(-1);
    if (/^-\.?\d/u.test(word) && flag?.startsWith("--") && !flag.includes("=") && !joined.includes("--")) {
      joined[joined.length - 1] = `${flag}=${word}`;
    } else joined.push(word);
  }
  return joined;
}

function checkValue(rawName: string, flag: Flag, value: string | undefined): string | true {
  if (flag.type === "boolean") {
    if (value === undefined) return true;
    throw new UsageError("RPS6001", `${rawName} takes no value, but got "${value}"`, {
      hint: `Write ${rawName} alone`,
    });
  }
  if (value === undefined || value === "") {
    const wanted = flag.choices?.join("|") ?? flag.value ?? "VALUE";
    throw new UsageError("RPS6001", `${rawName} needs a value`, { hint: `Write ${rawName} ${wanted}` });
  }
  if (flag.choices !== undefined && !flag.choices.includes(value)) {
    throw new UsageError("RPS6001", `${rawName} cannot be "${value}"`, {
      hint: didYouMean(value, flag.choices) ?? `It is one of: ${flag.choices.join(", ")}`,
    });
  }
  if (flag.type === "number" && !(Number.isInteger(Number(value)) && Number(value) >= 0)) {
    throw new UsageError("RPS6001", `${rawName} needs a whole number, but got "${value}"`, {
      hint: `Write, for instance, ${rawName} 4`,
    });
  }
  return value;
}

function unknownFlag(
  rawName: string,
  flags: Readonly<Record<string, Flag>>,
  command: CommandName | undefined,
): UsageError {
  const where = command === undefined ? "reprise" : `reprise ${command}`;
  const known = Object.keys(flags).map((name) => `--${name}`);
  return new UsageError("RPS6001", `${where} has no flag ${rawName}`, {
    hint: didYouMean(rawName, known) ?? `See ${where} --help`,
  });
}

function fillDefaults(
  flags: Readonly<Record<string, Flag>>,
  found: Words["flags"],
): Readonly<Record<string, boolean | number | string | readonly string[] | undefined>> {
  const values: Record<string, boolean | number | string | readonly string[] | undefined> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const given = found.get(name);
    if (flag.multiple === true) values[name] = (given ?? []) as readonly string[];
    else if (flag.type === "boolean") values[name] = given !== undefined;
    else {
      const value = (given?.at(-1) as string | undefined) ?? flag.default;
      values[name] = value !== undefined && flag.type === "number" ? Number(value) : value;
    }
  }
  return values;
}

function checkArgs(name: CommandName, command: Command, args: readonly string[]): void {
  const missing = command.args.find((arg, at) => arg.required === true && at >= args.length);
  if (missing !== undefined) {
    throw new UsageError("RPS6001", `reprise ${name} needs ${missing.name.toUpperCase()}: ${missing.help}`, {
      hint: `For instance: ${command.examples[0] ?? `reprise ${name} --help`}`,
    });
  }
  const takesMany = command.args.at(-1)?.many === true;
  const surplus = args[command.args.length];
  if (surplus !== undefined && !takesMany) {
    throw new UsageError("RPS6001", `reprise ${name} does not know what to do with "${surplus}"`, {
      hint: `See reprise ${name} --help`,
    });
  }
  for (const [at, arg] of command.args.entries()) {
    const value = args[at];
    if (value === undefined || arg.choices === undefined || arg.choices.includes(value)) continue;
    throw new UsageError("RPS6001", `${arg.name.toUpperCase()} cannot be "${value}"`, {
      hint: didYouMean(value, arg.choices) ?? `It is one of: ${arg.choices.join(", ")}`,
    });
  }
}
