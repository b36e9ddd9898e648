/** Which pipeline is meant, and the loading of its file. */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { glob } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { importWithoutDrivers } from "../code/index.ts";
import { installWatchers } from "../observe/install.ts";
import type { AnyPipeline } from "../define/pipeline-definition.ts";
import { definedPipelines, type DefinedPipeline } from "../define/defined-pipelines.ts";
import { UsageError } from "../error.ts";
import { didYouMean } from "../history/did-you-mean.ts";
import type { Stack } from "../stack/stack.ts";
import { withoutStandardOutput } from "./standard-output.ts";

export interface FoundPipeline {
  readonly pipeline: AnyPipeline;
  /** Absolute. */
  readonly file: string;
}

const sourceFile = /\.[cm]?[jt]s$/u;

/**
 * Finds a pipeline by `FILE`, `FILE#name`, or a name; with nothing said, the only one of the project. Names are looked
 * for in every `*.pipeline.ts` (`.mts`, `.js`, `.mjs`) of the project, the files that the configuration lists, and those
 * that earlier runs came from.
 */
export async function findPipeline(stack: Stack, cwd: string, wanted: string | undefined): Promise<FoundPipeline> {
  if (wanted === undefined) return pickOne(await findAllPipelines(stack), stack.root);
  const [path = "", name] = wanted.split("#", 2);
  const file = resolve(cwd, path);
  if (existsSync(file) && sourceFile.test(file)) return pickInFile(await loadFile(stack, file), file, name, stack.root);
  if (sourceFile.test(path) || path.includes("/")) {
    throw new UsageError("RPS6002", `There is no file ${path}`, { hint: "Name a file that defines a pipeline" });
  }
  const { found: all, broken } = await findAllPipelines(stack);
  const found = all.filter((each) => each.pipeline.definition.name === wanted);
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) {
    throw new UsageError("RPS6004", `Several files define a pipeline "${wanted}": ${listFiles(found, stack.root)}`, {
      hint: "Name the file: reprise run FILE",
    });
  }
  // It may be in a file that cannot be loaded: that error says more.
  if (broken[0] !== undefined) throw broken[0].error;
  const names = all.map((each) => each.pipeline.definition.name);
  throw new UsageError("RPS6002", `There is no pipeline "${wanted}" in the project's pipeline files`, {
    hint: didYouMean(wanted, names) ?? noneHint(all, stack.root),
  });
}

/** The pipelines of a project, and the files that could not be loaded. */
export interface ProjectPipelines {
  readonly found: readonly FoundPipeline[];
  readonly broken: readonly { readonly file: string; readonly error: unknown }[];
}

/** Every pipeline in the project's pipeline files. A broken file does not hide the others. */
export async function findAllPipelines(stack: Stack): Promise<ProjectPipelines> {
  const found: FoundPipeline[] = [];
  const broken: { file: string; error: unknown }[] = [];
  for (const file of await findPipelineFiles(stack)) {
    try {
      found.push(...(await loadFile(stack, file)));
    } catch (error) {
      broken.push({ file, error });
    }
  }
  return { found, broken };
}

/** The files that may hold pipelines, by convention, configuration and earlier runs; absolute, in order. */
async function findPipelineFiles(stack: Stack): Promise<readonly string[]> {
  const files = new Set<string>();
  const skipped = /(?:^|\/)(?:node_modules|\.[^/]+|dist)(?:\/|$)/u;
  const pattern = "**/*.pipeline.{ts,mts,js,mjs}";
  for await (const path of glob(pattern, { cwd: stack.root, exclude: (name) => skipped.test(name) })) {
    files.add(resolve(stack.root, path));
  }
  for (const path of stack.config.pipelines ?? []) {
    const file = resolve(stack.root, path);
    if (!existsSync(file)) {
      throw new UsageError("RPS6003", `The configuration lists a pipeline file that is not there: ${path}`, {
        hint: "Correct pipelines in the configuration",
      });
    }
    files.add(file);
  }
  for (const { lastRun } of await stack.metadata.pipelines()) {
    // Who wrote an archive says which file its runs are from; that nothing of it is executed holds for what it names, too.
    if (lastRun?.file === undefined || lastRun.imported !== undefined) continue;
    const file = resolve(stack.root, lastRun.file);
    // A store may come from elsewhere: what it names is loaded only where it lies in the project.
    if (!relative(stack.root, file).startsWith("..") && existsSync(file)) files.add(file);
  }
  return [...files].sort();
}

