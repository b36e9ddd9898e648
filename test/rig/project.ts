/** A real project in a temporary folder, as a user has one: files, installed packages, and real processes. */
import { spawn, type ChildProcess } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";

export const repository: string = resolve(import.meta.dirname, "../..");

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArguments?: readonly string[];
  /** What it reads on standard input; nothing when left out. */
  readonly input?: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves when the text has appeared on either stream; rejects when the process ends without it. */
  saw(text: string): Promise<void>;
}

export interface Project extends AsyncDisposable {
  readonly path: string;
  /** What to start Node with for the command line. */
  readonly bin: readonly string[];
  write(file: string, text: string): Promise<void>;
  read(file: string): Promise<string>;
  /** Replaces one occurrence of a text in a file; it must be there. */
  edit(file: string, from: string, to: string): Promise<void>;
  /** Runs `node FILE …` to its end. */
  node(args: readonly string[], options?: ProcessOptions): Promise<Finished>;
  /** Runs the command line to its end. */
  reprise(args: readonly string[], options?: ProcessOptions): Promise<Finished>;
  /** Runs the command line with `--json` and answers with the envelope's data; throws when the envelope says that it failed. */
  json<T = unknown>(args: readonly string[], options?: ProcessOptions): Promise<T>;
  start(args: readonly string[], options?: ProcessOptions): Running;
}

const packages = [
  "reprise",
  "zod",
  "valibot",
  "arktype",
  "@ark",
  "apache-arrow",
  "@standard-schema",
  "devalue",
  "tsx",
  "libsvm-js",
  "ml-cart",
];

/** Makes a project from its files. Packages are linked from the repository; `reprise` is the built one. */
export async function makeProject(files: Readonly<Record<string, string>>): Promise<Project> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "reprise-project-")));
  const modules = join(path, "node_modules");
  await mkdir(modules, { recursive: true });
  for (const name of packages) {
    const target = name === "reprise" ? repository : join(repository, "node_modules", name);
    await symlink(target, join(modules, name), "dir").catch(() => {});
  }
  const project = openProject(path);
  await project.write("package.json", `${JSON.stringify({ name: "project", private: true, type: "module" })}\n`);
  for (const [file, text] of Object.entries(files)) await project.write(file, text);
  return project;
}

/** Makes a project from a folder of the repository. */
export async function copyProject(folder: string): Promise<Project> {
  const project = await makeProject({});
  await cp(join(repository, folder), project.path, { recursive: true, filter: (from) => !from.includes(".reprise") });
  return project;
}

function openProject(path: string): Project {
  const start = (args: readonly string[], { env = {}, nodeArguments = [], input }: ProcessOptions = {}): Running => {
    const child = spawn(process.execPath, [...nodeArguments, ...args], {
      cwd: path,
      env: { ...cleanEnvironment(), ...env },
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    child.stdin?.end(input);
    return watch(child);
  };
  const bin = join(repository, "dist", "bin.js");
  return {
    path,
    bin: [bin],
    async write(file, text) {
      await mkdir(dirname(join(path, file)), { recursive: true });
      await writeFile(join(path, file), text);
    },
    read: async (file) => await readFile(join(path, file), "utf8"),
    async edit(file, from, to) {
      const text = await readFile(join(path, file), "utf8");
      if (!text.includes(from)) throw new Error(`${file} does not hold ${JSON.stringify(from)}`);
      await writeFile(
        join(path, file),
        text.replace(from, () => to),
      );
    },
    node: async (args, options) => await start(args, options).finished,
    reprise: async (args, options) => await start([bin, ...args], options).finished,
    async json<T>(args: readonly string[], options?: ProcessOptions): Promise<T> {
      const { stdout, stderr } = await start([bin, ...args, "--json"], options).finished;
      const lines = stdout.trim().split("\n");
      const envelope = JSON.parse(stdout.startsWith("{\n") ? stdout : (lines.at(-1) as string)) as {
        ok: boolean;
        data: T;
      };
      if (!envelope.ok) throw new Error(`reprise ${args.join(" ")} failed: ${stdout}${stderr}`);
      return envelope.data;
    },
    start: (args, options) => start([...args], options),
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function watch(child: ChildProcess): Running {
  let stdout = "";
  let stderr = "";
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const each of waiting) each();
  };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    wake();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    wake();
  });
  const finished = new Promise<Finished>((finish, fail) => {
    child.once("error", fail);
    child.once("close", (code, signal) => finish({ code, signal, stdout, stderr }));
  });
  return {
    process: child,
    finished,
    saw: (text) =>
      new Promise((found, fail) => {
        const look = (): void => {
          if (!stdout.includes(text) && !stderr.includes(text)) return;
          waiting.delete(look);
          found();
        };
        waiting.add(look);
        look();
        void finished.then(() =>
          fail(new Error(`the process ended without ${JSON.stringify(text)}:\n${stdout}\n${stderr}`)),
        );
      }),
  };
}

/** What the machine that runs the tests says of itself must not reach the processes under test. */
function cleanEnvironment(): Record<string, string | undefined> {
  const { PATH, HOME, TMPDIR, SystemRoot } = process.env;
  return { PATH, HOME, TMPDIR, SystemRoot, NO_COLOR: "1", LANG: "C.UTF-8" };
}
