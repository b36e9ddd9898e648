/**
 * Installs the peers beside this file: `node bench/peers/setup.ts`. Those of requirements.txt go into a virtual
 * environment, those of package.json into node_modules. Where there is no Python, or no package index, it says so and
 * leaves; the benchmarks then skip what is missing.
 */
import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";

const folder = import.meta.dirname;

installForPython();
installForNode();

function installForPython(): void {
  const environment = join(folder, ".venv");
  const candidates = ["python3.11", "python3.12", "python3"];
  const python = candidates.find((name) => succeeds(name, ["-c", "import venv, ensurepip"]));
  if (python === undefined) {
    skip("there is no python3 with venv on the path", "without the peers");
  } else if (!succeeds(python, ["-m", "venv", environment])) {
    leave(environment, "no virtual environment could be made", "without the peers");
  } else if (!succeeds(join(environment, "bin", "python"), pip(), "inherit")) {
    leave(environment, "the packages of requirements.txt could not be installed", "without the peers");
  } else {
    console.log(`The peers are installed in ${environment}.`);
  }
}

function pip(): readonly string[] {
  return ["-m", "pip", "install", "--disable-pip-version-check", "-q", "-r", join(folder, "requirements.txt")];
}

function installForNode(): void {
  const modules = join(folder, "node_modules");
  const npm = ["install", "--prefix", folder, "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"];
  if (succeeds("npm", [...npm, "--loglevel=error"], "inherit") && existsSync(modules)) {
    console.log(`The build tools are installed in ${modules}.`);
  } else {
    leave(modules, "the packages of package.json could not be installed", "without the build tools");
  }
}

function succeeds(command: string, args: readonly string[], stderr: "ignore" | "inherit" = "ignore"): boolean {
  return spawnSync(command, args, { stdio: ["ignore", "ignore", stderr] }).status === 0;
}

/** What is half installed would be taken for whole. */
function leave(path: string, why: string, how: string): void {
  rmSync(path, { recursive: true, force: true });
  skip(why, how);
}

function skip(why: string, how: string): void {
  console.log(`Skipped: ${why}. Benchmarks will run ${how}.`);
}
