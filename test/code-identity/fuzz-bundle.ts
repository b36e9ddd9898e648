/** The second opinion: the code of one step as a tree-shaking bundler leaves it, names and layout taken out. */
import { rolldown } from "rolldown";
import { posix } from "node:path";
import type { Printed } from "./fuzz-print.ts";

const entry = "entry.mjs";

export async function bundleStep(printed: Printed, step: string): Promise<string> {
  const place = printed.steps.find(({ name }) => name === step);
  if (place === undefined) throw new Error(`there is no step ${step}`);
  const bundle = await rolldown({
    input: entry,
    external: ["reprise"],
    logLevel: "silent",
    plugins: [
      {
        name: "files in memory",
        resolveId(specifier, importer) {
          if (specifier === entry) return entry;
          if (!specifier.startsWith("."))
            return specifier in packages ? `node_modules/${specifier}/index.js` : undefined;
          const path = posix.join(posix.dirname(importer ?? entry), specifier);
          return [path, `${path}.js`, `${path}.json`, `${path}/index.js`].find(
            (candidate) => candidate in printed.files,
          );
        },
        load(id) {
          if (id === entry) return `export { ${step} } from "./${place.path}";`;
          const code = printed.files[id];
          return code === undefined ? undefined : { code, moduleType: id.endsWith(".json") ? "json" : "js" };
        },
      },
    ],
  });
  try {
    const { output } = await bundle.generate({
      format: "esm",
      minify: { mangle: true, compress: false },
      codeSplitting: false,
    });
    return output.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("\n");
  } finally {
    await bundle.close();
  }
}

const packages: Readonly<Record<string, true>> = { direct: true, transitive: true, spare: true };
