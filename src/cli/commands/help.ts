/** `reprise help`. */
import { UsageError } from "../../error.ts";
import { didYouMean } from "../../history/did-you-mean.ts";
import { commands } from "../command-table.ts";
import type { Handler } from "../context.ts";
import { printCommandHelp, printOverview } from "../help.ts";
import { isCommand } from "../parse.ts";

export const help: Handler<"help"> = async ({ args, printer, answer }) => {
  const [name] = args;
  if (name === undefined) return answer(commands, () => printOverview(printer));
  if (!isCommand(name)) {
    throw new UsageError("RPS6001", `There is no command "${name}"`, {
      hint: didYouMean(name, Object.keys(commands)) ?? "See reprise --help",
    });
  }
  return answer(commands[name], () => printCommandHelp(printer, name));
};
