/** From a step to its code: however it was made. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { capturedCases, mappingCases, type MappingCase } from "./mapping-cases.ts";
import { applyEdit, type Files } from "./project.ts";
import { openBench, stepNamed, type Bench, type LoadReport, type Version } from "./rig.ts";

describeMapping("under Node", "node", mappingCases);
describeMapping("under tsx", "tsx", mappingCases);
describeMapping("with values from outside of the code", "node", capturedCases);

function describeMapping(where: string, loader: "node" | "tsx", cases: readonly MappingCase[]): void {
  describe(`a step is found in its source ${where}`, () => {
    let bench: Bench;
    let reports: readonly LoadReport[];
    let at = 0;
    const versions: Version[] = [];
    const places = cases.map(({ files, edits, entry = "src/main.ts" }) => {
      const base = at++;
      versions.push({ files, entry });
      for (const { edit } of Object.values(edits)) versions.push({ files: applyEdit(files, edit), entry });
      at += Object.keys(edits).length;
      return base;
    });
    before(async () => {
      bench = await openBench();
      reports = await bench.load(versions, loader);
    });
    after(async () => {
      await bench[Symbol.asyncDispose]();
    });

    for (const [nth, { name, steps, verdict = "proved", edits }] of cases.entries()) {
      const base = places[nth] ?? 0;
      test(`${name}: ${verdict}`, () => {
        const report = reports[base];
        assert.equal(report?.error, undefined);
        assert.deepEqual(report?.steps.map((step) => step.name).toSorted(), steps);
        for (const step of report?.steps ?? []) {
          assert.ok(
            verdict.split(" or ").includes(step.verdict),
            `${step.name}: ${step.verdict}, ${JSON.stringify(step.notes)}`,
          );
          if (step.verdict === "proved")
            assert.ok(step.own.length > 0 && step.own.every((id) => step.units.some((unit) => unit.id === id)));
          else assert.ok(step.notes.length > 0);
        }
      });
      for (const [index, [what, { changed, orOpaque }]] of Object.entries(edits).entries()) {
        const expected = changed.length === 0 ? "changes nothing" : `changes ${changed.join(" and ")}`;
        test(`${name}: an edit of ${what} ${expected}`, () => {
          const [was, is] = [reports[base], reports[base + 1 + index]];
          assert.ok(was && is);
          for (const step of steps) {
            const earlier = stepNamed(was, step);
            const now = stepNamed(is, step);
            if (orOpaque && now.verdict === "opaque") continue;
            if (changed.includes(step)) assert.notEqual(now.digest, earlier.digest, `${step}: a false hit`);
            else assert.equal(now.digest, earlier.digest, `${step}: a false miss`);
          }
        });
      }
    }
  });
}

describe("what a step's source cannot tell", () => {
  const head = 'import { step } from "reprise";\n';
  const manifest: Files = { "package.json": JSON.stringify({ name: "mapping", type: "module" }) };
  const twins = {
    ...manifest,
    "src/main.ts": `${head}export const steps = [1, 2].map((k) => step({ name: "work", run: () => ({ y: k }) }));\n`,
  };
  const plain = {
    ...manifest,
    "src/main.ts": `${head}export const work = step({ name: "work", run: () => ({ y: 17 }) });\n`,
  };
  const evaluated = {
    ...manifest,
    "src/main.ts": `${head}globalThis.step = step;\nexport const work = (0, eval)('step({ name: "work", run: () => ({ y: 17 }) })');\n`,
  };
  const factory = {
    ...manifest,
    "src/main.ts": `${head}const make = (name: string, k: number) => step({ name, run: () => ({ y: k }) });\nexport const one = make("one", 1);\nexport const two = make("two", 2);\n`,
  };
  let bench: Bench;
  let reports: readonly LoadReport[];
  before(async () => {
    bench = await openBench();
    reports = await bench.load([
      { files: twins, entry: "src/main.ts" },
      {
        files: plain,
        entry: "src/main.ts",
        editedAfterLoad: { "src/main.ts": `\n\nconst added = () => ({ y: 1 });\n${plain["src/main.ts"]}` },
      },
      {
        files: plain,
        entry: "src/main.ts",
        editedAfterLoad: { "src/main.ts": plain["src/main.ts"].replace("17", "18") },
      },
      { files: evaluated, entry: "src/main.ts" },
      { files: plain, entry: "src/main.ts" },
      { files: factory, entry: "src/main.ts" },
    ]);
  });
  after(async () => {
    await bench[Symbol.asyncDispose]();
  });

  test("two steps with one name from one place are refused, or not to be reused", () => {
    const [report] = reports;
    assert.ok(report?.error !== undefined || report?.steps.every(({ verdict }) => verdict === "opaque"));
  });

  for (const [index, what] of ["that moves its lines", "that keeps its lines"].entries()) {
    test(`a file edited between its load and the question, in a way ${what}, does not pass for what was loaded`, () => {
      const [report, unedited] = [reports[1 + index], reports[4]];
      assert.ok(report && unedited);
      const edited = stepNamed(report);
      // Either it is seen, or what was loaded is what was hashed.
      assert.ok(
        edited.verdict === "opaque" || edited.digest === stepNamed(unedited).digest,
        `${edited.verdict} with another digest`,
      );
    });
  }

  test("two steps of one factory, called with different values, have different digests", () => {
    const report = reports[5];
    assert.ok(report);
    assert.notEqual(stepNamed(report, "one").digest, stepNamed(report, "two").digest);
  });

  test("a step made by eval is opaque", () => {
    const report = reports[3];
    assert.ok(report);
    assert.equal(stepNamed(report).verdict, "opaque");
  });
});
