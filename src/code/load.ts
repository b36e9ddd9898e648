/** Imports a user's file without running the statements that run pipelines. */
import { readFileSync } from "node:fs";
import { registerHooks, type LoadFnOutput } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ProjectIndex } from "./open.ts";
import type { DrivenFile } from "./state.ts";

/**
 * Imports a file with its driver statements, and those of every project file that it imports, turned into blanks: the
 * definitions are there, nothing is run. Lines and columns stay as they are. What a driver would have declared is there
 * under its name, without a meaning.
 */
export async function importWithoutDrivers(file: string, index: ProjectIndex): Promise<Record<string, unknown>> {
  const analysed = await index.drivers(file);
  const hooks = registerHooks({
    load(url, context, nextLoad) {
      const path = url.startsWith("file:") ? fileURLToPath(url.replace(/[?#].*$/u, "")) : undefined;
      const known = path === undefined ? undefined : analysed.get(path);
      if (path === undefined || known === undefined) return nextLoad(url, context);
      const bytes = readFileSync(path);
      const content = index.noteLoaded(path, bytes);
      // An edit since the analysis has moved the statements: the file runs as it is, and is noted as edited.
      if (known.drivers.length === 0 || !known.content.startsWith(content)) return nextLoad(url, context);
      const source = blankOut(bytes, known);
      return { format: formatOf(path, known), source, shortCircuit: true } satisfies LoadFnOutput;
    },
  });
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } finally {
    hooks.deregister();
  }
}

function formatOf(path: string, { commonJs }: DrivenFile): string {
  const format = commonJs ? "commonjs" : "module";
  return /\.[cm]?tsx?$/u.test(path) ? `${format}-typescript` : format;
}

/** The text with the drivers' statements as blanks; what they declare stays declared. */
function blankOut(bytes: Buffer, { drivers }: DrivenFile): string {
  let source = bytes.toString("utf8");
  // Offsets are counted without the byte order mark.
  const offset = source.startsWith("\uFEFF") ? 1 : 0;
  for (const driver of drivers) {
    const start = driver.start + offset;
    const end = driver.end + offset;
    source = source.slice(0, start) + blank(source.slice(start, end), driver) + source.slice(end);
  }
  return source;
}

/** Keeps the lines, and the columns of what follows. */
function blank(text: string, { kind, names }: DrivenFile["drivers"][number]): string {
  const replacement = kind === "variable" ? names.map((name) => `${name}=0`).join(",") : ";";
  const [first = "", ...rest] = text.split(/\r?\n/u).map((line) => " ".repeat(line.length));
  return [replacement.padEnd(first.length), ...rest].join("\n");
}
