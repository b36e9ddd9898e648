import { DecisionTreeClassifier } from "ml-cart";
import SVM from "libsvm-js/asm.js";
import { pipeline, step } from "reprise";
import { z } from "zod";
import { accuracyOf, readWines, shuffle, standardize, type Wine } from "./wine.ts";

interface Split {
  trainSet: Wine[];
  testSet: Wine[];
}

export const splitter = step({
  name: "simple_data_splitter",
  params: z.object({ seed: z.number().int().default(42) }),
  run: ({ seed }): Split => {
    const wines = shuffle(readWines(), seed);
    return standardize(wines.slice(0, 142), wines.slice(142));
  },
});

export const trainSvc = step({
  name: "parameterized_svc_trainer",
  params: z.object({ gamma: z.number().positive().default(0.001) }),
  run: ({ trainSet, testSet, gamma }: Split & { gamma: number }, { log, metric }) => {
    const svc = new SVM({ kernel: SVM.KERNEL_TYPES.RBF, type: SVM.SVM_TYPES.C_SVC, gamma, cost: 1, quiet: true });
    svc.train(
      trainSet.map((wine) => wine.features),
      trainSet.map((wine) => wine.target),
    );
    const accuracy = accuracyOf(svc.predict(testSet.map((wine) => wine.features)), testSet);
    log(`Test accuracy: ${accuracy.toFixed(3)}`);
    metric("test_accuracy", accuracy);
    return { model: svc.serializeModel(), accuracy };
  },
});

export const trainTree = step({
  name: "parameterized_tree_trainer",
  run: ({ trainSet, testSet }: Split, { log, metric }) => {
    const tree = new DecisionTreeClassifier({ maxDepth: 10 });
    tree.train(
      trainSet.map((wine) => wine.features),
      trainSet.map((wine) => wine.target),
    );
    const accuracy = accuracyOf(tree.predict(testSet.map((wine) => wine.features)), testSet);
    log(`Test accuracy: ${accuracy.toFixed(3)}`);
    metric("test_accuracy", accuracy);
    return { model: JSON.stringify(tree), accuracy };
  },
});

export const firstPipeline = pipeline({
  name: "first_pipeline",
  params: z.object({
    gamma: z.number().positive().default(0.001),
    trainer: z.enum(["svc", "decision_tree"]).default("svc"),
    seed: z.number().int().default(42),
  }),
  build({ gamma, trainer, seed }) {
    const { trainSet, testSet } = splitter({ seed });
    const { model, accuracy } =
      trainer === "svc" ? trainSvc({ trainSet, testSet, gamma }) : trainTree({ trainSet, testSet });
    return { model, accuracy };
  },
});

if (import.meta.main) {
  const run = await firstPipeline.run({ gamma: 0.02 });
  console.log(`accuracy ${(await run.outputs.accuracy.load()).toFixed(3)}`);
}
