/** What the cache does in three runs of one pipeline. */
import { pipeline } from "reprise";
import { splitter, trainSvc } from "./first-pipeline.ts";

const firstPipeline = pipeline({
  name: "first_pipeline",
  build() {
    const { trainSet, testSet } = splitter();
    // Never take the model from the cache: train each time.
    return trainSvc({ trainSet, testSet }, { cache: false });
  },
});

// The pipeline is executed for the first time, so all steps are run.
await firstPipeline.run({}, { reporter: "plain" });

// Step one is taken from the cache, step two runs again, as its call says.
await firstPipeline.run({}, { reporter: "plain" });

// The complete pipeline is run again.
await firstPipeline.run({}, { reporter: "plain", cache: false });
