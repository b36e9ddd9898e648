/** A project as a user has it, with the built package in `node_modules`, for benchmarks that run whole processes. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import type { Command } from "./command.ts";

const repository = resolve(import.meta.dirname, "..");

export interface Project extends Disposable {
  readonly path: string;
  write(file: string, text: string): void;
  /** Removes the store, so that nothing is cached. */
  forget(): void;
  /** `node ARGS` in the project. */
  node(...args: readonly string[]): Command;
  /** `reprise ARGS` in the project, without npx. */
  reprise(...args: readonly string[]): Command;
}

/** Makes a project. The package is copied, so that a build in the meantime changes nothing. */
export function makeProject(files: Readonly<Record<string, string>>): Project {
  const build = join(repository, "dist");
  if (!existsSync(join(build, "bin.js"))) throw new Error("There is no dist/: run npm run build first");
  const path = realpathSync(mkdtempSync(join(tmpdir(), "reprise-bench-")));
  const installed = join(path, "node_modules", "reprise");
  cpSync(build, join(installed, "dist"), { recursive: true, filter: (from) => !from.includes("types") });
  cpSync(join(repository, "package.json"), join(installed, "package.json"));
  linkPackages(join(repository, "node_modules"), join(path, "node_modules"));
  mkdirSync(join(path, "tmp"));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  };
  write("package.json", `${JSON.stringify({ name: "bench", private: true, type: "module" })}\n`);
  for (const [file, text] of Object.entries(files)) write(file, text);
  // The compile cache of Node lives in the temporary folder: it is kept through the rounds, and leaves with the project.
  const env = { TMPDIR: join(path, "tmp") };
  return {
    path,
    write,
    forget: () => rmSync(join(path, ".reprise"), { recursive: true, force: true }),
    node: (...args) => ({ argv: [process.execPath, ...args], cwd: path, env }),
    reprise: (...args) => ({ argv: [process.execPath, join(installed, "dist", "bin.js"), ...args], cwd: path, env }),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

function linkPackages(from: string, to: string): void {
  for (const name of readdirSync(from)) {
    if (name === "reprise" || name.startsWith(".")) continue;
    symlinkSync(join(from, name), join(to, name), "dir");
  }
}
