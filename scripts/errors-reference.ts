/** Writes docs/reference/errors.md from the list of codes: `node scripts/errors-reference.ts`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorAdvice, errorGroups } from "../src/cli/error-advice.ts";
import { errorCodes, type ErrorCode } from "../src/error.ts";

export const errorsPath: string = join(import.meta.dirname, "..", "docs", "reference", "errors.md");

/** The page, as Markdown. */
export function renderErrors(): string {
  const codes = Object.keys(errorCodes) as ErrorCode[];
  const lines = [
    "# Errors",
    "",
    "<!-- Made from src/error.ts and src/cli/error-advice.ts by scripts/errors-reference.ts. -->",
    "",
    "Every error of Reprise has a code. Its first digit says what to do: it is the class that a program catches. `reprise help CODE` prints what stands here.",
    "",
    ...Object.entries(errorGroups).flatMap(([digit, title]) => [
      `## ${digit}: ${title}`,
      "",
      ...codes.filter((code) => code.charAt(3) === digit).flatMap(renderCode),
    ]),
  ];
  return lines.join("\n");
}

function renderCode(code: ErrorCode): string[] {
  return [`### ${code}`, "", `**${capitalize(errorCodes[code])}.** ${errorAdvice[code]}`, ""];
}

function capitalize(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

if (import.meta.main) {
  mkdirSync(dirname(errorsPath), { recursive: true });
  writeFileSync(errorsPath, renderErrors());
}
