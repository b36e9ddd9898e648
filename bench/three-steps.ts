/**
 * The work of the three-step pipeline that whole processes are timed with: split 178 rows, train a classifier, measure
 * it. Little work on purpose: what is timed is what surrounds it. The peers do the same in Python (bench/peers).
 */

/** The three functions, without any pipeline around them. */
export const workSource = `export interface Row { features: number[]; target: number }

export function split(seed: number): { trainSet: Row[]; testSet: Row[] } {
  let state = seed;
  const random = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff) / 0x7fffffff;
  const rows = Array.from({ length: 178 }, (_, index) => {
    const target = index % 3;
    return { features: Array.from({ length: 13 }, () => target + random() * 2), target };
  });
  return { trainSet: rows.slice(0, 142), testSet: rows.slice(142) };
}

export function train(trainSet: Row[], shrink: number): number[][] {
  return [0, 1, 2].map((target) => {
    const own = trainSet.filter((row) => row.target === target);
    return Array.from({ length: 13 }, (_, at) => (1 - shrink) * own.reduce((sum, row) => sum + row.features[at]!, 0) / own.length);
  });
}

export function evaluate(centroids: number[][], testSet: Row[]): number {
  const distance = (a: number[], b: number[]) => a.reduce((sum, value, at) => sum + (value - b[at]!) ** 2, 0);
  const right = testSet.filter((row) => {
    const distances = centroids.map((centroid) => distance(centroid, row.features));
    return distances.indexOf(Math.min(...distances)) === row.target;
  });
  return right.length / testSet.length;
}
`;

/** As a pipeline. */
export const pipelineSource = `import { pipeline, step } from "reprise";
import { evaluate, split, train, type Row } from "./work.ts";

const splitter = step({ name: "splitter", run: ({ seed }: { seed: number }) => split(seed) });
const trainer = step({
  name: "trainer",
  run: ({ trainSet, shrink }: { trainSet: Row[]; shrink: number }) => ({ model: train(trainSet, shrink) }),
});
const evaluator = step({
  name: "evaluator",
  run: ({ model, testSet }: { model: number[][]; testSet: Row[] }) => ({ accuracy: evaluate(model, testSet) }),
});

export const three = pipeline({
  name: "three",
  build({ seed = 42, shrink = 0.01 }: { seed?: number; shrink?: number }) {
    const { trainSet, testSet } = splitter({ seed });
    const { model } = trainer({ trainSet, shrink });
    return evaluator({ model, testSet });
  },
});
`;

/** As a script that runs the pipeline. */
export const scriptSource = `import { three } from "./three.pipeline.ts";
await three.run({}, { reporter: "plain" });
`;

/** As a script without Reprise, which keeps each output in a file, as one would by hand. */
export const plainSource = `import { mkdirSync, writeFileSync } from "node:fs";
import { evaluate, split, train } from "./work.ts";

mkdirSync("out", { recursive: true });
const keep = (name: string, value: unknown) => writeFileSync(\`out/\${name}.json\`, JSON.stringify(value));
const { trainSet, testSet } = split(42);
keep("trainSet", trainSet);
keep("testSet", testSet);
const model = train(trainSet, Number(process.argv[2] ?? 0.01));
keep("model", model);
const accuracy = evaluate(model, testSet);
keep("accuracy", accuracy);
console.log("accuracy", accuracy);
`;

export const threeStepFiles: Readonly<Record<string, string>> = {
  "work.ts": workSource,
  "three.pipeline.ts": pipelineSource,
  "script.ts": scriptSource,
  "plain.ts": plainSource,
  "importing.mjs": `import "reprise";\n`,
};
