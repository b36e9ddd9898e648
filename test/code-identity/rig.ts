/** Puts projects on disk, lets Node load them in a child process, and asks there what each step's code is. */
import { fork, type ChildProcess, type ForkOptions } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CallSite } from "../../src/define/call-site.ts";
import type { FileEntry, Files } from "./project.ts";

export type Loader = "node" | "tsx";

/** A project as it stands at one moment, and the module that a user would start. */
export interface Version {
  readonly files: Files;
  readonly entry: string;
  /** The folder that the index takes for the project, where it is not the folder of all files. */
  readonly root?: string;
  /** Files written after the entry was loaded and before the index is asked. */
  readonly editedAfterLoad?: Readonly<Record<string, string>>;
}

/** What the child process found out about one step. */
export interface StepReport {
  readonly name: string;
  readonly digest: string;
  readonly verdict: "proved" | "assumed" | "opaque";
  readonly notes: readonly { readonly kind: string; readonly message: string; readonly verdict: string }[];
  readonly own: readonly string[];
  readonly units: readonly { readonly id: string; readonly kind: string; readonly digest: string }[];
  readonly place: { readonly file: string; readonly line: number } | undefined;
  readonly sites: readonly CallSite[];
}

export interface LoadReport {
  readonly steps: readonly StepReport[];
  /** Why the project could not be loaded or its steps not be told, when that is so. */
  readonly error?: string;
}

/** What a child process is asked: see load-project.ts. */
export interface LoadRequest {
  readonly root: string;
  readonly entry: string;
  readonly stateDir: string;
  readonly editedAfterLoad: Readonly<Record<string, string>>;
}

/** A temporary folder with projects in it, removed at the end. */
export interface Bench extends AsyncDisposable {
  readonly folder: string;
  /** Writes a project and answers with its root. */
  place(name: string, files: Files): Promise<string>;
  /** Loads each version as a project of its own, all in one child process, and reports in the same order. */
  load(versions: readonly Version[], loader?: Loader): Promise<readonly LoadReport[]>;
}

const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, "../..");

export async function openBench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), "reprise-code-"));
  const shim = await placeShim(folder);
  let placed = 0;

  async function place(name: string, files: Files): Promise<string> {
    const root = join(folder, name);
    await writeFiles(root, files);
    await mkdir(join(root, "node_modules"), { recursive: true });
    await symlink(shim, join(root, "node_modules/reprise"), "dir");
    return root;
  }

  return {
    folder,
    place,
    async load(versions, loader = "node") {
      const batch = `batch-${++placed}`;
      const requests: (LoadRequest & { readonly ownTsconfig: boolean })[] = [];
      for (const [index, version] of versions.entries()) {
        const top = await place(`${batch}/v${index}`, version.files);
        requests.push({
          root: join(top, version.root ?? "."),
          entry: join(top, version.entry),
          stateDir: join(folder, `${batch}-state`, `v${index}`),
          editedAfterLoad: Object.fromEntries(
            Object.entries(version.editedAfterLoad ?? {}).map(([path, text]) => [join(top, path), text]),
          ),
          ownTsconfig: "tsconfig.json" in version.files,
        });
      }
      // tsx knows the tsconfig of the folder it is started in, and no other.
      const alone = loader === "tsx" ? requests.filter(({ ownTsconfig }) => ownTsconfig) : [];
      const together = requests.filter((request) => !alone.includes(request));
      const reports = new Map<LoadRequest, LoadReport>();
      const ask = async (some: readonly LoadRequest[], cwd: string): Promise<void> => {
        const answers = await askChild(some, loader, folder, cwd);
        for (const [index, request] of some.entries())
          reports.set(request, answers[index] ?? { steps: [], error: "no answer" });
      };
      if (together.length > 0) await ask(together, repository);
      await Promise.all(
        [0, 1].map(async (lane) => {
          for (const request of alone.filter((_, index) => index % 2 === lane)) await ask([request], request.root);
        }),
      );
      return requests.map((request) => reports.get(request) ?? { steps: [], error: "no answer" });
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Writes files and links under a root, folders included. */
export async function writeFiles(root: string, files: Readonly<Record<string, FileEntry>>): Promise<void> {
  for (const [path, entry] of Object.entries(files)) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    if (typeof entry === "string") await writeFile(target, entry);
    else await symlink(join(root, entry.link), target);
  }
}

/** The report of the one step with this name. */
export function stepNamed(report: LoadReport, name = "work"): StepReport {
  const found = report.steps.filter((step) => step.name === name);
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(
      report.error ??
        `${found.length} steps are named ${name}, among ${report.steps.map((step) => step.name).join(", ")}`,
    );
  }
  return found[0];
}

/** Child processes of tests: the Node that runs now, with what it compiled kept for the next one. */
export function childOptions(folder: string): ForkOptions {
  return {
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, "compile-cache"), NODE_NO_WARNINGS: "1", FORCE_COLOR: "0" },
    execArgv: [],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  };
}

/** The arguments that give Node a loader. */
export function loaderArguments(loader: Loader): string[] {
  return loader === "tsx" ? ["--import", import.meta.resolve("tsx")] : [];
}

/** A package named `reprise` that hands out the definitions of this repository, so that projects import it by its name. */
async function placeShim(folder: string): Promise<string> {
  const shim = join(folder, "shim");
  await mkdir(shim, { recursive: true });
  await writeFile(
    join(shim, "package.json"),
    JSON.stringify({ name: "reprise", version: "0.0.0", type: "module", exports: { ".": "./index.mjs" } }),
  );
  const define = JSON.stringify(new URL("./reprise-for-tests.ts", import.meta.url).href);
  await writeFile(join(shim, "index.mjs"), `export * from ${define};\n`);
  return shim;
}

async function askChild(
  requests: readonly LoadRequest[],
  loader: Loader,
  folder: string,
  cwd: string,
): Promise<readonly LoadReport[]> {
  const child = fork(join(here, "load-project.ts"), [], {
    ...childOptions(folder),
    cwd,
    execArgv: loaderArguments(loader),
  });
  let noise = "";
  child.stdout?.on("data", (chunk) => (noise += String(chunk)));
  child.stderr?.on("data", (chunk) => (noise += String(chunk)));
  const reports = await new Promise<readonly LoadReport[]>((resolve, reject) => {
    child.once("message", (message) => resolve(message as readonly LoadReport[]));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the child process ended with code ${code}:\n${noise}`)));
    child.send(requests);
  });
  await endChild(child);
  return reports;
}

/** Lets a child process end, and waits until it has: it writes what it compiled at its end. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.disconnect();
  await ended;
}
