/** `reprise init`. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { UsageError } from "../../error.ts";
import { repriseVersion } from "../../stack/version.ts";
import type { Handler } from "../context.ts";

interface Step {
  /** Relative to the project. */
  readonly file: string;
  readonly done: "written" | "changed" | "kept";
}

export const init: Handler<"init"> = async (context) => {
  const { printer, cwd } = context;
  const folder = resolve(cwd, context.args[0] ?? ".");
  await mkdir(folder, { recursive: true });
  const extension = await sourceExtension(folder);
  const steps = [
    await writeNew(folder, "hello.pipeline", extension, examplePipeline),
    await writeNew(folder, "reprise.config", extension, exampleConfig),
    await addScript(folder),
    await addIgnore(folder),
  ];
  context.answer({ folder, files: steps }, () => {
    for (const { file, done } of steps) {
      printer.line(`  ${done === "kept" ? printer.symbols.same : printer.symbols.done} ${file}  ${done}`);
    }
    const to = relative(cwd, folder);
    printer.line();
    printer.line(`  Next: ${to === "" ? "" : `cd ${to} && `}npm install && npx reprise run hello`);
  });
};

/** What files with `import` in them are called here: a package.json as `npm init` writes it makes `.ts` CommonJS. */
async function sourceExtension(folder: string): Promise<"ts" | "mts"> {
  const path = join(folder, "package.json");
  if (!existsSync(path)) return "ts";
  const { type } = parseManifest(await readFile(path, "utf8"), path) as { readonly type?: unknown };
  return type === "module" ? "ts" : "mts";
}

async function writeNew(folder: string, name: string, extension: string, text: string): Promise<Step> {
  const there = ["ts", "mts", "js", "mjs"].find((each) => existsSync(join(folder, `${name}.${each}`)));
  if (there !== undefined) return { file: `${name}.${there}`, done: "kept" };
  const file = `${name}.${extension}`;
  await writeFile(join(folder, file), text, { flag: "wx" });
  return { file, done: "written" };
}

/** Adds the script and the dependency; what is there already stays as it is. */
async function addScript(folder: string): Promise<Step> {
  const file = "package.json";
  const path = join(folder, file);
  const needs = { scripts: { reprise: "reprise" }, dependencies: { reprise: `^${repriseVersion}` } };
  if (!existsSync(path)) {
    const name =
      basename(folder)
        .toLowerCase()
        .replace(/[^a-z0-9._-]+/gu, "-")
        .replace(/^[._]+/u, "") || "pipelines";
    const fresh = { name, private: true, type: "module", ...needs };
    await writeFile(path, `${JSON.stringify(fresh, undefined, 2)}\n`, { flag: "wx" });
    return { file, done: "written" };
  }
  const text = await readFile(path, "utf8");
  const manifest = parseManifest(text, path);
  const hasPackage = ["dependencies", "devDependencies", "peerDependencies"].some(
    (kind) => manifest[kind]?.["reprise"] !== undefined,
  );
  const hasScript = manifest["scripts"]?.["reprise"] !== undefined;
  if (hasPackage && hasScript) return { file, done: "kept" };
  const changed = {
    ...manifest,
    scripts: { ...needs.scripts, ...manifest["scripts"] },
    ...(hasPackage ? {} : { dependencies: { ...manifest["dependencies"], ...needs.dependencies } }),
  };
  const indent = /^(?<indent>[ \t]+)"/mu.exec(text)?.groups?.["indent"] ?? "  ";
  await writeFile(path, `${JSON.stringify(changed, undefined, indent)}\n`);
  return { file, done: "changed" };
}

function parseManifest(text: string, path: string): Record<string, Record<string, string> | undefined> {
  try {
    return JSON.parse(text) as Record<string, Record<string, string> | undefined>;
  } catch (cause) {
    throw new UsageError("RPS6003", `${path} is not valid JSON: ${(cause as Error).message}`, {
      hint: "Mend it, then run reprise init again",
      cause,
    });
  }
}

async function addIgnore(folder: string): Promise<Step> {
  const file = ".gitignore";
  const path = join(folder, file);
  const text = existsSync(path) ? await readFile(path, "utf8") : undefined;
  if (text?.split(/\r?\n/u).some((line) => /^\/?\.reprise\/?$/u.test(line.trim())) === true)
    return { file, done: "kept" };
  const before = text === undefined || text === "" || text.endsWith("\n") ? (text ?? "") : `${text}\n`;
  await writeFile(path, `${before}.reprise/\n`);
  return { file, done: text === undefined ? "written" : "changed" };
}

const examplePipeline = `import { pipeline, step } from "reprise";

const readWords = step({
  name: "read_words",
  run: async () => ({ words: ["run", "it", "again"] }),
});

const joinWords = step({
  name: "join_words",
  run: async ({ words, separator }: { words: string[]; separator: string }, { log }) => {
    log(\`joining \${words.length} words\`);
    return { sentence: words.join(separator) };
  },
});

export const hello = pipeline({
  name: "hello",
  build({ separator = " " }: { separator?: string }) {
    const { words } = readWords();
    const { sentence } = joinWords({ words, separator });
    return { sentence };
  },
});
`;

const exampleConfig = `import { defineConfig } from "reprise";

export default defineConfig({
  // Where runs and results are kept, relative to this file.
  store: ".reprise",
});
`;
