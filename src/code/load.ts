/** Imports a user's file without running the statements that run pipelines. */
import { readFileSync } from "node:fs";
import { registerHooks, type LoadFnOutput } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { GraphNode } from "./graph.ts";
import type { ProjectIndex } from "./open.ts";
import type { UnitRecord } from "./record.ts";
import type { SourceFile } from "./source-file.ts";

/**
 * Imports a file with its driver statements, and those of every project file that it imports, turned into blanks: the
 * definitions are there, nothing is run. Lines and columns stay as they are.
 */
export async function importWithoutDrivers(file: string, index: ProjectIndex): Promise<Record<string, unknown>> {
  const analysed = await index.drivers(file);
  const hooks = registerHooks({
    load(url, context, nextLoad) {
      const path = url.startsWith("file:") ? fileURLToPath(url.replace(/[?#].*$/u, "")) : undefined;
      const known = path === undefined ? undefined : analysed.get(path);
      if (path === undefined || known === undefined) return nextLoad(url, context);
      const bytes = readFileSync(path);
      index.noteLoaded(path, bytes);
      // An edit since the analysis has moved the statements: the file runs as it is, and is noted as edited.
      const blanks = index.isCurrent(known.file, bytes) ? known.drivers : [];
      if (blanks.length === 0) return nextLoad(url, context);
      return {
        format: formatOf(known.file),
        source: blankOut(bytes, blanks),
        shortCircuit: true,
      } satisfies LoadFnOutput;
    },
  });
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } finally {
    hooks.deregister();
  }
}

function formatOf({ path, record }: SourceFile): string {
  const format = record.format === "commonjs" ? "commonjs" : "module";
  return /\.[cm]?tsx?$/u.test(path) ? `${format}-typescript` : format;
}

/** The text with the drivers' statements as blanks; what they declare stays declared. */
function blankOut(bytes: Buffer, drivers: readonly GraphNode[]): string {
  let source = bytes.toString("utf8");
  const offset = source.startsWith("\uFEFF") ? 1 : 0;
  for (const { unit } of drivers) {
    const start = unit!.start + offset;
    const end = unit!.end + offset;
    source = source.slice(0, start) + blankUnit(source.slice(start, end), unit!) + source.slice(end);
  }
  return source;
}

/** Keeps the lines, and the columns of what follows. */
function blankUnit(text: string, { kind, names }: UnitRecord): string {
  const replacement = kind === "variable" ? names.map((name) => `${name}=0`).join(",") : ";";
  const [first = "", ...rest] = text.split(/\r?\n/u).map((line) => " ".repeat(line.length));
  return [replacement.padEnd(first.length), ...rest].join("\n");
}
