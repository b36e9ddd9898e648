import type { Description, Materializer } from "../define/materializer.ts";
import { formatCsv, readCsvRow } from "./csv.ts";
import { fitRows, maxPreviewColumns, maxPreviewRows, previewLeaf, previewText } from "./preview.ts";
import { cannotStore } from "./storable.ts";
import { isTagged, tagged, type Tagged } from "./tagged.ts";
import { assertText, decodeText } from "./text.ts";

export type DocumentFormat = "markdown" | "html" | "svg" | "csv";

/** Text that is to be looked at in its format. */
export interface TextDocument<Format extends DocumentFormat = DocumentFormat> extends Tagged {
  readonly format: Format;
  readonly text: string;
}

/** Markdown to return from a step, as a report. */
export function markdown(text: string): TextDocument<"markdown">;
/** Declares an output to be a string of Markdown. */
export function markdown(): Materializer<string>;
export function markdown(text?: string): TextDocument | Materializer<string> {
  return text === undefined ? plain.markdown : toDocument("markdown", text);
}

/** HTML to return from a step. It is shown in a sandbox: its scripts do not run. */
export function html(text: string): TextDocument<"html">;
/** Declares an output to be a string of HTML. */
export function html(): Materializer<string>;
export function html(text?: string): TextDocument | Materializer<string> {
  return text === undefined ? plain.html : toDocument("html", text);
}

/** An SVG drawing to return from a step. */
export function svg(text: string): TextDocument<"svg">;
/** Declares an output to be a string of SVG. */
export function svg(): Materializer<string>;
export function svg(text?: string): TextDocument | Materializer<string> {
  return text === undefined ? plain.svg : toDocument("svg", text);
}

/** CSV to return from a step: as text, or made from records (RFC 4180; columns in the order they are first met). */
export function csv(content: string | readonly object[]): TextDocument<"csv">;
/** Declares an output to be a string of CSV. */
export function csv(): Materializer<string>;
export function csv(content?: string | readonly object[]): TextDocument | Materializer<string> {
  if (content === undefined) return plain.csv;
  return toDocument("csv", typeof content === "string" ? content : formatCsv(content));
}

interface FormatRow {
  readonly mediaType: string;
  readonly extension: string;
  readonly describe: (text: string) => Description;
}

const formats: Readonly<Record<DocumentFormat, FormatRow>> = {
  markdown: {
    mediaType: "text/markdown; charset=utf-8",
    extension: "md",
    describe: (text) => ({ preview: previewText("markdown", text), metadata: { characters: text.length } }),
  },
  html: {
    mediaType: "text/html; charset=utf-8",
    extension: "html",
    describe: (text) => ({ preview: { kind: "html" }, metadata: { characters: text.length } }),
  },
  svg: {
    mediaType: "image/svg+xml",
    extension: "svg",
    describe: (text) => ({ preview: { kind: "svg" }, metadata: { characters: text.length } }),
  },
  csv: { mediaType: "text/csv; charset=utf-8", extension: "csv", describe: describeCsv },
};

const plain: Readonly<Record<DocumentFormat, Materializer<string>>> = {
  markdown: plainMaterializer("markdown"),
  html: plainMaterializer("html"),
  svg: plainMaterializer("svg"),
  csv: plainMaterializer("csv"),
};

const documents = (["markdown", "html", "svg", "csv"] as const).map(documentMaterializer);

/** All of this file: those for values that say what they are, and those for declared strings. */
export const documentMaterializers: readonly Materializer[] = [...documents, ...Object.values(plain)];

function toDocument<Format extends DocumentFormat>(format: Format, text: string): TextDocument<Format> {
  assertText(text);
  return tagged(format, { format, text });
}

function documentMaterializer(format: DocumentFormat): Materializer<TextDocument> {
  const { mediaType, extension, describe } = formats[format];
  return {
    name: format,
    version: 1,
    mediaType,
    extension,
    accepts: (value) => isTagged(value, format),
    async write(value, blobs) {
      if (!isTagged(value, format)) {
        throw cannotStore([], { what: `no ${format} document`, hint: `Return ${format}(text).` });
      }
      return { root: await blobs.put(value.text) };
    },
    read: async (root, blobs) => toDocument(format, decodeText(await blobs.bytes(root.digest))),
    describe: ({ text }) => describe(text),
  };
}

/** For declared outputs: a string goes in, and a string comes out. */
function plainMaterializer(format: DocumentFormat): Materializer<string> {
  const { mediaType, extension, describe } = formats[format];
  return {
    name: `${format}-text`,
    version: 1,
    mediaType,
    extension,
    accepts: () => false,
    async write(value, blobs) {
      assertText(value);
      return { root: await blobs.put(value) };
    },
    read: async (root, blobs) => decodeText(await blobs.bytes(root.digest)),
    describe,
  };
}

function describeCsv(text: string): Description {
  const names = readCsvRow(text, 0);
  const columns = names.cells.slice(0, maxPreviewColumns).map((name) => ({ name: name.slice(0, 100), type: "string" }));
  const rows: string[][] = [];
  let rowCount = 0;
  for (let at = names.end; at < text.length; rowCount++) {
    const { cells, end } = readCsvRow(text, at);
    if (rows.length < maxPreviewRows) {
      rows.push(columns.map((_, index) => previewLeaf(cells[index] ?? "", 100) as string));
    }
    at = end;
  }
  const truncated = rowCount > rows.length || names.cells.length > columns.length;
  return {
    preview: fitRows({ kind: "table", columns, rows, rowCount, truncated }),
    metadata: { rows: rowCount, columns: names.cells.length, characters: text.length },
  };
}
