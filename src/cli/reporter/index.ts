/** Chooses how a run is shown. */
import { UsageError } from "../../error.ts";
import { createPrinter } from "../print.ts";
import { openTerminal, type Io } from "../terminal.ts";
import { createGithubReporter } from "./github.ts";
import { createJsonReporter } from "./json.ts";
import { createPlainReporter } from "./plain.ts";
import { createPrettyReporter } from "./pretty.ts";
import type { Reporter, ReporterOptions } from "./reporter.ts";

const reporterKinds = ["auto", "pretty", "plain", "json", "github"] as const;
export type ReporterKind = (typeof reporterKinds)[number];

/** A reporter that writes to `io.stdout`. `auto`: pretty on a terminal, github in its actions, plain elsewhere. */
export function createReporter(kind: ReporterKind, io: Pick<Io, "stdout" | "env">, options: ReporterOptions): Reporter {
  const terminal = openTerminal(io.stdout, io.env, { color: options.color ?? "auto" });
  const printer = createPrinter(terminal);
  switch (kind) {
    case "auto":
      return createReporter(
        terminal.live ? "pretty" : io.env["GITHUB_ACTIONS"] === "true" ? "github" : "plain",
        io,
        options,
      );
    case "pretty":
      return createPrettyReporter(printer, options);
    case "plain":
      return createPlainReporter(printer, options);
    case "json":
      return createJsonReporter(printer);
    case "github":
      return createGithubReporter(printer, options);
    default:
      throw new UsageError("RPS6001", `There is no reporter "${String(kind)}"`, {
        hint: `Use one of: ${reporterKinds.join(", ")}`,
      });
  }
}
