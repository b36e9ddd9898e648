import { defineConfig } from "tsdown";

export default defineConfig({
  entry: { index: "src/index.ts", bin: "src/bin.ts", testing: "src/testing/index.ts" },
  format: "esm",
  platform: "node",
  target: "node24",
  dts: false,
  sourcemap: false,
  clean: true,
  fixedExtension: false,
});
