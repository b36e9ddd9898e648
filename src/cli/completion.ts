/** Completion scripts, made from the command table. */
import { commands, globalFlags } from "./command-table.ts";
import type { Command, Flag } from "./command.ts";

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

function allFlags(command: Command): readonly (readonly [name: string, flag: Flag])[] {
  return Object.entries({ ...command.flags, ...globalFlags });
}

function renderBash(): string {
  const cases = table.map(([name, command]) => {
    const flags = allFlags(command).map(([flag]) => `--${flag}`);
    const choices = command.args.flatMap((arg) => arg.choices ?? []);
    const names = name === "help" ? table.map(([each]) => each) : [];
    return `    ${name}) words="${[...choices, ...names, ...flags].join(" ")}" ;;`;
  });
  const values = uniqueChoices().map(
    ([flag, choices]) => `    --${flag}) COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$current")); return ;;`,
  );
  return `# bash completion for reprise
_reprise() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" words
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${table.map(([name]) => name).join(" ")} --help --version" -- "$current"))
    return
  fi
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
  const summaries = table.map(([name, command]) => `    '${name}:${quote(command.summary)}'`);
  const cases = table.map(([name, command]) => {
    const flags = allFlags(command).map(([flag, { help, type, choices, multiple, value }]) => {
      const action = choices === undefined ? "_files" : `(${choices.join(" ")})`;
      const tail = type === "boolean" ? "" : `:${(value ?? flag).toLowerCase()}:${action}`;
      return `        '${multiple === true ? "*" : ""}--${flag}[${quote(help)}]${tail}'`;
    });
    const args = command.args.map((arg) => {
      const names = name === "help" ? table.map(([each]) => each) : arg.choices;
      const action = names === undefined ? "_files" : `(${names.join(" ")})`;
      return `        '${arg.many === true ? "*" : ""}:${arg.name}:${action}'`;
    });
    return `      ${name})\n      _arguments \\\n${[...flags, ...args].join(" \\\n")}\n      ;;`;
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
  shift words
  (( CURRENT -= 1 ))
  case "$command" in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = "_reprise" ]; then _reprise "$@"; else compdef _reprise reprise; fi
`;
}

function renderFish(): string {
  const quote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = table.flatMap(([name, command]) => {
    const used = `-n "__fish_seen_subcommand_from ${name}"`;
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
    const names = name === "help" ? table.map(([each]) => each) : choices;
    const args = names.length === 0 ? [] : [`complete -c reprise ${used} -f -a ${quote(names.join(" "))}`];
    return [
      `complete -c reprise -n __fish_use_subcommand -f -a ${name} -d ${quote(command.summary)}`,
      ...flags,
      ...args,
    ];
  });
  const globals = Object.entries(globalFlags).map(([flag, { help, type, ...rest }]) => {
    const short = "short" in rest ? ` -s ${rest.short}` : "";
    return `complete -c reprise -l ${flag}${short}${type === "boolean" ? "" : " -r"} -d ${quote(help)}`;
  });
  return `# fish completion for reprise\n${[...lines, ...globals].join("\n")}\n`;
}