/** Loads a file and answers with the pipelines that it defines itself, not those of files it imports. */
async function loadFile(stack: Stack, file: string): Promise<readonly FoundPipeline[]> {
  const real = realpathSync(file);
  // What a file prints while it is loaded is no result of the command, and would spoil its JSON.
  await withoutStandardOutput(async () => await importModule(real, stack));
  const own = definedPipelines().filter((defined) => fileOf(defined) === real);
  return own.map(({ pipeline }) => ({ pipeline, file: real }));
}

async function importModule(file: string, stack: Stack): Promise<void> {
  const refuse = (cause?: unknown): UsageError =>
    new UsageError("RPS6004", `${relative(stack.root, file)} is loaded as CommonJS, but has import statements`, {
      hint: 'Set "type": "module" in package.json (npm pkg set type=module), or give the file the ending .mts',
      ...(cause === undefined ? {} : { cause }),
    });
  // Asked before Node is, which would print a warning of its own.
  if (isMistakenForCommonJs(file)) throw refuse();
  try {
    installWatchers();
    await importWithoutDrivers(file, stack.code);
  } catch (cause) {
    if (!(cause instanceof SyntaxError) || !cause.message.includes("import statement outside a module")) throw cause;
    throw refuse(cause);
  }
}

/** `npm init` writes `"type": "commonjs"`, which Node obeys whatever stands in the file. */
function isMistakenForCommonJs(file: string): boolean {
  if (!/\.[jt]s$/u.test(file)) return false;
  const manifest = findPackageJSON(pathToFileURL(file));
  if (manifest === undefined) return false;
  const { type } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly type?: unknown };
  return type === "commonjs" && /^import\s[^(]*?from\s*["']|^export\s/mu.test(readFileSync(file, "utf8"));
}

function fileOf({ sites }: DefinedPipeline): string | undefined {
  const [site] = sites;
  if (site === undefined) return undefined;
  const script = (site.mapped ?? site).script.replace(/[?#].*$/u, "");
  return script.startsWith("file:") ? fileURLToPath(script) : script;
}

function pickInFile(
  found: readonly FoundPipeline[],
  file: string,
  name: string | undefined,
  root: string,
): FoundPipeline {
  const names = found.map((each) => each.pipeline.definition.name);
  const shown = relative(root, file);
  if (found.length === 0) {
    throw new UsageError("RPS6004", `${shown} defines no pipeline`, {
      hint: "Call pipeline({ name, build }) at the top level of the file",
    });
  }
  const fitting = name === undefined ? found : found.filter((each) => each.pipeline.definition.name === name);
  const [only, ...others] = fitting;
  if (only !== undefined && others.length === 0) return only;
  if (name !== undefined && only === undefined) {
    throw new UsageError("RPS6002", `${shown} defines no pipeline "${name}"`, {
      hint: didYouMean(name, names) ?? `It defines: ${names.join(", ")}`,
    });
  }
  throw new UsageError("RPS6004", `${shown} defines several pipelines: ${names.join(", ")}`, {
    hint: `Choose one: ${names.map((each) => `${shown}#${each}`).join(", ")}`,
  });
}

function pickOne({ found, broken }: ProjectPipelines, root: string): FoundPipeline {
  if (broken[0] !== undefined) throw broken[0].error;
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined) {
    throw new UsageError("RPS6004", "The project has no pipeline file", { hint: noneHint(found, root) });
  }
  const names = found.map((each) => each.pipeline.definition.name);
  throw new UsageError("RPS6004", `The project has several pipelines: ${names.join(", ")}`, {
    hint: "Name one, or its file",
  });
}

function noneHint(all: readonly FoundPipeline[], root: string): string {
  if (all.length > 0) return `Known: ${listNames(all, root)}`;
  return "Name a file (reprise run FILE), call it *.pipeline.ts, or list it in reprise.config.ts";
}

function listNames(found: readonly FoundPipeline[], root: string): string {
  return found.map((each) => `${each.pipeline.definition.name} (${relative(root, each.file)})`).join(", ");
}

function listFiles(found: readonly FoundPipeline[], root: string): string {
  return found.map((each) => relative(root, each.file)).join(", ");
}
