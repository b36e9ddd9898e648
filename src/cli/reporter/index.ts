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

type ReporterIo = Pick<Io, "stdout" | "env">;

/** What `auto` stands for: pretty on a terminal, github in its actions, plain elsewhere. */
export function chooseReporter(kind: ReporterKind, { stdout, env }: ReporterIo): Exclude<ReporterKind, "auto"> {
  if (kind !== "auto") return kind;
  if (openTerminal(stdout, env).live) return "pretty";
  return env["GITHUB_ACTIONS"] === "true" ? "github" : "plain";
}

/** A reporter that writes to `io.stdout`. */
export function createReporter(kind: ReporterKind, io: ReporterIo, options: ReporterOptions): Reporter {
  const printer = createPrinter(openTerminal(io.stdout, io.env, { color: options.color ?? "auto" }));
  const chosen = chooseReporter(kind, io);
  switch (chosen) {
    case "pretty":
      return createPrettyReporter(printer, options);
    case "plain":
      return createPlainReporter(printer, options);
    case "json":
      return createJsonReporter(printer);
    case "github":
      return createGithubReporter(printer, options);
    default:
      throw new UsageError("RPS6001", `There is no reporter "${String(chosen)}"`, {
        hint: `Use one of: ${reporterKinds.join(", ")}`,
      });
  }
}
