/** Completion scripts, made from the command table. */
import { commands, families, globalFlags } from "./command-table.ts";
import type { Command, Flag } from "./command.ts";
import { familyOf, isFamily, listFirstWords } from "./parse.ts";

export type Shell = "bash" | "zsh" | "fish";

/** The script that a shell reads to complete `reprise`. */
export function renderCompletion(shell: Shell): string {
  switch (shell) {
    case "bash":
      return renderBash();
    case "zsh":
      return renderZsh();
    case "fish":
      return renderFish();
  }
}

const table: readonly (readonly [name: string, command: Command])[] = Object.entries(commands);
const firstWords = listFirstWords();

/** By the first word, the second words of commands that have two. */
const secondWords: readonly (readonly [word: string, actions: readonly string[]])[] = firstWords
  .filter(isFamily)
  .map((word) => [word, familyOf(word).map((name) => name.slice(word.length + 1))]);

function allFlags(command: Command): readonly (readonly [name: string, flag: Flag])[] {
  return Object.entries({ ...command.flags, ...globalFlags });
}

function renderBash(): string {
  const cases = table.map(([name, command]) => {
    const flags = allFlags(command).map(([flag]) => `--${flag}`);
    const choices = command.args.flatMap((arg) => arg.choices ?? []);
    const names = name === "help" ? firstWords : [];
    return `    "${name}") words="${[...choices, ...names, ...flags].join(" ")}" ;;`;
  });
  const values = uniqueChoices().map(
    ([flag, choices]) => `    --${flag}) COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$current")); return ;;`,
  );
  const inFamilies = secondWords.map(
    ([word, actions]) => `    ${word})
      if [ "$COMP_CWORD" -eq 2 ]; then COMPREPLY=($(compgen -W "${actions.join(" ")} --help" -- "$current")); return; fi
      command="$command \${COMP_WORDS[2]}" ;;`,
  );
  return `# bash completion for reprise
_reprise() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" words
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${firstWords.join(" ")} --help --version" -- "$current"))
    return
  fi
  case "$command" in
${inFamilies.join("\n")}
  esac
  case "$previous" in
${values.join("\n")}
  esac
  case "$command" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ "\${current#-}" = "$current" ]; then COMPREPLY+=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _reprise reprise
`;
}

/** Flags with choices; where commands disagree, all of them. */
function uniqueChoices(): readonly (readonly [flag: string, choices: readonly string[]])[] {
  const found = new Map<string, Set<string>>();
  for (const [, command] of table) {
    for (const [name, flag] of allFlags(command)) {
      for (const choice of flag.choices ?? []) found.set(name, (found.get(name) ?? new Set<string>()).add(choice));
    }
  }
  return [...found].map(([name, choices]) => [name, [...choices]]);
}

function renderZsh(): string {
  const quote = (text: string): string => text.replaceAll("'", "'\\''").replace(/[[\]:]/gu, String.raw`\$&`);
  const describe = (word: string, summary: string): string => `    '${word}:${quote(summary)}'`;
  const summaryOf = new Map(table.map(([name, command]) => [name, command.summary]));
  const summaries = firstWords.map((word) => describe(word, families[word] ?? summaryOf.get(word) ?? ""));
  const inFamilies = secondWords.map(([word, actions]) => {
    const described = actions.map((action) => describe(action, summaryOf.get(`${word} ${action}`) ?? ""));
    return `    ${word})
      if (( CURRENT == 3 )); then
        commands=(
${described.join("\n")}
        )
        _describe 'command' commands
        return
      fi
      command="$command \${words[3]}"
      shift words
      (( CURRENT -= 1 ))
      ;;`;
  });
  const cases = table.map(([name, command]) => {
    const flags = allFlags(command).map(([flag, { help, type, choices, multiple, value }]) => {
      const action = choices === undefined ? "_files" : `(${choices.join(" ")})`;
      const tail = type === "boolean" ? "" : `:${(value ?? flag).toLowerCase()}:${action}`;
      return `        '${multiple === true ? "*" : ""}--${flag}[${quote(help)}]${tail}'`;
    });
    const args = command.args.map((arg) => {
      const names = name === "help" ? firstWords : arg.choices;
      const action = names === undefined ? "_files" : `(${names.join(" ")})`;
      return `        '${arg.many === true ? "*" : ""}:${arg.name}:${action}'`;
    });
    return `      "${name}")\n      _arguments \\\n${[...flags, ...args].join(" \\\n")}\n      ;;`;
  });
  return `#compdef reprise
_reprise() {
  local -a commands
  commands=(
${summaries.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  local command="\${words[2]}"
  case "$command" in
${inFamilies.join("\n")}
  esac
  shift words
  (( CURRENT -= 1 ))
  case "$command" in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = "_reprise" ]; then _reprise "$@"; else compdef _reprise reprise; fi
`;
}

/** The condition under which fish completes a command: its words are there, and no word that makes it another one. */
function seenIn(name: string): string {
  const words = name.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
  const others = secondWords.filter(([, actions]) => actions.includes(name)).map(([word]) => word);
  return [...words, ...others.map((word) => `not __fish_seen_subcommand_from ${word}`)].join("; and ");
}

function renderFish(): string {
  const quote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = table.flatMap(([name, command]) => {
    const used = `-n "${seenIn(name)}"`;
    const flags = Object.entries(command.flags).map(([flag, { help, short, type, choices }]) =>
      [
        `complete -c reprise ${used} -l ${flag}`,
        ...(short === undefined ? [] : [`-s ${short}`]),
        ...(type === "boolean" ? [] : ["-r"]),
        ...(choices === undefined ? [] : [`-f -a ${quote(choices.join(" "))}`]),
        `-d ${quote(help)}`,
      ].join(" "),
    );
    const choices = command.args.flatMap((arg) => arg.choices ?? []);
    const names = name === "help" ? firstWords : choices;
    const args = names.length === 0 ? [] : [`complete -c reprise ${used} -f -a ${quote(names.join(" "))}`];
    const [word = name, action] = name.split(" ");
    const head =
      action === undefined
        ? `complete -c reprise -n __fish_use_subcommand -f -a ${word} -d ${quote(command.summary)}`
        : `complete -c reprise -n "__fish_seen_subcommand_from ${word}; and test (count (commandline -opc)) -eq 2" -f -a ${action} -d ${quote(command.summary)}`;
    return [head, ...flags, ...args];
  });
  const ofFamilies = secondWords.map(
    ([word]) => `complete -c reprise -n __fish_use_subcommand -f -a ${word} -d ${quote(families[word] ?? "")}`,
  );
  const globals = Object.entries(globalFlags).map(([flag, { help, type, ...rest }]) => {
    const short = "short" in rest ? ` -s ${rest.short}` : "";
    return `complete -c reprise -l ${flag}${short}${type === "boolean" ? "" : " -r"} -d ${quote(help)}`;
  });
  return `# fish completion for reprise\n${[...ofFamilies, ...lines, ...globals].join("\n")}\n`;
}
