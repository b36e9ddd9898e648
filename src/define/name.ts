/**
 * The rule for names of steps, pipelines and calls: letters, marks and digits of any script, `_` and `-`, starting with a
 * letter, a digit or `_`; at most 100 characters. `/` separates a nested pipeline from its nodes and `.` an artifact's
 * step from its output, so neither can be part of a name.
 */
import type { Problem } from "../error.ts";
import { showValue } from "../hash/show-value.ts";

/** Most names; the tables of Unicode take a millisecond to load, when the other pattern is made. */
const plain = /^\w[\w-]*$/;
const isName = (name: string): boolean => /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_-]*$/u.test(name);
const maxLength = 100;

/** What is wrong with a name, or undefined. `what` says whose it is, as in `A step's name`. */
export function checkName(what: string, name: unknown): Problem | undefined {
  if (typeof name !== "string") {
    return problem(`${what} is ${showValue(name)}, no string`, 'Give it a name: name: "train_model"');
  }
  if (name === "") return problem(`${what} is empty`, 'Give it a name: name: "train_model"');
  if (name.length > maxLength) {
    return problem(`${what} has ${name.length} characters, at most ${maxLength} fit`, "Shorten the name");
  }
  if (!plain.test(name) && name !== name.normalize("NFC")) {
    return problem(
      `${what}, ${showValue(name)}, writes an accented letter as two characters`,
      "Write it in Unicode's composed form (NFC), so that equal-looking names are equal",
    );
  }
  if (!plain.test(name) && !isName(name)) {
    const usable = toUsableName(name);
    return problem(
      `${what}, ${showValue(name)}, holds more than letters, digits, "_" and "-"`,
      usable === undefined ? 'Give it a name: name: "train_model"' : `Call it "${usable}"`,
    );
  }
  return undefined;
}

function problem(message: string, hint: string): Problem {
  return { code: "RPS1008", message, hint };
}

function toUsableName(name: string): string | undefined {
  const usable = name.replaceAll(/[^\p{L}\p{M}\p{N}_-]+/gu, "_").replaceAll(/^[\p{M}_-]+|_+$/gu, "");
  return isName(usable) ? usable : undefined;
}
