/**
 * What the types cost the compiler: counted on generated pipelines, and growing with their length and no faster.
 *
 * The bands are wide enough for another release of the compiler or of zod, and too narrow for types that look at more
 * than one step at a time. A deliberate change of the types may move them.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const folder = import.meta.dirname;
const compiler = join(folder, "../../node_modules/typescript/bin/tsc");

test("types and instantiations grow linearly from 25 over 100 to 400 steps", async (t) => {
  const [empty, small, middle, large] = [await count(0), await count(25), await count(100), await count(400)];
  t.diagnostic(JSON.stringify({ empty, small, middle, large }));

  for (const { steps, instantiations } of [small, middle, large]) {
    // Without those of the sources: who installs the package has declarations in their place.
    const own = instantiations - empty.instantiations;
    assertBand(`instantiations of ${steps} steps`, own / pinned[steps as keyof typeof pinned], [0.85, 1.15]);
  }
  const perStep = (from: Count, to: Count): Count => ({
    steps: to.steps - from.steps,
    types: (to.types - from.types) / (to.steps - from.steps),
    instantiations: (to.instantiations - from.instantiations) / (to.steps - from.steps),
  });
  const [early, late] = [perStep(small, middle), perStep(middle, large)];
  assertBand("instantiations a step", late.instantiations, [600, 1200]);
  assertBand("types a step", late.types, [90, 190]);
  assertBand(
    "later steps against earlier ones, instantiations",
    late.instantiations / early.instantiations,
    [0.97, 1.03],
  );
  assertBand("later steps against earlier ones, types", late.types / early.types, [0.97, 1.03]);
});

/** Instantiations by number of steps, more than for none, as TypeScript 7.0.2 counts them with zod 4.6.7. */
const pinned = { 25: 23_800, 100: 93_800, 400: 374_000 };

interface Count {
  readonly steps: number;
  readonly types: number;
  readonly instantiations: number;
}

/** Counts of a project of one pipeline, whose steps have a params schema and an output type of their own each. */
async function count(steps: number): Promise<Count> {
  // In this folder, so that zod is found where the sources find it.
  const project = await mkdtemp(join(folder, "generated-"));
  try {
    const root = relative(project, join(folder, "../..")).replaceAll("\\", "/");
    await writeFile(join(project, "pipeline.ts"), generate(steps, root));
    await writeFile(
      join(project, "tsconfig.json"),
      JSON.stringify({ extends: `${root}/tsconfig.json`, include: ["pipeline.ts"], exclude: [] }),
    );
    const { stdout } = await run(process.execPath, [compiler, "-p", project, "--extendedDiagnostics"]);
    const read = (label: string): number => Number(new RegExp(`^${label}:\\s+(\\d+)`, "mu").exec(stdout)?.[1]);
    const [types, instantiations] = [read("Types"), read("Instantiations")];
    assert.ok(types > 0 && instantiations > 0, stdout);
    return { steps, types, instantiations };
  } finally {
    await rm(project, { recursive: true, force: true });
  }
}

function generate(steps: number, root: string): string {
  const numbers = Array.from({ length: steps }, (_, index) => index);
  return [
    'import { z } from "zod";',
    `import { createPipelineFunction, step, type PipelineExecutor } from "${root}/src/define/index.ts";`,
    "declare const executor: PipelineExecutor;",
    "export const schema = z.object({ gamma: z.number().default(1) });",
    'export const first = step({ name: "first", params: schema, run: ({ gamma }) => ({ rows: [gamma] }) });',
    ...numbers.flatMap((index) => [
      `interface Model${index} { readonly weights${index}: number[] }`,
      `const step${index} = step({`,
      `  name: "step_${index}",`,
      `  params: z.object({ gamma${index}: z.number().default(${index}) }),`,
      `  run: async ({ rows, gamma${index} }: { rows: number[]; gamma${index}: number }) =>`,
      `    ({ model: { weights${index}: rows } as Model${index}, rows: [gamma${index}] }),`,
      "});",
    ]),
    'export const all = createPipelineFunction(executor)({ name: "all", build() {',
    "  const start = first();",
    ...numbers.map(
      (index) =>
        `  const called${index} = step${index}({ rows: ${index === 0 ? "start" : `called${index - 1}`}.rows });`,
    ),
    `  return { ${["start: start.rows", ...numbers.map((index) => `model${index}: called${index}.model`)].join(", ")} };`,
    "} });",
  ].join("\n");
}

function assertBand(what: string, value: number, [least, most]: readonly [number, number]): void {
  assert.ok(value >= least && value <= most, `${what}: ${value} is not between ${least} and ${most}`);
}
