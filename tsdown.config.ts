import { defineConfig } from "tsdown";
import { chunkScripts, isScript, loader } from "./scripts/chunk-scripts.ts";

const builtinImport = /^import (?:(?<whole>[\w$]+)(?:, )?)?(?:\{ (?<names>[^}]+) \})? from "(?<name>node:[\w/]+)";$/gmu;
/** Those that are loaded when they are first used, if ever; and those whose functions are watched as soon as there are steps. */
const lateBuiltins = new Set(["node:child_process", "node:crypto", "node:fs", "node:fs/promises", "node:os"]);

/**
 * Takes Node's modules from where `require` has them. What `import` gives is a copy of all that a module exports, for which
 * Node asks every getter of it: that of `node:process` opens standard input, that of `node:util` loads worker threads.
 */
const builtins = {
  name: "builtins",
  renderChunk: (code: string): string =>
    code.replace(builtinImport, (_, whole: string | undefined, names: string | undefined, name: string) => {
      const module = `globalThis.process.getBuiltinModule("${name}")`;
      const taken = whole === undefined ? [] : [`const ${whole} = ${module};`];
      if (names !== undefined && !lateBuiltins.has(name)) {
        taken.push(`const { ${names.replaceAll(" as ", ": ")} } = ${module};`);
      } else if (names !== undefined) {
        for (const each of names.split(", ")) {
          const [member = each, local = member] = each.split(" as ");
          const isFunction = typeof (process.getBuiltinModule(name) as Record<string, unknown>)[member] === "function";
          taken.push(
            `const ${local} = ${isFunction ? `(...given) => ${module}.${member}(...given)` : `${module}.${member}`};`,
          );
        }
      }
      return taken.join("\n");
    }),
};

export default defineConfig({
  // The check of Node is a file of its own, so that it is evaluated before all that an older Node fails on.
  entry: {
    "require-node": "src/stack/require-node.ts",
    index: "src/index.ts",
    bin: "src/bin.ts",
    testing: "src/testing/index.ts",
    [loader]: "scripts/load-script.ts",
  },
  format: "esm",
  platform: "node",
  target: "node24",
  dts: false,
  sourcemap: false,
  // By default, what nothing refers to is removed once more at the end: a script is a function that nothing refers to.
  minify: false,
  clean: true,
  fixedExtension: false,
  plugins: [builtins, chunkScripts],
  outputOptions: {
    chunkFileNames: (chunk) => `[name]-[hash].${isScript(chunk) ? "cjs" : "js"}`,
    codeSplitting: {
      // Each file costs up to half a millisecond: what is loaded together is one. What only some commands need stays apart.
      groups: [
        { name: "error", test: /src\/(?:error|stack\/node-version|define\/suggest-name|history\/did-you-mean)\.ts/u },
        {
          name: "command-line",
          test: /src\/cli\/(?:main|parse|tokens|command|command-table|cache-commands|shared-flags|terminal|standard-output|print|error-view|code-frame)\.ts/u,
        },
        {
          name: "define",
          test: /src\/(?:define|hash|record|materializer|stack\/define-config|observe\/(?:install|watch-|when-|wrap|current|disk|listing|stat-text|territory)|code\/stamp)/u,
        },
        {
          name: "run",
          test: /src\/(?:runner\/(?!verify|forecast)|cache|observe|stack\/(?!require-node)|sql|store\/(?!memory-metadata)|blob|cli\/(?:executor|commands\/run|plan-command|find-pipeline|params|param-sources|previous-run|format|reason-view|reporter\/)|history\/(?:list-runs|live-status|step-results|run-filter))/u,
        },
      ],
    },
  },
});
