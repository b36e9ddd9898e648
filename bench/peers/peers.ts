/** The peers that Python runs: each in a folder of its own, without telemetry. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import type { Command } from "../command.ts";

export interface Peer extends Disposable {
  /** With the version that requirements.txt pins. */
  readonly name: string;
  /** Runs the pipeline with an empty store. */
  readonly first: Command;
  /** Runs it again, with nothing changed. */
  readonly again: Command;
  /** Empties the store. */
  forget(): void;
}

/** What a peer is called and run by. */
export interface PeerSource {
  readonly name: string;
  /** Its package in requirements.txt. */
  readonly package: string;
  /** Shown behind its name, where it is not run as usual. */
  readonly setting?: string;
  readonly first: readonly string[];
  /** As `first` where it says nothing. */
  readonly again?: readonly string[];
}

const binaries = join(import.meta.dirname, ".venv", "bin");

/** Whether `setup.ts` has installed them. */
export function arePeersInstalled(): boolean {
  return existsSync(join(binaries, "redun"));
}

/** A folder for this peer, with all that Python is written in and an empty store. */
export function openPeer(source: PeerSource): Peer {
  const path = mkdtempSync(join(tmpdir(), "reprise-bench-peer-"));
  for (const name of readdirSync(import.meta.dirname).filter((each) => each.endsWith(".py"))) {
    cpSync(join(import.meta.dirname, name), join(path, name));
  }
  const env = {
    PATH: [binaries, process.env["PATH"]].join(delimiter),
    HOME: path,
    TMPDIR: path,
    LANG: "C.UTF-8",
    USER: "bench",
    DO_NOT_TRACK: "1",
    DAGSTER_HOME: path,
    METAFLOW_HOME: path,
    PREFECT_HOME: join(path, "store"),
    PREFECT_SERVER_ANALYTICS_ENABLED: "false",
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: "300",
    ZENML_CONFIG_PATH: join(path, "store"),
    ZENML_ANALYTICS_OPT_IN: "false",
  };
  return {
    name: `${source.name} ${readVersion(source.package)}${source.setting === undefined ? "" : `, ${source.setting}`}`,
    first: { argv: source.first, cwd: path, env },
    again: { argv: source.again ?? source.first, cwd: path, env },
    forget() {
      for (const name of readdirSync(path).filter((each) => !each.endsWith(".py") && each !== "__pycache__")) {
        rmSync(join(path, name), { recursive: true, force: true });
      }
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

function readVersion(name: string): string {
  const lines = readFileSync(join(import.meta.dirname, "requirements.txt"), "utf8").split("\n");
  return lines.find((line) => line.replace(/\[.*?\]/u, "").startsWith(`${name}==`))?.split("==")[1] ?? "?";
}
