import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { toTokens } from "./tokens.ts";

const options = {
  json: { type: "boolean" },
  verbose: { type: "boolean", short: "v" },
  quiet: { type: "boolean", short: "q" },
  param: { type: "string", short: "p" },
  jobs: { type: "string", short: "j" },
} as const;

function toNodesTokens(args: string[]) {
  const { tokens } = parseArgs({ args, options, strict: false, tokens: true, allowPositionals: true });
  return tokens.map((token) => {
    if (token.kind !== "option") return { ...token };
    const { kind, index, name, rawName, value } = token;
    return { kind, index, name, rawName, value };
  });
}

test("words are read as Node's parseArgs reads them", () => {
  const word = fc
    .oneof(
      fc.constantFrom(
        "--",
        "-",
        "--json",
        "--param",
        "--param=x=y",
        "--jobs=",
        "--=x",
        "--unknown",
        "--other=1",
        "---",
        "--constructor",
      ),
      fc.constantFrom(
        "-v",
        "-vq",
        "-p",
        "-pvalue",
        "-vpx",
        "-vp",
        "-x",
        "-xv",
        "-1",
        "-v=1",
        "-p=1",
        "file.ts",
        "a=b",
        "",
      ),
      fc.string({ unit: fc.constantFrom("-", "=", "v", "p", "x", " "), maxLength: 5 }),
      // In a group of short options, to Node a dash ends all options; here it is one that there is not. Nor is there one without a name.
    )
    .filter((each) => !/^-[^-]+-|^--=/u.test(each));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 7 }), (words) => {
      assert.deepEqual(toTokens(words, options), toNodesTokens(words));
    }),
    { numRuns: 3000 },
  );
});
