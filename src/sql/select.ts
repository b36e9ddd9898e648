/** Questions about long lists: asked in pieces, answered as if they had been asked at once. */
import { ascending } from "../store/plan-order.ts";
import { Conditions, execute, type Query, type Row, type SqlValue } from "./statement.ts";

export interface Page {
  /** As in `ORDER BY`: a column of the rows, and `DESC` where it is that. */
  readonly order: readonly string[];
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
}

/** Rows whose column is among some values, in no order. */
export function* selectAmong(select: string, column: string, values: readonly SqlValue[]): Query<readonly Row[]> {
  const rows: Row[] = [];
  for (const piece of toPieces(values)) {
    const conditions = new Conditions().among(column, piece);
    for (const row of yield* execute(`${select} ${conditions}`, ...conditions.parameters)) rows.push(row);
  }
  return rows;
}

/**
 * A page of rows in order. Without a list, or with a short one, the database sorts and cuts; of a long list, the pieces
 * are put together here.
 *
 * @param select - The statement for one piece, ordered as the page is, without its limit.
 */
export function* selectPage<T>(
  values: readonly T[] | undefined,
  { order, offset = 0, limit }: Page,
  select: (piece: readonly T[] | undefined) => { readonly sql: string; readonly conditions: Conditions },
): Query<readonly Row[]> {
  const pieces = toPieces(values);
  const whole = pieces.length === 1 && limit !== undefined;
  const rows: Row[] = [];
  for (const piece of pieces) {
    const { sql, conditions } = select(piece);
    const { parameters } = conditions;
    if (limit === undefined) {
      for (const row of yield* execute(sql, ...parameters)) rows.push(row);
    } else if (whole) {
      rows.push(...(yield* execute(`${sql} ${boundLimit} OFFSET ?`, ...parameters, limit, offset)));
    } else {
      for (const row of yield* execute(`${sql} ${boundLimit}`, ...parameters, offset + limit)) rows.push(row);
    }
  }
  if (pieces.length > 1) rows.sort(compareBy(order));
  return whole ? rows : rows.slice(offset, limit === undefined ? undefined : offset + limit);
}

/** SQLite plans by the value that is bound to a bare `LIMIT ?`, and so compiles the statement anew each time it runs. */
const boundLimit = "LIMIT ? + 0";

const largestPiece = 512;

/** Whether a question about so many values is one statement. */
export function isOnePiece(values: readonly unknown[]): boolean {
  return values.length <= largestPiece;
}

/** Cuts a list into pieces that fit one statement. An absent list is one absent piece: no condition. */
function toPieces<T>(values: readonly T[] | undefined): readonly (readonly T[] | undefined)[] {
  if (values === undefined) return [undefined];
  const distinct = [...new Set(values)];
  const pieces: T[][] = [];
  for (let start = 0; start < distinct.length; start += largestPiece) {
    pieces.push(distinct.slice(start, start + largestPiece));
  }
  return pieces;
}

/** The order of rows by some columns, as in `ORDER BY`. */
export function compareBy(order: readonly string[]): (left: Row, right: Row) => number {
  const terms = order.map((term) => {
    const [column, direction] = term.split(" ") as [string, string?];
    return { column, sign: direction === "DESC" ? -1 : 1 };
  });
  return (left, right) => {
    for (const { column, sign } of terms) {
      const compared = sign * ascending(left[column] as string, right[column] as string);
      if (compared !== 0) return compared;
    }
    return 0;
  };
}
