import type { Description, Materializer } from "../define/materializer.ts";
import type { JsonObject, JsonValue } from "../hash/json.ts";
import { columnsFromArrow, decodeArrow, encodeArrow, toArrowTable } from "./arrow.ts";
import type { ArrowTable } from "./arrow-table.ts";
import { columnsOf, toCell, type Cell, type Column, type ColumnType, type RawCell } from "./column.ts";
import { summarizeNumbers } from "./number-statistics.ts";
import { fitRows, maxPreviewColumns, maxPreviewRows, previewLeaf } from "./preview.ts";
import { cannotStore } from "./storable.ts";
import { isTagged, tagged } from "./tagged.ts";

export type { ArrowTable, Cell, ColumnType };

export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** Rows with named and typed columns. What it gives out is the caller's own: changing it does not change the table. */
export interface Table<Row extends object = Record<string, Cell>> extends Iterable<Row> {
  readonly rowCount: number;
  readonly columns: readonly TableColumn[];
  toRecords(): Row[];
  /** All cells of one column, in the order of the rows; undefined when there is no such column. */
  column<Name extends keyof Row & string>(name: Name): Row[Name][] | undefined;
  /** As a table of the `apache-arrow` package, which must be installed. */
  toArrow<T extends ArrowTable = ArrowTable>(): Promise<T>;
}

/** Declares an output to be an array of records: it is stored as a table, and the next step gets an array of records. */
export function table<Row extends object = Record<string, Cell>>(): Materializer<Row[]>;
/**
 * A table to return from a step: from records, whose cells are numbers, bigints, strings, booleans, dates or null, one type
 * a column, or from a table of `apache-arrow`. Throws a ValueError that names row and column when a cell does not fit.
 */
export function table<Row extends object>(rows: readonly Row[]): Table<Row>;
export function table<Row extends object = Record<string, Cell>>(arrow: ArrowTable): Table<Row>;
export function table(content?: readonly object[] | ArrowTable): Table<object> | Materializer<object[]> {
  if (content === undefined) return recordsMaterializer;
  if (isArrowTable(content)) return toTable(columnsFromArrow(content), content.numRows);
  return toTable(columnsOf(content), content.length);
}

/** Tables, as Arrow files. */
export const tableMaterializer: Materializer<Table<object>> = {
  name: "table",
  version: 1,
  mediaType: "application/vnd.apache.arrow.file",
  extension: "arrow",
  accepts: (value) => isTagged(value, "table"),
  async write(value, blobs) {
    const columns = await readColumns(value);
    if (columns === undefined) throw cannotStore([], { what: "no table", hint: "Return table(rows)." });
    return { root: await blobs.put(await encodeArrow(columns, value.rowCount)) };
  },
  async read(root, blobs) {
    const bytes = await blobs.bytes(root.digest);
    const arrow = await decodeArrow(bytes);
    // Its columns look at the bytes: who asks for an Arrow table, which can be written to, gets a copy.
    return toTable(columnsFromArrow(arrow), arrow.numRows, () => decodeArrow(bytes.slice()));
  },
  describe: async (value) => describeColumns((await readColumns(value)) ?? [], value.rowCount),
};

/** Declared arrays of records: the same bytes, read back as records. */
export const recordsMaterializer: Materializer<object[]> = {
  name: "records",
  version: 1,
  mediaType: tableMaterializer.mediaType,
  extension: tableMaterializer.extension,
  accepts: () => false,
  async write(value, blobs) {
    return { root: await blobs.put(await encodeArrow(columnsOf(value), value.length)) };
  },
  async read(root, blobs) {
    return (await tableMaterializer.read(root, blobs, 1)).toRecords();
  },
  describe: (value) => describeColumns(columnsOf(value), value.length),
};

/** Kept apart from the table that users see. */
const columnsByTable = new WeakMap<object, readonly Column[]>();

/** A table that another copy of this package made tells its columns by way of Arrow. */
async function readColumns(value: Table<object>): Promise<readonly Column[] | undefined> {
  const columns = columnsByTable.get(value);
  if (columns !== undefined || !isTagged(value, "table")) return columns;
  return columnsFromArrow(await value.toArrow());
}

