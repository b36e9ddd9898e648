import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestValue } from "../hash/canonical.ts";
import type { Digest } from "../hash/digest.ts";
import type { KeyArgument, KeyRecord } from "../record/key.ts";
import type { CodeRecord } from "../store/metadata-store.ts";
import { countDifferences, explainDifferences, type ExplainedKey } from "./explain.ts";
import { digestKey } from "./key.ts";

const nothing = { texts: new Map(), artifacts: () => undefined };

function value(of: unknown): KeyArgument {
  return { kind: "value", digest: digestValue(of), shown: JSON.stringify(of) };
}

function artifact(of: unknown): KeyArgument {
  return { kind: "artifact", digest: digestValue(["artifact", of]) };
}

function makeKey(parts: Partial<KeyRecord> = {}): KeyRecord {
  return {
    scheme: 1,
    step: "train",
    code: digestValue("code"),
    arguments: {},
    outputs: {},
    version: undefined,
    cacheKey: undefined,
    runtime: "node 24 linux x64",
    ...parts,
  };
}

function makeCode(units: Readonly<Record<string, string>>, own: readonly string[]): CodeRecord {
  return {
    digest: digestValue(units),
    verdict: "proved",
    own,
    place: undefined,
    units: Object.entries(units).map(([id, text]) => ({
      id,
      kind: id.includes("#") ? "declaration" : "package",
      digest: digestValue(text),
      ...(id.includes("#") ? { lines: [10, 10 + text.split("\n").length - 1] as const } : { version: text }),
    })),
  };
}

function explained(code: CodeRecord): ExplainedKey {
  return { key: makeKey({ code: code.digest }), code };
}

test("a changed param is told with both values", () => {
  const from = makeKey({ arguments: { gamma: value(0.001), rows: artifact(1) } });
  const to = makeKey({ arguments: { gamma: value(0.02), rows: artifact(1) } });
  assert.deepEqual(explainDifferences({ key: from, code: undefined }, { key: to, code: undefined }, nothing), [
    { code: "param", part: "gamma", from: "0.001", to: "0.02" },
  ]);
});

test("a changed input is told with both digests and what produced them", () => {
  const [old, now] = [artifact(1), artifact(2)] as Extract<KeyArgument, { kind: "artifact" }>[];
  const artifacts = (name: string, side: string, digest: Digest): string | undefined =>
    name === "rows" && side === "from" && digest === old!.digest ? "split.rows@v1 by r-1/split" : undefined;
  const from = { key: makeKey({ arguments: { rows: old! } }), code: undefined };
  const to = { key: makeKey({ arguments: { rows: now! } }), code: undefined };
  const [difference] = explainDifferences(from, to, { texts: new Map(), artifacts });
  assert.equal(difference?.code, "input");
  assert.match(difference?.detail ?? "", /^split\.rows@v1 by r-1\/split → /u);
});

test("an edit of the step itself is code, of what it reaches import, of a package package", () => {
  const before = makeCode({ "a.ts#train": "x", "b.ts#help": "y", zod: "4.0.0" }, ["a.ts#train"]);
  const after = makeCode({ "a.ts#train": "x2", "b.ts#help": "y2", zod: "4.1.0" }, ["a.ts#train"]);
  const differences = explainDifferences(explained(before), explained(after), nothing);
  assert.deepEqual(
    differences.map(({ code, part }) => [code, part]),
    [
      ["code", "a.ts#train"],
      ["import", "b.ts#help"],
      ["package", "zod"],
    ],
  );
  assert.deepEqual([differences[2]?.from, differences[2]?.to], ["4.0.0", "4.1.0"]);
});

test("the place of changed code is the first line that differs", () => {
  const [old, now] = ["one\ntwo\nthree", "one\n2\nthree"];
  const texts = new Map([old, now].map((text) => [digestValue(text), text]));
  const [difference] = explainDifferences(
    explained(makeCode({ "src/b.ts#help": old }, [])),
    explained(makeCode({ "src/b.ts#help": now }, [])),
    { texts, artifacts: () => undefined },
  );
  assert.equal(difference?.place, "src/b.ts:11");
});

test("code that is bound otherwise though every unit is the same is still told", () => {
  const code = makeCode({ "a.ts#train": "x" }, ["a.ts#train"]);
  const other = { ...code, digest: digestValue("another binding") };
  assert.equal(explainDifferences(explained(code), explained(other), nothing)[0]?.code, "code");
});

test("a declaration of what is read that changed is told, and that nothing else is read too", () => {
  const from = makeKey({ reads: [] });
  const to = makeKey({ reads: ["env MODEL", "file prices.csv"] });
  assert.deepEqual(explainDifferences({ key: from, code: undefined }, { key: to, code: undefined }, nothing), [
    { code: "cache-key", part: "reads", from: "nothing else", to: "env MODEL, file prices.csv" },
  ]);
});

const args = fc.dictionary(
  fc.constantFrom("a", "b", "c", "d"),
  fc.oneof(
    fc.nat(3).map(value),
    fc.nat(3).map(artifact),
    fc.array(fc.nat(2).map(artifact), { maxLength: 3 }).map((items): KeyArgument => ({ kind: "list", items })),
  ),
);
const keys = fc
  .record({
    step: fc.constant("train"),
    code: fc.nat(2).map((each) => digestValue(["code", each])),
    arguments: args,
    outputs: fc.constantFrom({}, { model: "json@1" }, { model: "table@1" }),
    version: fc.constantFrom(undefined, "1", "2"),
    cacheKey: fc.option(fc.nat(2).map(value), { nil: undefined }),
    reads: fc.constantFrom(undefined, [], ["env A"], ["env A", "file a"]),
    runtime: fc.constantFrom("node 24 linux x64", "node 26 linux x64"),
  })
  .map(({ reads, ...parts }) => makeKey({ ...parts, ...(reads === undefined ? {} : { reads }) }));

test("two keys have the same digest exactly when nothing differs between them", () => {
  fc.assert(
    fc.property(keys, keys, (a, b) => {
      const differences = explainDifferences({ key: a, code: undefined }, { key: b, code: undefined }, nothing);
      assert.equal(differences.length === 0, digestKey(a) === digestKey(b));
      assert.equal(countDifferences(a, b), differences.length);
    }),
    { numRuns: 2000 },
  );
});
