/** Everyday edits: which a step's code shows, and which it does not. */
import assert from "node:assert/strict";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { openCodeIndex } from "../../src/code/index.ts";
import type { CallSite } from "../../src/define/call-site.ts";
import type { StepDefinition } from "../../src/define/plan.ts";
import { everydayEdits, transformedEdits, type EverydayEdit } from "./everyday-edits.ts";
import { everydayEntry, everydayProject, transformedProject } from "./everyday-project.ts";
import { applyEdit, pathWithExtension, withExtension, type Extension, type Files } from "./project.ts";
import { reportSteps } from "./report-steps.ts";
import {
  openBench,
  stepNamed,
  writeFiles,
  type Bench,
  type LoadReport,
  type Loader,
  type StepReport,
  type Version,
} from "./rig.ts";

for (const extension of ["ts", "mts", "js", "mjs"] as const) {
  describeEdits(`in .${extension} files`, everydayEdits, variants(everydayProject, everydayEdits, extension), "node");
}
// What is loaded is the same and takes tsx five times as long: a third of the edits shows whether steps are found.
const underTsx = everydayEdits.filter((_, index) => index % 3 === 0);
describeEdits("under tsx", underTsx, variants(everydayProject, underTsx, "ts"), "tsx");
describeEdits(
  "of what needs a transforming loader",
  transformedEdits,
  variants(transformedProject, transformedEdits, "ts"),
  "tsx",
);

/** The project as it is, then once for each edit. */
function variants(files: Files, edits: readonly EverydayEdit[], extension: Extension): readonly Version[] {
  const entry = pathWithExtension(everydayEntry, extension);
  const edited = [files, ...edits.map(({ edit }) => applyEdit(files, edit))];
  return edited.map((project) => ({ files: withExtension(project, extension), entry }));
}

function describeEdits(
  where: string,
  edits: readonly EverydayEdit[],
  versions: readonly Version[],
  loader: Loader,
): void {
  describe(`everyday edits ${where}`, () => {
    let bench: Bench;
    let reports: readonly LoadReport[];
    before(async () => {
      bench = await openBench();
      reports = await bench.load(versions, loader);
    });
    after(async () => {
      await bench[Symbol.asyncDispose]();
    });

    test("all steps are proved before any edit", () => {
      const [base] = reports;
      assert.ok(base);
      assert.equal(base.error, undefined);
      for (const step of base.steps) assert.deepEqual([step.name, step.verdict, step.notes], [step.name, "proved", []]);
    });

    for (const [index, { name, expected, besides = [] }] of edits.entries()) {
      const sentence = expected === "changed" ? "a step is another one after" : "a step stays the same after";
      test(`${sentence}: ${name}`, () => {
        const [base] = reports;
        const edited = reports[index + 1];
        assert.ok(base && edited);
        const [was, is] = [stepNamed(base), stepNamed(edited)];
        if (expected === "changed") assert.notEqual(is.digest, was.digest, "a false hit");
        else assert.equal(is.digest, was.digest, `a false miss: ${unitDifference(was.units, is.units)}`);
        assert.deepEqual([is.verdict, is.notes], ["proved", []]);
        for (const bystander of ["other", "light"] as const) {
          if (besides.includes(bystander) || !base.steps.some((step) => step.name === bystander)) continue;
          const [wasToo, isToo]: readonly StepReport[] = [stepNamed(base, bystander), stepNamed(edited, bystander)];
          assert.ok(wasToo && isToo);
          assert.equal(isToo.digest, wasToo.digest, `${bystander}: ${unitDifference(wasToo.units, isToo.units)}`);
        }
      });
    }

    test("whatever changed the digest shows among the units", () => {
      const [base] = reports;
      assert.ok(base);
      const was = stepNamed(base);
      const silent = edits.filter((_, index) => {
        const edited = reports[index + 1];
        const is = edited?.steps.find((step) => step.name === "work");
        return is !== undefined && is.digest !== was.digest && unitDifference(was.units, is.units) === "";
      });
      assert.deepEqual(
        silent.map(({ name }) => name),
        [],
      );
    });

    test("one index that follows the edits in place says what an index says that sees each project anew", async () => {
      const root = join(bench.folder, `followed ${loader}`);
      await mkdir(root);
      const follower = await openCodeIndex({
        root,
        stateDir: join(bench.folder, "state of the follower"),
        entries: [join(root, versions[0]!.entry)],
      });
      for (const [index, version] of versions.entries()) {
        const report = reports[index];
        if (report === undefined || report.error !== undefined) continue;
        await rm(root, { recursive: true, force: true });
        await mkdir(root, { recursive: true });
        await writeFiles(root, version.files);
        await writeFiles(root, { "node_modules/reprise/package.json": '{ "name": "reprise", "version": "0.0.0" }' });
        const definitions = report.steps.map((step) => movedDefinition(step.name, step.sites, root));
        const followed = await reportSteps(follower, definitions);
        const name = index === 0 ? "no edit" : edits[index - 1]?.name;
        assert.deepEqual(
          followed.map((step) => [name, step.name, step.digest]),
          report.steps.map((step) => [name, step.name, step.digest]),
        );
      }
    });
  });
}

/** The same step in a copy of the project under another root. */
function movedDefinition(name: string, sites: readonly CallSite[], root: string): StepDefinition {
  const moved = (script: string): string => {
    const [, path = ""] = /\/v\d+\/(.*)$/u.exec(script) ?? [];
    return script.startsWith("file:") ? pathToFileURL(join(root, path)).href : join(root, path);
  };
  return {
    name,
    run: () => ({}),
    params: undefined,
    inputs: {},
    outputs: undefined,
    options: {},
    sites: sites.map((site) => ({
      ...site,
      script: moved(site.script),
      ...(site.mapped === undefined ? {} : { mapped: { ...site.mapped, script: moved(site.mapped.script) } }),
    })),
  };
}

/** The ids of the units that came, went or changed. */
function unitDifference(
  was: readonly { readonly id: string; readonly digest: string }[],
  is: readonly { readonly id: string; readonly digest: string }[],
): string {
  const before = new Map(was.map((unit) => [unit.id, unit.digest]));
  const now = new Map(is.map((unit) => [unit.id, unit.digest]));
  const ids = new Set([...before.keys(), ...now.keys()]);
  return [...ids].filter((id) => before.get(id) !== now.get(id)).join(", ");
}