function isArrowTable(content: readonly object[] | ArrowTable): content is ArrowTable {
  return !Array.isArray(content) && "schema" in content && "getChildAt" in content;
}

/** @param makeArrow - Makes the same as a table of Arrow, one that is the caller's own, where that takes less than to put it together. */
function toTable(
  columns: readonly Column[],
  rowCount: number,
  makeArrow: () => Promise<ArrowTable> = () => toArrowTable(columns, rowCount),
): Table<object> {
  const row = (index: number): object => {
    const record: Record<string, Cell> = {};
    for (const { name, type, cells } of columns) record[name] = toCell(type, cells[index]!);
    return record;
  };
  const made: Table<object> = tagged("table", {
    rowCount,
    columns: Object.freeze(columns.map(({ name, type }) => Object.freeze({ name, type }))),
    toRecords: () => Array.from({ length: rowCount }, (_, index) => row(index)),
    column: (name: string) => {
      const found = columns.find((column) => column.name === name);
      return found && (Array.from(found.cells, (cell) => toCell(found.type, cell)) as never[]);
    },
    toArrow: async <T extends ArrowTable>() => (await makeArrow()) as unknown as T,
    *[Symbol.iterator]() {
      for (let index = 0; index < rowCount; index++) yield row(index);
    },
  });
  columnsByTable.set(made, columns);
  return made;
}

function describeColumns(columns: readonly Column[], rowCount: number): Description {
  const shown = columns.slice(0, maxPreviewColumns);
  const rows = Array.from({ length: Math.min(rowCount, maxPreviewRows) }, (_, index) =>
    shown.map((column) => showCell(column, column.cells[index]!)),
  );
  return {
    preview: fitRows({
      kind: "table",
      columns: shown.map(({ name, type }) => ({ name: name.slice(0, 100), type })),
      rows,
      rowCount,
      truncated: rows.length < rowCount || shown.length < columns.length,
    }),
    metadata: {
      rows: rowCount,
      columns: columns.length,
      statistics: shown.map((column) => describeColumn(column)),
    },
  };
}

const maxDistinct = 1000;

function describeColumn({ name, type, storage, cells }: Column): JsonObject {
  // Numbers without empty cells lie in memory as such.
  const present = (ArrayBuffer.isView(cells) ? cells : Array.from(cells).filter((cell) => cell !== null)) as ArrayLike<
    Exclude<RawCell, null>
  >;
  return {
    name: name.slice(0, 100),
    type,
    ...(storage === undefined ? {} : { storage }),
    nulls: cells.length - present.length,
    ...describeCells(type, present),
  };
}

function describeCells(type: ColumnType, cells: ArrayLike<Exclude<RawCell, null>>): JsonObject {
  switch (type) {
    case "number":
    case "bigint":
      return summarizeNumbers(cells as ArrayLike<number | bigint>);
    case "date": {
      const { min, max } = summarizeNumbers(cells as ArrayLike<number>);
      return min === undefined ? {} : { min: toIso(min), max: toIso(max) };
    }
    case "boolean":
      return { true: (cells as readonly boolean[]).filter((cell) => cell).length };
    case "string":
      return describeTexts(cells as readonly string[]);
    case "null":
      return {};
  }
}

function describeTexts(cells: readonly string[]): JsonObject {
  const distinct = new Set<string>();
  for (const cell of cells) if (distinct.size <= maxDistinct) distinct.add(cell);
  let [min, max] = [cells[0], cells[0]];
  for (const cell of cells) {
    if (cell < min!) min = cell;
    if (cell > max!) max = cell;
  }
  return {
    ...(min === undefined ? {} : { min: previewLeaf(min, 100), max: previewLeaf(max, 100) }),
    ...(distinct.size > maxDistinct ? { distinctAtLeast: maxDistinct } : { distinct: distinct.size }),
  };
}

function showCell({ type }: Column, cell: RawCell): JsonValue {
  return previewLeaf(toCell(type, cell), 100);
}

function toIso(time: JsonValue | undefined): string {
  return new Date(time as number).toISOString();
}
