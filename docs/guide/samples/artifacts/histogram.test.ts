import { testMaterializer } from "reprise/testing";
import { Histogram, histogram } from "./histogram.ts";

testMaterializer(histogram, {
  values: {
    "an empty histogram": () => new Histogram([]),
    "a histogram of three bins": () => new Histogram([3, 0, 1]),
  },
});
