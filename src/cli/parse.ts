/** Words of a command line, by the command table. */
import { UsageError } from "../error.ts";
import { didYouMean } from "../history/did-you-mean.ts";
import { commands, globalFlags, type CommandName } from "./command-table.ts";
import type { Command, ExtraFlag, Flag, FlagValues, ParsedCommand } from "./command.ts";
import { toTokens } from "./tokens.ts";

export interface CommandLine {
  /** Undefined when none was named. */
  readonly command: CommandName | undefined;
  /** The first word of several commands (`cache`), named alone. */
  readonly family: string | undefined;
  readonly globals: FlagValues<typeof globalFlags>;
  readonly parsed: ParsedCommand;
}

/** Parses all words behind the program's name. Throws a UsageError that says what is near. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { word, family, rest } = findCommand(argv);
  const command: Command | undefined = word === undefined ? undefined : commands[word];
  const flags: Readonly<Record<string, Flag>> = { ...globalFlags, ...command?.flags };
  const words = splitWords(rest, flags, command?.takesParams === true, word);
  const values = fillDefaults(flags, words.flags);
  const asked = values["help"] === true || values["version"] === true;
  if (command !== undefined && !asked) checkArgs(word as CommandName, command, words.args);
  return {
    command: word,
    family,
    globals: values as CommandLine["globals"],
    parsed: { args: words.args, flags: values as ParsedCommand["flags"], extra: words.extra },
  };
}

export function isCommand(word: string): word is CommandName {
  return Object.hasOwn(commands, word);
}

/** Whether a word begins the names of several commands, as `cache` begins `cache ls`. */
export function isFamily(word: string): boolean {
  return familyOf(word).length > 0;
}

/** The commands that a word begins. */
export function familyOf(word: string): readonly CommandName[] {
  return (Object.keys(commands) as CommandName[]).filter((name) => name.startsWith(`${word} `));
}

interface FoundCommand {
  readonly word: CommandName | undefined;
  readonly family: string | undefined;
  /** All words but those of the command's name. */
  readonly rest: readonly string[];
}

/** The command's name is the first word that is no flag and no value of a global one, or the first two. */
function findCommand(argv: readonly string[]): FoundCommand {
  const tokens = toTokens(argv, globalFlags);
  const [first, second] = tokens.filter((token) => token.kind === "positional");
  if (first === undefined) return { word: undefined, family: undefined, rest: argv };
  const without = (...indices: readonly number[]): readonly string[] => argv.filter((_, at) => !indices.includes(at));
  const word = first.value;
  if (isCommand(word)) return { word, family: undefined, rest: without(first.index) };
  if (!isFamily(word)) {
    throw new UsageError("RPS6001", `There is no command "${word}"`, {
      hint: didYouMean(word, listFirstWords()) ?? "See reprise --help",
    });
  }
  if (second === undefined) return { word: undefined, family: word, rest: without(first.index) };
  const name = `${word} ${second.value}`;
  if (isCommand(name)) return { word: name, family: undefined, rest: without(first.index, second.index) };
  const actions = familyOf(word).map((each) => each.slice(word.length + 1));
  throw new UsageError("RPS6001", `reprise ${word} has no command "${second.value}"`, {
    hint: didYouMean(second.value, actions) ?? `It is one of: ${actions.join(", ")}`,
  });
}

/** Commands of one word, and the first words of the others. */
export function listFirstWords(): readonly string[] {
  return [...new Set(Object.keys(commands).map((name) => name.split(" ", 1)[0] as string))];
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
  const tokens = toTokens(joinNegativeNumbers(argv), flags);
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
