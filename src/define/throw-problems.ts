/** Problems as the error that fits them. */
import { DefinitionError, ValueError, type Problem } from "../error.ts";
import { toPlace } from "./capture-call-sites.ts";
import type { CallSite } from "./call-site.ts";

/**
 * Throws all problems as one error: a ValueError when each is about a value, else a DefinitionError. Problems without a
 * place get that of the definition they are about. No problems, no error.
 */
export function throwProblems(problems: readonly Problem[], sites: readonly CallSite[] = [], cause?: unknown): void {
  const place = toPlace(sites);
  const [first, ...others] = problems.map((problem) => (place === undefined ? problem : { place, ...problem }));
  if (first === undefined) return;
  if (cause === undefined && problems.every((problem) => problem.code.startsWith("RPS2")))
    throw toValueError([first, ...others]);
  throw new DefinitionError([first, ...others], cause === undefined ? {} : { cause });
}

function toValueError(problems: readonly [Problem, ...Problem[]]): ValueError {
  const [{ code, message, hint, place }] = problems;
  const all =
    problems.length === 1
      ? message
      : `${problems.length} problems:\n${problems.map((problem) => `  - ${problem.message}`).join("\n")}`;
  return new ValueError(code, all, {
    data: { problems },
    ...(hint === undefined ? {} : { hint }),
    ...(place === undefined ? {} : { place }),
  });
}
