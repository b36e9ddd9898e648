import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { JsonValue } from "../hash/json.ts";
import { renderJson } from "./json-view.ts";

test("what is printed is the value, whatever the width", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 120 }), (value, width) => {
      const read: unknown = JSON.parse(renderJson(value as JsonValue, width).join("\n"));
      assert.deepEqual(read, JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("records that fit stand on a line of their own, and numbers fill lines", () => {
  assert.deepEqual(
    renderJson(
      {
        rows: [
          { a: 1, b: [2] },
          { a: 2, b: [] },
        ],
        xs: [1, 2, 3, 4, 5, 6, 7, 8],
      },
      25,
    ),
    [
      "{",
      '  "rows": [',
      '    { "a": 1, "b": [2] },',
      '    { "a": 2, "b": [] }',
      "  ],",
      '  "xs": [',
      "    1, 2, 3, 4, 5, 6, 7,",
      "    8",
      "  ]",
      "}",
    ],
  );
});

test("a long list of short texts takes a line for each", () => {
  assert.deepEqual(renderJson(["one", "two"], 8), ["[", '  "one",', '  "two"', "]"]);
});
