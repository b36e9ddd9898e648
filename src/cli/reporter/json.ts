/** Each event as one line of JSON, as it is: for programs. */
import type { Printer } from "../print.ts";
import type { Reporter } from "./reporter.ts";

export function createJsonReporter(printer: Printer): Reporter {
  return {
    report: (event) => printer.terminal.write(`${JSON.stringify(event)}\n`),
    close: () => {},
  };
}
