/** The build tools: the same graph of trivial tasks for each, in a folder of its own, without telemetry. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { runCommand, type Command } from "../command.ts";

/** For each task the numbers of those before it that it depends on. */
export type Graph = readonly (readonly number[])[];

export interface BuildTool extends Disposable {
  /** With the version that is pinned. */
  readonly name: string;
  /** Runs all tasks. */
  readonly command: Command;
  /** Runs them for the first time, so that a second run finds them done. */
  fill(): void;
}

interface ToolSource {
  readonly name: string;
  /** Its program, beside this file. */
  readonly program: string;
  /** The most tasks that it is asked for: more would take minutes. */
  readonly most: number;
  readonly files: (graph: Graph) => Readonly<Record<string, string>>;
  /** Run by the program, or by what comes first where that is another one. */
  readonly argv: (program: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly fillEnv?: (folder: string) => Readonly<Record<string, string>>;
  readonly stop?: (program: string) => readonly string[];
}

const scripts = join(import.meta.dirname, "node_modules", ".bin");

const nx = {
  program: join(scripts, "nx"),
  most: 1000,
  files: writeNx,
  argv: (program: string) => [program, "run-many", "--target", "build"],
};

const sources: readonly ToolSource[] = [
  {
    name: `ninja ${readPin("requirements.txt", /^ninja==(.*)$/mu)}`,
    program: join(import.meta.dirname, ".venv", "bin", "ninja"),
    most: 10_000,
    files: writeNinja,
    argv: (program) => [program, "--quiet"],
  },
  {
    name: `Turborepo ${readPin("package.json", /"turbo": "(.*)"/u)}`,
    program: join(scripts, "turbo"),
    most: 1000,
    files: writeTurborepo,
    argv: (program) => [program, "run", "build", "--output-logs=none"],
    env: { TURBO_TELEMETRY_DISABLED: "1" },
    fillEnv: (folder) => ({ PATH: [join(folder, "bin"), process.env["PATH"]].join(delimiter) }),
  },
  {
    ...nx,
    name: `Nx ${readPin("package.json", /"nx": "(.*)"/u)}, daemon running`,
    env: { NX_DAEMON: "true" },
    stop: (program) => [program, "daemon", "--stop"],
  },
  { ...nx, name: `Nx ${readPin("package.json", /"nx": "(.*)"/u)}, no daemon`, env: { NX_DAEMON: "false" } },
  {
    name: `wireit ${readPin("package.json", /"wireit": "(.*)"/u)}`,
    program: join(scripts, "wireit"),
    most: 1000,
    files: writeWireit,
    argv: () => [process.execPath, "--run", "all"],
  },
];

/** The tools that are installed and can bear so many tasks, and those of them that are not installed. */
export function openBuildTools(graph: Graph): {
  readonly tools: readonly BuildTool[];
  readonly missing: readonly string[];
} {
  const bearable = sources.filter(({ most }) => graph.length <= most);
  return {
    tools: bearable.filter(({ program }) => existsSync(program)).map((source) => openTool(source, graph)),
    missing: bearable.filter(({ program }) => !existsSync(program)).map(({ name }) => name),
  };
}

function openTool({ name, program, files, argv, env, fillEnv, stop }: ToolSource, graph: Graph): BuildTool {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "reprise-bench-tool-")));
  for (const [file, text] of Object.entries(files(graph))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
    if (file.startsWith("bin/")) chmodSync(join(folder, file), 0o755);
  }
  const modules = join(import.meta.dirname, "node_modules");
  if (existsSync(modules)) symlinkSync(modules, join(folder, "node_modules"), "dir");
  const command = { argv: argv(program), cwd: folder, env: { HOME: folder, DO_NOT_TRACK: "1", ...env } };
  return {
    name,
    command,
    fill: () => void runCommand({ ...command, env: { ...command.env, ...fillEnv?.(folder) } }),
    [Symbol.dispose]() {
      if (stop !== undefined) runCommand({ ...command, argv: stop(program) });
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** A rule, and a file for each task, which is what its users have a generator write. */
function writeNinja(graph: Graph): Record<string, string> {
  const builds = graph.map((before, at) => `build out/${at}: item ${[`src/${at}`, ...toPaths(before)].join(" ")}\n`);
  return {
    "build.ninja": `rule item\n  command = cat $in > $out\n${builds.join("")}`,
    ...Object.fromEntries(graph.map((_, at) => [`src/${at}`, `${at}\n`])),
  };
}

function toPaths(before: readonly number[]): readonly string[] {
  // One behind the bar decides the order and when to run, and is not read.
  return before.length === 0 ? [] : ["|", ...before.map((each) => `out/${each}`)];
}

/** A package for each task, since what a task depends on is what its package depends on. */
function writeTurborepo(graph: Graph): Record<string, string> {
  const packages = graph.map((before, at) => ({
    name: `p${at}`,
    version: "1.0.0",
    scripts: { build: "cat src.txt > out.txt" },
    dependencies: Object.fromEntries(before.map((each) => [`p${each}`, "1.0.0"])),
  }));
  const locked = packages.flatMap(({ name, version, dependencies }) => [
    [`packages/${name}`, { name, version, dependencies }],
    [`node_modules/${name}`, { resolved: `packages/${name}`, link: true }],
  ]);
  const root = { name: "root", private: true, packageManager: "npm@11.0.0", workspaces: ["packages/*"] };
  return {
    "package.json": JSON.stringify(root),
    "package-lock.json": JSON.stringify({
      name: "root",
      lockfileVersion: 3,
      requires: true,
      packages: { "": { name: "root", workspaces: root.workspaces }, ...Object.fromEntries(locked) },
    }),
    "turbo.json": JSON.stringify({
      tasks: { build: { dependsOn: ["^build"], inputs: ["src.txt"], outputs: ["out.txt"] } },
    }),
    ".gitignore": "node_modules\n.turbo\nout.txt\n",
    // In the place of npm when the cache is filled, which is not timed: npm needs a tenth of a second and more a task.
    "bin/npm": "#!/bin/sh\ncat src.txt > out.txt\n",
    ...Object.fromEntries(packages.map((each) => [`packages/${each.name}/package.json`, JSON.stringify(each)])),
    ...Object.fromEntries(packages.map(({ name }) => [`packages/${name}/src.txt`, `${name}\n`])),
  };
}

/** A project for each task. */
function writeNx(graph: Graph): Record<string, string> {
  const build = {
    dependsOn: ["^build"],
    inputs: ["{projectRoot}/src.txt"],
    outputs: ["{projectRoot}/out.txt"],
    cache: true,
  };
  const projects = graph.map((before, at) => ({
    name: `p${at}`,
    implicitDependencies: before.map((each) => `p${each}`),
    targets: { build: { command: `cat packages/p${at}/src.txt > packages/p${at}/out.txt` } },
  }));
  return {
    "package.json": JSON.stringify({ name: "root", private: true }),
    "nx.json": JSON.stringify({ targetDefaults: { build }, analytics: false, neverConnectToCloud: true }),
    ".gitignore": "node_modules\n.nx\nout.txt\n",
    ...Object.fromEntries(projects.map((each) => [`packages/${each.name}/project.json`, JSON.stringify(each)])),
    ...Object.fromEntries(projects.map(({ name }) => [`packages/${name}/src.txt`, `${name}\n`])),
  };
}

/** A script for each task, and one that needs them all. */
function writeWireit(graph: Graph): Record<string, string> {
  const names = graph.map((_, at) => `p${at}`);
  const tasks = graph.map((before, at) => ({
    command: `mkdir -p out && cat src/${at} > out/${at}`,
    files: [`src/${at}`],
    output: [`out/${at}`],
    dependencies: before.map((each) => `p${each}`),
  }));
  return {
    "package.json": JSON.stringify({
      name: "root",
      private: true,
      type: "module",
      scripts: Object.fromEntries([...names, "all"].map((name) => [name, "wireit"])),
      wireit: { ...Object.fromEntries(names.map((name, at) => [name, tasks[at]])), all: { dependencies: names } },
    }),
    ...Object.fromEntries(graph.map((_, at) => [`src/${at}`, `${at}\n`])),
  };
}

function readPin(file: string, pattern: RegExp): string {
  return pattern.exec(readFileSync(join(import.meta.dirname, file), "utf8"))?.[1] ?? "?";
}
