import assert from "node:assert/strict";
import { test } from "node:test";
import { createPrinter, printTable } from "./print.ts";

interface Row {
  readonly name: string;
  readonly why: string;
  readonly note: string;
}

function show(columns: number, rows: readonly Row[]): string[] {
  let text = "";
  const printer = createPrinter({
    write: (part) => void (text += part),
    columns,
    color: false,
    unicode: true,
    live: false,
  });
  printTable(printer, rows, [
    { title: "name", value: (row) => row.name },
    { title: "why", value: (row) => row.why, flexible: true },
    { title: "note", value: (row) => row.note },
  ]);
  return text.trimEnd().split("\n");
}

const row: Row = { name: "train", why: "its cached result is not used", note: "a note that may not be cut" };

test("flexible columns are cut first", () => {
  assert.deepEqual(show(62, [row])[1], "  train  its cached result is not…  a note that may not be cut");
});

test("a column that is left out leaves its room to the others", () => {
  assert.deepEqual(show(40, [row]), ["  name   why", "  train  its cached result is not used"]);
});

test("a column without a single cell is left out", () => {
  assert.deepEqual(show(80, [{ ...row, note: "" }])[0], "  name   why");
  assert.deepEqual(show(80, [])[0], "  name  why  note");
});
