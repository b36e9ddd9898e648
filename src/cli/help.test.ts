import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { referencePath, renderReference } from "../../scripts/cli-reference.ts";
import { errorsPath, renderErrors } from "../../scripts/errors-reference.ts";
import { errorCodes, type ErrorCode } from "../error.ts";
import { commands, type CommandName } from "./command-table.ts";
import { renderCompletion } from "./completion.ts";
import { errorAdvice } from "./error-advice.ts";
import { printCommandHelp, printErrorHelp, printFamilyHelp, printOverview } from "./help.ts";
import { familyOf, parseCommandLine } from "./parse.ts";
import { createPrinter, type Printer } from "./print.ts";

function capture(columns: number, print: (printer: Printer) => void): string {
  let text = "";
  print(createPrinter({ write: (part) => void (text += part), columns, color: false, unicode: true, live: false }));
  return text;
}

test("help lists every command with its summary, and the exit codes", (t) => {
  t.assert.snapshot(capture(80, printOverview).split("\n"));
});

test("the help of a command is made from the table", (t) => {
  t.assert.snapshot(capture(80, (printer) => printCommandHelp(printer, "run")).split("\n"));
  t.assert.snapshot(capture(40, (printer) => printCommandHelp(printer, "why")).split("\n"));
});

test("commands that begin with the same word are one line of the overview, and have a help of their own", () => {
  assert.match(capture(80, printOverview), /^ {2}cache {2,}Stored results/mu);
  const help = capture(80, (printer) => printFamilyHelp(printer, "cache"));
  for (const name of familyOf("cache")) assert.match(help, new RegExp(`^  ${name.slice("cache ".length)} `, "mu"));
});

test("no sentence of help is wider than the terminal", () => {
  for (const columns of [40, 60, 80]) {
    for (const name of Object.keys(commands) as CommandName[]) {
      const lines = capture(columns, (printer) => printCommandHelp(printer, name)).split("\n");
      const sentences = lines.filter((line) => !line.includes("reprise ") && !/^ {2}\S/u.test(line));
      for (const line of sentences) assert.ok(line.length <= columns, line);
    }
  }
});

test("the reference page is made from the table", () => {
  assert.equal(readFileSync(referencePath, "utf8"), renderReference(), "run node scripts/cli-reference.ts");
});

test("the page of errors is made from the list of codes", () => {
  assert.equal(readFileSync(errorsPath, "utf8"), renderErrors(), "run node scripts/errors-reference.ts");
});

test("help on a code says what it means and what to do, in sentences", () => {
  assert.equal(
    capture(60, (printer) => printErrorHelp(printer, "RPS3002")),
    "RPS3002  a run was cancelled\n  Run it again: it goes on behind the last finished step.\n",
  );
  for (const code of Object.keys(errorCodes) as ErrorCode[]) {
    assert.match(errorAdvice[code], /^[A-Z`][^]*\.$/u, code);
    assert.equal((errorAdvice[code].match(/`/gu)?.length ?? 0) % 2, 0, code);
  }
});

test("every example in the table is a line that the parser takes", () => {
  for (const command of Object.values(commands)) {
    for (const example of command.examples) {
      if (!example.startsWith("reprise ")) continue;
      const words = example
        .replaceAll("'", "")
        .replace(/ \|.*$/u, "")
        .split(" ")
        .slice(1);
      assert.doesNotThrow(() => parseCommandLine(words), example);
    }
  }
});

test("completion scripts name every command, and the shells that are here can read them", () => {
  for (const shell of ["bash", "zsh", "fish"] as const) {
    const script = renderCompletion(shell);
    const words = Object.keys(commands).flatMap((name) => name.split(" "));
    for (const word of words) assert.match(script, new RegExp(`\\b${word}\\b`, "u"), shell);
    const checked = spawnSync(shell, ["-n"], { input: script, encoding: "utf8" });
    if (checked.error === undefined) assert.equal(checked.status, 0, checked.stderr);
  }
});

test("bash completes commands, flags and choices", (t) => {
  const ask = (words: readonly string[]): string[] => {
    const list = words.map((word) => `'${word}'`).join(" ");
    const script = `${renderCompletion("bash")}\nCOMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _reprise; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, error } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    return error === undefined ? stdout.trim().split("\n") : ["no bash"];
  };
  const first = ask(["reprise", "pl"]);
  if (first[0] === "no bash") return t.skip("there is no bash on this machine");
  assert.deepEqual(first, ["plan"]);
  assert.deepEqual(ask(["reprise", "run", "--no-"]), ["--no-cache", "--no-color"]);
  assert.deepEqual(ask(["reprise", "run", "--cache", "re"]), ["refresh", "require"]);
  assert.deepEqual(ask(["reprise", "stack", "des"]).slice(0, 1), ["describe"]);
  assert.deepEqual(ask(["reprise", "cache", "st"]), ["stats"]);
  assert.deepEqual(ask(["reprise", "cache", "ls", "--sort", "h"]), ["hits"]);
  return undefined;
});
