/** Help, made from the command table. */
import { errorCodes, type ErrorCode } from "../error.ts";
import { commands, exitCodes, families, globalFlags, type CommandName } from "./command-table.ts";
import type { Arg, Command, Flag } from "./command.ts";
import { errorAdvice } from "./error-advice.ts";
import { familyOf, listFirstWords } from "./parse.ts";
import { padText, wrapText, type Printer } from "./print.ts";

export const groups: readonly (readonly [group: Command["group"], title: string])[] = [
  ["run", "Run"],
  ["look", "Look back"],
  ["keep", "Keep and remove"],
  ["project", "Project"],
];

/** `reprise --help`. */
export function printOverview(printer: Printer): void {
  printer.line("Reprise runs machine-learning pipelines again and executes only what changed.");
  printer.line();
  printer.line(`${printer.style("bold", "Usage")}  reprise COMMAND [ARGUMENTS] [FLAGS]`);
  for (const [group, title] of groups) {
    printer.line();
    printer.line(printer.style("bold", title));
    printPairs(
      printer,
      listFirstWords()
        .map((word) => describeWord(word))
        .filter((each) => each.group === group)
        .map(({ word, summary }) => [word, summary]),
    );
  }
  printer.line();
  printer.line(printer.style("bold", "Flags of every command"));
  printFlags(printer, globalFlags);
  printer.line();
  printer.line(printer.style("bold", "Exit codes"));
  printPairs(
    printer,
    exitCodes.map(([code, meaning]) => [String(code), meaning]),
  );
  printer.line();
  printer.line("reprise help COMMAND says more, and reprise help CODE what an error code means.");
}

function describeWord(word: string): Pick<Command, "group" | "summary"> & { readonly word: string } {
  const [first] = familyOf(word);
  const { group, summary }: Command = commands[first ?? (word as CommandName)];
  return { word, group, summary: families[word] ?? summary };
}

/** `reprise cache --help`. */
export function printFamilyHelp(printer: Printer, family: string): void {
  printer.line(`${families[family]}.`);
  printer.line();
  printer.line(`${printer.style("bold", "Usage")}  reprise ${family} COMMAND [ARGUMENTS] [FLAGS]`);
  printer.line();
  printer.line(printer.style("bold", "Commands"));
  printPairs(
    printer,
    familyOf(family).map((name) => [name.slice(family.length + 1), commands[name].summary]),
  );
  printer.line();
  printer.line(`reprise help ${family} COMMAND says more.`);
}

/** `reprise COMMAND --help`. */
export function printCommandHelp(printer: Printer, name: CommandName): void {
  const command: Command = commands[name];
  for (const sentence of [`${command.summary}.`, ...(command.details === undefined ? [] : [command.details])]) {
    for (const line of wrapText(sentence, Math.min(100, printer.terminal.columns))) printer.line(line);
  }
  printer.line();
  printer.line(`${printer.style("bold", "Usage")}  ${usageOf(name, command)}`);
  if (command.args.length > 0) {
    printer.line();
    printer.line(printer.style("bold", "Arguments"));
    printPairs(
      printer,
      command.args.map((arg) => [arg.name.toUpperCase(), arg.help]),
    );
  }
  if (Object.keys(command.flags).length > 0) {
    printer.line();
    printer.line(printer.style("bold", "Flags"));
    printFlags(printer, command.flags);
  }
  printer.line();
  printer.line(printer.style("bold", "Flags of every command"));
  printFlags(printer, globalFlags);
  printer.line();
  printer.line(printer.style("bold", "Examples"));
  for (const example of command.examples) printer.line(`  ${example}`);
}

/** `reprise help RPS2104`. */
export function printErrorHelp(printer: Printer, code: ErrorCode): void {
  printer.line(`${printer.style("bold", code)}  ${errorCodes[code]}`);
  const advice = errorAdvice[code].replaceAll("`", "");
  for (const line of wrapText(advice, Math.min(100, printer.terminal.columns) - 2)) printer.line(`  ${line}`);
}

/** `reprise run [PIPELINE] [--PARAM VALUE …] [FLAGS]`. */
export function usageOf(name: CommandName, command: Command): string {
  const params = command.takesParams === true ? ["[--PARAM VALUE ...]"] : [];
  return ["reprise", name, ...command.args.map(showArg), ...params, "[FLAGS]"].join(" ");
}

/** `-j, --jobs N`. */
export function showFlag(name: string, flag: Flag): string {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  const value = flag.type === "boolean" ? "" : ` ${flag.value ?? flag.choices?.join("|") ?? "VALUE"}`;
  return `${short}--${name}${value}`;
}

/** The flag's help, its choices and default. */
export function describeFlag(flag: Flag): string {
  const choices = flag.choices !== undefined && flag.value !== undefined ? ` (${flag.choices.join(", ")})` : "";
  const initial = flag.default === undefined ? "" : ` [${flag.default}]`;
  const many = flag.multiple === true ? "; may be repeated" : "";
  return `${flag.help}${choices}${many}${initial}`;
}

function showArg(arg: Arg): string {
  const name = `${arg.name.toUpperCase()}${arg.many === true ? "..." : ""}`;
  return arg.required === true ? name : `[${name}]`;
}

function printFlags(printer: Printer, flags: Readonly<Record<string, Flag>>): void {
  printPairs(
    printer,
    Object.entries(flags).map(([name, flag]) => [showFlag(name, flag), describeFlag(flag)]),
  );
}

function printPairs(printer: Printer, pairs: readonly (readonly [left: string, right: string])[]): void {
  const width = Math.min(30, Math.max(...pairs.map(([left]) => left.length)));
  const room = printer.terminal.columns - width - 4;
  for (const [left, right] of pairs) {
    const head = `  ${padText(left, width)}  `;
    if (room < 20 || left.length > width) {
      printer.line(`  ${left}`);
      for (const line of wrapText(right, printer.terminal.columns - 6)) printer.line(`      ${line}`);
      continue;
    }
    const [first = "", ...others] = wrapText(right, Math.min(room, 90));
    printer.line(`${head}${first}`);
    for (const line of others) printer.line(`${" ".repeat(width + 4)}${line}`);
  }
}
