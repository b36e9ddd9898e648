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
  outputOptions: {
    codeSplitting: {
      // What a run loads anyway comes in few files: each costs up to half a millisecond. What only some commands need stays apart.
      groups: [
        { name: "define", test: /src\/(?:define\/(?!suggest-name)|hash|record|stack\/define-config)/u },
        {
          name: "observe",
          test: /src\/(?:observe\/(?:install|watch-|wrap|current|disk|listing|stat-text|territory)|code\/stamp)/u,
        },
        { name: "materializer", test: /src\/materializer/u },
        {
          name: "run",
          test: /src\/(?:runner|cache|observe|stack\/(?!require-node|node-version|define-config)|sql|store|blob)/u,
        },
        {
          name: "show",
          test: /src\/cli\/(?:print|terminal|format|reason-view|error-view|code-frame|status-style|reporter\/)/u,
        },
      ],
    },
  },
});
