/** `reprise help`. */
import { errorCodes, UsageError, type ErrorCode } from "../../error.ts";
import { didYouMean } from "../../history/did-you-mean.ts";
import { commands } from "../command-table.ts";
import type { Handler } from "../context.ts";
import { errorAdvice } from "../error-advice.ts";
import { printCommandHelp, printErrorHelp, printOverview } from "../help.ts";
import { isCommand } from "../parse.ts";

export const help: Handler<"help"> = async ({ args, printer, answer }) => {
  const [what] = args;
  if (what === undefined) return answer(commands, () => printOverview(printer));
  if (isCommand(what)) return answer(commands[what], () => printCommandHelp(printer, what));
  const code = what.toUpperCase();
  if (isErrorCode(code)) {
    return answer({ code, meaning: errorCodes[code], advice: errorAdvice[code] }, () => printErrorHelp(printer, code));
  }
  const known = /^rps\d/iu.test(what) ? Object.keys(errorCodes) : Object.keys(commands);
  throw new UsageError("RPS6001", `There is no ${/^rps\d/iu.test(what) ? "error code" : "command"} "${what}"`, {
    hint: didYouMean(what, known) ?? "See reprise --help",
  });
};

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}
