/** One edit of one project, and what the code of its step `work` must say; and how many of these are tested at once. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { applyEdit, pathWithExtension, withExtension, type Edit, type Extension, type Files } from "./project.ts";
import { openBench, stepNamed, type Bench, type LoadReport, type Loader } from "./rig.ts";

export interface CodeCase {
  readonly name: string;
  readonly files: Files;
  readonly edit: Edit;
  /** `opaque` and the like speak of the step after the edit. */
  readonly expected: "changed" | "same" | "opaque" | "changed or opaque";
  /** What is outside of the code may be assumed: what is awaited or read when the module is loaded. */
  readonly mayAssume?: true;
  readonly loader?: Loader;
  /** Further extensions that the case is run under; none where its text is TypeScript's own. */
  readonly also?: readonly Extension[];
  readonly entry?: string;
  /** The folder of the project among the files. */
  readonly root?: string;
}

const sentences = {
  changed: "a step is another one after",
  same: "a step stays the same after",
  opaque: "a step is opaque with",
  "changed or opaque": "a step is another one, or opaque, after",
} as const;

/** Loads every case before and after its edit, all in one child process, and makes a test of each. */
export function describeCases(
  where: string,
  cases: readonly CodeCase[],
  { loader, extension = "ts" }: { readonly loader: Loader; readonly extension?: Extension },
): void {
  describe(where, () => {
    let bench: Bench;
    let reports: readonly LoadReport[];
    before(async () => {
      bench = await openBench();
      const versions = cases.flatMap(({ files, edit, entry = "src/main.ts", root }) =>
        [files, applyEdit(files, edit)].map((project) => ({
          files: withExtension(project, extension),
          entry: pathWithExtension(entry, extension),
          ...(root === undefined ? {} : { root }),
        })),
      );
      reports = await bench.load(versions, loader);
    });
    after(async () => {
      await bench[Symbol.asyncDispose]();
    });

    for (const [index, { name, expected, mayAssume }] of cases.entries()) {
      test(`${sentences[expected]}: ${name}`, () => {
        const [was, is] = [reports[2 * index], reports[2 * index + 1]].map((report) => {
          assert.ok(report);
          return stepNamed(report);
        });
        assert.ok(was && is);
        if (expected === "opaque") {
          assert.equal(is.verdict, "opaque");
          assert.ok(is.notes.some((note) => note.verdict === "opaque" && note.kind !== "" && note.message !== ""));
          return;
        }
        if (expected === "changed or opaque" && is.verdict === "opaque") return;
        if (expected === "same") assert.equal(is.digest, was.digest, "a false miss");
        else assert.notEqual(is.digest, was.digest, `a false hit (${is.verdict})`);
        if (mayAssume && is.verdict === "assumed") return;
        assert.deepEqual([is.verdict, is.notes], ["proved", []], "more than it can be told is said to be unknown");
      });
    }
  });
}
