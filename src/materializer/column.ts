/** Columns of a table: records turned on their side, with one type a column. */
import { ValueError } from "../error.ts";
import { kindOf } from "../hash/kind.ts";
import { formatPath } from "../hash/value-path.ts";

/** What a table can hold. Missing and `undefined` become null: a table has one kind of empty cell. */
export type Cell = null | number | bigint | string | boolean | Date;

export type ColumnType = "number" | "bigint" | "string" | "boolean" | "date" | "null";

/** How numbers lie in memory; what is inferred from records is `Float64` and `Int64`, which hold them exactly. */
export type NumberStorage =
  | "Float64"
  | "Float32"
  | "Int8"
  | "Int16"
  | "Int32"
  | "Int64"
  | "Uint8"
  | "Uint16"
  | "Uint32"
  | "Uint64";

/** A cell as it is kept: a date as milliseconds since 1970, so that each reader gets a Date of its own. */
export type RawCell = null | number | bigint | string | boolean;

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly storage: NumberStorage | undefined;
  /** One a row. */
  readonly cells: ArrayLike<RawCell>;
}

/** Infers columns from records, in the order in which their names are met. Throws a ValueError with the path of a wrong cell. */
export function columnsOf(rows: readonly object[]): readonly Column[] {
  if (!Array.isArray(rows)) throw wrong([], "no array of records", 'Return an array such as [{ x: 1, label: "a" }].');
  const drafts = new Map<string, Draft>();
  for (let index = 0; index < rows.length; index++) addRow(drafts, rows, index);
  return [...drafts].map(([name, { type, cells }]) => ({ name, type, storage: storageOf(type), cells }));
}

/** A cell for a reader. */
export function toCell(type: ColumnType, cell: RawCell): Cell {
  return type === "date" && cell !== null ? new Date(cell as number) : cell;
}

interface Draft {
  type: ColumnType;
  readonly cells: RawCell[];
}

function addRow(drafts: Map<string, Draft>, rows: readonly object[], index: number): void {
  const row: unknown = rows[index];
  const kind = typeof row === "object" && row !== null ? kindOf(row) : undefined;
  if (kind !== "record" && kind !== "null-prototype record") {
    throw wrong(
      [index],
      typeof kind === "object" ? kind.what : `no record (it is ${nameOf(row)})`,
      "Make each row a plain object.",
    );
  }
  for (const name of Object.keys(row as object)) {
    const property = Object.getOwnPropertyDescriptor(row, name)!;
    if (!("value" in property)) throw wrong([index, name], "a getter", "Copy its value: getters are never run.");
    let draft = drafts.get(name);
    if (draft === undefined) {
      assertColumnName(name);
      draft = { type: "null", cells: Array.from<RawCell>({ length: index }).fill(null) };
      drafts.set(name, draft);
    }
    addCell(draft, property.value, index, name);
  }
  for (const draft of drafts.values()) if (draft.cells.length === index) draft.cells.push(null);
}

function addCell(draft: Draft, value: unknown, index: number, name: string): void {
  const type = typeOfCell(value, index, name);
  if (type !== "null" && draft.type === "null") draft.type = type;
  if (type !== "null" && type !== draft.type) {
    throw wrong(
      [index, name],
      `${nameOf(value)} in a column of ${draft.type}s`,
      "Give all cells of a column one type, or null.",
    );
  }
  draft.cells.push(type === "null" ? null : type === "date" ? (value as Date).getTime() : (value as RawCell));
}

function typeOfCell(value: unknown, index: number, name: string): ColumnType {
  switch (typeof value) {
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "undefined":
      return "null";
    case "string":
      if (value.isWellFormed()) return "string";
      throw wrong([index, name], "a string with half a surrogate pair", "Call toWellFormed() on it.");
    case "bigint":
      if (BigInt.asIntN(64, value) === value) return "bigint";
      throw wrong([index, name], "a bigint of more than 64 bits", "Keep it as a string.");
    case "object":
      if (value === null) return "null";
      if (kindOf(value) !== "date") break;
      if (!Number.isNaN((value as Date).getTime())) return "date";
      throw wrong([index, name], "an invalid date", "Use null for a date that is not known.");
    default:
  }
  throw wrong(
    [index, name],
    nameOf(value),
    "A cell is a number, bigint, string, boolean, Date or null; keep lists and records as JSON text, or in a tensor.",
  );
}

/** A name that a record can have as a key of its own. */
export function assertColumnName(name: string): void {
  if (name === "__proto__") throw wrong([], 'a table with a column named "__proto__"', "Rename the column.");
}

function storageOf(type: ColumnType): NumberStorage | undefined {
  return type === "number" ? "Float64" : type === "bigint" ? "Int64" : undefined;
}

function wrong(steps: readonly (string | number)[], what: string, hint: string): ValueError {
  const path = formatPath("rows", steps);
  return new ValueError("RPS2104", `${path} is ${what}, which a table cannot hold.`, {
    hint,
    data: { path, steps, what },
  });
}

function nameOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return value === null ? "null" : `a ${typeof value}`;
  const kind = kindOf(value);
  return typeof kind === "object" ? kind.what : /^[aeiou]/u.test(kind) ? `an ${kind}` : `a ${kind}`;
}
