/**
 * Runs in a child process with `--experimental-vm-modules`: evaluates a program anew for each step, as a worker would,
 * and answers with what each step returns.
 */
import { posix } from "node:path";
import { setImmediate } from "node:timers/promises";
import { createContext, Script, SourceTextModule, SyntheticModule, type Context, type Module } from "node:vm";

export interface ExecuteRequest {
  readonly id: number;
  readonly files: Readonly<Record<string, string>>;
  readonly steps: readonly { readonly name: string; readonly path: string }[];
}

/** By step, the JSON of what it returned, or its error. `broken` when a module could not be loaded. */
export type ExecuteAnswer =
  | { readonly id: number; readonly outputs: Readonly<Record<string, string>> }
  | { readonly id: number; readonly broken: string };

process.on("message", (request: ExecuteRequest) => {
  void execute(request).then((answer) => process.send?.(answer));
});

// Under Node such a rejection ends the process: what it came from counts as a program that cannot be loaded.
let rejection: unknown;
process.on("unhandledRejection", (reason) => {
  rejection = reason ?? "nothing";
});

async function execute({ id, files, steps }: ExecuteRequest): Promise<ExecuteAnswer> {
  const outputs: Record<string, string> = {};
  for (const { name, path } of steps) {
    try {
      // Anew for each: neither what another step did nor what another module's evaluation did may be seen.
      const run = (await loadSteps(files, path)).get(name);
      if (run === undefined) throw new Error(`${path} makes no ${name}`);
      outputs[name] = await outcome(run);
      await setImmediate();
      if (rejection !== undefined) throw rejection;
    } catch (error) {
      rejection = undefined;
      return { id, broken: String(error) };
    }
  }
  return { id, outputs };
}

type StepFunction = () => Promise<unknown>;

async function outcome(run: StepFunction): Promise<string> {
  try {
    return JSON.stringify(await run());
  } catch (error) {
    // Not its message: that quotes names, which edits change.
    return `throws ${String((error as { readonly name?: unknown }).name)}`;
  }
}

async function loadSteps(files: ExecuteRequest["files"], entry: string): Promise<ReadonlyMap<string, StepFunction>> {
  const context = createContext({});
  const steps = new Map<string, StepFunction>();
  const modules = new Map<string, Module>();

  function moduleAt(path: string): Module {
    const known = modules.get(path);
    if (known !== undefined) return known;
    const made = makeModule(path);
    modules.set(path, made);
    return made;
  }

  function makeModule(path: string): Module {
    if (path === "reprise") {
      return synthetic(context, {
        step: ({ name, run }: { name: string; run: StepFunction }) => {
          steps.set(name, run);
        },
      });
    }
    if (path.endsWith(".json")) return synthetic(context, { default: JSON.parse(textOf(files, path)) as unknown });
    if (path.endsWith(".cjs")) return synthetic(context, { default: requireFile(context, files, path) });
    return new SourceTextModule(textOf(files, path), {
      context,
      identifier: path,
      importModuleDynamically: (async (specifier: string) => {
        const module = moduleAt(resolve(specifier, path));
        if (module.status === "unlinked") await module.link(link);
        await module.evaluate();
        return module;
      }) as never,
    });
  }

  const link = (specifier: string, { identifier }: Module): Module => moduleAt(resolve(specifier, identifier));
  const module = moduleAt(entry);
  await module.link(link);
  await module.evaluate();
  return steps;
}

function synthetic(context: Context, exports: Readonly<Record<string, unknown>>): Module {
  return new SyntheticModule(
    Object.keys(exports),
    function set(this: SyntheticModule) {
      for (const [name, value] of Object.entries(exports)) this.setExport(name, value);
    },
    { context },
  );
}

function resolve(specifier: string, from: string): string {
  if (specifier === "reprise") return specifier;
  if (specifier.startsWith(".")) return posix.join(posix.dirname(from), specifier);
  return `node_modules/${specifier}/index.js`;
}

/** As much of CommonJS as the programs use: files without an extension are looked for in Node's order. */
function requireFile(context: Context, files: ExecuteRequest["files"], path: string): unknown {
  const module = { exports: {} as unknown };
  const load = (specifier: string): unknown => {
    const base = posix.join(posix.dirname(path), specifier);
    const found = [".js", ".json", "/index.js"].map((end) => base + end).find((candidate) => candidate in files);
    if (found === undefined) throw new Error(`cannot find ${specifier}`);
    if (found.endsWith(".json")) return JSON.parse(textOf(files, found)) as unknown;
    const [, value] = /^export const value = (\d+);$/mu.exec(textOf(files, found)) ?? [];
    return { value: Number(value) };
  };
  const wrapper = new Script(`(function (require, module) {${textOf(files, path)}\n})`, { filename: path });
  const run = wrapper.runInContext(context) as (require: typeof load, target: typeof module) => void;
  run(load, module);
  return module.exports;
}

function textOf(files: ExecuteRequest["files"], path: string): string {
  const text = files[path];
  if (text === undefined) throw new Error(`there is no ${path}`);
  return text;
}
