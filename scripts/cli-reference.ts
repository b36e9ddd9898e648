/** Writes docs/reference/cli.md from the command table: `node scripts/cli-reference.ts`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { commands, exitCodes, globalFlags, type CommandName } from "../src/cli/command-table.ts";
import type { Command, Flag } from "../src/cli/command.ts";
import { describeFlag, groups, showFlag, usageOf } from "../src/cli/help.ts";

export const referencePath: string = join(import.meta.dirname, "..", "docs", "reference", "cli.md");

/** The page, as Markdown. */
export function renderReference(): string {
  const table = Object.entries(commands) as [CommandName, Command][];
  const lines = [
    "# Command line",
    "",
    "<!-- Made from src/cli/command-table.ts by scripts/cli-reference.ts. -->",
    "",
    ...groups.flatMap(([group, title]) => [
      `**${title}**: ${table
        .filter(([, command]) => command.group === group)
        .map(([name]) => `[${name}](#reprise-${name.replaceAll(" ", "-")})`)
        .join(" · ")}`,
      "",
    ]),
    ...table.flatMap(([name, command]) => renderCommand(name, command)),
    "## Flags of every command",
    "",
    ...renderFlags(globalFlags),
    "## Runs, steps and artifacts by name",
    "",
    "A run is named by `last`, `last~2` (two before it), `last:failed`, its id or a part of it that no other run has, its name, or a tag (`baseline`, `dataset=v2`).",
    "An artifact is named by `trainer.model`, the end of it (`model`), or its step where that has one output; `model@v3` is its third version.",
    "",
    "## JSON",
    "",
    'With `--json` a command prints one line: `{ "ok": true, "data": … }`, or `{ "ok": false, "error": { "code", "message", "hint", "place", … } }`.',
    "`reprise run --json` prints each event of the run as a line of its own before it; events have a `kind`, the last line has `ok`.",
    "",
    "## Environment",
    "",
    "`REPRISE_STORE` and `REPRISE_STACK` stand in for `--store` and `--stack`. `NO_COLOR`, `FORCE_COLOR`, `CI` and `TERM=dumb` are heeded; a pipe gets no escape codes.",
    "",
    "## Exit codes",
    "",
    "| code | meaning |",
    "|---|---|",
    ...exitCodes.map(([code, meaning]) => `| ${code} | ${meaning} |`),
    "",
  ];
  return lines.join("\n");
}

function renderCommand(name: CommandName, command: Command): string[] {
  return [
    `## reprise ${name}`,
    "",
    `${command.summary}.${command.details === undefined ? "" : ` ${command.details}`}`,
    "",
    "```text",
    usageOf(name, command),
    "```",
    "",
    ...(command.args.length === 0
      ? []
      : [
          "| argument | |",
          "|---|---|",
          ...command.args.map((arg) => `| \`${arg.name.toUpperCase()}\` | ${escapeCell(arg.help)} |`),
          "",
        ]),
    ...renderFlags(command.flags),
    "```sh",
    ...command.examples,
    "```",
    "",
  ];
}

function renderFlags(flags: Readonly<Record<string, Flag>>): string[] {
  const rows = Object.entries(flags);
  if (rows.length === 0) return [];
  return [
    "| flag | |",
    "|---|---|",
    ...rows.map(
      ([name, flag]) => `| \`${escapeCell(showFlag(name, flag).trim())}\` | ${escapeCell(describeFlag(flag))} |`,
    ),
    "",
  ];
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}

if (import.meta.main) {
  mkdirSync(dirname(referencePath), { recursive: true });
  writeFileSync(referencePath, renderReference());
}
