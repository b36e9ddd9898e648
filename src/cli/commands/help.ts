/** `reprise help`. */
import { errorCodes, UsageError, type ErrorCode } from "../../error.ts";
import { didYouMean } from "../../history/did-you-mean.ts";
import { commands, families } from "../command-table.ts";
import type { Handler } from "../context.ts";
import { errorAdvice } from "../error-advice.ts";
import { printCommandHelp, printErrorHelp, printFamilyHelp, printOverview } from "../help.ts";
import { familyOf, isCommand, isFamily, listFirstWords } from "../parse.ts";

export const help: Handler<"help"> = async ({ args, printer, answer }) => {
  if (args.length === 0) return answer(commands, () => printOverview(printer));
  const what = args.join(" ");
  if (isCommand(what)) return answer(commands[what], () => printCommandHelp(printer, what));
  if (isFamily(what)) {
    const own = Object.fromEntries(familyOf(what).map((name) => [name, commands[name]]));
    return answer({ summary: families[what], commands: own }, () => printFamilyHelp(printer, what));
  }
  const code = what.toUpperCase();
  if (isErrorCode(code)) {
    return answer({ code, meaning: errorCodes[code], advice: errorAdvice[code] }, () => printErrorHelp(printer, code));
  }
  const known = /^rps\d/iu.test(what) ? Object.keys(errorCodes) : [...listFirstWords(), ...Object.keys(commands)];
  throw new UsageError("RPS6001", `There is no ${/^rps\d/iu.test(what) ? "error code" : "command"} "${what}"`, {
    hint: didYouMean(what, known) ?? "See reprise --help",
  });
};

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}
