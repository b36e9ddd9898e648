import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { testMaterializer } from "../testing/materializer-contract.ts";
import { formatCsv, readCsvRow } from "./csv.ts";
import { csv, documentMaterializers, html, markdown, svg, type TextDocument } from "./document.ts";
import type { Materializer } from "../define/materializer.ts";

const find = (name: string): Materializer<TextDocument> =>
  documentMaterializers.find((one) => one.name === name) as Materializer<TextDocument>;

testMaterializer(find("markdown"), {
  values: { "a report": () => markdown("# Results\n"), "a long report": () => markdown("\n".repeat(100_000)) },
  refused: { "a string": { value: () => "# Results", path: "value" } },
});
testMaterializer(find("html"), { values: { "a page": () => html("<p>hi</p>") } });
testMaterializer(find("svg"), { values: { "a drawing": () => svg("<svg/>") } });
testMaterializer(find("csv"), {
  values: {
    records: () =>
      csv([
        { a: 1, b: 'two, "2"' },
        { a: null, c: new Date(0) },
      ]),
    text: () => csv("a,b\r\n1,2\r\n"),
    "no text": () => csv(""),
    "a long table": () => csv(Array.from({ length: 5000 }, (_, index) => ({ index, text: '"'.repeat(200) }))),
  },
});
testMaterializer(markdown(), {
  values: { "a declared string": () => "# Results" },
  refused: { "a number": { value: () => 1, path: "value" } },
});
testMaterializer(html(), { values: { "a declared string": () => "<p>" } });
testMaterializer(svg(), { values: { "a declared string": () => "<svg/>" } });
testMaterializer(csv(), { values: { "a declared string": () => "a\n1\n" } });

describe("CSV", () => {
  it("quotes what would be misread", () => {
    assert.equal(
      formatCsv([
        { name: 'a "b"', note: "one\ntwo", n: 1 },
        { n: 2, extra: true },
      ]),
      'name,note,n,extra\n"a ""b""","one\ntwo",1,\n,,2,true\n',
    );
  });

  it("is read row by row", () => {
    const text = 'a,"b ""x"", y"\r\n1,\n';
    const first = readCsvRow(text, 0);
    assert.deepEqual(first.cells, ["a", 'b "x", y']);
    assert.deepEqual(readCsvRow(text, first.end), { cells: ["1", ""], end: text.length });
    assert.deepEqual(readCsvRow('"open', 0).cells, ["open"]);
  });

  it("is previewed as a table", async () => {
    assert.deepEqual(await find("csv").describe?.(csv("a,b\n1,x\n2,\n")), {
      preview: {
        kind: "table",
        columns: [
          { name: "a", type: "string" },
          { name: "b", type: "string" },
        ],
        rows: [
          ["1", "x"],
          ["2", ""],
        ],
        rowCount: 2,
        truncated: false,
      },
      metadata: { rows: 2, columns: 2, characters: 11 },
    });
  });
});
