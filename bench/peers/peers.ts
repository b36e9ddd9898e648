/** The peers: how each one's pipeline is run, in a folder of its own, without telemetry. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import type { Command } from "../command.ts";

export interface Peer extends Disposable {
  readonly name: string;
  /** As pinned in requirements.txt. */
  readonly version: string;
  /** Runs the pipeline with an empty store. */
  readonly first: Command;
  /** Runs it again, with nothing changed. */
  readonly again: Command;
  /** Empties the store. */
  forget(): void;
}

interface PeerSource {
  readonly name: string;
  readonly package: string;
  readonly first: readonly string[];
  readonly again?: readonly string[];
}

const sources: readonly PeerSource[] = [
  { name: "joblib", package: "joblib", first: ["python", "joblib_script.py"] },
  { name: "Hamilton", package: "sf-hamilton", first: ["python", "hamilton_dag.py"] },
  {
    name: "Metaflow",
    package: "metaflow",
    first: ["python", "metaflow_flow.py", "run"],
    again: ["python", "metaflow_flow.py", "resume"],
  },
  { name: "redun", package: "redun", first: ["redun", "run", "redun_workflow.py", "main"] },
  { name: "Dagster", package: "dagster", first: ["python", "dagster_assets.py"] },
  { name: "ZenML", package: "zenml", first: ["python", "zenml_pipeline.py"] },
  { name: "Prefect", package: "prefect", first: ["python", "prefect_flow.py"] },
];

const binaries = join(import.meta.dirname, ".venv", "bin");

/** Whether `setup.ts` has installed them. */
export function arePeersInstalled(): boolean {
  return existsSync(join(binaries, "redun"));
}

/** A folder for each peer, with its pipeline and an empty store. */
export function openPeers(): readonly Peer[] {
  return sources.map(openPeer);
}

function openPeer(source: PeerSource): Peer {
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
    ZENML_CONFIG_PATH: join(path, "store"),
    ZENML_ANALYTICS_OPT_IN: "false",
  };
  return {
    name: source.name,
    version: readVersion(source.package),
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
