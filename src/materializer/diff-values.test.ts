import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { diffValues } from "./diff-values.ts";
import { directory } from "./directory.ts";
import { markdown } from "./document.ts";
import { file } from "./file.ts";
import type { StoredDirectory } from "./stored-directory.ts";
import type { StoredFile } from "./stored-file.ts";
import { table } from "./table.ts";
import { tensor } from "./tensor.ts";

const temporary = mkdtempSync(join(tmpdir(), "reprise-diff-"));
after(() => rmSync(temporary, { recursive: true }));
let files = 0;

function fileOf(content: string | Uint8Array): StoredFile {
  const path = join(temporary, `file-${(files += 1)}`);
  writeFileSync(path, content);
  return file(path, { name: "model.bin" });
}

function directoryOf(content: Readonly<Record<string, string>>): StoredDirectory {
  const path = join(temporary, `directory-${(files += 1)}`);
  mkdirSync(path);
  for (const [name, text] of Object.entries(content)) writeFileSync(join(path, name), text);
  return directory(path);
}

async function show(from: unknown, to: unknown): Promise<readonly string[]> {
  const found = await diffValues(from, to);
  return found.map(({ path, from: old, to: now }) => `${path}: ${old ?? "nothing"} → ${now ?? "nothing"}`);
}

const cases: Readonly<Record<string, readonly [from: unknown, to: unknown, expected: readonly string[]]>> = {
  "a field deep within JSON is named by its path": [
    { rows: [{ score: 1 }, { score: 0.91 }], n: 1 },
    { rows: [{ score: 1 }, { score: 0.87 }], n: 1 },
    ["rows[1].score: 0.91 → 0.87"],
  ],
  "a field that came or went stands against nothing": [{ a: 1 }, { b: 1 }, ["a: 1 → nothing", "b: nothing → 1"]],
  "the same fields in another order differ in their order": [{ a: 1, b: 2 }, { b: 2, a: 1 }, ['keys()[0]: "a" → "b"']],
  "a longer list differs where the shorter one ends": [[1, 2], [1, 2, 3, 4], ["[2]: nothing → 3"]],
  "no more than three places are told": [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    ["[0]: 1 → 5", "[1]: 2 → 6", "[2]: 3 → 7"],
  ],
  "maps, sets and dates are looked into": [
    { map: new Map([["a", 1]]), set: new Set([1]), at: new Date(0) },
    { map: new Map([["a", 2]]), set: new Set([2]), at: new Date(1) },
    ['map.get("a"): 1 → 2', "set.values()[0]: 1 → 2", "at: 1970-01-01T00:00:00.000Z → 1970-01-01T00:00:00.001Z"],
  ],
  "zero and minus zero, and NaN and itself, are told apart as they are stored": [
    [0, Number.NaN],
    [-0, Number.NaN],
    ["[0]: 0 → -0"],
  ],
  "another kind of value is told as a whole": [[1], { a: 1 }, [": [1] → { a: 1 }"]],
  "a text differs in a line": ["a\nb\nc", "a\nX\nc", ['line 2: "b" → "X"']],
  "a document differs in a line": [markdown("# A\n\n1"), markdown("# A\n\n2"), ['line 3: "1" → "2"']],
  "a table differs in a row and a column": [
    table([
      { id: 1, score: 0.5 },
      { id: 2, score: 0.6 },
    ]),
    table([
      { id: 1, score: 0.5 },
      { id: 2, score: 0.7 },
    ]),
    ["rows[1].score: 0.6 → 0.7"],
  ],
  "a table of other columns is told by them": [
    table([{ id: 1 }]),
    table([{ name: "a" }]),
    ['columns: ["id: number"] → ["name: string"]'],
  ],
  "a table of more rows differs where the shorter one ends": [
    table([{ id: 1 }]),
    table([{ id: 1 }, { id: 2 }]),
    ['rows[1]: "1 rows" → "2 rows"'],
  ],
  "a typed array differs at an index": [new Float32Array([1, 2]), new Float32Array([1, 3]), ["[1]: 2 → 3"]],
  "bytes differ at an index": [new Uint8Array([1, 2]), new Uint8Array([1, 3]), ["[1]: 2 → 3"]],
  "a tensor differs at a place in its shape": [
    tensor({ data: new Int32Array([1, 2, 3, 4]), shape: [2, 2] }),
    tensor({ data: new Int32Array([1, 2, 9, 4]), shape: [2, 2] }),
    ["[1, 0]: 3 → 9"],
  ],
  "a file differs at a byte, also behind the first megabyte": [
    fileOf(new Uint8Array(2_500_000)),
    fileOf(new Uint8Array(2_500_000).fill(1, 2_400_000)),
    ["byte 2400000: 0 → 1"],
  ],
  "a longer file differs where the shorter one ends": [fileOf("ab"), fileOf("abc"), ["byte 2: nothing → 99"]],
  "a directory differs in a file of it, and in what is there": [
    directoryOf({ "a.txt": "a", "b.txt": "b" }),
    directoryOf({ "a.txt": "A", "c.txt": "c" }),
    ["a.txt, byte 0: 97 → 65", 'b.txt: "a file" → nothing', 'c.txt: nothing → "a file"'],
  ],
  "equal values do not differ": [{ a: [1, new Map([[1, new Date(1)]])] }, { a: [1, new Map([[1, new Date(1)]])] }, []],
};

for (const [name, [from, to, expected]] of Object.entries(cases)) {
  test(name, async () => assert.deepEqual(await show(from, to), expected));
}
