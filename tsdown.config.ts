import { defineConfig } from "tsdown";

export default defineConfig({
  // The check of Node is a file of its own, so that it is evaluated before all that an older Node fails on.
  entry: {
    "require-node": "src/stack/require-node.ts",
    index: "src/index.ts",
    bin: "src/bin.ts",
    testing: "src/testing/index.ts",
  },
  format: "esm",
  platform: "node",
  target: "node24",
  dts: false,
  sourcemap: false,
  clean: true,
  fixedExtension: false,
});
