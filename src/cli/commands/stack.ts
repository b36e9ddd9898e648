/** `reprise stack`. */
import { isAbsolute, relative } from "node:path";
import { UsageError } from "../../error.ts";
import { listStacks, setActiveStack, type StackDescription } from "../../stack/stack.ts";
import { didYouMean } from "../../history/did-you-mean.ts";
import type { Handler } from "../context.ts";
import { printTable } from "../print.ts";
import { printFacts } from "../run-view.ts";

export const stack: Handler<"stack"> = async (context) => {
  const { printer, stackOptions } = context;
  const [action = "list", name] = context.args;
  if (action === "set") {
    if (name === undefined) {
      throw new UsageError("RPS6001", "reprise stack set needs a name", { hint: "List them: reprise stack list" });
    }
    await setActiveStack(name, stackOptions);
    return context.answer({ active: name }, () => printer.line(`Stack ${name} is used from now on`));
  }
  const stacks = await listStacks(stackOptions);
  if (action === "describe") {
    const found = name === undefined ? stacks.find((each) => each.active) : stacks.find((each) => each.name === name);
    if (found === undefined) {
      const names = stacks.map((each) => each.name);
      throw new UsageError("RPS6002", `There is no stack "${name ?? ""}"`, {
        hint: didYouMean(name ?? "", names) ?? `Known stacks: ${names.join(", ")}`,
      });
    }
    return context.answer(found, () => {
      printer.line(printer.style("bold", found.name));
      printFacts(printer, [
        ["store", showPath(found.storePath, context.cwd)],
        ["jobs", String(found.jobs)],
        ["defaults", Object.keys(found.defaults).length === 0 ? "none" : JSON.stringify(found.defaults)],
        ["active", found.active ? "yes" : "no"],
      ]);
    });
  }
  return context.answer(stacks, () => {
    printTable(printer, stacks, [
      { title: "stack", value: (each: StackDescription) => each.name },
      { title: "active", value: (each) => (each.active ? "yes" : "") },
      { title: "store", value: (each) => showPath(each.storePath, context.cwd) },
      { title: "jobs", value: (each) => String(each.jobs), align: "right" },
    ]);
  });
};

/** Relative to the current folder where it lies in it. */
function showPath(path: string, cwd: string): string {
  const shown = relative(cwd, path);
  return shown === "" || shown.startsWith("..") || isAbsolute(shown) ? path : shown;
}
