/**
 * The seam between queries and drivers. A query is a generator: it yields statements and is handed their rows, so that
 * the same text serves a driver that answers at once and one that answers later.
 */

/** Never a boolean, a Date or undefined: drivers disagree about them, some silently. */
export type SqlValue = string | number | Uint8Array | null;

export type Row = Readonly<Record<string, SqlValue>>;

interface Statement {
  /** What is asked of it: its rows, or the number of rows that it changed, as one row with one column, `changes`. */
  readonly wants: "rows" | "changes";
  /** One of few texts, so that it can be prepared once. Parameters are `?`. */
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

export type Query<T> = Generator<Statement, T, readonly Row[]>;

/** One statement and its rows. */
export function* execute(sql: string, ...parameters: readonly SqlValue[]): Query<readonly Row[]> {
  return yield { wants: "rows", sql, parameters };
}

/** One statement that changes rows, and how many it changed. */
export function* change(sql: string, ...parameters: readonly SqlValue[]): Query<number> {
  const [row] = yield { wants: "changes", sql, parameters };
  return row?.["changes"] as number;
}

/** The conditions of a statement and their parameters, in order. */
export class Conditions {
  readonly #texts: string[] = [];
  readonly parameters: SqlValue[] = [];

  /** Adds a condition, if its value is there. */
  where(text: string, value: SqlValue | undefined): this {
    if (value === undefined) return this;
    this.#texts.push(text);
    this.parameters.push(value);
    return this;
  }

  /** Adds `column IN (…)`, if there is a list. Lists are padded, so that few lengths make few statements. */
  among(column: string, values: readonly SqlValue[] | undefined): this {
    if (values === undefined) return this;
    if (values.length === 0) {
      this.#texts.push("1 = 0");
      return this;
    }
    const padded = pad(values);
    this.#texts.push(`${column} IN (${padded.map(() => "?").join(", ")})`);
    this.parameters.push(...padded);
    return this;
  }

  /** As {@link among}, of several columns at once. */
  amongTuples(columns: readonly string[], tuples: readonly (readonly SqlValue[])[] | undefined): this {
    if (tuples === undefined) return this;
    if (tuples.length === 0) {
      this.#texts.push("1 = 0");
      return this;
    }
    const padded = pad(tuples);
    const places = `(${columns.map(() => "?").join(", ")})`;
    this.#texts.push(`(${columns.join(", ")}) IN (VALUES ${padded.map(() => places).join(", ")})`);
    this.parameters.push(...padded.flat());
    return this;
  }

  /** A table of these tuples, each once, to select from; before any condition is added, as its parameters come first. */
  table(columns: readonly string[], tuples: readonly (readonly SqlValue[])[]): string {
    // Without a tuple, a table without a row.
    if (tuples.length === 0) return `(SELECT ${columns.map((name) => `NULL AS ${name}`).join(", ")} WHERE 1 = 0)`;
    const padded = pad(tuples);
    const places = `(${columns.map(() => "?").join(", ")})`;
    this.parameters.push(...padded.flat());
    const named = columns.map((name, index) => `column${index + 1} AS ${name}`).join(", ");
    return `(SELECT DISTINCT ${named} FROM (VALUES ${padded.map(() => places).join(", ")}))`;
  }

  /** Adds a condition with any number of parameters. */
  raw(text: string, ...parameters: readonly SqlValue[]): this {
    this.#texts.push(text);
    this.parameters.push(...parameters);
    return this;
  }

  /** `WHERE …`, or nothing. */
  toString(): string {
    return this.#texts.length === 0 ? "" : `WHERE ${this.#texts.join(" AND ")}`;
  }
}

/** Repeats the last value up to the next of a few lengths. */
function pad<T>(values: readonly T[]): readonly T[] {
  const last = values.at(-1) as T;
  let length = 1;
  while (length < values.length) length *= 2;
  return [...values, ...Array.from({ length: length - values.length }, () => last)];
}
