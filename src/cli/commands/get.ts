/** `reprise get`. */
import { resolve } from "node:path";
import { UsageError } from "../../error.ts";
import { openBytes, pathOfArtifact, saveArtifact, toCsv, toJson, toRecords } from "../../history/export-value.ts";
import { openHistory, type StoredArtifact } from "../../history/history.ts";
import type { Context, Handler } from "../context.ts";
import { renderJson } from "../json-view.ts";
import { cleanText, printTable } from "../print.ts";

type Bytes = Awaited<ReturnType<typeof openBytes>>;

/** Rows that a terminal gets when it asks for no number. */
const terminalRows = 20;
/** Columns of printed JSON, where there are as many. */
const jsonWidth = 100;

export const get: Handler<"get"> = async (context) => {
  const { flags, globals, printer } = context;
  const stack = await context.openStack();
  const artifact = await openHistory(stack).artifact(context.args[0] ?? "");
  if (flags.path) {
    const path = await pathOfArtifact(stack, artifact);
    return context.answer({ path }, () => printer.line(path));
  }
  if (flags.output !== undefined && flags.format === undefined && flags.head === undefined) {
    const path = await saveArtifact(stack, artifact, resolve(context.cwd, flags.output));
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
  if (flags.format === undefined && flags.head === undefined && isReadAsItIs(artifact)) {
    return await printBytes(context, artifact, await openBytes(stack, artifact));
  }
  return await printValue(context, artifact);
};

/** Whether the bytes are what a reader wants: texts, documents, pictures, files. All else is printed as JSON. */
function isReadAsItIs({ type, mediaType }: StoredArtifact): boolean {
  return type === "file" || isText(mediaType) || /^(?:image|audio|video)\/|\/octet-stream$/u.test(mediaType);
}

function isText(mediaType: string): boolean {
  return /^text\/|[/+]xml$/u.test(mediaType);
}

/** The bytes go out as they are stored; a terminal gets them only when they are text. */
async function printBytes({ io }: Context<"get">, artifact: StoredArtifact, bytes: Bytes): Promise<void> {
  if (io.stdout.isTTY !== true) {
    for await (const chunk of bytes) io.stdout.write(chunk);
    return;
  }
  // A file does not say what it holds; one with a NUL byte near its start is no text.
  const chunks = bytes[Symbol.asyncIterator]();
  let next = await chunks.next();
  if (!isText(artifact.mediaType) && (artifact.type !== "file" || next.value?.subarray(0, 8000).includes(0))) {
    const what = artifact.type === "file" ? "" : ` (${artifact.mediaType})`;
    throw new UsageError("RPS6001", `${artifact.name}@v${artifact.version} is binary${what}`, {
      hint: "Save it with -o FILE, or send it to a program: reprise get … | …",
    });
  }
  const decoder = new TextDecoder();
  for (; next.done !== true; next = await chunks.next()) {
    io.stdout.write(cleanText(decoder.decode(next.value, { stream: true })));
  }
}

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
  const lines =
    typeof head === "string" && flags.format === undefined
      ? [io.stdout.isTTY === true ? cleanText(head) : head]
      : renderJson(toJson(head), Math.min(printer.terminal.columns, jsonWidth));
  for (const line of lines) io.stdout.write(`${line}\n`);
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
