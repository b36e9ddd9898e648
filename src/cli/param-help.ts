/** `reprise run FILE --help`: the command's help, and the parameters of the pipeline. */
import type { CommandName } from "./command-table.ts";
import type { Context } from "./context.ts";
import { findPipeline } from "./find-pipeline.ts";
import { printCommandHelp } from "./help.ts";
import { describeParams } from "./params.ts";
import { printTable } from "./print.ts";

export async function printParamHelp(context: Context, command: CommandName): Promise<void> {
  const { printer } = context;
  const { pipeline } = await findPipeline(await context.openStack(), context.cwd, context.args[0]);
  printCommandHelp(printer, command);
  const { params, secrets = [] } = pipeline.definition;
  const infos = describeParams(params);
  const isSecret = (name: string): boolean => secrets.includes(name);
  printer.line();
  printer.line(printer.style("bold", `Parameters of ${pipeline.definition.name}`));
  if (infos === undefined || infos.length === 0) {
    printer.line(params === undefined ? "  none" : "  its schema does not list them");
    return;
  }
  printTable(printer, infos, [
    { title: "flag", value: (info) => `--${info.name}` },
    { title: "takes", value: (info) => (info.choices?.map(String) ?? info.types).join("|") || "any value" },
    {
      title: "default",
      value: (info) => (info.initial === undefined || isSecret(info.name) ? "" : JSON.stringify(info.initial)),
    },
    {
      title: "",
      value: (info) =>
        [info.description, info.required ? "(required)" : "", isSecret(info.name) ? "(secret)" : ""]
          .filter(Boolean)
          .join(" "),
      flexible: true,
    },
  ]);
}
