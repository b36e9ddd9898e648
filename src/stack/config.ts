/** The configuration file: `reprise.config.ts` (or `.mts`, `.js`, `.mjs`) at the project's root. It may be missing. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { checkOptions } from "../define/check-options.ts";
import { suggestName } from "../define/suggest-name.ts";
import { UsageError } from "../error.ts";
import type { Config, StackConfig } from "./define-config.ts";

export interface LoadedConfig {
  readonly config: Config;
  /** Undefined when there is no file. */
  readonly path: string | undefined;
  /** The project's root folder: that of the configuration file, else of the nearest package.json, else the one asked for. */
  readonly root: string;
}

const fileNames = ["reprise.config.ts", "reprise.config.mts", "reprise.config.js", "reprise.config.mjs"];

/** Finds and loads the configuration, looking upwards from `cwd` unless a file is named. */
export async function loadConfig(cwd: string, file?: string): Promise<LoadedConfig> {
  const path = file === undefined ? findUpwards(cwd, fileNames) : resolve(cwd, file);
  if (path === undefined) {
    const manifest = findUpwards(cwd, ["package.json"]);
    return { config: {}, path: undefined, root: manifest === undefined ? resolve(cwd) : dirname(manifest) };
  }
  if (!existsSync(path)) {
    throw new UsageError("RPS6003", `There is no configuration file ${path}`, {
      hint: "Name a file that exists with --config",
    });
  }
  return { config: checkConfig(await importDefault(path), path), path, root: dirname(path) };
}

async function importDefault(path: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(path).href)) as { default?: unknown };
    return module.default;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError("RPS6003", `The configuration file ${path} cannot be loaded: ${message}`, { cause });
  }
}

const known: Readonly<Record<keyof Config, (value: unknown) => boolean>> = {
  store: (value) => typeof value === "string" && value !== "",
  jobs: (value) => Number.isInteger(value) && (value as number) > 0,
  defaults: isRecord,
  stacks: (value) => isRecord(value) && Object.values(value).every(isRecord),
  stack: (value) => typeof value === "string",
  materializers: Array.isArray,
  pipelines: (value) => Array.isArray(value) && value.every((each) => typeof each === "string"),
};

const stackKeys: readonly string[] = ["store", "jobs", "defaults"] satisfies (keyof StackConfig)[];

function checkConfig(value: unknown, path: string): Config {
  if (!isRecord(value)) {
    throw new UsageError("RPS6003", `The configuration file ${path} has no default export that is an object`, {
      hint: "Write: export default defineConfig({ … })",
    });
  }
  checkKeys(value, Object.keys(known), path, "");
  checkDefaults(value, path, "");
  for (const [name, stack] of Object.entries((value.stacks ?? {}) as Record<string, Record<string, unknown>>)) {
    checkKeys(stack, stackKeys, path, `stacks.${name}.`);
    checkDefaults(stack, path, `stacks.${name}.`);
  }
  return value as Config;
}

function checkDefaults({ defaults = {} }: { readonly defaults?: object }, path: string, prefix: string): void {
  const [problem] = checkOptions("defaults", defaults, `"${prefix}defaults" in ${path}`);
  if (problem === undefined) return;
  throw new UsageError("RPS6003", problem.message, problem.hint === undefined ? {} : { hint: problem.hint });
}

function checkKeys(
  value: Readonly<Record<string, unknown>>,
  names: readonly string[],
  path: string,
  prefix: string,
): void {
  for (const [name, each] of Object.entries(value)) {
    if (!names.includes(name)) {
      const near = suggestName(name, names);
      throw new UsageError("RPS6003", `The configuration file ${path} has an unknown option "${prefix}${name}"`, {
        hint: near === undefined ? `Known options: ${names.join(", ")}` : `Did you mean "${prefix}${near}"?`,
      });
    }
    if (each !== undefined && !known[name as keyof Config](each)) {
      throw new UsageError("RPS6003", `The option "${prefix}${name}" in ${path} has a value it cannot have`, {
        hint: "Write what the guide to configuration says of it",
      });
    }
  }
}

function findUpwards(from: string, names: readonly string[]): string | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const found = names.map((name) => join(folder, name)).find((path) => existsSync(path));
    if (found !== undefined || dirname(folder) === folder) return found;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
