/** `reprise get`. */
import { UsageError } from "../../error.ts";
import { pathOfArtifact, saveArtifact, toCsv, toJson, toRecords } from "../../history/export-value.ts";
import { openHistory, type StoredArtifact } from "../../history/history.ts";
import type { Context, Handler } from "../context.ts";
import { cleanText, printTable } from "../print.ts";

/** Rows that a terminal gets when it asks for no number. */
const terminalRows = 20;

export const get: Handler<"get"> = async (context) => {
  const { flags, globals, io, printer } = context;
  const stack = await context.openStack();
  const artifact = await openHistory(stack).artifact(context.args[0] ?? "");
  if (flags.path) {
    const path = await pathOfArtifact(stack, artifact);
    return context.answer({ path }, () => printer.line(path));
  }
  if (flags.output !== undefined && flags.format === undefined && flags.head === undefined) {
    const path = await saveArtifact(stack, artifact, `${context.cwd}/${flags.output}`);
    return context.answer({ path }, () => context.notes.line(`Saved ${artifact.name}@v${artifact.version} to ${path}`));
  }
  if (flags.output !== undefined) {
    throw new UsageError("RPS6001", "-o saves the bytes as they are stored, without --format or --head", {
      hint: "Leave them out, or send the output to a file: reprise get … --format csv > FILE",
    });
  }
  if (globals.json) {
    const value = toJson(takeHead(await artifact.load(), flags.head));
    return context.answer({ name: artifact.name, version: artifact.version, type: artifact.type, value }, () => {});
  }
  const isStructured = artifact.type === "json" || artifact.type === "table";
  if (flags.format === undefined && flags.head === undefined && !isStructured && artifact.parts.length === 0) {
    const isText = /^text\/|[/+](?:json|xml)$/u.test(artifact.mediaType);
    if (!isText && io.stdout.isTTY === true) {
      throw new UsageError("RPS6001", `${artifact.name}@v${artifact.version} is binary (${artifact.mediaType})`, {
        hint: "Save it with -o FILE, or print it with --format json",
      });
    }
    const bytes = stack.content.stream(artifact.root.digest);
    for await (const chunk of bytes) io.stdout.write(isText && io.stdout.isTTY ? cleanText(decode(chunk)) : chunk);
    return undefined;
  }
  return await printValue(context, artifact);
};

async function printValue({ flags, io, printer }: Context<"get">, artifact: StoredArtifact): Promise<void> {
  const value = await artifact.load();
  const records = toRecords(value);
  if (flags.format === "csv") {
    if (records === undefined) {
      throw new UsageError("RPS6001", `${artifact.name}@v${artifact.version} has no rows`, {
        hint: "Use --format json",
      });
    }
    io.stdout.write(toCsv(takeHead(records, flags.head) as typeof records));
    return;
  }
  if (flags.format === undefined && records !== undefined && artifact.type === "table" && io.stdout.isTTY === true) {
    const shown = records.slice(0, flags.head ?? terminalRows);
    const names = [...new Set(shown.flatMap((row) => Object.keys(row)))];
    const show = (cell: unknown): string => {
      const plain = toJson(cell);
      return typeof plain === "string" ? plain : JSON.stringify(plain);
    };
    printTable(
      printer,
      shown,
      names.map((name) => ({ title: name, value: (row: (typeof shown)[number]) => show(row[name]) })),
    );
    if (shown.length < records.length) printer.line(`  ${printer.symbols.more} of ${records.length} rows`);
    return;
  }
  const head = takeHead(value, flags.head);
  io.stdout.write(
    `${typeof head === "string" && flags.format === undefined ? head : JSON.stringify(toJson(head), undefined, 2)}\n`,
  );
}

/** The first rows of a table, elements of a list, or lines of a text. */
function takeHead(value: unknown, count: number | undefined): unknown {
  if (count === undefined) return value;
  if (typeof value === "string") return value.split("\n").slice(0, count).join("\n");
  const rows = toRecords(value);
  if (rows !== undefined) return rows.slice(0, count);
  if (Array.isArray(value)) return value.slice(0, count);
  return ArrayBuffer.isView(value) && "slice" in value ? (value as Uint8Array).slice(0, count) : value;
}

function decode(chunk: Uint8Array): string {
  return new TextDecoder().decode(chunk);
}
