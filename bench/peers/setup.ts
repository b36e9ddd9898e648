/**
 * Installs the peers into a virtual environment beside this file: `node bench/peers/setup.ts`. Where there is no Python,
 * or no package index, it says so and leaves; the benchmarks then skip the peers.
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const folder = import.meta.dirname;
const environment = join(folder, ".venv");

const python = ["python3.11", "python3.12", "python3"].find((name) => succeeds(name, ["-c", "import venv, ensurepip"]));
if (python === undefined) {
  console.log("Skipped: there is no python3 with venv on the path. Benchmarks will run without the peers.");
} else if (!succeeds(python, ["-m", "venv", environment])) {
  leave("no virtual environment could be made");
} else if (!installs()) {
  leave("the packages of requirements.txt could not be installed");
} else {
  console.log(`The peers are installed in ${environment}.`);
}

function installs(): boolean {
  const pip = ["-m", "pip", "install", "--disable-pip-version-check", "-q", "-r", join(folder, "requirements.txt")];
  return succeeds(join(environment, "bin", "python"), pip, "inherit");
}

function succeeds(command: string, args: readonly string[], stderr: "ignore" | "inherit" = "ignore"): boolean {
  return spawnSync(command, args, { stdio: ["ignore", "ignore", stderr] }).status === 0;
}

/** A half-installed environment would be taken for a whole one. */
function leave(why: string): void {
  rmSync(environment, { recursive: true, force: true });
  console.log(`Skipped: ${why}. Benchmarks will run without the peers.`);
  process.exitCode = 0;
}
