import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packRecord, unpackRecord } from "./packed-record.ts";
import { parseFile } from "./parse.ts";

test("a record that was kept as text is the one that was parsed, and shorter", () => {
  let packed = 0;
  let whole = 0;
  for (const name of readdirSync(import.meta.dirname).filter((each) => each.endsWith(".ts"))) {
    const path = join(import.meta.dirname, name);
    const record = parseFile(path, readFileSync(path), "module");
    const text = packRecord(record);
    assert.deepEqual(unpackRecord(text), record, name);
    packed += text.length;
    whole += JSON.stringify(record).length;
  }
  assert.ok(packed < 0.85 * whole, `${packed} of ${whole}`);
});
